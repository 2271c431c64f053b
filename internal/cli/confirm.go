package cli

import (
	"fmt"
	"prontodb/internal/cmdline"
	"strings"
)

// confirm asks before something is removed for good: on a terminal with a
// question, elsewhere it insists on --yes.
func (a *app) confirm(yes bool, what string) error {
	if yes {
		return nil
	}
	if _, ok := a.Stdin.(elsewhere); ok {
		return errProcess
	}
	if !isTerminal(a.Stdin) {
		return cmdline.WithHint(fmt.Errorf("%s needs --yes where nobody can be asked", what), "%s", a.with("--yes"))
	}
	fmt.Fprintf(a.Stderr, "prontodb: %s: %s? [y/N] ", a.name(), oneLine(what))
	var answer string
	fmt.Fscanln(a.Stdin, &answer)
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return fmt.Errorf("not confirmed, nothing was changed")
	}
	return nil
}
