package cli

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/internal/shellwords"
)

// scripting is one run of the command init.
type scripting struct{}

func newInit() cmdline.Runner { return &scripting{} }

func (*scripting) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "print the function pdb, for scripts that call thousands of times",
		Usage:   "init bash|zsh",
		Long: `Once it is evaluated, "pdb COMMAND" does what "prontodb COMMAND" does, with the
same exit status, but is answered by one process beside the script, which is
started at the first call and ends with the script:

  eval "$(prontodb init bash)"
  pdb set app.jobs.last "$id"
  if pdb get app.config.color; then echo "$REPLY"; fi

"pdb get" prints nothing: it puts the value into REPLY, exactly, and REPLY is empty
on a miss. What other commands print, they print; where that is not much, REPLY has
it, too, without its last newline (pdb incr n >/dev/null).

A process is run as ever for what a batch can't do (see prontodb help batch), for
--json, for what is read from standard input, and for a value that holds a NUL,
which no variable can: get prints that. What the script changes in the variables
PRONTODB_…, HOME and XDG_…, in the configuration or by cd counts from the next call
on. Subshells and background jobs each get a process of their own.

If that process is killed while it works, a command that only reads is repeated,
and another returns 4: it may have been done.`,
		Args:     []cmdline.Arg{{Name: "SHELL", Kind: cmdline.ShellKind, Text: "the shell that the script is for, bash or zsh"}},
		Examples: []string{`eval "$(prontodb init bash)"`, `eval "$(prontodb init zsh)"`},
	}
}

func (*scripting) Flags(*cmdline.Flags) {}

//go:embed shell/pdb.bash
var bashFunction string

//go:embed shell/pdb.zsh
var zshFunction string

func (*scripting) Run(_ context.Context, a *app, args []string) error {
	var script string
	switch args[0] {
	case "bash":
		script = bashFunction
	case "zsh":
		script = zshFunction
	default:
		return cmdline.WithHint(fmt.Errorf("shell %q: must be bash or zsh", args[0]), "prontodb help init")
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	script = strings.NewReplacer(
		"@PROGRAM@", shellwords.SingleQuote(program),
		"@ENVIRONMENT@", strings.Join(a.variables(), "\n"),
	).Replace(script)
	if args[0] == "zsh" {
		// With options of its own, which its functions keep.
		script = "'builtin' 'emulate' 'zsh' '-o' 'no_aliases' '-c' " + shellwords.SingleQuote(script) + "\n"
	}
	_, err = a.out.WriteString(script)
	return err
}

// variables are the values, as a shell expands them, of those that say what a call
// does.
func (a *app) variables() []string {
	var list []string
	for _, f := range new(globals).flags(&a.Process).List() {
		list = append(list, "${"+cmdline.EnvName(f.Name)+"-}")
	}
	return append(list, "${HOME-}", "${XDG_DATA_HOME-}", "${XDG_CONFIG_HOME-}")
}
