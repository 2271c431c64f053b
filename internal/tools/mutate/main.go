//go:build unix

// Command mutate changes the code of packages on purpose, a little at a time,
// and tells which of these mutants no test notices.
//
//	mutate [-tests PACKAGES] [-files REGEXP] [-every N] [-list] PACKAGE…
//
// It works in a copy of the module. All mutants are built into it at once, each
// asleep until its number stands in a file, so that there is one build and not
// one for each, and it is known which test runs into which mutant: a mutant is
// shown only to those tests, the quick ones first, until one fails.
//
// It is our own because gremlins 0.6, the one that is kept up, passes over what
// stands in a case clause (half of the conditions here), takes what does not
// compile for killed, and removes no statement: a sync that is left out, a
// revision that is not raised.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.tests, "tests", "", "packages whose tests are run, as go list has them (default the ones that are mutated)")
	flag.StringVar(&o.files, "files", "", "mutate only files whose path matches")
	flag.IntVar(&o.every, "every", 1, "only every so many'th mutant, for an impression")
	flag.BoolVar(&o.list, "list", false, "list the mutants and run nothing")
	flag.Parse()
	o.packages = flag.Args()
	if len(o.packages) == 0 || o.every < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

type options struct {
	packages []string
	tests    string
	files    string
	every    int
	list     bool
}

func run(o options, w io.Writer) error {
	files, err := regexp.Compile(o.files)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	m := &module{dir: filepath.Join(scratch, "module"), state: filepath.Join(scratch, "mutant"), reach: filepath.Join(scratch, "reach")}
	if err := m.copy(); err != nil {
		return err
	}
	mutated, err := m.goList(o.packages...)
	if err != nil {
		return err
	}
	tested := mutated
	if o.tests != "" {
		if tested, err = m.goList(strings.Fields(o.tests)...); err != nil {
			return err
		}
	}
	if err := m.plant(mutated, files.MatchString, o.every); err != nil {
		return err
	}
	if o.list {
		for _, mu := range m.mutants {
			fmt.Fprintln(w, mu)
		}
		return nil
	}
	start := time.Now()
	tests, err := m.measure(tested, filepath.Join(scratch, "bin"))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d mutants, %d tests, which take %v one after the other\n", len(m.mutants), len(tests), total(tests).Round(time.Second))
	for i, mu := range m.mutants {
		if mu.fate, err = m.try(mu, tests); err != nil {
			return err
		}
		if mu.fate == lived || mu.fate == unreached {
			fmt.Fprintf(w, "%s: %s\n", mu, mu.fate)
		}
		if (i+1)%100 == 0 {
			fmt.Fprintf(os.Stderr, "%d of %d after %v\n", i+1, len(m.mutants), time.Since(start).Round(time.Second))
		}
	}
	m.summary(w)
	return nil
}

// summary prints a line for each package, and one for all.
func (m *module) summary(w io.Writer) {
	var order []string
	counts := map[string]*[4]int{}
	all := new([4]int)
	for _, mu := range m.mutants {
		dir := filepath.Dir(mu.file)
		if counts[dir] == nil {
			counts[dir] = new([4]int)
			order = append(order, dir)
		}
		counts[dir][mu.fate]++
		all[mu.fate]++
	}
	line := func(name string, n *[4]int) {
		sum := n[killed] + n[slow] + n[lived] + n[unreached]
		fmt.Fprintf(w, "%s: %d mutants, %d killed (%d of them by running too long), %d lived, %d not reached: %.1f %%\n",
			name, sum, n[killed]+n[slow], n[slow], n[lived], n[unreached], 100*float64(n[killed]+n[slow])/float64(sum))
	}
	for _, dir := range order {
		line(dir, counts[dir])
	}
	if len(order) > 1 {
		line("all", all)
	}
}
