package pronto

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// DefaultPart is the project or namespace of an address that names none.
	DefaultPart = "default"
	// DefaultDelim separates the parts of an address.
	DefaultDelim = "."
	// MaxPart is the most bytes a part of an address may have.
	MaxPart = 512

	// ContextMark stands between a key and its context.
	ContextMark = "__"

	maxDelim = 16
)

// Address names one entry under a meta. Context is "" for none.
type Address struct {
	Project, Namespace, Key, Context string
}

// Name is the key with its context, as listings show it: "k" or "k__dev".
func (a Address) Name() string { return JoinName(a.Key, a.Context) }

// JoinName is a key with its context, "" for none.
func JoinName(key, context string) string {
	if context == "" {
		return key
	}
	return key + ContextMark + context
}

// SplitName undoes [JoinName]: the context is what follows the last "__". marked
// reports whether there is one, empty or not.
func SplitName(name string) (key, context string, marked bool) {
	i := strings.LastIndex(name, ContextMark)
	if i < 0 {
		return name, "", false
	}
	return name[:i], name[i+len(ContextMark):], true
}

// Check returns an [AddressError] unless a is an address that an entry can
// have: no part is empty (but for the context), none breaks the rules of
// [CheckPart], and key and context, joined, read back as themselves.
func (a Address) Check() error {
	if err := CheckPart("project", a.Project); err != nil {
		return err
	}
	if err := CheckPart("namespace", a.Namespace); err != nil {
		return err
	}
	return a.checkName()
}

// checkName is Check of key and context alone.
func (a Address) checkName() error {
	if err := CheckPart("key", a.Key); err != nil {
		return err
	}
	if a.Context != "" {
		if err := CheckPart("context", a.Context); err != nil {
			return err
		}
	}
	if a.Context == "" && !strings.Contains(a.Key, ContextMark) {
		return nil
	}
	if key, context, marked := SplitName(a.Name()); key != a.Key || context != a.Context || marked != (a.Context != "") {
		return &AddressError{"key", a.Name(), fmt.Sprintf("would read back as key %q in context %q", key, context)}
	}
	return nil
}

// CheckPart returns an [AddressError] naming the part if value is empty, over
// [MaxPart] bytes, not UTF-8, or holds a control character.
func CheckPart(part, value string) error {
	if value == "" {
		return &AddressError{part, value, "is empty"}
	}
	return CheckText(part, value)
}

// CheckText is [CheckPart] for a part that may be empty.
func CheckText(part, value string) error {
	if len(value) > MaxPart {
		return &AddressError{part, value, fmt.Sprintf("has %d bytes, the most is %d", len(value), MaxPart)}
	}
	if isPrintableASCII(value) {
		return nil
	}
	if !utf8.ValidString(value) {
		return &AddressError{part, value, "is not valid UTF-8"}
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		return &AddressError{part, value, "holds a control character"}
	}
	return nil
}

// isPrintableASCII reports whether s is printable ASCII, which is most of what
// is ever checked.
func isPrintableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// CheckDelim returns an [AddressError] unless d can separate addresses: 1 to
// 16 bytes with no letter, digit, blank, control character, '_' or '='.
func CheckDelim(d string) error {
	bad := func(r rune) bool {
		return r == '_' || r == '=' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSpace(r) || unicode.IsControl(r)
	}
	switch {
	case d == "":
		return &AddressError{"delimiter", d, "is empty"}
	case len(d) > maxDelim:
		return &AddressError{"delimiter", d, fmt.Sprintf("has %d bytes, the most is %d", len(d), maxDelim)}
	case !utf8.ValidString(d):
		return &AddressError{"delimiter", d, "is not valid UTF-8"}
	case strings.ContainsFunc(d, bad):
		return &AddressError{"delimiter", d, "holds a letter, digit, blank, control character, '_' or '='"}
	}
	return nil
}

// Notation is how addresses are written: the delimiter, and what was said
// apart from the address itself.
type Notation struct {
	Delim string // "" is DefaultDelim

	// Project and Namespace take the place of "default" where an address
	// does not say them. Given means that they were said apart (-p, -n), so
	// that the address does not name them too.
	Project, Namespace           string
	ProjectGiven, NamespaceGiven bool

	// Context, if not "", is added to every key (--context).
	Context string
}

func (n Notation) delim() string {
	if n.Delim == "" {
		return DefaultDelim
	}
	return n.Delim
}

// Prefix is what the addresses of a namespace begin with.
func (n Notation) Prefix(project, namespace string) string {
	d := n.delim()
	return project + d + namespace + d
}

// Format writes a in full: project.namespace.key, with __context if it has one.
func (n Notation) Format(a Address) string {
	return n.Prefix(a.Project, a.Namespace) + a.Name()
}

// CheckNamespace returns an [AddressError] if an address in the namespace,
// written with n's delimiter, would not read back: one of the names holds the
// delimiter.
func (n Notation) CheckNamespace(project, namespace string) error {
	d := n.delim()
	if len(d) == 1 && !strings.Contains(project, d) && !strings.Contains(namespace, d) {
		return nil // as of a million, without writing them
	}
	p, ns, ok := strings.Cut(n.Prefix(project, namespace), d)
	if !ok || p != project {
		return &AddressError{"project", project, fmt.Sprintf("holds the delimiter %q and would not read back", d)}
	}
	if ns, _, _ = strings.Cut(ns, d); ns != namespace {
		return &AddressError{"namespace", namespace, fmt.Sprintf("holds the delimiter %q and would not read back", d)}
	}
	return nil
}

// Parse reads an address (SPEC 3): "key", "namespace.key" or
// "project.namespace.key", the key being all the rest. Of what Parse accepts,
// Format gives a text that reads back as the same address.
func (n Notation) Parse(s string) (Address, error) {
	d := n.delim()
	a := Address{Project: orDefault(n.Project), Namespace: orDefault(n.Namespace)}
	var key string
	switch {
	case n.NamespaceGiven:
		key = s
	case n.ProjectGiven:
		if ns, rest, ok := strings.Cut(s, d); ok {
			a.Namespace, key = ns, rest
		} else {
			key = s
		}
	default:
		switch parts := strings.SplitN(s, d, 3); len(parts) {
		case 1:
			key = s
		case 2:
			a.Namespace, key = parts[0], parts[1]
		case 3:
			a.Project, a.Namespace, key = parts[0], parts[1], parts[2]
		}
	}
	if err := n.setName(&a, key); err != nil {
		return Address{}, err
	}
	if err := a.Check(); err != nil {
		return Address{}, err
	}
	if err := n.CheckNamespace(a.Project, a.Namespace); err != nil {
		return Address{}, err
	}
	return a, nil
}

// ParseKey is [Notation.Parse] of a key in the namespace of n, whose names may
// hold the delimiter.
func (n Notation) ParseKey(key string) (Address, error) {
	a := Address{Project: orDefault(n.Project), Namespace: orDefault(n.Namespace)}
	if err := n.setName(&a, key); err != nil {
		return Address{}, err
	}
	return a, a.Check()
}

// setName fills in key and context of a, from the key as it was written.
func (n Notation) setName(a *Address, key string) error {
	if n.Context != "" {
		a.Key, a.Context = key, n.Context
		return nil
	}
	var marked bool
	a.Key, a.Context, marked = SplitName(key)
	if marked && a.Key != "" && a.Context == "" {
		return &AddressError{"context", "", fmt.Sprintf("is empty: %q ends in %q", key, ContextMark)}
	}
	return nil
}

func orDefault(s string) string {
	if s == "" {
		return DefaultPart
	}
	return s
}
