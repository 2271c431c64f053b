package pronto_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"prontodb/pronto"
	"prontodb/pronto/memory"
)

func TestParseTarget(t *testing.T) {
	abs := filepath.Join(t.TempDir(), "a.db")
	for in, want := range map[string]pronto.Target{
		"a.db":             pronto.FileTarget("a.db"),
		abs:                pronto.FileTarget(abs),
		"://x":             pronto.FileTarget("://x"),
		"1a://x":           pronto.FileTarget("1a://x"),
		"-a://x":           pronto.FileTarget("-a://x"),
		"a b://x":          pronto.FileTarget("a b://x"),
		"a/b://x":          pronto.FileTarget("a/b://x"),
		"a:/x":             pronto.FileTarget("a:/x"),
		"@a://x":           pronto.FileTarget("@a://x"),
		"[a://x":           pronto.FileTarget("[a://x"),
		"`a://x":           pronto.FileTarget("`a://x"),
		"{a://x":           pronto.FileTarget("{a://x"),
		"a/://x":           pronto.FileTarget("a/://x"),
		"a:://x":           pronto.FileTarget("a:://x"),
		"sqlite://" + abs:  pronto.FileTarget(abs),
		"SQLite://" + abs:  pronto.FileTarget(abs),
		"memory://x?y=%2f": {Engine: memory.Name, Location: "memory://x?y=%2f"},
	} {
		got, err := pronto.ParseTarget(in)
		if err != nil || got != want {
			t.Errorf("ParseTarget(%q) = %+v, %v, want %+v", in, got, err, want)
		}
		if is := strings.Contains(in, "://") && (want.Engine != pronto.FileEngine || want.Location != in); pronto.IsURL(in) != is {
			t.Errorf("IsURL(%q) is not %v", in, is)
		}
		if got.IsFile() != (want.Engine == pronto.FileEngine) || got.String() != want.Location {
			t.Errorf("%q: file %v, %q", in, got.IsFile(), got)
		}
	}
	for in, want := range map[string]string{
		"postgres://db/x": "this prontodb has no engine for postgres",
		"a+b-c.d9://x":    "this prontodb has no engine for a+b-c.d9",
		"aZ09://x":        "this prontodb has no engine for az09",
		"sqlite://a.db":   `"sqlite://a.db": the path of a database in a URL must be absolute`,
		"sqlite://":       `"sqlite://": the path of a database in a URL must be absolute`,
	} {
		if got, err := pronto.ParseTarget(in); err == nil || err.Error() != want || got != (pronto.Target{}) {
			t.Errorf("ParseTarget(%q) = %+v, %v, want %s", in, got, err, want)
		}
		if !pronto.IsURL(in) {
			t.Errorf("%q is a URL", in)
		}
	}
}

// bare is an engine that can do nothing but what every engine can.
type bare struct{}

func (bare) Open(context.Context, string, pronto.Options) (pronto.Store, error) {
	return nil, errInjected
}
func (bare) Version() (string, int) { return "bare 1", 7 }

func init() { pronto.Register("bare", bare{}) }

func TestRegisterTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an engine was registered twice")
		}
	}()
	pronto.Register("bare", bare{})
}

// What an engine can't do, or an engine that is not there, is an error of one
// line that names it.
func TestCapabilities(t *testing.T) {
	ctx, o := context.Background(), pronto.Options{}
	for name, do := range map[string]func(pronto.Target) error{
		"examine a database": func(t pronto.Target) error { _, err := pronto.Examine(ctx, t, o, true); return err },
		"take a snapshot":    func(t pronto.Target) error { _, err := pronto.Snapshot(ctx, t, "x", o, nil); return err },
		"replace what a database holds": func(t pronto.Target) error {
			_, err := pronto.BeginReplace(ctx, t, o)
			return err
		},
	} {
		err := do(pronto.Target{Engine: "bare", Location: "bare://x"})
		if e, ok := errors.AsType[*pronto.EngineError](err); !ok || e.Engine != "bare" || e.Lacks != name || err.Error() != "the bare engine cannot "+name {
			t.Errorf("%s: %v", name, err)
		}
		err = do(pronto.Target{Engine: "nope", Location: "nope://x"})
		if e, ok := errors.AsType[*pronto.EngineError](err); !ok || e.Engine != "nope" || e.Lacks != "" || err.Error() != "this prontodb has no engine for nope" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, target := range []pronto.Target{{Engine: "bare", Location: "bare://x"}, {Engine: "nope", Location: "nope://x"}} {
		for name, err := range map[string]error{
			"ReadOnce": pronto.ReadOnce(ctx, target, o, func(pronto.Reader) error { t.Error("called"); return nil }),
			"Open":     func() error { _, err := pronto.Open(ctx, target, o); return err }(),
		} {
			_, missing := errors.AsType[*pronto.EngineError](err)
			if missing != (target.Engine == "nope") || !missing && !errors.Is(err, errInjected) {
				t.Errorf("%s at %s: %v", name, target, err)
			}
		}
	}
	if library, schema := pronto.Version("bare"); library != "bare 1" || schema != 7 {
		t.Errorf("version %q, %d", library, schema)
	}
	if library, schema := pronto.Version("nope"); library != "" || schema != 0 {
		t.Errorf("version %q, %d", library, schema)
	}
}

// An engine without a shorter way is opened to read once.
func TestReadOnceThroughOpen(t *testing.T) {
	target := pronto.Target{Engine: memory.Name, Location: memory.Name + "://" + t.Name()}
	ctx, a := context.Background(), pronto.Address{Project: "p", Namespace: "n", Key: "k"}
	s, err := pronto.Open(ctx, target, pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := update(s, func(tx pronto.Writer) error {
		_, err := pronto.Set(tx, a, []byte("v"), pronto.SetOptions{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	calls := 0
	err = pronto.ReadOnce(ctx, target, pronto.Options{}, func(tx pronto.Reader) error {
		calls++
		e, err := tx.Get(a)
		if string(e.Value) != "v" {
			t.Errorf("%q", e.Value)
		}
		return err
	})
	if err != nil || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestDatabaseError(t *testing.T) {
	inner := errors.New("why")
	err := error(&pronto.DatabaseError{Location: "/a.db", Err: inner})
	if err.Error() != "/a.db: why" || !errors.Is(err, inner) {
		t.Error(err)
	}
	if got := pronto.Cause(err, "/a.db"); got != inner {
		t.Errorf("cause %v", got)
	}
	if got := pronto.Cause(err, "/b.db"); got != err {
		t.Errorf("cause at another database: %v", got)
	}
	if got := pronto.Cause(inner, "/a.db"); got != inner {
		t.Errorf("cause of another error: %v", got)
	}
}

func TestErrorTexts(t *testing.T) {
	long := strings.Repeat("x", 64)
	for _, c := range []struct {
		err  error
		want string
	}{
		{&pronto.AddressError{Part: "key", Value: long, Why: "is odd"}, `key "` + long + `": is odd`},
		{&pronto.AddressError{Part: "key", Value: long + "y", Why: "is odd"}, `key "` + long[:61] + `...": is odd`},
		{&pronto.ValueSizeError{Max: 9}, "the value has more than 9 bytes"},
		{&pronto.ItemError{Item: 3, Err: errInjected}, "item 3: injected"},
		{pronto.TakenError(pronto.Address{Project: "p", Namespace: "n", Key: "k", Context: "c"}), `"p.n.k__c" is there already`},
	} {
		if c.err.Error() != c.want {
			t.Errorf("%q, want %q", c.err, c.want)
		}
	}
}
