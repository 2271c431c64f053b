package mathutil

import (
	"math"
	"math/big"
	"testing"
)

func TestOverflow(t *testing.T) {
	nums := []int64{0, 1, -1, 2, -2, 3, 1 << 31, 1 << 32, -1 << 32, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1}
	for _, a := range nums {
		for _, b := range nums {
			x, y := big.NewInt(a), big.NewInt(b)
			for name, c := range map[string]struct {
				f    func(a, b int64) (int64, bool)
				want *big.Int
			}{
				"add": {AddOverflowInt64, new(big.Int).Add(x, y)},
				"sub": {SubOverflowInt64, new(big.Int).Sub(x, y)},
				"mul": {MulOverflowInt64, new(big.Int).Mul(x, y)},
			} {
				got, over := c.f(a, b)
				if over == c.want.IsInt64() || !over && got != c.want.Int64() {
					t.Errorf("%s(%d, %d) = %d, %v; want %v", name, a, b, got, over, c.want)
				}
			}
		}
	}
}

func TestFloat(t *testing.T) {
	for _, f := range []float64{0, 0.9, -0.9, 1, -1, 1 << 40, -1 << 40, 1 << 63, 1 << 64, -1 << 64, 3.5 * (1 << 80), -3.5 * (1 << 80), 1e30, -1e30} {
		want, _ := big.NewFloat(f).Int(nil)
		i := NewInt128FromFloat64(f)
		got := new(big.Int).Lsh(big.NewInt(i.Hi), 64)
		got.Add(got, new(big.Int).SetUint64(uint64(i.Lo)))
		if got.Cmp(want) != 0 {
			t.Errorf("NewInt128FromFloat64(%v) = %v, want %v", f, got, want)
		}
	}
}
