package memory

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestClasses(t *testing.T) {
	last, lastSize := uintptr(0), uintptr(0)
	for n := uintptr(1); n <= maxSmall; n++ {
		class, size := classOf(n)
		if size < n || size%align != 0 || n > 256 && (size-n)*8 > n {
			t.Fatalf("classOf(%d) = %d, %d", n, class, size)
		}
		if same := class == last; same != (size == lastSize) || !same && class != last+1 {
			t.Fatalf("classOf(%d) = %d, %d, behind %d, %d", n, class, size, last, lastSize)
		}
		last, lastSize = class, size
	}
	if last != classes-1 {
		t.Errorf("the last class is %d, of %d", last, classes)
	}
}

// Blocks of all sizes are allocated, grown and freed at random. Each holds what
// was written to it last, all of it, wherever it has moved.
func TestBlocks(t *testing.T) {
	type block struct {
		p    uintptr
		want []byte
	}
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		var a Allocator
		var live []block
		fill := func(b *block) {
			if b.p%align != 0 || UintptrUsableSize(b.p) < len(b.want) {
				t.Fatalf("%d bytes at %#x, usable are %d", len(b.want), b.p, UintptrUsableSize(b.p))
			}
			// All that may be used is, so that blocks which overlap show.
			for i := range b.want {
				b.want[i] = byte(r.Uint32())
			}
			copy(bytesAt(b.p, len(b.want)), b.want)
			clear(bytesAt(b.p, UintptrUsableSize(b.p))[len(b.want):])
		}
		check := func(b block) {
			if !bytes.Equal(bytesAt(b.p, len(b.want)), b.want) {
				t.Fatalf("a block of %d bytes holds something else", len(b.want))
			}
		}
		size := func() int { return 1 + r.IntN(1<<(1+r.IntN(19))) }
		for range 20_000 {
			i := 0
			if len(live) > 0 {
				i = r.IntN(len(live))
			}
			switch what := r.IntN(10); {
			case len(live) == 0 || what < 3 && len(live) < 400:
				n := size()
				p, err := a.UintptrMalloc(n)
				if err != nil {
					t.Fatal(err)
				}
				live = append(live, block{p, make([]byte, n)})
				fill(&live[len(live)-1])
			case what < 5 && len(live) < 400:
				n := size()
				p, err := a.UintptrCalloc(n)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(bytesAt(p, n), make([]byte, n)) {
					t.Fatalf("calloc(%d) is not zeros", n)
				}
				live = append(live, block{p, make([]byte, n)})
				fill(&live[len(live)-1])
			case what < 7:
				b, n := &live[i], size()
				p, err := a.UintptrRealloc(b.p, n)
				if err != nil {
					t.Fatal(err)
				}
				b.p, b.want = p, append(make([]byte, 0, n), b.want[:min(n, len(b.want))]...)
				check(*b)
				b.want = b.want[:n]
				fill(b)
			default:
				check(live[i])
				if err := a.UintptrFree(live[i].p); err != nil {
					t.Fatal(err)
				}
				live[i] = live[len(live)-1]
				live = live[:len(live)-1]
			}
		}
		for _, b := range live {
			check(b)
		}
	}
}

// What is freed is used again: a program that runs on takes no more from the
// system.
func TestFreedIsUsedAgain(t *testing.T) {
	var a Allocator
	for _, n := range []int{1, 100, 4368, 100_000, 3 << 20} {
		p, err := a.UintptrMalloc(n)
		if err != nil {
			t.Fatal(err)
		}
		a.UintptrFree(p)
		q, err := a.UintptrMalloc(n)
		if err != nil {
			t.Fatal(err)
		}
		if p != q {
			t.Errorf("a freed block of %d bytes is not used again", n)
		}
		a.UintptrFree(q)
	}
}

func TestNothing(t *testing.T) {
	var a Allocator
	if p, err := a.UintptrMalloc(0); p != 0 || err != nil {
		t.Errorf("malloc(0) = %#x, %v", p, err)
	}
	if err := a.UintptrFree(0); err != nil {
		t.Error(err)
	}
	if n := UintptrUsableSize(0); n != 0 {
		t.Errorf("the usable size of 0 is %d", n)
	}
	p, err := a.UintptrRealloc(0, 10)
	if p == 0 || err != nil {
		t.Errorf("realloc(0, 10) = %#x, %v", p, err)
	}
	if p, err = a.UintptrRealloc(p, 0); p != 0 || err != nil {
		t.Errorf("realloc(p, 0) = %#x, %v", p, err)
	}
	if p, err = a.UintptrMalloc(maxInt - 1<<30); p != 0 || err == nil {
		t.Errorf("malloc of all there is = %#x, %v", p, err)
	}
}
