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

// Part reports whether the scope selects only some of the entries of its
// namespaces.
func (s Scope) Part() bool { return s.Prefix != "" || s.Context != "" }

// PrefixEnd is the least text that sorts after every text beginning with the
// prefix, or "" if there is none. It may be no valid UTF-8.
func (s Scope) PrefixEnd() string {
	prefix := s.Prefix
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
	s, rest, err := n.scopeOf(args)
	if err != nil {
		return Scope{}, err
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
		if err := CheckText(p.name, p.value); err != nil {
			return Scope{}, err
		}
	}
	return s, nil
}

// scopeOf reads the first argument, as far as what was given apart does not
// take its place, and returns those that are left.
func (n Notation) scopeOf(args []string) (s Scope, rest []string, err error) {
	s = Scope{Context: n.Context}
	var parts []string // the namespace, and maybe a prefix
	switch {
	case n.NamespaceGiven:
		s.Project, s.Namespace = orDefault(n.Project), n.Namespace
		return s, args, nil
	case n.ProjectGiven && len(args) == 0:
		s.Project = n.Project
		return s, nil, nil
	case n.ProjectGiven:
		s.Project = n.Project
		parts = strings.SplitN(args[0], n.delim(), 2)
	case len(args) == 0:
		s.Project, s.Namespace = n.Project, n.Namespace
		if s.Namespace != "" {
			s.Project = orDefault(s.Project)
		}
		return s, nil, nil
	default:
		parts = strings.SplitN(args[0], n.delim(), 3)
		s.Project, parts = parts[0], parts[1:]
		if err := CheckPart("project", s.Project); err != nil {
			return s, nil, err
		}
	}
	rest = args[1:]
	if len(parts) > 0 {
		s.Namespace = parts[0]
		err = CheckPart("namespace", s.Namespace)
	}
	if err == nil && len(parts) > 1 {
		if len(rest) > 0 {
			err = &AddressError{"prefix", rest[0], fmt.Sprintf("is a second one: %q has a prefix already", args[0])}
		}
		s.Prefix = parts[1]
	}
	return s, rest, err
}
