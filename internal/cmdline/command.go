package cmdline

import (
	"fmt"
	"strings"
)

// Command is what is true of a command, for all who need to know: the line that
// names it, the help, the manual, the completions, and a batch.
type Command struct {
	Name    string
	Aliases []string
	Group   string // the heading that the help lists it under

	Access  Access  // what it does to the database that the flags select
	Known   bool    // an unknown cursor is an error to it, though it writes
	Batch   bool    // it may be a line of a batch
	Answer  Answer  // what it prints with --json
	Value   bool    // what it prints is a value, which a script wants in a variable
	Honours Choices // the global flags that choose data and mean something to it
	Config  ConfigUse
	Rest    bool // after "--" comes a command of the user's, with flags of its own
	OwnArgs bool // it checks the number of its arguments itself
	Rescues bool // it keeps what is piped to it where the address is refused (SPEC 4)

	New  func() Runner // makes one run of it; nil for a group
	Subs []Command     // the commands of a group
	Doc  func() Doc    // of a group; a command's Runner has its own

	path string // with the group in front, once it has been looked up
}

// Runner is one run of a command: what its flags say, and what it does.
type Runner interface {
	// Doc is the help.
	Doc() Doc
	// Flags registers the flags.
	Flags(f *Flags)
}

// Doc is what the help and the manual say of a command.
type Doc struct {
	Purpose  string // in one line, without a full stop
	Usage    string // "set [flags] ADDRESS [VALUE]"
	Long     string // what else there is to know, if anything
	Args     []Arg
	Exits    [][2]string // beside "0 done" and "1 error"
	Examples []string
}

// Arg is an argument of a command.
type Arg struct {
	Name     string
	Text     string
	Kind     Kind // what completes it
	Optional bool
	Repeated bool // as often as wanted; only the last one
}

// Kind says what completes a word.
type Kind string

const (
	NoKind      Kind = ""
	FileKind    Kind = "file"
	DirKind     Kind = "dir"
	CursorKind  Kind = "cursor"
	UserKind    Kind = "user"
	CommandKind Kind = "command"
	ShellKind   Kind = "shell"
)

// Access says what a command does to the database that the flags select.
type Access int

const (
	NoAccess Access = iota // none
	Reads                  // what does not exist is not created
	Writes
)

// Answer says what a command prints with --json.
type Answer int

const (
	AnswersObject Answer = iota // one object, or nothing
	AnswersEntry                // the JSON of an entry
	AnswersList                 // an object a line, as many as there are
)

// ConfigUse says what a command does about the configuration.
type ConfigUse int

const (
	ConfigRead     ConfigUse = iota // takes it, and ends where it is broken
	ConfigExamined                  // takes it, and tells where it is broken
	ConfigIgnored                   // looks at neither the environment nor the file
)

// Choices are global flags that choose data.
type Choices int

const (
	Project Choices = 1 << iota
	Namespace
	Context
	User
	Cursor
	Database
	Meta
	IfLock
)

// choiceFlags are the flags of the choices, in the order in which they are
// refused.
var choiceFlags = [...]struct {
	name   string
	choice Choices
}{
	{"project", Project}, {"namespace", Namespace}, {"context", Context},
	{"user", User}, {"cursor", Cursor}, {"database", Database}, {"meta", Meta},
	{"if-lock", IfLock},
}

// CheckChoices refuses a global flag that chooses data and is given on the line
// of a command that has no use for it (SPEC 2).
func (c *Command) CheckChoices(given map[string]bool) error {
	for _, f := range choiceFlags {
		honours := c.Honours
		if c.Access == Writes && !c.Known {
			honours |= IfLock
		}
		if given[f.name] && honours&f.choice == 0 {
			return fmt.Errorf("--%s does not apply", f.name)
		}
	}
	return nil
}

// Path is the name with the group in front: "cursor set".
func (c *Command) Path() string {
	if c.path == "" {
		return c.Name
	}
	return c.path
}

// Names are the name and the aliases.
func (c *Command) Names() []string { return append([]string{c.Name}, c.Aliases...) }

// Help is what the help says of the command.
func (c *Command) Help() Doc {
	if c.New == nil {
		return c.Doc()
	}
	return c.New().Doc()
}

// OwnFlags are the command's flags, with nothing bound to them.
func (c *Command) OwnFlags() *Flags {
	f := NewFlags(c.Name)
	if c.New != nil {
		c.New().Flags(f)
	}
	return f
}

// CheckArgs refuses arguments that are missing or one too many.
func (d Doc) CheckArgs(args []string) error {
	required, repeated := 0, false
	for _, a := range d.Args {
		if !a.Optional {
			required++
		}
		repeated = a.Repeated
	}
	if len(args) < required {
		a := d.Args[len(args)]
		if a.Repeated {
			a.Name += "…"
		}
		return d.Missing(a.Name)
	}
	if n := len(d.Args); len(args) > n && !repeated {
		return d.Unexpected(args[n])
	}
	return nil
}

// Missing refuses a line that lacks something.
func (d Doc) Missing(what string) error {
	return WithHint(fmt.Errorf("missing %s", what), "usage: prontodb %s", d.Usage)
}

// Unexpected refuses an argument that is one too many.
func (d Doc) Unexpected(arg string) error {
	return WithHint(fmt.Errorf("superfluous argument %q", arg), "usage: prontodb %s", d.Usage)
}

// Registry lists the commands in the order in which the help shows them.
type Registry []Command

// Lookup finds a command by its name or an alias, or returns nil.
func (r Registry) Lookup(name string) *Command {
	for i := range r {
		c := &r[i]
		if c.Name == name {
			return c
		}
		for _, alias := range c.Aliases {
			if alias == name {
				return c
			}
		}
	}
	return nil
}

// Sub finds a command of a group, or returns nil.
func (c *Command) Sub(name string) *Command {
	for i := range c.Subs {
		if s := &c.Subs[i]; s.Name == name {
			s.path = c.Name + " " + s.Name
			return s
		}
	}
	return nil
}

// Names are the names of all commands, aliases too.
func (r Registry) Names() []string {
	var names []string
	for i := range r {
		names = append(names, r[i].Names()...)
	}
	return names
}

// Leaves are the commands that do something: a group is its subcommands.
func (r Registry) Leaves() []*Command {
	var list []*Command
	for i := range r {
		list = append(list, r[i].Leaves()...)
	}
	return list
}

// Leaves is the command itself, or, of a group, its subcommands.
func (c *Command) Leaves() []*Command {
	if c.New != nil {
		return []*Command{c}
	}
	var list []*Command
	for i := range c.Subs {
		list = append(list, c.Sub(c.Subs[i].Name))
	}
	return list
}

// HintError adds to an error a line that helps, best one that can be pasted.
type HintError struct {
	Err  error
	Hint string
}

func (e *HintError) Error() string { return e.Err.Error() }
func (e *HintError) Unwrap() error { return e.Err }

// WithHint adds a hint to an error.
func WithHint(err error, format string, args ...any) error {
	return &HintError{err, fmt.Sprintf(format, args...)}
}

// EnvName is the environment variable of a global flag.
func EnvName(flag string) string {
	return "PRONTODB_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
