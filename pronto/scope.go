package pronto

import (
	"fmt"
	"strings"
)

// Scope is a part of a database: everything, a project, or a namespace, and in
// it the entries whose name begins with Prefix. Names are compared byte by
// byte.
type Scope struct {
	Project   string // "" is every project
	Namespace string // "" is every namespace of the project
	Prefix    string // of the name, which is the key with its context
	Context   string // only entries of this context, if not ""
}

// OneNamespace reports whether the scope is a single namespace or within one.
func (s Scope) OneNamespace() bool { return s.Namespace != "" }

// upper is the least text that sorts after every text beginning with prefix,
// or "" if there is none.
func upper(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

// ParseScope reads the arguments [SCOPE [PREFIX]] of a listing (SPEC 4): no
// argument is what n names apart, or the whole database; else "P", "P.N" or
// "P.N.prefix", or, below what was given apart, the rest of it.
func (n Notation) ParseScope(args ...string) (Scope, error) {
	d := n.delim()
	s := Scope{Context: n.Context}
	rest := args
	switch {
	case n.NamespaceGiven:
		s.Project, s.Namespace = orDefault(n.Project), n.Namespace
	case n.ProjectGiven:
		s.Project = n.Project
		if len(args) > 0 {
			ns, prefix, ok := strings.Cut(args[0], d)
			if err := CheckPart("namespace", ns); err != nil {
				return Scope{}, err
			}
			s.Namespace, rest = ns, args[1:]
			if ok && len(rest) > 0 {
				return Scope{}, &AddressError{"prefix", rest[0], fmt.Sprintf("is a second one: %q has a prefix already", args[0])}
			}
			s.Prefix = prefix
		}
	case len(args) == 0:
		s.Project, s.Namespace = n.Project, n.Namespace
		if s.Namespace != "" {
			s.Project = orDefault(s.Project)
		}
	default:
		parts := strings.SplitN(args[0], d, 3)
		s.Project, rest = parts[0], args[1:]
		if err := CheckPart("project", s.Project); err != nil {
			return Scope{}, err
		}
		if len(parts) > 1 {
			if err := CheckPart("namespace", parts[1]); err != nil {
				return Scope{}, err
			}
			s.Namespace = parts[1]
		}
		if len(parts) > 2 {
			if len(rest) > 0 {
				return Scope{}, &AddressError{"prefix", rest[0], fmt.Sprintf("is a second one: %q has a prefix already", args[0])}
			}
			s.Prefix = parts[2]
		}
	}
	if len(rest) > 1 {
		return Scope{}, &AddressError{"prefix", rest[1], "is one argument too many"}
	}
	if len(rest) == 1 {
		s.Prefix = rest[0]
	}
	for _, p := range [...]struct{ name, value string }{
		{"project", s.Project}, {"namespace", s.Namespace}, {"prefix", s.Prefix},
	} {
		if err := checkText(p.name, p.value); err != nil {
			return Scope{}, err
		}
	}
	return s, nil
}
