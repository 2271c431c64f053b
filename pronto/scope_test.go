package pronto

import (
	"errors"
	"testing"
)

func TestParseScope(t *testing.T) {
	dot := Notation{}
	p := Notation{Project: "P", ProjectGiven: true}
	ns := Notation{Namespace: "N", NamespaceGiven: true}
	both := Notation{Project: "P", ProjectGiven: true, Namespace: "N", NamespaceGiven: true}
	cursor := Notation{Project: "P", Namespace: "N"}
	for _, tt := range []struct {
		n    Notation
		args []string
		want Scope
		part string
	}{
		{dot, nil, Scope{}, ""},
		{dot, []string{"p"}, Scope{Project: "p"}, ""},
		{dot, []string{"p.n"}, Scope{Project: "p", Namespace: "n"}, ""},
		{dot, []string{"p.n.k.l"}, Scope{Project: "p", Namespace: "n", Prefix: "k.l"}, ""},
		{dot, []string{"p.n."}, Scope{Project: "p", Namespace: "n"}, ""},
		{dot, []string{"p.n", "k"}, Scope{Project: "p", Namespace: "n", Prefix: "k"}, ""},
		{dot, []string{"p.n", ""}, Scope{Project: "p", Namespace: "n"}, ""},
		{dot, []string{"p", "k"}, Scope{Project: "p", Prefix: "k"}, ""},
		{p, nil, Scope{Project: "P"}, ""},
		{p, []string{"n"}, Scope{Project: "P", Namespace: "n"}, ""},
		{p, []string{"n.k.l"}, Scope{Project: "P", Namespace: "n", Prefix: "k.l"}, ""},
		{p, []string{"n", "k"}, Scope{Project: "P", Namespace: "n", Prefix: "k"}, ""},
		{ns, nil, Scope{Project: "default", Namespace: "N"}, ""},
		{ns, []string{"k.l"}, Scope{Project: "default", Namespace: "N", Prefix: "k.l"}, ""},
		{both, nil, Scope{Project: "P", Namespace: "N"}, ""},
		{both, []string{"k.l"}, Scope{Project: "P", Namespace: "N", Prefix: "k.l"}, ""},
		{cursor, nil, Scope{Project: "P", Namespace: "N"}, ""},
		{cursor, []string{"p"}, Scope{Project: "p"}, ""},
		{Notation{Namespace: "N"}, nil, Scope{Project: "default", Namespace: "N"}, ""},
		{Notation{Project: "P"}, nil, Scope{Project: "P"}, ""},
		{Notation{Project: "Q", Namespace: "N", NamespaceGiven: true}, nil, Scope{Project: "Q", Namespace: "N"}, ""},
		{Notation{Context: "c"}, []string{"p"}, Scope{Project: "p", Context: "c"}, ""},
		{Notation{Delim: ":"}, []string{"p.q:n:k"}, Scope{Project: "p.q", Namespace: "n", Prefix: "k"}, ""},

		{dot, []string{""}, Scope{}, "project"},
		{dot, []string{"."}, Scope{}, "project"},
		{dot, []string{"p."}, Scope{}, "namespace"},
		{dot, []string{"p..k"}, Scope{}, "namespace"},
		{dot, []string{"p.n.k", "l"}, Scope{}, "prefix"},
		{dot, []string{"p.n", "k", "l"}, Scope{}, "prefix"},
		{dot, []string{"p.n", "\xff"}, Scope{}, "prefix"},
		{dot, []string{"p\n"}, Scope{}, "project"},
		{p, []string{"n.k", "l"}, Scope{}, "prefix"},
		{p, []string{""}, Scope{}, "namespace"},
		{both, []string{"k", "l"}, Scope{}, "prefix"},
	} {
		got, err := tt.n.ParseScope(tt.args...)
		var ae *AddressError
		if tt.part == "" && (err != nil || got != tt.want) {
			t.Errorf("%+v: ParseScope(%q) = %+v, %v, want %+v", tt.n, tt.args, got, err, tt.want)
		}
		if tt.part != "" && (!errors.As(err, &ae) || ae.Part != tt.part) {
			t.Errorf("%+v: ParseScope(%q) = %+v, %v, want an error about the %s", tt.n, tt.args, got, err, tt.part)
		}
	}
}

func TestPrefixEnd(t *testing.T) {
	for prefix, want := range map[string]string{
		"": "", "a": "b", "az": "a{", "a\xff": "b", "\xff\xff": "", "a\x7f": "a\x80", "a\xc3": "a\xc4",
	} {
		if got := (Scope{Prefix: prefix}).PrefixEnd(); got != want {
			t.Errorf("the end of the prefix %q is %q, want %q", prefix, got, want)
		}
	}
}
