package cli

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"prontodb/internal/cmdline"
	"prontodb/pronto"
	"prontodb/pronto/home"
)

// globals are the flags of every command (SPEC 2).
type globals struct {
	project, namespace, context string
	user, cursor, database      string
	meta, delim                 string
	actor                       string
	json, quiet                 bool
	config                      string
	busyTimeout                 time.Duration
	sync                        string
	ifLock                      []guard

	given   map[string]bool // on the command line itself
	metaSet bool            // by whatever way
	badPart error           // why --project, --namespace or --context is refused
}

// flags registers the global flags, with their defaults.
func (g *globals) flags(p *Process) *cmdline.Flags {
	f := cmdline.NewFlags("prontodb")
	g.user, g.delim, g.busyTimeout, g.sync = home.DefaultUser, pronto.DefaultDelim, pronto.DefaultBusyTimeout, "full"
	f.Text(&g.project, "project", "p", "`P` of the address")
	f.Text(&g.namespace, "namespace", "n", "`N` of the address: the argument then is the key alone")
	f.Text(&g.context, "context", "", "`C` of the address")
	f.Text(&g.user, "user", "", "user `NAME`, an isolated context of its own (default \"default\")")
	f.Text(&g.cursor, "cursor", "c", "cursor `NAME` to use, for this command only")
	f.Text(&g.database, "database", "d", "database `NAME|PATH` to use, bypassing cursors")
	f.Func("meta", "", "meta `NAME`, over the cursor's, for this command only", func(s string) error {
		g.meta, g.metaSet = s, true
		return nil
	})
	f.Func("if-lock", "", "change something only while `NAME=TOKEN` holds that lock; else 3", func(s string) (err error) {
		g.ifLock, err = parseGuards(s)
		return err
	})
	f.Func("as", "", "`NAME` of who is writing, for the log of changes: any text", func(s string) error {
		g.actor = s
		return checkActor(s)
	})
	f.Text(&g.delim, "ns-delim", "", "address delimiter `S` (default \".\")")
	f.Bool(&g.json, "json", "", "machine-readable output, errors too")
	f.Bool(&g.quiet, "quiet", "q", "no status lines on stderr")
	f.Text(&g.config, "config", "", "configuration `FILE` (default $XDG_CONFIG_HOME/prontodb/config)")
	durationFlag(f, &g.busyTimeout, "busy-timeout", "`D` to wait for another writer (default 5s)")
	f.OneOf(&g.sync, "sync", "", "`full|normal`: what a write survives, a loss of power or a crash (default full)", "full", "normal")
	if dir, err := p.configDir(); err == nil {
		g.config = filepath.Join(dir, "config")
	}
	f.ReadBack(&g.config, "config") // where ff finds the file
	return f
}

// maxActor is the longest name of who is writing, in bytes.
const maxActor = 256

func checkActor(s string) error {
	switch {
	case len(s) > maxActor:
		return fmt.Errorf("has more than %d bytes", maxActor)
	case !utf8.ValidString(s) || oneLine(s) != s:
		return errors.New("has control characters, or is no UTF-8")
	}
	return nil
}

// check looks at what only all flags together show.
func (g *globals) check(root *cmdline.Flags) error {
	set := map[string]bool{}
	root.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if set["config"] {
		if _, err := os.Stat(g.config); err != nil {
			return &cmdline.ConfigError{File: g.config, Err: pathReason(err)}
		}
	}
	if err := pronto.CheckDelim(g.delim); err != nil {
		return err
	}
	if g.meta != "" {
		if err := pronto.CheckPart("meta", g.meta); err != nil {
			return err
		}
	}
	g.badPart = g.checkParts(set)
	if g.cursor == "" && set["cursor"] {
		return fmt.Errorf("cursor %q: %w", g.cursor, home.ErrName)
	}
	if g.database == "" && set["database"] {
		return fmt.Errorf("database %q: is empty", g.database)
	}
	return nil
}

// checkParts looks at the parts of addresses that are set.
func (g *globals) checkParts(set map[string]bool) error {
	for _, p := range [...]struct{ name, value string }{
		{"project", g.project}, {"namespace", g.namespace}, {"context", g.context},
	} {
		if p.value == "" && !set[p.name] {
			continue
		}
		if err := pronto.CheckPart(p.name, p.value); err != nil {
			return err
		}
	}
	return nil
}

// durationFlag takes a duration (SPEC 2).
func durationFlag(f *cmdline.Flags, p *time.Duration, name, usage string) {
	f.Func(name, "", usage, func(s string) error {
		v, err := pronto.ParseDuration(s)
		if err == nil {
			*p = v
		}
		return err
	})
}

// ttlFlag takes an expiry, which is never zero.
func ttlFlag(f *cmdline.Flags, p *time.Duration, name, usage string) {
	f.Func(name, "", usage, func(s string) (err error) {
		*p, err = parseTTL(s)
		return err
	})
}

func parseTTL(s string) (time.Duration, error) {
	d, err := pronto.ParseDuration(s)
	if err == nil && (d <= 0 || d > pronto.MaxTTL) {
		err = pronto.ErrTTL
	}
	return d, err
}
