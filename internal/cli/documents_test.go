package cli

import (
	"strings"
	"testing"
)

// roff writes a text as the man page does.
func roff(s string) string { return strings.NewReplacer("-", `\-`, "…", `\[u2026]`).Replace(s) }

// TestDocumentsKnowEverything: the completions and the man page name every
// command of the registry, every subcommand and every flag.
func TestDocumentsKnowEverything(t *testing.T) {
	docs := Documents(Build{Version: "v1.2.3", Date: "2026-01-02T03:04:05Z"})
	if len(docs) != 4 {
		t.Fatalf("%d documents", len(docs))
	}
	var p Process
	p.fill()
	for file, data := range docs {
		text := string(data)
		has := func(what string) {
			t.Helper()
			if file == "prontodb.1" {
				what = roff(what)
			}
			if !strings.Contains(text, what) {
				t.Errorf("%s lacks %q", file, what)
			}
		}
		hasFlag := func(name string) {
			t.Helper()
			if file == "prontodb.fish" {
				has(" -l " + name + " ")
			} else {
				has("--" + name)
			}
		}
		for _, name := range registry.Names() {
			has(name)
		}
		for _, c := range registry.Leaves() {
			switch file {
			case "prontodb.bash":
				has("'" + c.Path() + "'")
			case "_prontodb":
				has("'" + c.Name + ":")
			case "prontodb.fish":
				has(" -a " + c.Name + " -d ")
			case "prontodb.1":
				has(".B prontodb " + c.Help().Usage + "\n")
			}
			for _, f := range c.OwnFlags().List() {
				hasFlag(f.Name)
			}
		}
		for _, f := range new(globals).flags(&p).List() {
			hasFlag(f.Name)
		}
	}
	if page := string(docs["prontodb.1"]); !strings.HasPrefix(page, ".TH PRONTODB 1 \"2026\\-01\\-02\" \"prontodb v1.2.3\"") {
		t.Errorf("the man page begins %q", page[:60])
	}
}

// TestManPageIsClean: no line of text is taken for a request, and every byte is
// ASCII, which each roff reads.
func TestManPageIsClean(t *testing.T) {
	requests := map[string]bool{"TH": true, "SH": true, "SS": true, "TP": true, "PP": true, "B": true, "I": true, "RS": true, "RE": true, "nf": true, "fi": true}
	for i, line := range strings.Split(string(Documents(Build{})["prontodb.1"]), "\n") {
		if strings.HasPrefix(line, "'") {
			t.Errorf("line %d begins with a quote: %q", i+1, line)
		}
		if request, ok := strings.CutPrefix(line, "."); ok {
			if name, _, _ := strings.Cut(request, " "); !requests[name] {
				t.Errorf("line %d is no request of ours: %q", i+1, line)
			}
		}
		for _, c := range []byte(line) {
			if c < ' ' || c > '~' {
				t.Errorf("line %d has byte %#x: %q", i+1, c, line)
				break
			}
		}
	}
}
