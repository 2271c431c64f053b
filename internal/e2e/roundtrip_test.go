package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"prontodb/pronto"
)

// On a machine that has nothing yet, everything of three users comes back as it
// was: values of any bytes, times, expiries, metas, cursors, modes.
func TestRoundTrip(t *testing.T) {
	m, fresh := newMachine(t), newMachine(t)
	elsewhere := filepath.Join(m.home, "srv", "shared.db")
	seen := rand.NewChaCha8([32]byte{7})
	for i, path := range []string{
		m.database("main"), elsewhere,
		filepath.Join(m.data, "users", "agent1", "main.db"), filepath.Join(m.data, "users", "agent2", "work.db"),
	} {
		n := 100
		if i == 0 {
			n = 100_000
		}
		fillWith(t, path, n, func() []byte {
			b := make([]byte, 24)
			seen.Read(b)
			return b
		})
	}
	s, err := pronto.Open(context.Background(), pronto.FileTarget(m.database("main")), pronto.Options{Mode: pronto.Write, Meta: "blue"})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(context.Background(), func(tx pronto.Writer) error {
		if _, err := pronto.CreateCache(tx, "app", "tmp", time.Hour, false); err != nil {
			return err
		}
		for i := range 1000 {
			a := pronto.Address{Project: "app", Namespace: "tmp", Key: strconv.Itoa(i), Context: "dev"}
			if _, err := pronto.Set(tx, a, []byte{0, 0xff, byte(i)}, pronto.SetOptions{TTL: time.Duration(i+60) * time.Minute}); err != nil {
				return err
			}
		}
		return nil
	})
	if cerr := s.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
	m.run("cursor", "set", "shared", elsewhere, "-p", "app")
	m.run("cursor", "set", "tinted", "main", "--meta", "blue", "-n", "tmp")
	m.run("--user", "agent1", "cursor", "set", "mine", "main")
	m.run("--user", "agent1", "cursor", "use", "mine")
	m.run("--user", "agent2", "cursor", "set", "work")

	// What a machine tells of all this, but for where it stands.
	listing := func(m *machine) map[string]string {
		all := map[string]string{}
		for _, line := range []string{
			"users --json", "scan --json --full", "scan --json --full --meta blue", "caches --meta blue",
			"scan --json --full -c shared", "cursor list", "cursor show tinted", "cursor show shared",
			"--user agent1 scan --json --full", "--user agent1 cursor list", "--user agent1 cursor active",
			"--user agent2 scan --json --full -c work", "--user agent2 cursor show work",
		} {
			all[line] = strings.ReplaceAll(m.run(strings.Fields(line)...), m.data, "DATA")
		}
		return all
	}
	before := listing(m)
	archive := m.run("backup")
	// The database elsewhere returns to its path: to one that is free again.
	if err := os.RemoveAll(filepath.Dir(elsewhere)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Dir(elsewhere), 0o700); err != nil {
		t.Fatal(err)
	}
	fresh.run("restore", "--outside", archive)
	after := listing(fresh)
	for line, want := range before {
		if got := after[line]; got != want {
			t.Errorf("%s differs:\n%.500s\n%.500s", line, want, got)
		}
	}
	if n := strings.Count(before["scan --json --full"], "\n"); n != 100_000-1 {
		t.Errorf("the listing has %d entries", n+1)
	}
	for _, root := range []string{filepath.Join(fresh.home, ".local"), filepath.Dir(elsewhere)} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; err == nil && info.Mode().Perm() != want {
				t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
