package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"prontodb/pronto"
)

// Who waits is told of every commit, when it can be seen: of one of a database that
// did not exist, of one with a log and of one after the log was emptied.
func TestToldOfCommits(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "x.db")
	r, err := open(ctx, path, pronto.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n, err := r.Notify()
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	w, err := open(ctx, path, pronto.Options{Mode: pronto.Write, Sync: pronto.SyncNormal})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const late = time.Minute
	for i := range int64(3 * walPages) {
		before := time.Now()
		err := w.Update(ctx, func(tx pronto.Writer) error {
			_, err := pronto.Set(tx, addr("p", "n", "k", ""), []byte(fmt.Sprint(i)), pronto.SetOptions{})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for revision := int64(0); revision <= i; {
			if err := n.Wait(ctx, before.Add(late)); err != nil {
				t.Fatal(err)
			}
			if time.Since(before) >= late {
				t.Fatalf("nobody told of commit %d", i)
			}
			err := r.View(ctx, func(tx pronto.Reader) (err error) {
				revision, err = tx.Revision()
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if err := n.Wait(stopped, time.Now().Add(late)); err != context.Canceled {
		t.Errorf("Wait of a context that has ended: %v", err)
	}
	if err := n.Wait(ctx, time.Now()); err != nil {
		t.Errorf("Wait until now: %v", err)
	}
}

// Where the folder is not there yet, who waits has to ask.
func TestNoNotice(t *testing.T) {
	s := &store{path: filepath.Join(t.TempDir(), "none", "x.db")}
	if n, err := s.Notify(); !os.IsNotExist(err) || n != nil {
		t.Errorf("%v, %v", n, err)
	}
}
