package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/internal/shellwords"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// with is this call's command line with some flags more.
func (a *app) with(flags ...string) string {
	if slices.Contains(a.Args, "--") {
		return cmdline.Call(slices.Concat(flags, a.Args)...)
	}
	return cmdline.Call(slices.Concat(a.Args, flags)...)
}

// userFlag is the flag that another call needs to be of the same user, with a
// blank after it.
func (a *app) userFlag() string {
	if a.g.given["user"] {
		return "--user " + a.g.user + " "
	}
	return ""
}

// here begins a command line that works in the same place as this call, and
// takes addresses in full: a project, namespace or context that the
// environment or the configuration says would apply to them.
func (a *app) here() string {
	env, withConfig := a.partsFromElsewhere()
	config, anew := a.g.config, a.g.given["config"]
	if withConfig {
		config, anew = os.DevNull, true
	}
	var flags strings.Builder
	for _, f := range [...]struct {
		name, value, fallback string
	}{
		{"config", config, config},
		{"user", a.g.user, home.DefaultUser}, {"cursor", a.g.cursor, ""}, {"database", a.g.database, ""},
		{"meta", a.g.meta, ""}, {"ns-delim", a.g.delim, pronto.DefaultDelim},
	} {
		if a.g.given[f.name] || f.name == "config" && anew || withConfig && f.value != f.fallback {
			fmt.Fprintf(&flags, "--%s %s ", f.name, shellwords.Quote(f.value))
		}
	}
	if env != "" {
		return "env " + env + "prontodb " + flags.String()
	}
	return "prontodb " + flags.String()
}

// partsFromElsewhere says what must go for addresses to be taken in full: the
// words for env that unset variables, and whether the configuration must not
// be read.
func (a *app) partsFromElsewhere() (env string, withConfig bool) {
	for _, f := range [...]struct{ name, value string }{
		{"project", a.g.project}, {"namespace", a.g.namespace}, {"context", a.g.context},
	} {
		if f.value == "" || a.g.given[f.name] {
			continue
		}
		if v := cmdline.EnvName(f.name); a.Getenv(v) != "" {
			env += "-u " + v + " "
		}
		if _, err := os.Stat(a.g.config); err == nil {
			withConfig = true
		}
	}
	return env, withConfig
}

// checkPrintable refuses to print addresses that would not read back: those of
// a project or namespace that holds the delimiter.
func (a *app) checkPrintable(n pronto.Notation, project, namespace string) error {
	err := n.CheckNamespace(project, namespace)
	if err == nil {
		return nil
	}
	for _, d := range [...]string{".", ":", "/", "|", "::", "//", "||"} {
		if (pronto.Notation{Delim: d}).CheckNamespace(project, namespace) == nil {
			return cmdline.WithHint(err, "%s", a.with("--ns-delim", d))
		}
	}
	return cmdline.WithHint(err, "%s", a.with("--json"))
}
