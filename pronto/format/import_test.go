package format

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"prontodb/pronto"
	_ "prontodb/pronto/sqlite"
)

// importLines imports jsonl into a store as the command does, by the chunk.
func importLines(t testing.TB, s pronto.Store, lines []byte) pronto.ImportReport {
	t.Helper()
	var im *pronto.Importer
	err := s.Update(context.Background(), func(tx pronto.Writer) (err error) {
		if im, err = pronto.NewImporter(tx, pronto.ConflictFail); err != nil {
			return err
		}
		var p JSONParser
		n := int64(0)
		for line := range bytes.Lines(lines) {
			n++
			it, err := p.Parse(line)
			if err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			if it.TTL != 0 {
				err = im.Cache(it.Project, it.Namespace, it.TTL, n)
			} else {
				err = im.Add(&it.Entry, n)
			}
			if err != nil {
				return err
			}
		}
		return im.Flush()
	})
	if err != nil {
		t.Fatal(err)
	}
	return im.Report
}

func exportLines(t testing.TB, s pronto.Store) []byte {
	t.Helper()
	var b []byte
	w := RowJSON{Values: true}
	err := s.View(context.Background(), func(tx pronto.Reader) error {
		return pronto.List(tx, pronto.Notation{}, pronto.Selection{}, nil, func(r *pronto.Row) error {
			b = append(w.Append(b, r), '\n')
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// 100,000 entries with everything awkward, large ones among them, come through
// jsonl identical, times, revisions and expiries included.
func TestImportRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	var lines []byte
	for i := range 100_000 {
		e := randomEntry(r, i)
		e.Namespace = fmt.Sprintf("n%d", i%7)
		if e.ExpiresAt != 0 {
			e.Namespace = fmt.Sprintf("cache%d", i%5)
		}
		if len(e.Value) > 1000 && i%50 != 0 {
			e.Value = e.Value[:100]
		}
		if i%40_000 == 20_000 {
			e.Value = bytes.Repeat([]byte{byte(i), 'x', '\n', 0xff, 0}, 2<<20) // 10 MiB
		}
		lines = append(AppendEntry(lines, &e, pronto.Notation{}, true), '\n')
	}
	first := newStore(t)
	if report := importLines(t, first, bytes.Clone(lines)); report.Imported != 100_000 {
		t.Fatalf("%+v", report)
	}
	want := exportLines(t, first)
	if bytes.Count(want, []byte("\n")) != 100_000 {
		t.Fatal("lines are missing")
	}
	second := newStore(t)
	importLines(t, second, bytes.Clone(want)) // which it may write over
	if got := exportLines(t, second); !bytes.Equal(got, want) {
		t.Error("the second export differs from the first")
	}
	// Nothing was lost on the way in either: the lines are the same set.
	seen := map[string]bool{}
	for line := range bytes.Lines(lines) {
		seen[string(line)] = true
	}
	for line := range bytes.Lines(want) {
		if !seen[string(line)] {
			t.Fatalf("not imported as it was: %.200s", line)
		}
	}
}

// newStore opens a new database, at the time importedAt.
func newStore(t testing.TB) pronto.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new.db")
	s, err := pronto.Open(context.Background(), pronto.FileTarget(path), pronto.Options{
		Mode: pronto.Write, Sync: pronto.SyncNormal, Now: func() time.Time { return time.UnixMilli(importedAt) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
