package cli

import (
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
		c.HasValue, c.Value = true, []byte(s)
		return nil
	})
	f.Int(&c.Revision, 1, "if-revision", "", "only if the entry was last written by revision `N`, else exit 3")
}

// What the help of several commands says of exit statuses.
var (
	exitCondition = [2]string{"3", "condition not met, nothing changed"}
	exitMiss      = [2]string{"2", "miss: not found, or expired"}
)
