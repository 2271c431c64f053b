package cli

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"prontodb/pronto"
	_ "prontodb/pronto/sqlite"
	"prontodb/pronto/sqlite/sqlitetest"
)

// newHome gives the test a HOME of its own, and nothing of the environment.
func newHome(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "PRONTODB_") || strings.HasPrefix(name, "XDG_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", dir)
	return dir
}

// result is what a run left behind.
type result struct {
	status   int
	out, err string
}

// call runs prontodb in this process.
func call(stdin string, args ...string) result {
	var out, errs bytes.Buffer
	p := Process{Args: args, Stdout: &out, Stderr: &errs}
	if stdin != "" {
		p.Stdin = strings.NewReader(stdin)
	}
	status := Run(context.Background(), p)
	return result{status, out.String(), errs.String()}
}

// where is what one user sees under one meta.
type where struct{ user, meta string }

// model is what a database of one entry an address would do, by user and meta.
type model struct {
	t       *testing.T
	r       *rand.Rand
	entries map[where]map[pronto.Address]string
}

var (
	modelUsers  = []string{"default", "bob", "Bob"}
	modelMetas  = []string{"", "m", "M", "a", "a.b", "m_"}
	modelParts  = []string{"a", "A", "b", "a.b", "a:b", "default", "m", "%", "_", "a_", "ü", "x y", "-", "a=b", "*", "'"}
	modelDelims = []string{".", ":", "/", "::", "-", "%"}
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (m *model) address() pronto.Address {
	for {
		a := pronto.Address{Project: pick(m.r, modelParts), Namespace: pick(m.r, modelParts), Key: pick(m.r, modelParts)}
		if m.r.IntN(3) == 0 {
			a.Key += pick(m.r, []string{".", "__", ""}) + pick(m.r, modelParts)
		}
		if m.r.IntN(3) == 0 {
			a.Context = pick(m.r, modelParts)
		}
		if a.Check() == nil {
			return a
		}
	}
}

// selectFlags is the flags that lead to a place, in one of several ways.
func (m *model) selectFlags(w where) []string {
	flags := []string{"--sync", "normal", "--user", w.user}
	switch {
	case w.meta == "" && m.r.IntN(2) == 0:
	case m.r.IntN(2) == 0:
		flags = append(flags, "--meta", w.meta)
	default:
		name := "meta" + strconv.Itoa(slices.Index(modelMetas, w.meta))
		flags = append(flags, "--cursor", name)
	}
	return flags
}

// spell writes an address in one of the ways there are: flags and argument.
func (m *model) spell(a pronto.Address) (flags []string, arg string) {
	for {
		n := pronto.Notation{Delim: pick(m.r, modelDelims)}
		if n.CheckNamespace(a.Project, a.Namespace) != nil {
			continue
		}
		name := a.Name()
		flags = nil
		if n.Delim != "." || m.r.IntN(2) == 0 {
			flags = append(flags, "--ns-delim", n.Delim)
		}
		if a.Context != "" && m.r.IntN(2) == 0 {
			flags = append(flags, "--context", a.Context)
			name = a.Key
		}
		switch m.r.IntN(4) {
		case 0:
			return append(flags, "-p", a.Project, "-n", a.Namespace), name
		case 1:
			return append(flags, "-p", a.Project), a.Namespace + n.Delim + name
		case 2:
			switch {
			case a.Project == "default" && m.r.IntN(2) == 0:
				return append(flags, "-n", a.Namespace), name
			case a.Project == "default" && !strings.Contains(name, n.Delim):
				return flags, a.Namespace + n.Delim + name
			}
		}
		return flags, a.Project + n.Delim + a.Namespace + n.Delim + name
	}
}

func (m *model) run(w where, flags []string, words ...string) result {
	args := slices.Concat(m.selectFlags(w), flags, words)
	if m.r.IntN(2) == 0 && !slices.Contains(words, "--") {
		args = slices.Concat(words[:1], flags, words[1:], m.selectFlags(w)) // flags after
	}
	return call("", args...)
}

func (m *model) expect(what string, got result, status int, out string) {
	m.t.Helper()
	if got.status != status || got.out != out {
		m.t.Fatalf("%s: exit status %d and output %q (%s)\nwant %d and %q", what, got.status, got.out, got.err, status, out)
	}
}

// sorted lists the entries of a place as scan --ns-delim does.
func (m *model) sorted(w where, n pronto.Notation, keep func(pronto.Address) bool) []pronto.Address {
	var list []pronto.Address
	for a := range m.entries[w] {
		if keep(a) {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b pronto.Address) int { return strings.Compare(n.Format(a), n.Format(b)) })
	return list
}

// step does one random thing in one place, and checks that it is what the
// model does.
func (m *model) step() {
	w := where{pick(m.r, modelUsers), pick(m.r, modelMetas)}
	if m.entries[w] == nil {
		m.entries[w] = map[pronto.Address]string{}
	}
	here := m.entries[w]
	a := m.address()
	if m.r.IntN(2) == 0 {
		// One that is somewhere, maybe elsewhere.
		if o := m.entries[where{pick(m.r, modelUsers), pick(m.r, modelMetas)}]; len(o) > 0 {
			a = pick(m.r, slices.SortedFunc(maps.Keys(o), func(a, b pronto.Address) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }))
		}
	}
	value, have := here[a]
	flags, arg := m.spell(a)
	what := fmt.Sprintf("%+v: %+v as %q %q", w, a, flags, arg)
	switch op := m.r.IntN(14); op {
	case 0, 1, 2:
		v := strconv.Itoa(m.r.IntN(1000))
		m.expect("set "+what, m.run(w, flags, "set", "--", arg, v), 0, "")
		here[a] = v
	case 3, 4:
		got := m.run(w, flags, "get", "--", arg)
		if have {
			m.expect("get "+what, got, 0, value+"\n")
		} else {
			m.expect("get "+what, got, 2, "")
		}
	case 5:
		status := 2
		if have {
			status = 0
		}
		m.expect("exists "+what, m.run(w, flags, "exists", "--", arg), status, "")
	case 6:
		m.expect("del "+what, m.run(w, flags, "del", "--", arg), 0, "")
		delete(here, a)
	case 7:
		n, _ := strconv.Atoi(value)
		here[a] = strconv.Itoa(n + 7)
		m.expect("incr "+what, m.run(w, flags, "incr", "--", arg, "7"), 0, here[a]+"\n")
	case 8:
		status := 0
		if have {
			status = 3
		}
		m.expect("set --nx "+what, m.run(w, flags, "set", "--nx", "--", arg, "1"), status, "")
		if !have {
			here[a] = "1"
		}
	case 9:
		to := pronto.Address{Project: a.Project, Namespace: a.Namespace, Key: a.Key, Context: "moved"}
		n := pronto.Notation{Delim: "//"}
		cmd, status := pick(m.r, []string{"copy", "move"}), 2
		if a == to {
			status = 1
		} else if have {
			status = 0
			here[to] = value
			if cmd == "move" {
				delete(here, a)
			}
		}
		m.expect(cmd+" "+what, m.run(w, []string{"--ns-delim", "//"}, cmd, "--", n.Format(a), n.Format(to)), status, "")
	case 10:
		m.listing(w, a)
	case 11:
		m.names(w)
	case 12:
		if m.r.IntN(4) > 0 {
			return // rarely
		}
		words, prefix := []string{a.Project + "//" + a.Namespace}, ""
		if m.r.IntN(2) == 0 {
			prefix = strings.ToValidUTF8(a.Name()[:1+m.r.IntN(len(a.Name()))], "")
		}
		if prefix != "" {
			words = append(words, prefix)
		}
		n := 0
		for b := range here {
			if b.Project == a.Project && b.Namespace == a.Namespace && strings.HasPrefix(b.Name(), prefix) {
				delete(here, b)
				n++
			}
		}
		flags := []string{"--ns-delim", "//"}
		m.expect("drop --dry-run "+what, m.run(w, flags, append([]string{"drop", "--dry-run", "--"}, words...)...), 0, fmt.Sprintln(n))
		m.expect("drop "+what, m.run(w, flags, append([]string{"drop", "--yes", "--"}, words...)...), 0, fmt.Sprintln(n))
	case 13:
		// One that is refused changes nothing, which the other steps would see.
		if got := m.run(w, []string{"--ns-delim", "//"}, "set", "--", a.Project+"////"+a.Key, "x"); got.status != 1 {
			m.t.Fatalf("%s: %+v", what, got)
		}
	}
}

// listing compares a scan of a random scope with the model.
func (m *model) listing(w where, a pronto.Address) {
	n := pronto.Notation{Delim: "//"} // in none of the parts
	keep, words := func(pronto.Address) bool { return true }, []string(nil)
	bare := false
	switch m.r.IntN(5) {
	case 1:
		keep, words = func(b pronto.Address) bool { return b.Project == a.Project }, []string{a.Project}
	case 2:
		bare = true
		keep = func(b pronto.Address) bool { return b.Project == a.Project && b.Namespace == a.Namespace }
		words = []string{a.Project + n.Delim + a.Namespace}
	case 3:
		bare = true
		prefix := a.Name()[:m.r.IntN(len(a.Name())+1)]
		prefix = strings.ToValidUTF8(prefix, "")
		keep = func(b pronto.Address) bool {
			return b.Project == a.Project && b.Namespace == a.Namespace && strings.HasPrefix(b.Name(), prefix)
		}
		words = []string{a.Project + n.Delim + a.Namespace, prefix}
	case 4:
		prefix := a.Key[:1]
		if prefix > "\x7f" {
			prefix = a.Key
		}
		keep = func(b pronto.Address) bool { return b.Project == a.Project && strings.HasPrefix(b.Name(), prefix) }
		words = []string{a.Project, prefix}
	}
	list := m.sorted(w, n, keep)
	reverse, limit := m.r.IntN(3) == 0, 0
	flags := []string{"--ns-delim", n.Delim}
	if reverse {
		slices.Reverse(list)
		flags = append(flags, "--reverse")
	}
	if m.r.IntN(3) == 0 {
		limit = 1 + m.r.IntN(4)
		flags = append(flags, "--limit", strconv.Itoa(limit))
		list = list[:min(limit, len(list))]
	}
	var keys, lines strings.Builder
	for _, b := range list {
		name := n.Format(b)
		if bare {
			name = b.Name()
		}
		fmt.Fprintln(&keys, name)
		fmt.Fprintf(&lines, "%s=%s\n", name, m.entries[w][b])
	}
	what := fmt.Sprintf("%+v %q %q", w, flags, words)
	m.expect("keys "+what, m.run(w, flags, append([]string{"keys", "--"}, words...)...), 0, keys.String())
	m.expect("scan "+what, m.run(w, flags, append([]string{"scan", "--"}, words...)...), 0, lines.String())
	m.expect("count "+what, m.run(w, append(flags, "--count"), append([]string{"keys", "--"}, words...)...), 0, fmt.Sprintln(len(list)))
}

// names compares the projects and namespaces with the model.
func (m *model) names(w where) {
	projects, namespaces := map[string]bool{}, map[string]bool{}
	for a := range m.entries[w] {
		projects[a.Project] = true
		namespaces[a.Project+"\x00//"+a.Namespace] = true
	}
	lines := func(set map[string]bool) string {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(set)) {
			fmt.Fprintln(&b, strings.ReplaceAll(name, "\x00", ""))
		}
		return b.String()
	}
	m.expect(fmt.Sprintf("projects %+v", w), m.run(w, nil, "projects"), 0, lines(projects))
	m.expect(fmt.Sprintf("namespaces %+v", w), m.run(w, []string{"--ns-delim", "//"}, "namespaces"), 0, lines(namespaces))
}

// No command shows, counts, changes or deletes an entry of another user or of
// another meta, in any spelling of an address: a long run of random commands
// does to the databases what it does to a model of them.
func TestIsolation(t *testing.T) {
	newHome(t)
	steps := 1500
	if n, err := strconv.Atoi(os.Getenv("PRONTODB_SOAK")); err == nil && n > 1 {
		steps *= n
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	m := &model{t: t, r: rand.New(rand.NewPCG(seed, 1)), entries: map[where]map[pronto.Address]string{}}
	for _, u := range modelUsers {
		for i, meta := range modelMetas {
			args := []string{"--user", u, "cursor", "set", "meta" + strconv.Itoa(i), "main"}
			if meta != "" {
				args = append(args, "--meta", meta)
			}
			if got := call("", args...); got.status != 0 {
				t.Fatalf("%q: %+v", args, got)
			}
		}
	}
	for range steps {
		m.step()
	}
	total := 0
	for _, u := range modelUsers {
		for _, meta := range modelMetas {
			m.names(where{u, meta})
			total += len(m.entries[where{u, meta}])
		}
	}
	if total < 50 {
		t.Errorf("only %d entries in the end", total)
	}
}

// Every refusal leaves each byte of the database as it was, prints one line and
// maybe a hint, and exits 1.
func TestRefusals(t *testing.T) {
	dir := newHome(t)
	setup := [][]string{
		{"set", "a.b.k", "v"}, {"set", "a.b.text", "abc"}, {"set", "a.b.max", "9223372036854775807"}, {"create-cache", "web.s", "60"},
		{"set", "web.s.k", "v"}, {"cursor", "set", "c", "main"}, {"cursor", "set", "d"}, {"--meta", "m", "set", "a.b.k", "v"},
	}
	for _, args := range setup {
		if got := call("", args...); got.status != 0 {
			t.Fatalf("%q: %+v", args, got)
		}
	}
	long := strings.Repeat("x", 513)
	db := filepath.Join(dir, "not.db")
	if err := os.WriteFile(db, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	badAddresses := []string{"", ".", "..", "a..b", ".x", "a.b.", "k__", "__c", "a.b.__", "___", "a\tb", "a\x00", "\xff", "a.\xfe.b", long, long + ".a.b", "k__" + long, "\u0085"}
	var lines [][]string
	for _, bad := range badAddresses {
		lines = append(lines, [][]string{
			{"set", bad, "v"}, {"get", bad}, {"exists", bad}, {"del", bad}, {"del", "a.b.k", bad}, {"incr", bad}, {"decr", bad},
			{"copy", bad, "a.b.x"}, {"copy", "a.b.k", bad}, {"move", "a.b.k", bad}, {"ttl", bad}, {"touch", bad},
			{"set", "--meta", "m", "--nx", bad, "v"}, {"set", "-d", "other", bad, "v"}, {"set", "--user", "eve", bad, "v"},
		}...)
	}
	for _, bad := range []string{"", ".", "a.", "a..k", ".n", "a\n", "\xff", long} {
		for _, cmd := range []string{"keys", "scan", "ls"} {
			lines = append(lines, []string{cmd, bad})
		}
		lines = append(lines, []string{"drop", "--yes", bad}, []string{"create-cache", bad, "5"}, []string{"drop-cache", "--yes", bad})
	}
	for _, bad := range []string{"", "-", "abc", "-5", "0", "5x", "1e3", "99999999999999999999", "36501d", " 5"} {
		lines = append(lines, []string{"create-cache", "web.t", bad}, []string{"touch", "web.s.k", bad}, []string{"set", "--ttl", bad, "web.s.k", "x"},
			[]string{"create-cache", "web.s", "timeout=" + bad})
	}
	for _, bad := range []string{"", "a b", "../x", "a.b", "-a", "_a", "é", strings.Repeat("x", 65), "a/b"} {
		lines = append(lines, []string{"--user", bad, "set", "k", "v"}, []string{"--user", bad, "get", "k"}, []string{"--user", bad, "keys"},
			[]string{"--cursor", bad, "set", "k", "v"}, []string{"--cursor", bad, "get", "k"}, []string{"cursor", "set", "--", bad},
			[]string{"cursor", "use", "--", bad}, []string{"cursor", "delete", "--", bad}, []string{"cursor", "show", "--", bad})
	}
	for _, bad := range []string{"a", "", "_", "=", " ", "1", "é", "\xff", "/////////////////"} {
		lines = append(lines, []string{"--ns-delim", bad, "set", "k", "v"}, []string{"--ns-delim", bad, "keys"})
	}
	lines = append(lines,
		[]string{}, []string{"nope"}, []string{"SET", "k", "v"}, []string{"set"}, []string{"set", "k"}, []string{"set", "k", "a", "b"}, []string{"get"},
		[]string{"get", "a", "b"}, []string{"set", "k", "-x"}, []string{"set", "--bogus", "k", "v"}, []string{"--bogus", "set", "k", "v"},
		[]string{"set", "k", "v", "--user"}, []string{"set", "--ttl", "5", "--keep-ttl", "a.b.k", "v"}, []string{"touch", "web.s.k", "never"}, []string{"set", "--max-value", "1", "k", "vv"},
		[]string{"set", "--max-value", "x", "k", "v"}, []string{"set", "--if-revision", "x", "k", "v"}, []string{"set", "--nx=x", "k", "v"},
		[]string{"incr", "a.b.text"}, []string{"incr", "a.b.max"}, []string{"decr", "a.b.max", "-1"}, []string{"incr", "a.b.k", "x"}, []string{"incr", "a.b.n", "1.5"},
		[]string{"copy", "a.b.k"}, []string{"copy", "a.b.k", "a.b.k"}, []string{"move", "a.b.k", "a.b.k"}, []string{"move", "a.b.k", "b", "c"},
		[]string{"drop"}, []string{"drop", "a"}, []string{"drop", "--yes"}, []string{"drop", "--yes", "a.b", ""}, []string{"drop", "--yes", "a.b."}, []string{"drop", "--yes", "a", "b"}, []string{"drop", "--yes", "a.b.c", "d"}, []string{"drop", "a.b.k"}, []string{"drop", "a.b", "k"}, []string{"drop", "--yes", "-n", "b"},
		[]string{"drop", "--yes", "--context", "x", "a"}, []string{"drop-cache", "web.s"}, []string{"drop-cache", "--yes", "a.b"},
		[]string{"create-cache", "a.b", "5"}, []string{"create-cache", "web.s"}, []string{"create-cache", "web", "5"}, []string{"touch", "a.b.k"},
		[]string{"keys", "a.b.c", "d"}, []string{"keys", "--limit", "0"}, []string{"keys", "--limit", "-1"}, []string{"keys", "a", "b", "c"},
		[]string{"namespaces", "-p", "a", "b"}, []string{"projects", "x"}, []string{"users", "x"}, []string{"caches", "x"}, []string{"version", "x"},
		[]string{"cursor"}, []string{"cursor", "nope"}, []string{"cursor", "use", "nope"}, []string{"cursor", "show", "nope"}, []string{"cursor", "delete", "nope"},
		[]string{"cursor", "set", "c", ""}, []string{"cursor", "set", "c", "a b"}, []string{"cursor", "set", "c", "-d", "x"}, []string{"cursor", "set", "c", "a", "b"},
		[]string{"--cursor", "nope", "get", "k"}, []string{"--cursor", "nope", "keys"}, []string{"-d", db, "set", "k", "v"}, []string{"-d", db, "get", "k"},
		[]string{"-d", dir, "set", "k", "v"}, []string{"-d", "", "set", "k", "v"}, []string{"-d", "a b", "set", "k", "v"}, []string{"-d", filepath.Join(dir, "no", "x.db"), "set", "k", "v"},
		[]string{"--meta", "a\n", "set", "k", "v"}, []string{"--meta", "\xff", "keys"}, []string{"-p", "", "set", "k", "v"}, []string{"-p", "a.b", "set", "k", "v"},
		[]string{"-n", "", "get", "k"}, []string{"--context", "", "get", "k"}, []string{"--context", "a__b", "set", "k", "v"},
		[]string{"--busy-timeout", "x", "set", "k", "v"}, []string{"--sync", "x", "set", "k", "v"}, []string{"--config", "nope", "set", "k", "v"}, []string{"--json=x", "set", "k", "v"},
		[]string{"help", "nope"}, []string{"help", "get", "x"},
	)
	for _, args := range lines {
		got := call("", args...)
		if got.status != 1 || got.out != "" {
			t.Errorf("%q: %+v, want exit status 1 and no output", args, got)
		}
		text := strings.Split(strings.TrimSuffix(got.err, "\n"), "\n")
		if len(args) > 0 && (!strings.HasPrefix(got.err, "prontodb: ") || len(text) > 2 || len(text) == 2 && !strings.HasPrefix(text[1], "hint: ") || !strings.HasSuffix(got.err, "\n")) {
			t.Errorf("%q: standard error is %q", args, got.err)
		}
		if strings.HasSuffix(text[0], ".") || strings.HasSuffix(text[0], "\n") {
			t.Errorf("%q: the error %q ends in a full stop", args, text[0])
		}
		// The same in JSON.
		got = call("", append([]string{"--json"}, args...)...)
		if got.status != 1 || got.out != "" || strings.Count(got.err, "\n") != 1 || !strings.HasPrefix(got.err, `{"error":"`) || !strings.HasSuffix(got.err, `"code":1}`+"\n") {
			if !slices.Contains(args, "--json=x") {
				t.Errorf("%q with --json: %+v", args, got)
			}
		}
		if t.Failed() {
			break
		}
	}
	if after := tree(t, dir); !maps.Equal(before, after) {
		for name, content := range after {
			if before[name] != content {
				t.Errorf("%s is changed or new", name)
			}
		}
		for name := range before {
			if _, ok := after[name]; !ok {
				t.Errorf("%s is gone", name)
			}
		}
	}
}

// tree reads all files below a directory but the indexes of logs.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || sqlitetest.IsIndex(path) {
			return err
		}
		if d.IsDir() {
			files[path] = "directory"
			return nil
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
