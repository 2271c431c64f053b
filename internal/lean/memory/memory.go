// Package memory has what modernc.org/libc uses of modernc.org/memory: the
// memory allocator behind malloc(3).
//
// It is made for a program that runs for a millisecond: the first megabyte is
// part of the program's own data, so that nothing is asked of the system for
// it, and blocks of all sizes lie beside each other, so that few pages of it
// are touched. What an [Allocator] has taken from the system for blocks up to
// 128 KiB it keeps.
package memory

import (
	"errors"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

const (
	chunkSize = 1 << 20   // what is taken from the system at once, in bytes
	maxSmall  = 128 << 10 // the largest block that is cut from a chunk, header included
	maxKept   = 4 << 20   // the largest freed block above that which is kept for the next one
	align     = 16        // of every block, and no less than the size of a header
	maxInt    = int(^uint(0) >> 1)
)

// header stands in front of every block.
type header struct {
	size  uintptr // bytes behind the header
	class uintptr // see classOf; 0: the block has a mapping of its own
}

// headerSize is what a header takes, so that blocks are aligned.
const headerSize = align

// first is the first chunk of the first Allocator.
var (
	first     [chunkSize]byte
	firstUsed atomic.Bool
)

// Allocator allocates and frees memory, which Go's collector does not look at.
// Its zero value is ready for use. It is not safe for concurrent use.
type Allocator struct {
	// As published, these are counted only under a build tag.
	Allocs, Bytes, Mmaps int

	free      [classes]uintptr // freed blocks by class; the first word of each is the next one
	next, end uintptr          // what is left of the newest chunk
	kept      uintptr          // a freed block with a mapping of its own, or 0
}

// The classes of blocks, with their headers: multiples of 16 bytes up to 256, then
// eight sizes for each doubling, so that those are at most an eighth too large.
const classes = 1 + 16 + 8*9

// classOf is the smallest class whose blocks have n bytes, and their size, both
// with the header; n is between 1 and maxSmall.
func classOf(n uintptr) (class, size uintptr) {
	if n <= 256 {
		class = (n + 15) / 16
		return class, class * 16
	}
	l := bits.Len(uint(n - 1)) // 2^(l-1) < n <= 2^l
	base := uintptr(1) << (l - 1)
	step := base / 8
	i := (n - 1 - base) / step
	return 17 + uintptr(l-9)*8 + i, base + (i+1)*step
}

func at(p uintptr) *header { return *(**header)(unsafe.Pointer(&p)) }

func word(p uintptr) *uintptr { return *(**uintptr)(unsafe.Pointer(&p)) }

func bytesAt(p uintptr, n int) []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), n)
}

var errNoMemory = errors.New("memory: out of memory")

// alloc returns a block of at least size bytes, and whether it has never been
// used and so holds zeros.
func (a *Allocator) alloc(size int) (p uintptr, fresh bool, err error) {
	if size < 0 {
		panic("invalid malloc size")
	}
	if size == 0 {
		return 0, true, nil
	}
	if size > maxInt-chunkSize {
		return 0, false, errNoMemory
	}
	n := uintptr(size) + headerSize
	if n > maxSmall {
		return a.allocLarge(n)
	}
	class, n := classOf(n)
	if p = a.free[class]; p != 0 {
		a.free[class] = *word(p)
		return p, false, nil
	}
	if a.end-a.next < n {
		if err := a.grow(); err != nil {
			return 0, false, err
		}
	}
	p = a.next + headerSize
	a.next += n
	*at(p - headerSize) = header{size: n - headerSize, class: class}
	return p, true, nil
}

// grow begins a new chunk. What is left of the one before is too small for the
// block that is wanted, and lost.
func (a *Allocator) grow() error {
	if a.end == 0 && firstUsed.CompareAndSwap(false, true) {
		p := uintptr(unsafe.Pointer(&first))
		a.next = (p + align - 1) &^ (align - 1)
		a.end = p + chunkSize
		return nil
	}
	p, err := mapMemory(chunkSize)
	if err != nil {
		return err
	}
	a.next, a.end = p, p+chunkSize
	return nil
}

func (a *Allocator) allocLarge(n uintptr) (p uintptr, fresh bool, err error) {
	if k := a.kept; k != 0 && at(k-headerSize).size+headerSize >= n {
		a.kept = 0
		return k, false, nil
	}
	n = (n + 1<<16 - 1) &^ (1<<16 - 1)
	if p, err = mapMemory(n); err != nil {
		return 0, false, err
	}
	*at(p) = header{size: n - headerSize}
	return p + headerSize, true, nil
}

// UintptrMalloc returns a block of at least size bytes, or 0 for size 0. What
// is in it is not defined. It panics if size is negative.
func (a *Allocator) UintptrMalloc(size int) (uintptr, error) {
	p, _, err := a.alloc(size)
	return p, err
}

// UintptrCalloc is UintptrMalloc for a block of zeros.
func (a *Allocator) UintptrCalloc(size int) (uintptr, error) {
	p, fresh, err := a.alloc(size)
	if err == nil && !fresh {
		clear(bytesAt(p, size))
	}
	return p, err
}

// UintptrRealloc makes a block, or 0, one of at least size bytes: the one it
// was, or another with the same contents, after which the old one is freed. Of
// size 0 it frees the block and returns 0. After an error, the block is as it
// was.
func (a *Allocator) UintptrRealloc(p uintptr, size int) (uintptr, error) {
	switch {
	case p == 0:
		return a.UintptrMalloc(size)
	case size == 0:
		return 0, a.UintptrFree(p)
	}
	have := UintptrUsableSize(p)
	if have >= size {
		return p, nil
	}
	q, err := a.UintptrMalloc(size)
	if err != nil {
		return 0, err
	}
	copy(bytesAt(q, have), bytesAt(p, have))
	return q, a.UintptrFree(p)
}

// UintptrFree frees a block, or does nothing for 0.
func (a *Allocator) UintptrFree(p uintptr) error {
	if p == 0 {
		return nil
	}
	h := at(p - headerSize)
	if h.class != 0 {
		*word(p) = a.free[h.class]
		a.free[h.class] = p
		return nil
	}
	if n := h.size + headerSize; n <= maxKept {
		if p, a.kept = a.kept, p; p == 0 {
			return nil
		}
	}
	p -= headerSize
	return unmapMemory(p, at(p).size+headerSize)
}

// UintptrUsableSize is how many bytes a block has, which may be more than were
// asked for; of 0 it is 0.
func UintptrUsableSize(p uintptr) int {
	if p == 0 {
		return 0
	}
	return int(at(p - headerSize).size)
}
