package cli

import (
	"strings"
	"testing"
)

// TestDocumentsKnowEverything: the completions and the man page name every
// command of the registry, every subcommand and every flag.
func TestDocumentsKnowEverything(t *testing.T) {
	docs := Documents(Build{Version: "v1.2.3", Date: "2026-01-02T03:04:05Z"})
	if len(docs) != 4 {
		t.Fatalf("%d documents", len(docs))
	}
	for file, data := range docs {
		text := string(data)
		has := func(what string) {
			t.Helper()
			if !strings.Contains(text, what) {
				t.Errorf("%s lacks %q", file, what)
			}
		}
		flagForm := func(name string) string {
			switch file {
			case "prontodb.fish":
				return " -l " + name + " "
			case "prontodb.1":
				return manEscape("--" + name)
			}
			return "--" + name
		}
		for _, r := range registry {
			if file == "prontodb.1" {
				has(manEscape(r.name))
			} else {
				has(r.name)
			}
		}
		for _, s := range leaves(specs()) {
			switch file {
			case "prontodb.bash":
				has("'" + s.path + "'")
			case "_prontodb":
				has(sq(s.name + ":" + zshText(s.short)))
			case "prontodb.fish":
				has(" -a " + s.name + " -d " + fishQuote(s.short))
			case "prontodb.1":
				has(".B prontodb " + manEscape(s.usage) + "\n")
			}
			for _, f := range s.flags {
				has(flagForm(f.name))
			}
		}
		for _, f := range globalSpecs() {
			has(flagForm(f.name))
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
	for i, line := range strings.Split(string(manPage(Build{})), "\n") {
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

func TestManEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain":       "plain",
		".TH of ours": `\&.TH of ours`,
		"'quoted'":    `\(aqquoted\(aq`,
		`a\b --c`:     `a\eb \-\-c`,
		"CMD…":        `CMD\[u2026]`,
	} {
		if got := manEscape(in); got != want {
			t.Errorf("manEscape(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestPathLine: what install tells can be pasted.
func TestPathLine(t *testing.T) {
	for _, c := range []struct{ shell, dir, line, file string }{
		{"/bin/bash", "/home/u/.local/bin", `export PATH="$HOME/.local/bin:$PATH"`, "~/.bashrc"},
		{"/bin/zsh", "/home/u/.local/bin", `export PATH="$HOME/.local/bin:$PATH"`, "~/.zshrc"},
		{"/bin/dash", "/opt/a b", `export PATH="/opt/a b:$PATH"`, "~/.profile"},
		{"/usr/bin/fish", "/home/u2/bin", `fish_add_path "/home/u2/bin"`, "~/.config/fish/config.fish"},
		{"", "/opt/$x`y\"z\\", `export PATH="/opt/\$x\` + "`" + `y\"z\\:$PATH"`, "~/.profile"},
	} {
		t.Setenv("SHELL", c.shell)
		if line, file := pathLine("/home/u", c.dir); line != c.line || file != c.file {
			t.Errorf("%s, %s: %s in %s, want %s in %s", c.shell, c.dir, line, file, c.line, c.file)
		}
	}
}
