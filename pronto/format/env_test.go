package format

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

func TestShellNamesSorted(t *testing.T) {
	if !sort.StringsAreSorted(shellNames) {
		t.Error("shellNames is searched, and must be in byte order")
	}
}

func TestEnvName(t *testing.T) {
	for key, want := range map[string]string{
		"a": "A", "db.host": "DB_HOST", "url__dev": "URL__DEV", "a-b c": "A_B_C", "ü": "_", "_x": "_X", "x9": "X9", "日本": "__", "\xff": "_",
	} {
		if got, err := EnvName([]byte(key)); got != want || err != nil {
			t.Errorf("EnvName(%q) = %q, %v, want %q", key, got, err, want)
		}
	}
	for _, key := range []string{"1", "9a", ""} {
		if got, err := EnvName([]byte(key)); err == nil {
			t.Errorf("EnvName(%q) = %q", key, got)
		}
	}
}

// shells are those of this machine that the output is for: sh, and bash where
// it is installed.
func shells() []string {
	list := []string{"sh"}
	if _, err := exec.LookPath("bash"); err == nil {
		list = append(list, "bash")
	}
	return list
}

// Evaluated by a shell, AppendEnv gives back exactly the values, and nothing in
// them runs; and so it does read by EnvParser.
func TestAppendEnv(t *testing.T) {
	var all [255]byte
	for i := range all {
		all[i] = byte(i + 1)
	}
	values := append([]string{string(all[:]), "'; touch ran; '", "\n\n", "'''", `\'`, "a\\\nb"}, awkward...)
	var script, want []byte
	var vars []string
	for i, v := range values {
		name := fmt.Sprintf("V%d", i)
		line, err := AppendEnv(nil, name, []byte(v))
		if strings.Contains(v, "\x00") {
			if err == nil {
				t.Errorf("%q holds a NUL", v)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		script = append(script, line...)
		want = append(append(want, v...), "|"...)
		vars = append(vars, `"$`+name+`"`)

		var p EnvParser
		var value []byte
		done := false
		for line := range bytes.Lines(line) {
			var err error
			if _, value, done, err = p.Parse(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
				t.Errorf("%q: %v", v, err)
			}
		}
		if !done || string(value) != v {
			t.Errorf("%q reads back as %q", v, value)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vars.env"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, shell := range shells() {
		for _, locale := range []string{"C", "C.UTF-8"} {
			cmd := exec.Command(shell, "-c", `eval "$(cat vars.env)"; printf '%s|' `+strings.Join(vars, " "))
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "LC_ALL="+locale)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			got, err := cmd.Output()
			if err != nil || !bytes.Equal(got, want) || errs.Len() > 0 {
				t.Errorf("%s in %s gives\n%q\nwant\n%q\n%v %s", shell, locale, got, want, err, errs.String())
			}
			if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
				t.Errorf("%s ran what stood in a value", shell)
			}
		}
	}
}

// What EnvParser takes, a shell takes for the same value; nothing makes it
// crash, and what it took is written so that it reads it again.
func FuzzEnvParser(f *testing.F) {
	for _, s := range []string{
		"A=b", "export A='b c'", `A="b\"c"`, "A='b\nc'", "A=b # c", "A=$B", "# c", "", "A='", `A=b\'c`, "A=\"\r\n\"\r", "A=a:~b", "A=''\"\"x",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		var p EnvParser
		for line := range bytes.SplitSeq(file, []byte("\n")) {
			name, value, done, err := p.Parse(line)
			if err != nil {
				return
			}
			if !done {
				continue
			}
			if p.Open() || bytes.IndexByte(value, 0) >= 0 {
				t.Fatalf("%q: %q is done, and open %v", file, name, p.Open())
			}
			again, err := AppendEnv(nil, string(name), value)
			if err != nil {
				continue // of the shell's own
			}
			var q EnvParser
			for line := range bytes.SplitSeq(bytes.TrimSuffix(again, []byte("\n")), []byte("\n")) {
				if p, v, done, err := q.Parse(line); err != nil || done && (!bytes.Equal(p, name) || !bytes.Equal(v, value)) {
					t.Fatalf("%q is written as %q, and read as %q, %v", value, again, v, err)
				}
			}
			if q.Open() {
				t.Fatalf("%q is written as %q, which does not end", value, again)
			}
		}
	})
}
