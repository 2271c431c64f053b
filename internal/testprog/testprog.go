// Package testprog gives tests the programs they run, prontodb first of all,
// and scripts their commands. A test package of a main program calls [Main]:
// from then on exec.Command("prontodb", …) and "exec prontodb" in a script run
// the test binary itself as that program.
//
// It is imported by tests only. It links in no engine: the test does, as its
// main program would.
package testprog

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"prontodb/internal/cli"
	"prontodb/internal/presence"
)

// Main runs the tests, or the program that the binary was started as; it does
// not return. Beside the programs of this package those in more can be run,
// each named as its key is.
//
// Tests run in a HOME of their own, which is empty, without any of the
// variables that ProntoDB reads: what belongs to whoever runs them is out of
// their reach. PRONTODB_SOAK and PRONTODB_CRASHES, which only tests read, stay.
func Main(m *testing.M, more map[string]func()) {
	programs := map[string]func(){
		"prontodb":   prontodb,
		"restricted": restricted,
		"onterminal": onTerminal,
		"holdlock":   holdLock,
	}
	maps.Copy(programs, more)
	testscript.Main(sealed{m}, programs)
}

// sealed runs tests in a HOME of their own.
type sealed struct{ m *testing.M }

func (s sealed) Run() int {
	home, err := os.MkdirTemp("", "prontodb-test-home-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(home)
	goEnv = os.Environ()
	for _, kv := range goEnv {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "XDG_") || strings.HasPrefix(name, "PRONTODB_") && name != "PRONTODB_SOAK" && name != "PRONTODB_CRASHES" {
			os.Unsetenv(name)
		}
	}
	for _, name := range []string{"HOME", "USERPROFILE"} {
		os.Setenv(name, home)
	}
	return s.m.Run()
}

var goEnv []string

// GoEnv is the environment for the go command, and for nothing else: that of
// whoever runs the tests, whose HOME has its caches.
func GoEnv() []string { return goEnv }

// prontodb is the real main but for the clock and the version.
// PRONTODB_TEST_NOW, which only this program reads, is a time (RFC 3339) or, as
// +90s or -1h, a shift of the real one, PRONTODB_TEST_VERSION the version, and
// PRONTODB_TEST_UPTIME a shift of the clock of leases, or the name of another boot.
func prontodb() {
	p := cli.Process{
		Environ: ownEnviron,
		Args:    os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Build: cli.Build{Version: "v0.0.0-test", Commit: "0123456789abcdef", Date: "2026-01-02T03:04:05Z"},
		Ends:  true,
	}
	if s := os.Getenv("PRONTODB_TEST_VERSION"); s != "" {
		p.Build.Version = s
	}
	if s := os.Getenv("PRONTODB_TEST_NOW"); s != "" {
		p.Now = func() time.Time { return clock(s) }
	}
	if s := os.Getenv("PRONTODB_TEST_UPTIME"); s != "" {
		p.Uptime = func() (string, int64) { return uptime(s) }
	}
	os.Exit(cli.RunProcess(p))
}

// uptime is the clock of leases, moved by a duration. "boot", and what follows it,
// is another boot.
func uptime(s string) (boot string, ms int64) {
	boot, ms = presence.Uptime()
	if strings.HasPrefix(s, "boot") {
		return s, ms
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return boot, ms + d.Milliseconds()
}

func clock(s string) time.Time {
	if s[0] == '+' || s[0] == '-' {
		d, err := time.ParseDuration(s)
		if err != nil {
			panic(err)
		}
		return time.Now().Add(d)
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// ownEnviron is the environment but for what only tests read.
func ownEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "PRONTODB_TEST_") || strings.HasPrefix(kv, "PRONTODB_SOAK=") || strings.HasPrefix(kv, "PRONTODB_CRASHES=")
	})
}
