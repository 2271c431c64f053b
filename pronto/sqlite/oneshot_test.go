//go:build linux

package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/fileread"
	"prontodb/pronto/sqlite/sqlitetest"
)

// fill writes random entries in some transactions, and removes some again:
// long names and long values among them, so that both need overflow pages.
func fill(t testing.TB, path string, r *rand.Rand, n int) []pronto.Address {
	t.Helper()
	s, err := open(context.Background(), path, pronto.Options{Mode: pronto.Write, BusyTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []pronto.Address
	for len(all) < n {
		err := s.Update(context.Background(), func(tx pronto.Writer) error {
			for range min(1+r.IntN(200), n-len(all)) {
				a := pronto.Address{
					Project:   fmt.Sprint("p", r.IntN(3)),
					Namespace: fmt.Sprint("n", r.IntN(30)),
					Key:       fmt.Sprint(strings.Repeat("k", max(0, r.IntN(600)-130)), r.IntN(1000), "é"),
				}
				if len(a.Key) > pronto.MaxPart {
					a.Key = a.Key[len(a.Key)-pronto.MaxPart+1:]
				}
				if r.IntN(4) == 0 {
					a.Context = strings.Repeat("c", 1+r.IntN(400))
				}
				value := make([]byte, r.IntN(40))
				switch r.IntN(20) {
				case 0:
					value = make([]byte, r.IntN(70_000))
				case 1:
					value = make([]byte, r.IntN(6_000))
				}
				for i := range value {
					value[i] = byte(r.Uint32())
				}
				all = append(all, a)
				if r.IntN(10) == 0 {
					if _, err := pronto.Delete(tx, a, pronto.Condition{}); err != nil {
						return err
					}
				} else if _, err := pronto.Set(tx, a, value, pronto.SetOptions{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// What is read from the file itself is what SQLite reads.
func TestReadFileReadsWhatSQLiteReads(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		path := filepath.Join(t.TempDir(), "x.db")
		all := fill(t, path, r, 1+r.IntN(3000))
		for range 50 {
			all = append(all, addr("p1", "n1", fmt.Sprint("absent", r.IntN(1000)), ""), addr("p9", "n1", "k", ""))
		}
		s, err := open(context.Background(), path, pronto.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := make([]pronto.Entry, len(all)), make([]error, len(all))
		err = s.View(context.Background(), func(tx pronto.Reader) error {
			for i, a := range all {
				want[i], wantErr[i] = tx.Get(a)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		sqlitetest.Age(t, path)
		found := 0
		err = readFile(path, pronto.Options{}, func(tx pronto.Reader) error {
			for i, a := range all {
				e, err := tx.Get(a)
				if !errors.Is(err, wantErr[i]) || err == nil && wantErr[i] != nil {
					return fmt.Errorf("%v: error %v, want %v", a, err, wantErr[i])
				}
				if e.Revision != want[i].Revision || e.CreatedAt != want[i].CreatedAt || !bytes.Equal(e.Value, want[i].Value) {
					return fmt.Errorf("%v: got %v, want %v", a, e, want[i])
				}
				if err == nil {
					found++
				}
			}
			return nil
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if found == 0 {
			t.Errorf("seed %d: nothing found among %d", seed, len(all))
		}
	}
}

// A snapshot of files that were written a moment ago, are in use, or change
// meanwhile is not trusted.
func TestReadFileIsUnsure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	all := fill(t, path, rand.New(rand.NewPCG(1, 2)), 50)
	get := func(tx pronto.Reader) error {
		_, err := tx.Get(all[0])
		if errors.Is(err, pronto.ErrNotFound) {
			return nil
		}
		return err
	}
	if err := readFile(path, pronto.Options{}, get); !errors.Is(err, fileread.ErrUnsure) {
		t.Errorf("written a moment ago: %v", err)
	}
	sqlitetest.Age(t, path)
	if err := readFile(path, pronto.Options{}, get); err != nil {
		t.Errorf("settled: %v", err)
	}
	for _, suffix := range []string{"", logSuffix} {
		sqlitetest.Age(t, path)
		err := readFile(path, pronto.Options{}, func(tx pronto.Reader) error {
			now := time.Now()
			if err := os.Chtimes(path+suffix, now, now); err != nil {
				t.Fatal(err)
			}
			return get(tx)
		})
		if !errors.Is(err, fileread.ErrUnsure) {
			t.Errorf("%q written meanwhile: %v", suffix, err)
		}
	}
	sqlitetest.Age(t, path)
	if err := os.WriteFile(path+journalSuffix, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := readFile(path, pronto.Options{}, get); !errors.Is(err, fileread.ErrUnsure) {
		t.Errorf("with a rollback journal: %v", err)
	}
	os.Remove(path + journalSuffix)

	// The log is beside the file, not beside the link.
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	sqlitetest.Age(t, path)
	if err := readFile(link, pronto.Options{}, get); !errors.Is(err, fileread.ErrUnsure) {
		t.Errorf("through a link: %v", err)
	}

	s, err := open(context.Background(), path, pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sqlitetest.Age(t, path)
	if err := readFile(path, pronto.Options{}, get); !errors.Is(err, fileread.ErrUnsure) {
		t.Errorf("open in this process: %v", err)
	}
	s.Close()
	future := time.Now().Add(time.Hour)
	os.Chtimes(path, future, future)
	if err := readFile(path, pronto.Options{}, get); !errors.Is(err, fileread.ErrUnsure) {
		t.Errorf("written in the future: %v", err)
	}
}

// logGeometry is how a log is laid out
// (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
const (
	logHeaderSize   = 32
	frameHeaderSize = 24
	framePage       = 4096
	logFrame        = frameHeaderSize + framePage
)

// seal computes the checksums of a log's header and frames anew, as SQLite
// writes them on this machine.
func seal(log []byte) {
	var s0, s1 uint32
	add := func(b []byte) {
		for ; len(b) >= 8; b = b[8:] {
			s0 += binary.LittleEndian.Uint32(b) + s1
			s1 += binary.LittleEndian.Uint32(b[4:]) + s0
		}
	}
	put := func(b []byte) {
		binary.BigEndian.PutUint32(b, s0)
		binary.BigEndian.PutUint32(b[4:], s1)
	}
	if len(log) < logHeaderSize {
		return
	}
	add(log[:24])
	put(log[24:])
	for f := log[logHeaderSize:]; len(f) >= logFrame; f = f[logFrame:] {
		add(f[:8])
		add(f[frameHeaderSize:logFrame])
		put(f[16:])
	}
}

// Whatever happened to the files, what the file reader is sure of is what
// SQLite reads from them: a log that was cut off, commit marks that went or
// came, salts and checksums that do not fit, frames that do but hold something
// else. Only where SQLite finds the file malformed may it be sure of something
// else, for now.
func FuzzFileRead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x.db")
	all := fill(f, path, rand.New(rand.NewPCG(3, 4)), 300)
	db, log, logged := refill(f, path, all)
	all = append(logged, all...) // those that the log is about first
	frames := (len(log) - logHeaderSize) / logFrame
	commits := 0
	for i := range frames {
		at := logHeaderSize + i*logFrame
		for key := range uint16(8) {
			f.Add(uint32(0), byte(0), uint32(0), byte(0), uint32(at), false, key)
		}
		f.Add(uint32(0), byte(0), uint32(0), byte(0), uint32(at+logFrame/3), false, uint16(i))
		for _, in := range []int{0, 3, 8, 12, 16, 20, frameHeaderSize, frameHeaderSize + framePage/2} {
			f.Add(uint32(0), byte(0), uint32(at+in), byte(0x81), uint32(len(log)), false, uint16(i))
			f.Add(uint32(0), byte(0), uint32(at+in), byte(0x81), uint32(len(log)), true, uint16(i))
		}
		if mark := log[at+7]; mark != 0 { // a commit, which then is none
			commits++
			f.Add(uint32(0), byte(0), uint32(at+7), mark, uint32(len(log)), true, uint16(i))
			f.Add(uint32(0), byte(0), uint32(at+7), mark, uint32(at+logFrame), true, uint16(i))
		}
	}
	if frames < 12 || commits != 4 || frames < 2*commits {
		f.Fatalf("%d frames in the log, %d of them commits: too few to tell anything", frames, commits)
	}
	for i := range 40 {
		f.Add(uint32(i*97), byte(0xff), uint32(i*1000), byte(1), uint32(len(log)), false, uint16(i))
		f.Add(uint32(i*2311), byte(1), uint32(0), byte(0), uint32(len(log)), false, uint16(i*7))
	}
	var sure atomic.Int32
	f.Cleanup(func() {
		if flag.Lookup("test.fuzz").Value.String() == "" && !f.Failed() && int(sure.Load()) < 10*frames {
			f.Errorf("the file reader was sure of %d entries only", sure.Load())
		}
	})
	f.Fuzz(func(t *testing.T, dbAt uint32, dbXor byte, logAt uint32, logXor byte, cut uint32, sealed bool, key uint16) {
		path := filepath.Join(t.TempDir(), "x.db")
		d, l := bytes.Clone(db), bytes.Clone(log)
		d[int(dbAt)%len(d)] ^= dbXor
		l[int(logAt)%len(l)] ^= logXor
		if sealed {
			seal(l)
		}
		l = l[:int(cut)%(len(l)+1)]
		for p, b := range map[string][]byte{path: d, path + logSuffix: l} {
			if err := os.WriteFile(p, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		sqlitetest.Age(t, path)
		a := all[int(key)%len(all)]
		var got, want pronto.Entry
		err := readFile(path, pronto.Options{}, func(tx pronto.Reader) (err error) {
			got, err = tx.Get(a)
			return err
		})
		if errors.Is(err, fileread.ErrUnsure) {
			return
		}
		if err != nil && !errors.Is(err, pronto.ErrNotFound) {
			t.Fatalf("the file reader: %v", err)
		}
		sure.Add(1)
		werr := viewOnce(path, func(tx pronto.Reader) (err error) {
			want, err = tx.Get(a)
			return err
		})
		answered := werr == nil || errors.Is(werr, pronto.ErrNotFound)
		if answered && (err == nil) == (werr == nil) && sameEntry(got, want) {
			return
		}
		if dbXor != 0 || sealed && logXor != 0 {
			// No checksum tells of this damage. Known gap: the file reader looks
			// at no more than it needs, SQLite finds the schema or a tree to be
			// damaged.
			if out, ierr := sqlitetest.Query(path, "PRAGMA integrity_check"); !answered || ierr != nil || out != "ok\n" {
				return
			}
		}
		t.Errorf("the file reader reads revision %d, %.20q, %v; SQLite %d, %.20q, %v", got.Revision, got.Value, err, want.Revision, want.Value, werr)
	})
}

func sameEntry(a, b pronto.Entry) bool {
	return a.Address == b.Address && bytes.Equal(a.Value, b.Value) && a.Revision == b.Revision &&
		a.CreatedAt == b.CreatedAt && a.UpdatedAt == b.UpdatedAt && a.ExpiresAt == b.ExpiresAt
}

// refill empties the log of a database and writes to it in some transactions of
// several pages each, over entries that are there and at new addresses. It
// returns the files, and the addresses.
func refill(t testing.TB, path string, all []pronto.Address) (db, log []byte, written []pronto.Address) {
	t.Helper()
	ctx := context.Background()
	s, err := open(ctx, path, pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if done, err := s.c.Checkpoint(true); err != nil || !done {
		t.Fatalf("checkpoint: %v, %v", done, err)
	}
	if err := os.Truncate(path+logSuffix, 0); err != nil { // what the log was before is not of interest
		t.Fatal(err)
	}
	for i := range 4 {
		err := s.Update(ctx, func(tx pronto.Writer) error {
			for j := range 4 {
				for _, a := range []pronto.Address{all[j*len(all)/4], addr("p", "log", fmt.Sprint("k", i%2, j), "")} {
					if _, err := pronto.Set(tx, a, fmt.Append(nil, "written ", i), pronto.SetOptions{}); err != nil {
						return err
					}
					written = append(written, a)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if s.c.WALPages() >= walPages {
		t.Fatalf("%d pages: the log has been emptied again", s.c.WALPages())
	}
	if db, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if log, err = os.ReadFile(path + logSuffix); err != nil {
		t.Fatal(err)
	}
	return db, log, written
}
