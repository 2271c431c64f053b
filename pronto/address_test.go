package pronto

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("a", MaxPart)
	dot := Notation{}
	apart := Notation{Project: "P", Namespace: "N", ProjectGiven: true, NamespaceGiven: true}
	for _, tt := range []struct {
		n    Notation
		in   string
		want Address
		part string // that the error names, if there is to be one
	}{
		{dot, "k", Address{"default", "default", "k", ""}, ""},
		{dot, "n.k", Address{"default", "n", "k", ""}, ""},
		{dot, "p.n.k", Address{"p", "n", "k", ""}, ""},
		{dot, "p.n.k.l.m", Address{"p", "n", "k.l.m", ""}, ""},
		{dot, "p.n..k.", Address{"p", "n", ".k.", ""}, ""},
		{dot, "p.n.k__c", Address{"p", "n", "k", "c"}, ""},
		{dot, "p.n.k__c__d", Address{"p", "n", "k__c", "d"}, ""},
		{dot, "p.n.k___d", Address{"p", "n", "k_", "d"}, ""},
		{dot, "p.n.k_", Address{"p", "n", "k_", ""}, ""},
		{dot, "p.n._", Address{"p", "n", "_", ""}, ""},
		{dot, "p__q.n__o.k", Address{"p__q", "n__o", "k", ""}, ""},
		{dot, " . . ", Address{" ", " ", " ", ""}, ""},
		{dot, "日本.ü.ключ__ñ", Address{"日本", "ü", "ключ", "ñ"}, ""},
		{dot, long + "." + long + "." + long + "__" + long, Address{long, long, long, long}, ""},

		{Notation{Project: "P", Namespace: "N"}, "k", Address{"P", "N", "k", ""}, ""},
		{Notation{Project: "P", Namespace: "N"}, "n.k", Address{"P", "n", "k", ""}, ""},
		{Notation{Project: "P", Namespace: "N"}, "p.n.k", Address{"p", "n", "k", ""}, ""},
		{Notation{Project: "P"}, "k", Address{"P", "default", "k", ""}, ""},
		{apart, "a.b.c", Address{"P", "N", "a.b.c", ""}, ""},
		{apart, ".k", Address{"P", "N", ".k", ""}, ""},
		{Notation{Namespace: "N", NamespaceGiven: true}, "a.b.c", Address{"default", "N", "a.b.c", ""}, ""},
		{Notation{Project: "P", ProjectGiven: true}, "k", Address{"P", "default", "k", ""}, ""},
		{Notation{Project: "P", ProjectGiven: true}, "n.k.l", Address{"P", "n", "k.l", ""}, ""},
		{Notation{Context: "c"}, "p.n.k", Address{"p", "n", "k", "c"}, ""},
		{Notation{Context: "c"}, "p.n.k__d", Address{"p", "n", "k__d", "c"}, ""},

		{Notation{Delim: ":"}, "p:n:k.l:m", Address{"p", "n", "k.l:m", ""}, ""},
		{Notation{Delim: "::"}, "p::n::k:l", Address{"p", "n", "k:l", ""}, ""},
		{Notation{Delim: "::"}, "p:::n::k", Address{"p", ":n", "k", ""}, ""},
		{Notation{Delim: "→"}, "p→n→k", Address{"p", "n", "k", ""}, ""},

		{dot, "", Address{}, "key"},
		{dot, ".", Address{}, "namespace"},
		{dot, "..", Address{}, "project"},
		{dot, "a..b", Address{}, "namespace"},
		{dot, ".n.k", Address{}, "project"},
		{dot, "p.n.", Address{}, "key"},
		{dot, "k__", Address{}, "context"},
		{dot, "___", Address{}, "context"},
		{dot, "__c", Address{}, "key"},
		{dot, "__", Address{}, "key"},
		{dot, "a\tb", Address{}, "key"},
		{dot, "a\x00b", Address{}, "key"},
		{dot, "p\x7f.n.k", Address{}, "project"},
		{dot, "p.n\u0085.k", Address{}, "namespace"},
		{dot, "k__\r", Address{}, "context"},
		{dot, "k\xff", Address{}, "key"},
		{dot, "p.\xc3.k", Address{}, "namespace"},
		{dot, "\xed\xa0\x80", Address{}, "key"},
		{dot, long + "a", Address{}, "key"},
		{dot, long + "a.n.k", Address{}, "project"},
		{dot, "p." + long + "a.k", Address{}, "namespace"},
		{dot, "k__" + long + "a", Address{}, "context"},
		{Notation{Context: "c__d"}, "k", Address{}, "key"},
		{Notation{Context: "_d"}, "k", Address{}, "key"},
		{Notation{Context: "d__"}, "k", Address{}, "key"},
		{Notation{Project: "a.b", ProjectGiven: true}, "k", Address{}, "project"},
		{Notation{Namespace: "a.b", NamespaceGiven: true}, "k", Address{}, "namespace"},
		{Notation{Delim: "::", Project: "p:", ProjectGiven: true}, "k", Address{}, "project"},
		{Notation{Delim: "::", Namespace: "n:", NamespaceGiven: true}, "k", Address{}, "namespace"},
	} {
		got, err := tt.n.Parse(tt.in)
		var ae *AddressError
		switch {
		case tt.part == "" && (err != nil || got != tt.want):
			t.Errorf("%+v: Parse(%q) = %+v, %v, want %+v", tt.n, tt.in, got, err, tt.want)
		case tt.part != "" && (!errors.As(err, &ae) || ae.Part != tt.part):
			t.Errorf("%+v: Parse(%q) = %+v, %v, want an error about the %s", tt.n, tt.in, got, err, tt.part)
		case tt.part == "":
			checkRoundTrip(t, tt.n, tt.in)
		}
	}
}

// checkRoundTrip parses s and, if it is accepted, checks that what is printed
// for it reads back as the same entry, in each way of printing it.
func checkRoundTrip(t *testing.T, n Notation, s string) {
	t.Helper()
	a, err := n.Parse(s)
	if err != nil {
		return
	}
	if err := a.Check(); err != nil {
		t.Errorf("%+v: Parse(%q) accepts %+v: %v", n, s, a, err)
	}
	full := n.Format(a)
	if b, err := (Notation{Delim: n.Delim}).Parse(full); err != nil || a != b {
		t.Errorf("%+v: %q is printed as %q, which is %+v, %v, not %+v", n, s, full, b, err, a)
	}
	// Defaults of a cursor do not change what a full address means.
	if b, err := (Notation{Delim: n.Delim, Project: "x", Namespace: "y"}).Parse(full); err != nil || a != b {
		t.Errorf("%+v: %q, printed as %q, depends on defaults: %+v, %v", n, s, full, b, err)
	}
	// Listings within a namespace print the name alone.
	bare := Notation{Delim: n.Delim, Project: a.Project, Namespace: a.Namespace, ProjectGiven: true, NamespaceGiven: true}
	if b, err := bare.Parse(a.Name()); err != nil || a != b {
		t.Errorf("%+v: the name %q of %q is %+v, %v, not %+v", n, a.Name(), s, b, err, a)
	}
	row := Row{Project: a.Project, Namespace: a.Namespace, Name: []byte(a.Name())}
	if e := row.Entry(); e.Address != a {
		t.Errorf("%+v: a row of %q is %+v, not %+v", n, s, e.Address, a)
	}
	// The scope of exactly this entry and those after it.
	scope, err := (Notation{Delim: n.Delim}).ParseScope(full)
	if err != nil && len(a.Name()) <= MaxPart {
		t.Errorf("%+v: %q is no scope: %v", n, full, err)
	}
	if err == nil && (scope.Project != a.Project || scope.Namespace != a.Namespace || scope.Prefix != a.Name()) {
		t.Errorf("%+v: the scope %q is %+v", n, full, scope)
	}
}

// For any address that is accepted, the printed form parses to the same entry.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"", "k", "n.k", "p.n.k", "p.n.k.l", "a..b", ".x", "k__c", "k__", "__c", "___", "k___c", "k____c",
		"p__q.n.k", "a:b::c", "a:::b::c", "p.n.k__c.d", "日本.ü.k", " . . ", "a\x00", "\xff", "a=b", "-x", "--",
	} {
		f.Add(s, ".", "", "", "", byte(0))
		f.Add(s, "::", "p:", "n", "c", byte(3))
		f.Add(s, ":.", "p", "n:", "_c", byte(1))
		f.Add(s, "..", "p", "n", "c__d", byte(2))
	}
	f.Fuzz(func(t *testing.T, s, delim, project, namespace, context string, given byte) {
		if CheckDelim(delim) != nil {
			return
		}
		n := Notation{Delim: delim, Project: project, Namespace: namespace, Context: context}
		n.ProjectGiven, n.NamespaceGiven = given&1 != 0 && project != "", given&2 != 0 && namespace != ""
		checkRoundTrip(t, n, s)
	})
}

func TestCheckDelim(t *testing.T) {
	for _, d := range []string{".", ":", "::", "/", "|", "-", "→", "%", "*", "..", ":.", "''", "////////////////"} {
		if err := CheckDelim(d); err != nil {
			t.Errorf("%q: %v", d, err)
		}
	}
	for _, d := range []string{
		"", "a", "Z", "5", "_", "=", " ", "\t", "\n", "\x00", "é", "日", "٣", "\u00a0", "\xff", ":a", "a:", ".=", "__", "/////////////////", "\x7f", "²",
	} {
		var ae *AddressError
		if err := CheckDelim(d); !errors.As(err, &ae) || ae.Part != "delimiter" {
			t.Errorf("%q: %v", d, err)
		}
	}
}

func TestAddressCheck(t *testing.T) {
	for _, a := range []Address{
		{"p", "n", "k", ""}, {"p", "n", "k", "c"}, {"p", "n", "a__b", "c"}, {"p", "n", "k_", "c"}, {"p.q", "n.o", "k", ""},
	} {
		if err := a.Check(); err != nil {
			t.Errorf("%+v: %v", a, err)
		}
	}
	for _, a := range []Address{
		{"", "n", "k", ""}, {"p", "", "k", ""}, {"p", "n", "", ""}, {"p", "n", "", "c"}, {"p", "n", "a__b", ""}, {"p", "n", "k__", ""},
		{"p", "n", "k", "_c"}, {"p", "n", "k", "c__d"}, {"p", "n", "__", ""}, {"p", "n", "k", "\n"}, {"p", "n", "\xff", ""},
	} {
		if err := a.Check(); err == nil {
			t.Errorf("%+v is accepted", a)
		}
	}
}
