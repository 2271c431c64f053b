package cli

import (
	"fmt"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
)

// conditions are the flags of a conditional write.
type conditions struct{ pronto.Condition }

func (c *conditions) presenceFlags(f *cmdline.Flags) {
	f.Bool(&c.Absent, "nx", "", "only if the entry is absent, else exit 3")
	f.Bool(&c.Present, "xx", "", "only if the entry is present, else exit 3")
}

func (c *conditions) valueFlags(f *cmdline.Flags) {
	f.Func("if-value", "", "only if the entry's value is `V`, else exit 3", func(s string) error {
		c.HasValue, c.Value = true, bytesOf(s)
		return nil
	})
	f.Int(&c.Revision, 1, "if-revision", "", "only if the entry was last written by revision `N`, else exit 3")
}

// check refuses conditions that can't hold together.
func (c *conditions) check() error {
	switch {
	case c.Absent && c.Present:
		return fmt.Errorf("--nx and --xx exclude each other")
	case c.Absent && c.HasValue:
		return fmt.Errorf("--nx and --if-value exclude each other")
	case c.Absent && c.Revision != 0:
		return fmt.Errorf("--nx and --if-revision exclude each other")
	}
	return nil
}

// What the help of several commands says of exit statuses.
var (
	exitCondition = [2]string{"3", "condition not met, nothing changed"}
	exitMiss      = [2]string{"2", "miss: not found, or expired"}
)
