package house

import (
	"strings"
	"testing"
	"testing/fstest"
)

// Whatever breaks a rule of the table is noticed, each on its own.
func TestViolations(t *testing.T) {
	wal, id := "-wa"+"l", "0x7072"+"6462"
	for _, c := range []struct {
		name, file, text string
		want             string // what the violation has in it; "" for none
	}{
		{"down", "internal/cli/a.go", `package cli; import "prontodb/pronto"`, ""},
		{"up", "pronto/a.go", `package pronto; import "prontodb/internal/cli"`, "imports internal/cli, which is above it"},
		{"up, in a test", "pronto/a_test.go", `package pronto; import "prontodb/internal/cli"`, "imports internal/cli, which is above it"},
		{"up, under another name", "lifecycle/a.go", `package lifecycle; import p "prontodb/internal/cli"`, "imports internal/cli, which is above it"},
		{"up, on another platform", "pronto/a_windows.go", "//go:build windows\n\npackage pronto; import \"prontodb/pronto/home\"", "imports pronto/home, which is above it"},
		{"down, but not allowed", "internal/cmdline/a.go", `package cmdline; import "prontodb/pronto"`, "imports pronto, which its row in the table does not have"},
		{"beside", "pronto/format/a.go", `package format; import "prontodb/pronto/home"`, "imports pronto/home"},
		{"an engine", "internal/cli/a.go", `package cli; import _ "prontodb/pronto/sqlite"`, "imports the engine pronto/sqlite"},
		{"an engine, in a test", "lifecycle/install/a_test.go", `package install; import _ "prontodb/pronto/sqlite"`, ""},
		{"an engine, for what is older", "pronto/legacy/a.go", `package legacy; import "prontodb/pronto/sqlite"`, ""},
		{"inside an engine", "pronto/legacy/a.go", `package legacy; import "prontodb/pronto/sqlite/internal/driver"`, "imports the engine pronto/sqlite/internal/driver"},
		{"an engine that its row has not, in a main program", "packaging/dist/a.go", `package main; import _ "prontodb/pronto/sqlite"`, "imports the engine pronto/sqlite, which its row in the table does not have"},
		{"inside an engine, in a test", "internal/e2e/a_test.go", `package e2e; import "prontodb/pronto/sqlite/internal/driver"`, "imports the engine pronto/sqlite/internal/driver"},
		{"from one part of an engine to another", "pronto/sqlite/internal/vfs/a.go", `package vfs; import "prontodb/pronto/sqlite/internal/driver"`, "imports pronto/sqlite/internal/driver, which is above it"},
		{"the same, in a test", "pronto/sqlite/internal/vfs/a_test.go", `package vfs; import "prontodb/pronto/sqlite/internal/driver"`, ""},
		{"help for tests", "pronto/home/a.go", `package home; import "prontodb/pronto/sqlite/sqlitetest"`, "which is for tests"},
		{"help for tests, in a test", "pronto/home/a_test.go", `package home; import "prontodb/pronto/sqlite/sqlitetest"`, ""},
		{"a package's own test", "pronto/a_test.go", `package pronto_test; import "prontodb/pronto"`, ""},
		{"another module", "pronto/a.go", `package pronto; import "modernc.org/sqlite"`, "imports modernc.org/sqlite"},
		{"another module that may be", "internal/cli/a.go", `package cli; import "github.com/peterbourgon/ff/v3/ffcli"`, ""},
		{"a module of a similar name", "internal/cli/a.go", `package cli; import "github.com/peterbourgon/ff/v33"`, "imports github.com/peterbourgon/ff/v33"},
		{"a new package", "internal/new/a.go", `package new`, "has no row"},
		{"a new main program", "internal/cli/a.go", `package main`, "not of the kind"},

		{"the environment", "internal/cli/a.go", `package cli; import "os"; var x = os.Getenv("HOME")`, "os.Getenv reads the environment"},
		{"the environment, as a value", "internal/cli/a.go", `package cli; import "os"; var x = os.LookupEnv`, "os.LookupEnv reads the environment"},
		{"the environment, under another name", "pronto/a.go", `package pronto; import o "os"; var x, _ = o.UserHomeDir()`, "o.UserHomeDir reads the environment"},
		{"the environment, with a dot", "pronto/a.go", `package pronto; import . "os"; var x = Environ()`, "with a dot"},
		{"the environment, where it may be", "internal/cli/process.go", `package cli; import "os"; var x = os.Environ()`, ""},
		{"the environment, in a test", "pronto/a_test.go", `package pronto; import "os"; var x = os.Environ()`, ""},
		{"a variable called os", "pronto/a.go", `package pronto; func f(os struct{ Getenv int }) int { return os.Getenv }`, ""},
		{"an end", "lifecycle/a.go", `package lifecycle; import "os"; func f() { os.Exit(1) }`, "os.Exit ends the process"},
		{"another end", "lifecycle/a.go", `package lifecycle; import "log"; func f() { log.Fatal() }`, "log.Fatal ends the process"},
		{"an end, in a main program", "main.go", `package main; import "os"; func main() { os.Exit(1) }`, ""},
		{"print", "pronto/a.go", `package pronto; import "fmt"; func f() { fmt.Println() }`, "fmt.Println uses the streams"},
		{"print to a stream", "pronto/a.go", `package pronto; import "os"; var w = os.Stderr`, "os.Stderr uses the streams"},
		{"println", "pronto/a.go", `package pronto; func f() { println() }`, "println prints"},

		{"a file's name", "lifecycle/a.go", `package lifecycle; const x = "a` + wal + `"`, "has \"" + wal + "\""},
		{"a file's name in a comment", "internal/cli/a_test.go", "package cli // a" + wal, "has \"" + wal + "\""},
		{"the id", "lifecycle/a.go", `package lifecycle; const x = ` + id, "has \"" + id + "\""},
		{"the id, where it may be", "pronto/sqlite/a.go", `package sqlite; const x = ` + id, ""},
		{"the id, in a package that begins so", "pronto/sqlite2/a.go", `package sqlite; const x = ` + id, "has \"" + id + "\""},
		{"no Go", "pronto/a.go", `package`, "expected"},
		{"elsewhere", "pronto/testdata/a.go", `package`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(violations(fstest.MapFS{c.file: {Data: []byte(c.text)}}, false), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%s\n%s\ngives %q, want %q", c.file, c.text, got, c.want)
			}
			if c.want != "" && c.file != "pronto/sqlite2/a.go" && strings.Contains(got, "\n") {
				t.Errorf("more than one violation: %s", got)
			}
		})
	}
}
