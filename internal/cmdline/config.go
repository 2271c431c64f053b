package cmdline

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/peterbourgon/ff/v3"
)

// ConfigError is returned when a configuration file can't be used.
type ConfigError struct {
	File string
	Err  error
}

func (e *ConfigError) Error() string { return fmt.Sprintf("configuration %s: %v", e.File, e.Err) }
func (e *ConfigError) Unwrap() error { return e.Err }

// Load fills in the flags: those on the line before the environment, and that
// before the configuration file, which the flag "config" names. Global flags
// that are missing from the line are looked up with getenv. What is wrong with
// the configuration is returned as broken where the command is to tell of it,
// and the line loaded without it.
func (l *Line) Load(getenv func(string) string) (broken, err error) {
	use := ConfigRead
	if l.Command != nil {
		use = l.Command.Config
	}
	if use == ConfigIgnored {
		return nil, l.load()
	}
	if err := l.root.loadEnv(l.Given, getenv); err != nil {
		return nil, err
	}
	err = l.load(configOptions(l.root)...)
	if c := (*ConfigError)(nil); errors.As(err, &c) && use == ConfigExamined {
		return c, l.load()
	}
	return nil, err
}

// LoadEnv fills in the global flags from the environment and the configuration
// alone, as far as that goes.
func (l *Line) LoadEnv(getenv func(string) string) {
	l.root.loadEnv(l.Given, getenv)
	ff.Parse(l.root.FlagSet, nil, configOptions(l.root)...)
}

func (l *Line) load(options ...ff.Option) error {
	l.root.failed = ""
	if len(options) > 0 {
		if err := l.checkConfigFile(); err != nil {
			return err
		}
	}
	if len(l.Global) > 0 || len(options) > 0 {
		if err := ff.Parse(l.root.FlagSet, l.Global, options...); err != nil {
			return l.root.explain(err)
		}
	}
	if l.own == nil {
		return nil
	}
	return l.own.explain(l.own.Parse(l.Local))
}

// maxConfig is the most bytes that a configuration file has.
const maxConfig = 1 << 20

// checkConfigFile refuses what ff would wait for, or read without end.
func (l *Line) checkConfigFile() error {
	file := l.root.configFile()
	for _, text := range l.Global { // it is not parsed yet
		if v, ok := strings.CutPrefix(text, "--"+configFlag+"="); ok {
			file = v
		}
	}
	info, err := os.Stat(file)
	switch {
	case err != nil || file == os.DevNull: // ff says what is wrong, where it matters
		return nil
	case info.IsDir():
		return &ConfigError{file, syscall.EISDIR}
	case !info.Mode().IsRegular():
		return &ConfigError{file, errors.New("is no regular file")}
	case info.Size() > maxConfig:
		return &ConfigError{file, fmt.Errorf("has more than %d bytes", maxConfig)}
	}
	return nil
}

// LoadLine fills in the flags from the line alone.
func (l *Line) LoadLine() error { return l.load() }

// loadEnv sets the flags that are not given from the environment.
func (f *Flags) loadEnv(given map[string]bool, getenv func(string) string) (err error) {
	f.VisitAll(func(fl *flag.Flag) {
		v := ""
		if !given[fl.Name] {
			v = getenv(EnvName(fl.Name))
		}
		if v == "" || err != nil {
			return
		}
		if f.Set(fl.Name, v) != nil {
			err = fmt.Errorf("environment %s: %w", EnvName(fl.Name), f.failure)
		}
	})
	return err
}

// explain says in our words what is wrong with a flag's value: the flag package
// and ff wrap the reason in theirs.
func (f *Flags) explain(err error) error {
	if err == nil {
		return nil
	}
	if c := (*ConfigError)(nil); errors.As(err, &c) {
		return c
	}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return &ConfigError{f.configFile(), pe.Err}
	}
	if f.failed != "" {
		return fmt.Errorf("flag --%s: %w", f.failed, f.failure)
	}
	return err
}

const configFlag = "config"

func (f *Flags) configFile() string { return f.Lookup(configFlag).Value.String() }

func configOptions(root *Flags) []ff.Option {
	return []ff.Option{
		ff.WithConfigFileFlag(configFlag),
		ff.WithAllowMissingConfigFile(true),
		ff.WithConfigFileParser(func(r io.Reader, set func(name, value string) error) error {
			return ParseConfig(root.configFile(), r, root, set)
		}),
	}
}

// ParseConfig reads a configuration file: lines of "name value", each a flag
// that is known. A # at the beginning of a line or after a blank begins a
// comment. Every error is a [ConfigError].
func ParseConfig(file string, r io.Reader, known *Flags, set func(name, value string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxConfig+1)
	for first := true; lines.Scan(); first = false {
		line := lines.Text()
		if first {
			line = strings.TrimPrefix(line, "\ufeff") // the mark of some editors
		}
		name, value := splitSetting(line)
		if name == "" {
			continue
		}
		f := known.Lookup(name)
		if f == nil || name == configFlag {
			return &ConfigError{file, fmt.Errorf("unknown name %q", name)}
		}
		if value == "" {
			if !isBool(f) {
				return &ConfigError{file, fmt.Errorf("%s: has no value", name)}
			}
			value = "true"
		}
		if err := set(name, value); err != nil {
			return &ConfigError{file, fmt.Errorf("%s: %w", name, reason(err))}
		}
	}
	if err := lines.Err(); err != nil {
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			err = pe.Err
		}
		return &ConfigError{file, err}
	}
	return nil
}

// splitSetting takes a line of a configuration file apart; name is "" where it
// says nothing.
func splitSetting(line string) (name, value string) {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "#") {
		return "", ""
	}
	if i := strings.Index(line, " #"); i > 0 {
		line = line[:i]
	}
	if i := strings.IndexAny(line, " \t"); i > 0 {
		return line[:i], strings.TrimSpace(line[i:])
	}
	return line, ""
}

// reason is the innermost error: why a value was refused.
func reason(err error) error {
	if v := (*ValueError)(nil); errors.As(err, &v) {
		return v
	}
	return err
}
