//go:build !unix

package cli

import (
	"context"
	"errors"
)

func (c *batch) runBeside(context.Context) error {
	return errors.New("--beside: there are no such pipes on this system")
}
