package cli

import (
	"flag"
	"strings"
)

// spec is a command with all that is known of it, for what is made of the
// registry: the completions and the man page.
type spec struct {
	*command
	aliases []string
	flags   []flagSpec
	subs    []spec
}

// flagSpec is one flag. One that takes no value has no arg.
type flagSpec struct {
	name, short string
	arg         string // "D", "NAME|PATH", "full|normal"
	usage       string
}

// words are the values a flag takes, if they are all known.
func (f flagSpec) words() []string {
	if strings.ToLower(f.arg) != f.arg || !strings.Contains(f.arg, "|") {
		return nil
	}
	return strings.Split(f.arg, "|")
}

// forms are the ways to write a flag: "--project", "-p".
func (f flagSpec) forms() []string {
	if f.short == "" {
		return []string{"--" + f.name}
	}
	return []string{"--" + f.name, "-" + f.short}
}

// specs lists the commands in the order of the registry, without aliases.
func specs() []spec {
	var list []spec
	for _, r := range registry {
		if !r.alias {
			list = append(list, specOf(r.new(), r.name))
		}
	}
	return list
}

func specOf(c *command, path string) spec {
	c.path = path
	s := spec{command: c, flags: flagSpecs(func(f *flags) {
		if c.setup != nil {
			c.setup(&app{}, f)
		}
	})}
	if path == c.name {
		s.aliases = aliases(c.name)
	}
	for _, sub := range c.subs {
		s.subs = append(s.subs, specOf(sub, path+" "+sub.name))
	}
	return s
}

// names are the command's name and its aliases.
func (s spec) names() []string { return append([]string{s.name}, s.aliases...) }

// leaves are the commands that do something: a group is its subcommands.
func leaves(list []spec) []spec {
	var out []spec
	for _, s := range list {
		if out = append(out, s); len(s.subs) > 0 {
			out = append(out[:len(out)-1], leaves(s.subs)...)
		}
	}
	return out
}

func globalSpecs() []flagSpec { return flagSpecs(func(f *flags) { new(globals).register(f) }) }

func flagSpecs(register func(*flags)) []flagSpec {
	f := newFlags("")
	register(f)
	short := map[string]string{}
	for s, name := range f.short {
		short[name] = s
	}
	var list []flagSpec
	f.VisitAll(func(fl *flag.Flag) {
		arg, usage := flag.UnquoteUsage(fl)
		if isBool(fl) {
			arg = ""
		}
		list = append(list, flagSpec{fl.Name, short[fl.Name], arg, strings.ReplaceAll(usage, "\n", " ")})
	})
	return list
}

// valueKind says what completes a value, by the name its argument has in the
// help.
func valueKind(arg string) string {
	switch {
	case strings.Contains(arg, "FILE"), strings.Contains(arg, "PATH"), strings.Contains(arg, "TARGET"):
		return "file"
	case strings.Contains(arg, "DIR"):
		return "dir"
	}
	return ""
}

// flagKind is valueKind for a flag.
func flagKind(f flagSpec) string {
	switch f.name {
	case "cursor", "user":
		return f.name
	}
	return valueKind(f.arg)
}

// argKind says what completes the arguments of a command: "file", "dir",
// "cursor", "command" or nothing.
func (s spec) argKind() string {
	switch s.path {
	case "help":
		return "command"
	case "cursor set", "cursor show", "cursor use", "cursor delete":
		return "cursor"
	}
	for _, a := range s.args {
		if k := valueKind(a[0]); k != "" {
			return k
		}
	}
	return ""
}
