// Package mathutil has what modernc.org/libc uses of modernc.org/mathutil:
// overflow checks and the conversions of 128-bit integers.
package mathutil

import (
	"math"
	"math/bits"
)

// Int128 is a signed 128-bit integer in two's complement.
type Int128 struct {
	Lo int64
	Hi int64
}

// Uint128 is an unsigned 128-bit integer.
type Uint128 struct {
	Lo uint64
	Hi uint64
}

// AddOverflowInt64 returns a+b, and whether it overflowed.
func AddOverflowInt64(a, b int64) (int64, bool) {
	r := a + b
	return r, (a^r)&(b^r) < 0
}

// SubOverflowInt64 returns a-b, and whether it overflowed.
func SubOverflowInt64(a, b int64) (int64, bool) {
	r := a - b
	return r, (a^b)&(a^r) < 0
}

// MulOverflowInt64 returns a*b, and whether it overflowed.
func MulOverflowInt64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if a < 0 {
		hi -= uint64(b)
	}
	if b < 0 {
		hi -= uint64(a)
	}
	return int64(lo), int64(hi) != int64(lo)>>63
}

// MulUint128_64 returns a*b in two halves.
func MulUint128_64(a, b uint64) (hi, lo uint64) { return bits.Mul64(a, b) }

// Cmp is -1, 0 or 1 as x is less than, equal to or greater than y.
func (x Int128) Cmp(y Int128) int {
	switch {
	case x == y:
		return 0
	case x.Hi < y.Hi, x.Hi == y.Hi && uint64(x.Lo) < uint64(y.Lo):
		return -1
	}
	return 1
}

// NewInt128FromInt64 converts n.
func NewInt128FromInt64(n int64) Int128 { return Int128{Lo: n, Hi: n >> 63} }

// NewInt128FromUint64 converts n.
func NewInt128FromUint64(n uint64) Int128 { return Int128{Lo: int64(n)} }

// NewInt128FromFloat32 converts n, cutting off its fraction.
func NewInt128FromFloat32(n float32) Int128 { return NewInt128FromFloat64(float64(n)) }

// NewInt128FromFloat64 converts n, cutting off its fraction. What is out of
// range is undefined, as in C.
func NewInt128FromFloat64(n float64) Int128 {
	u := NewUint128FromFloat64(math.Abs(n))
	if n < 0 {
		var borrow uint64
		u.Lo, borrow = bits.Sub64(0, u.Lo, 0)
		u.Hi, _ = bits.Sub64(0, u.Hi, borrow)
	}
	return Int128{Lo: int64(u.Lo), Hi: int64(u.Hi)}
}

// NewUint128FromFloat32 converts n, cutting off its fraction.
func NewUint128FromFloat32(n float32) Uint128 { return NewUint128FromFloat64(float64(n)) }

// NewUint128FromFloat64 converts n, cutting off its fraction. What is out of
// range is undefined, as in C.
func NewUint128FromFloat64(n float64) Uint128 {
	const two64 = 1 << 64
	n = math.Trunc(n)
	hi := math.Floor(n / two64)
	return Uint128{Lo: uint64(n - hi*two64), Hi: uint64(hi)}
}
