package main

import (
	"flag"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"prontodb/internal/testprog"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) { testprog.Main(m, nil) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testprog.Scripts("testdata/script", *update))
}
