package cmdline

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// Flags is a FlagSet that knows short forms and says why a value was refused.
type Flags struct {
	*flag.FlagSet
	short map[string]string // short form to name

	failed  string // the flag whose value was refused, if one was
	failure error
}

// NewFlags is an empty set of flags.
func NewFlags(name string) *Flags {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return &Flags{FlagSet: fs, short: map[string]string{}}
}

// ValueError is returned when the value of a flag is refused.
type ValueError struct{ Value, Why string }

func (e *ValueError) Error() string { return fmt.Sprintf("%q %s", e.Value, e.Why) }

// value is a flag.Value around a function that takes the text.
type value struct {
	f    *Flags
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
		err = &ValueError{s, err.Error()}
		v.f.failed, v.f.failure = v.name, err
		return err
	}
	return nil
}

// isBool reports whether a flag takes no value of its own.
func isBool(f *flag.Flag) bool { return f.Value.(*value).bool }

// Func registers a flag whose value set takes. The usage names its argument in
// back quotes, as the flag package has it.
func (f *Flags) Func(name, short, usage string, set func(string) error) {
	f.add(name, short, usage, false, set)
}

func (f *Flags) add(name, short, usage string, isBool bool, set func(string) error) {
	f.Var(&value{f, name, isBool, set, nil}, name, usage)
	if short != "" {
		f.short[short] = name
	}
}

// Text takes any text.
func (f *Flags) Text(p *string, name, short, usage string) {
	f.add(name, short, usage, false, func(s string) error { *p = s; return nil })
}

// ReadBack lets ff read a flag's text.
func (f *Flags) ReadBack(p *string, name string) { f.Lookup(name).Value.(*value).text = p }

// Dir takes a path, made absolute.
func (f *Flags) Dir(p *string, name, usage string) {
	f.add(name, "", usage, false, func(s string) (err error) {
		if s == "" {
			return fmt.Errorf("is empty")
		}
		*p, err = filepath.Abs(s)
		return err
	})
}

// Bool takes no value, or one that is true or false.
func (f *Flags) Bool(p *bool, name, short, usage string) {
	f.add(name, short, usage, true, func(s string) error {
		v, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("is neither true nor false")
		}
		*p = v
		return nil
	})
}

// Int takes a whole number from min on.
func (f *Flags) Int(p *int64, min int64, name, short, usage string) {
	f.add(name, short, usage, false, func(s string) error {
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil || v < min {
			return fmt.Errorf("is not a whole number from %d on", min)
		}
		*p = v
		return nil
	})
}

// MaxSize is the largest size that a flag takes, in bytes; a row of SQLite ends
// at 1,000,000,000 (https://www.sqlite.org/limits.html).
const MaxSize = 900 << 20

// Bytes takes a number of bytes, with k, m or g after it for 2^10, 2^20, 2^30.
func (f *Flags) Bytes(p *int64, name, short, usage string) {
	f.add(name, short, usage, false, func(s string) error {
		n, ok := parseBytes(strings.ToLower(s))
		if !ok {
			return fmt.Errorf("is not a size in bytes such as 1000, 64k or 64m, up to 900m")
		}
		*p = n
		return nil
	})
}

func parseBytes(s string) (int64, bool) {
	digits := strings.TrimRight(s, "kmgib")
	var shift uint
	switch s[len(digits):] {
	case "", "b":
	case "k", "kb", "kib":
		shift = 10
	case "m", "mb", "mib":
		shift = 20
	case "g", "gb", "gib":
		shift = 30
	default:
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > MaxSize>>shift {
		return 0, false
	}
	return n << shift, true
}

// OneOf takes one of some words.
func (f *Flags) OneOf(p *string, name, short, usage string, words ...string) {
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

// Flag is what there is to tell about one flag.
type Flag struct {
	Name, Short string
	Arg         string // "D", "NAME|PATH", "full|normal"; "" where it takes no value
	Usage       string
}

// List tells about all flags, in the order of their names.
func (f *Flags) List() []Flag {
	short := map[string]string{}
	for s, name := range f.short {
		short[name] = s
	}
	var list []Flag
	f.VisitAll(func(fl *flag.Flag) {
		arg, usage := flag.UnquoteUsage(fl)
		if isBool(fl) {
			arg = ""
		}
		list = append(list, Flag{fl.Name, short[fl.Name], arg, usage})
	})
	return list
}

// Forms are the ways to write a flag: "--project", "-p".
func (f Flag) Forms() []string {
	if f.Short == "" {
		return []string{"--" + f.Name}
	}
	return []string{"--" + f.Name, "-" + f.Short}
}

// Words are the values a flag takes, if they are all known.
func (f Flag) Words() []string {
	if strings.ToLower(f.Arg) != f.Arg || !strings.Contains(f.Arg, "|") {
		return nil
	}
	return strings.Split(f.Arg, "|")
}

func (f *Flags) names() []string {
	var names []string
	f.VisitAll(func(fl *flag.Flag) { names = append(names, fl.Name) })
	return names
}
