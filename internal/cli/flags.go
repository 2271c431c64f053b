package cli

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"prontodb/pronto"
)

// flags is a FlagSet that knows short forms and says why a value was refused.
type flags struct {
	*flag.FlagSet
	short map[string]string // short form to name

	failed  string // the flag whose value was refused, if one was
	failure error
}

func newFlags(name string) *flags {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return &flags{FlagSet: fs, short: map[string]string{}}
}

// value is a flag.Value around a function that takes the text.
type value struct {
	f    *flags
	name string
	bool bool
	set  func(string) error
	text *string // where the text can be read back, or nil
}

func (v *value) String() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}
func (v *value) IsBoolFlag() bool { return v.bool }
func (v *value) Set(s string) error {
	if err := v.set(s); err != nil {
		err = &valueError{s, err.Error()}
		v.f.failed, v.f.failure = v.name, err
		return err
	}
	return nil
}

// add registers a flag. The usage names its argument in back quotes, as the
// flag package has it.
func (f *flags) add(name, short, usage string, isBool bool, set func(string) error) {
	f.Var(&value{f, name, isBool, set, nil}, name, usage)
	if short != "" {
		f.short[short] = name
	}
}

func (f *flags) text(p *string, name, short, usage string) {
	f.add(name, short, usage, false, func(s string) error { *p = s; return nil })
}

// folder takes a path, made absolute.
func (f *flags) folder(p *string, name, usage string) {
	f.add(name, "", usage, false, func(s string) (err error) {
		if s == "" {
			return fmt.Errorf("is empty")
		}
		*p, err = filepath.Abs(s)
		return err
	})
}

func (f *flags) bool(p *bool, name, short, usage string) {
	f.add(name, short, usage, true, func(s string) error {
		v, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("is neither true nor false")
		}
		*p = v
		return nil
	})
}

// int takes a whole number from min on.
func (f *flags) int(p *int64, min int64, name, short, usage string) {
	f.add(name, short, usage, false, func(s string) error {
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil || v < min {
			return fmt.Errorf("is not a whole number from %d on", min)
		}
		*p = v
		return nil
	})
}

func (f *flags) duration(p *time.Duration, name, short, usage string) {
	f.add(name, short, usage, false, func(s string) error {
		v, err := pronto.ParseDuration(s)
		if err == nil {
			*p = v
		}
		return err
	})
}

// ttl takes an expiry, which is never zero.
func (f *flags) ttl(p *time.Duration, name, short, usage string) {
	f.add(name, short, usage, false, func(s string) (err error) {
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

// maxSize is the largest size a flag takes, in bytes; a row of SQLite ends at
// 1,000,000,000 (https://www.sqlite.org/limits.html).
const maxSize = 900 << 20

// bytes takes a number of bytes, with k, m or g behind it for 2^10, 2^20, 2^30.
func (f *flags) bytes(p *int64, name, short, usage string) {
	f.add(name, short, usage, false, func(s string) error {
		digits := strings.TrimRight(strings.ToLower(s), "kmgib")
		shift, ok := map[string]uint{"": 0, "b": 0, "k": 10, "kb": 10, "kib": 10, "m": 20, "mb": 20, "mib": 20, "g": 30, "gb": 30, "gib": 30}[strings.ToLower(s)[len(digits):]]
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || !ok || n < 0 || n > maxSize>>shift {
			return fmt.Errorf("is not a size in bytes such as 1000, 64k or 64m, up to 900m")
		}
		*p = n << shift
		return nil
	})
}

// oneOf takes one of some words.
func (f *flags) oneOf(p *string, name, short, usage string, words ...string) {
	f.add(name, short, usage, false, func(s string) error {
		for _, w := range words {
			if s == w {
				*p = s
				return nil
			}
		}
		return fmt.Errorf("is not one of: %s", strings.Join(words, ", "))
	})
}

// globals are the flags of every command (SPEC 2).
type globals struct {
	project, namespace, context string
	user, cursor, database      string
	meta, delim                 string
	json, quiet                 bool
	config                      string
	busyTimeout                 time.Duration
	sync                        string

	given   map[string]bool // on the command line itself
	metaSet bool            // by whatever way
	badPart error           // why --project, --namespace or --context is refused
}

func (g *globals) register(f *flags) {
	g.user, g.delim, g.busyTimeout, g.sync = pronto.DefaultUser, pronto.DefaultDelim, pronto.DefaultBusyTimeout, "full"
	f.text(&g.project, "project", "p", "`P` of the address")
	f.text(&g.namespace, "namespace", "n", "`N` of the address: the argument then is the key alone")
	f.text(&g.context, "context", "", "`C` of the address")
	f.text(&g.user, "user", "", "user `NAME`, an isolated context of its own (default \"default\")")
	f.text(&g.cursor, "cursor", "c", "cursor `NAME` to use, for this command only")
	f.text(&g.database, "database", "d", "database `NAME|PATH` to use, bypassing cursors")
	f.add("meta", "", "meta `NAME`, over the cursor's, for this command only", false, func(s string) error {
		g.meta, g.metaSet = s, true
		return nil
	})
	f.text(&g.delim, "ns-delim", "", "address delimiter `S` (default \".\")")
	f.bool(&g.json, "json", "", "machine-readable output, errors too")
	f.bool(&g.quiet, "quiet", "q", "no status lines on stderr")
	f.text(&g.config, "config", "", "configuration `FILE` (default $XDG_CONFIG_HOME/prontodb/config)")
	f.duration(&g.busyTimeout, "busy-timeout", "", "`D` to wait for another writer (default 5s)")
	f.oneOf(&g.sync, "sync", "", "`full|normal`: what a write survives, a loss of power or a crash (default full)", "full", "normal")
	if dir, err := configDir(); err == nil {
		g.config = filepath.Join(dir, "config")
	}
	// The parser reads the flag's text to find the file.
	f.Lookup("config").Value.(*value).text = &g.config
}

// check looks at what only all flags together show.
func (g *globals) check(root *flags) error {
	set := map[string]bool{}
	root.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if set["config"] {
		if _, err := os.Stat(g.config); err != nil {
			return &configError{g.config, pathReason(err)}
		}
	}
	if err := pronto.CheckDelim(g.delim); err != nil {
		return err
	}
	for _, p := range [...]struct {
		name  string
		value string
	}{{"project", g.project}, {"namespace", g.namespace}, {"context", g.context}, {"meta", g.meta}} {
		if p.value == "" && (!set[p.name] || p.name == "meta") {
			continue
		}
		if err := pronto.CheckPart(p.name, p.value); err != nil && p.name == "meta" {
			return err
		} else if err != nil && g.badPart == nil {
			g.badPart = err
		}
	}
	if g.cursor == "" && set["cursor"] {
		return fmt.Errorf("cursor %q: %w", g.cursor, pronto.ErrName)
	}
	if g.database == "" && set["database"] {
		return fmt.Errorf("database %q: is empty", g.database)
	}
	return nil
}

// isBool reports whether a flag takes no value of its own.
func isBool(f *flag.Flag) bool { return f.Value.(*value).bool }

// pathReason is the error without the name of the call and the path.
func pathReason(err error) error {
	if pe, ok := err.(*os.PathError); ok {
		return pe.Err
	}
	return err
}
