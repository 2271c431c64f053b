package e2e

import (
	"os"
	"strconv"
	"testing"

	"prontodb/internal/testprog"
	_ "prontodb/pronto/sqlite"
)

// programs are the helpers that tests start beside prontodb.
var programs = map[string]func(){"writer": writer, "reader": reader}

func TestMain(m *testing.M) { testprog.Main(m, programs) }

// soak is how much longer than usual the tests run: PRONTODB_SOAK=10 takes ten
// times as long.
func soak() int {
	if n, err := strconv.Atoi(os.Getenv("PRONTODB_SOAK")); err == nil && n > 1 {
		return n
	}
	return 1
}
