package memory_test

import (
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"testing"

	"prontodb/pronto"
	"prontodb/pronto/memory"
	"prontodb/pronto/storetest"
)

func TestEngine(t *testing.T) {
	storetest.Run(t, storetest.Harness{New: newTarget, Look: look, KeepsExpired: true})
}

var targets atomic.Int64

func newTarget(t *testing.T) pronto.Target {
	target, err := pronto.ParseTarget(fmt.Sprintf("%s://%s/%d", memory.Name, t.Name(), targets.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func look(t *testing.T, target pronto.Target) string {
	h, err := pronto.Examine(t.Context(), target, pronto.Options{}, false)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ""
	case err != nil:
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v", h)
}

func TestLocation(t *testing.T) {
	for _, location := range []string{"", "name", "memory://", "memory:name", "file://name"} {
		for _, mode := range []pronto.Mode{pronto.Read, pronto.Write} {
			_, err := pronto.Open(t.Context(), pronto.Target{Engine: memory.Name, Location: location}, pronto.Options{Mode: mode})
			if err == nil {
				t.Errorf("%q was opened", location)
			}
		}
	}
}

// What a scan hands out is gone once its function has returned, so that tests
// notice who keeps it.
func TestScanTakesBack(t *testing.T) {
	s, err := pronto.Open(t.Context(), newTarget(t), pronto.Options{Mode: pronto.Write})
	if err != nil {
		t.Fatal(err)
	}
	a := pronto.Address{Project: "p", Namespace: "n", Key: "k"}
	err = s.Update(t.Context(), func(tx pronto.Writer) error {
		if _, err := pronto.Set(tx, a, []byte("v"), pronto.SetOptions{}); err != nil {
			return err
		}
		var kept *pronto.Row
		err := tx.Scan(pronto.Selection{Scope: pronto.Scope{Project: "p", Namespace: "n"}}, func(r *pronto.Row) error {
			kept = r
			return nil
		})
		if string(kept.Name) == "k" || string(kept.Value) == "v" {
			t.Errorf("kept %q = %q", kept.Name, kept.Value)
		}
		if e, err := tx.Get(a); err != nil || string(e.Value) != "v" {
			t.Errorf("the entry itself is %q, %v", e.Value, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
