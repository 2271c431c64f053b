package cli

import (
	"errors"
	"fmt"
	"strings"

	"prontodb/pronto"
)

// scopeName writes a project or a namespace.
func scopeName(n pronto.Notation, s pronto.Scope) string {
	if s.Namespace == "" {
		return s.Project
	}
	return namespaceName(n, s.Project, s.Namespace)
}

// namespaceName writes a namespace: PROJECT.NAMESPACE.
func namespaceName(n pronto.Notation, project, name string) string {
	p := n.Prefix(project, name)
	return p[:len(p)-len(n.Delim)]
}

// errNamespaceAlone refuses -n where a whole namespace is dealt with: which
// project's it is must be said.
var errNamespaceAlone = errors.New("-n needs -p beside it")

// namespaceArg reads the argument that names a namespace, P.N, or what of it
// -p and -n leave open, and returns the arguments after it.
func (a *app) namespaceArg(n pronto.Notation, args []string) (project, name string, rest []string, err error) {
	switch {
	case n.ProjectGiven && n.NamespaceGiven:
		project, name, rest = n.Project, n.Namespace, args
	case n.NamespaceGiven:
		return "", "", nil, errNamespaceAlone
	case len(args) == 0 && n.ProjectGiven:
		return "", "", nil, a.missing("NAMESPACE")
	case len(args) == 0:
		return "", "", nil, a.missing("PROJECT.NAMESPACE")
	case n.ProjectGiven:
		project, name, rest = n.Project, args[0], args[1:]
	default:
		var ok bool
		if project, name, ok = strings.Cut(args[0], n.Delim); !ok {
			return "", "", nil, fmt.Errorf("%q is not PROJECT%sNAMESPACE", args[0], n.Delim)
		}
		rest = args[1:]
	}
	if err := pronto.CheckPart("project", project); err != nil {
		return "", "", nil, err
	}
	if err := pronto.CheckPart("namespace", name); err != nil {
		return "", "", nil, err
	}
	return project, name, rest, n.CheckNamespace(project, name)
}

// projectArg is the project that the argument names, or else -p; "" for none.
func (a *app) projectArg(args []string) (string, error) {
	if len(args) == 0 {
		return a.g.project, nil
	}
	if a.g.given["project"] {
		return "", fmt.Errorf("project given twice: %q and %q", a.g.project, args[0])
	}
	return args[0], pronto.CheckPart("project", args[0])
}
