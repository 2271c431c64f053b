package format

import (
	"slices"
	"testing"
)

func TestIsSpecialEnv(t *testing.T) {
	if !slices.IsSorted(specialNames) {
		t.Fatal("the names are not in byte order, in which they are searched")
	}
	for _, name := range append([]string{"LD_PRELOAD", "LD_", "DYLD_INSERT_LIBRARIES", "GIT_SSH_COMMAND", "PRONTODB_USER", "BASH_FUNC_x"}, specialNames...) {
		if !IsSpecialEnv(name) {
			t.Errorf("%s is not special", name)
		}
	}
	for _, name := range []string{"", "DB_HOST", "PATHS", "MY_PATH", "LD", "GIT", "BUILD_PATH", "XPATH", "PRONTODB", "HOMEPAGE", "_"} {
		if IsSpecialEnv(name) {
			t.Errorf("%s is special", name)
		}
	}
}
