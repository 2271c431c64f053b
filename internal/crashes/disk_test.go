package crashes

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func writes(path, data string) change { return change{kind: write, path: path, data: data} }
func creates(path string) change      { return change{kind: createFile, path: path} }
func makes(path string) change        { return change{kind: makeDir, path: path} }
func removes(path string) change      { return change{kind: remove, path: path} }
func renames(path, to string) change  { return change{kind: rename, path: path, to: to} }
func begins(path string) change       { return change{kind: syncBegins, path: path} }
func ends(path string) change         { return change{kind: syncEnds, path: path} }
func fails(path string) change        { return change{kind: syncFails, path: path} }

// after is what changes one after the other do; syncs stands for the beginning
// and the end of one.
func after(changes ...any) []change {
	var list []change
	for _, c := range changes {
		switch c := c.(type) {
		case change:
			list = append(list, c)
		case string:
			list = append(list, begins(c), ends(c))
		}
	}
	return list
}

// outcomes are all that a loss of power after the changes may leave, as far as
// hundreds of fates show it: "d/ d/f=content".
func outcomes(t *testing.T, fs fileSystem, before map[string][]byte, changes []change) []string {
	t.Helper()
	d := newDisk(fs, before)
	for _, c := range changes {
		if err := d.apply(c); err != nil {
			t.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	fates := slices.Clone(extremes)
	for range 400 {
		fates = append(fates, randomFate(r))
	}
	var found []string
	for _, f := range fates {
		tree := d.image(f, r)
		var words []string
		for _, p := range sortedKeys(tree) {
			if tree[p] == nil {
				words = append(words, p+"/")
			} else {
				words = append(words, fmt.Sprintf("%s=%s", p, strings.ReplaceAll(string(tree[p]), "\x00", "0")))
			}
		}
		found = append(found, strings.Join(words, " "))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// What may be left is exactly that, no less and no more.
func TestOutcomes(t *testing.T) {
	old := map[string][]byte{"f": []byte("old")}
	const a, b = "aaaa", "bbbb"
	sectors := strings.Repeat("x", sector) + strings.Repeat("y", sector)
	for _, c := range []struct {
		name    string
		before  map[string][]byte
		changes []change
		strict  []string
		journal []string // the same, if nil
	}{
		{"nothing", old, nil, []string{"f=old"}, nil},
		{"a write", old, after(writes("f", "new")), []string{"f=new", "f=old"}, nil},
		{"a write, synced", old, after(writes("f", "new"), "f"), []string{"f=new"}, nil},
		{"a write while a sync is at it", old, after(begins("f"), writes("f", "new"), ends("f")), []string{"f=new", "f=old"}, nil},
		{"a write, and a sync of something else", old, after(writes("f", "new"), "."), []string{"f=new", "f=old"}, nil},
		{"a longer write", old, after(writes("f", "newer")), []string{"f=newer", "f=old", "f=old00"}, nil},
		{"two writes", old, after(writes("f", "n"), change{kind: write, path: "f", data: "w", at: 2}), []string{"f=nld", "f=nlw", "f=old", "f=olw"}, nil},
		{"a write of two sectors", nil, after(creates("f"), "f", ".", writes("f", sectors)),
			[]string{"f=", "f=" + strings.Repeat("0", 2*sector), "f=" + sectors[:sector], "f=" + strings.Repeat("0", sector) + sectors[sector:], "f=" + sectors}, nil},
		{"a truncation", old, after(change{kind: truncate, path: "f", at: 1}), []string{"f=o", "f=old"}, nil},
		{"a truncation, synced", old, after(change{kind: truncate, path: "f", at: 1}, "f"), []string{"f=o"}, nil},

		{"a sync that fails", old, after(writes("f", "new"), begins("f"), fails("f")), []string{"f=new", "f=old"}, nil},
		{"a sync that fails, and one that does not", old, after(writes("f", "new"), begins("f"), fails("f"), "f"), []string{"f=new", "f=old"}, nil},
		{"a write again, after a sync has failed", old, after(writes("f", "new"), begins("f"), fails("f"), writes("f", "new"), "f"), []string{"f=new"}, nil},

		{"a new file", old, after(creates("g")), []string{"f=old", "f=old g="}, nil},
		{"a new file, synced", old, after(creates("g"), writes("g", a), "g"), []string{"f=old", "f=old g=" + a}, []string{"f=old g=" + a}},
		{"a new file, its directory synced", old, after(creates("g"), writes("g", a), "."), []string{"f=old g=", "f=old g=0000", "f=old g=" + a}, nil},
		{"a new file, both synced", old, after(creates("g"), writes("g", a), "g", "."), []string{"f=old g=" + a}, nil},
		{"two new files", nil, after(creates("a"), creates("b")), []string{"", "a=", "a= b=", "b="}, []string{"", "a=", "a= b="}},
		{"a file in a new directory, both synced", nil, after(makes("d"), creates("d/f"), writes("d/f", a), "d/f", "d"), []string{"", "d/ d/f=" + a}, []string{"d/ d/f=" + a}},
		{"a file in a new directory, all synced", nil, after(makes("d"), creates("d/f"), writes("d/f", a), "d/f", "d", "."), []string{"d/ d/f=" + a}, nil},

		{"a file removed", old, after(removes("f")), []string{"", "f=old"}, nil},
		{"a file removed, its directory synced", old, after(removes("f"), "."), []string{""}, nil},
		{"a file replaced without a sync", old, after(creates("g"), writes("g", "new"), renames("g", "f"), "."), []string{"f=", "f=000", "f=new"}, nil},
		{"a file replaced, but for its directory", old, after(creates("g"), writes("g", "new"), "g", renames("g", "f")),
			[]string{"f=new", "f=old", "f=old g=new"}, []string{"f=new", "f=old g=new"}},
		{"a file replaced as it should be", old, after(creates("g"), writes("g", "new"), "g", renames("g", "f"), "."), []string{"f=new"}, nil},
		{"a link", old, after(change{kind: makeLink, path: "f", to: "g"}, "."), []string{"f=old g=old"}, nil},
		{"a directory renamed", map[string][]byte{"d": nil, "d/f": []byte(b)}, after(renames("d", "e"), writes("e/f", a)),
			[]string{"d/ d/f=" + a, "d/ d/f=" + b, "e/ e/f=" + a, "e/ e/f=" + b}, nil},
		{"from one directory to another, one of them synced", map[string][]byte{"d": nil, "d/f": []byte(b), "e": nil}, after(renames("d/f", "e/f"), "d"), []string{"d/ e/ e/f=" + b}, nil},
	} {
		for _, fs := range []fileSystem{strict, journaled} {
			want := c.strict
			if fs == journaled && c.journal != nil {
				want = c.journal
			}
			slices.Sort(want)
			if got := outcomes(t, fs, c.before, c.changes); !slices.Equal(got, want) {
				t.Errorf("%s, %s:\n%q, want\n%q", c.name, fs, got, want)
			}
		}
	}
}

// Syncs of several threads, each of which reaches what came before it.
func TestSyncsAtOnce(t *testing.T) {
	first, second := begins("f"), begins("f")
	first.tid, second.tid = 1, 2
	end := ends("f")
	end.tid = 1
	changes := []change{first, writes("f", "a"), second, end}
	if got := outcomes(t, strict, map[string][]byte{"f": []byte("o")}, changes); !slices.Equal(got, []string{"f=a", "f=o"}) {
		t.Errorf("the first has ended: %q", got)
	}
	end.tid = 2
	if got := outcomes(t, strict, map[string][]byte{"f": []byte("o")}, append(changes, end)); !slices.Equal(got, []string{"f=a"}) {
		t.Errorf("both have ended: %q", got)
	}
}

// What can't be is an error: the trace, or the model, lacks something.
func TestApplyErrors(t *testing.T) {
	for _, c := range []change{
		writes("g", "x"), writes("d/f", "x"), creates("d/f"), renames("f", "d/f"), removes("g"), begins("g"), ends("f"), makes("f"), {kind: "other", path: "f"},
	} {
		if err := newDisk(strict, map[string][]byte{"f": {}}).apply(c); err == nil {
			t.Errorf("%s: no error", c)
		}
	}
}
