package crashes

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// judge compares the exit status, and what was said, with what is there.
func (b *bench) judge(r run, hit []call) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if strings.Contains(r.err, "goroutine ") || r.status < 0 {
		say("it crashed")
	}
	tree, err := readTree(r.home)
	if err != nil {
		return []string{err.Error()}
	}
	if left := b.leftBehind(tree, r); len(left) > 0 && !slices.ContainsFunc(hit, isRemoval) {
		say("left behind: %q", left)
	}
	o, contradictions := b.open(tree, r)
	wrong = append(wrong, contradictions...)
	if strings.Contains(b.line, "prontodb restore ") {
		b.forgiveLeftOut(o)
	}
	switch r.status {
	case 0:
		said, want := r.masked(r.stdout), b.said
		for _, c := range hit { // what can't be read is not known to be as it should be
			path := r.masked(c.path()) + "\n"
			said, want = strings.ReplaceAll(said, "replaced "+path, "unchanged "+path), strings.ReplaceAll(want, "replaced "+path, "unchanged "+path)
		}
		if strings.Contains(said, "what was there is damaged") || strings.Contains(said, "what was there could not be backed up") { // and was kept
			b.forgiveSetAside(o)
			said = want
		}
		if said != want && !b.varies {
			say("it printed %q, not %q", r.stdout, b.said)
		}
		wrong = append(wrong, b.compare(o, b.is, r.status)...)
	case 1:
		switch {
		case strings.Contains(r.err, "not everything is in the archive"):
			b.forgiveNewArchives(o)
		case strings.Contains(r.err, " were not restored: "): // the rest was, and what was there is kept
			b.forgiveNewArchives(o)
			if strings.Contains(r.err, "; what was there is in ") {
				b.forgiveGone(o)
			}
			b.forgiveSetAside(o)
		}
		if r.stdout != "" && !b.parts && !strings.Contains(r.err, "not everything is in the archive") {
			say("it printed %q", r.stdout)
		}
		wrong = append(wrong, b.compare(o, b.was, r.status)...)
	case 4:
		wrong = append(wrong, b.compare(o, b.is, r.status)...)
	default:
		say("an exit status of something else")
	}
	unsaid := slices.ContainsFunc(r.calls, func(c call) bool { return c.injected && c.name == "write" && strings.HasPrefix(c.args[0], "2<") })
	if lines := strings.Split(strings.TrimSuffix(r.err, "\n"), "\n"); r.status != 0 && !unsaid &&
		(!strings.HasPrefix(lines[0], "prontodb: ") || len(lines) > 2 || len(lines) == 2 && !strings.HasPrefix(lines[1], "hint: ")) {
		say("not an error of one line")
	}
	return wrong
}

// judgeLater is for a sync that has failed: whatever is lost of what it should
// have made durable, what was acknowledged then is there, and so is what is set
// later, and not on top of a change that was reported as failed.
func (b *bench) judgeLater(r run) (wrong []string) {
	d := newDisk(strict, moved(b.tree, b.root, r.home))
	if err := replay(d, r.calls, r.home); err != nil {
		return []string{err.Error()}
	}
	want := b.is
	if r.status == 1 {
		want = b.was
		next, line := r, "prontodb set -d main "+later+".n.k v"
		if !strings.Contains(b.was[setPart], "status 0") { // there is no database to set it in
			line = "prontodb set --user later " + later + ".n.k v"
		}
		if err := next.trace(line); err != nil || next.status != 0 {
			return []string{fmt.Sprintf("a set later: status %d, %s%v", next.status, next.err, err)}
		}
		if err := replay(d, next.calls, r.home); err != nil {
			return []string{err.Error()}
		}
	}
	random := rand.New(rand.NewPCG(1, uint64(len(r.calls))))
	fates := append(slices.Clone(extremes), randomFate(random), randomFate(random))
	seen := map[string]bool{}
	for _, fate := range fates {
		tree := d.image(fate, random)
		key := fmt.Sprint(hashOf(tree, progress{}))
		if seen[key] {
			continue
		}
		seen[key] = true
		o, _ := b.open(tree, r)
		if r.status == 1 && o[laterPart] == "" {
			wrong = append(wrong, fmt.Sprintf("after a loss of power that kept %s: a set later is lost", fate.name))
		}
		delete(o, laterPart)
		for _, s := range b.compare(o, want, r.status) {
			wrong = append(wrong, fmt.Sprintf("after a loss of power that kept %s: %s", fate.name, s))
		}
	}
	return wrong
}

// open observes a tree that was the HOME of a run, or could be.
func (b *bench) open(tree map[string][]byte, r run) (observation, []string) {
	p, err := newPlace(filepath.Join(b.dir, "i"+filepath.Base(r.dir)[1:]))
	if err == nil {
		err = put(p, tree, r.home)
	}
	if err != nil {
		return nil, []string{err.Error()}
	}
	defer os.RemoveAll(p.dir)
	return observeMasked(p)
}

// replay makes on a disk the changes of calls below root.
func replay(d *disk, calls []call, root string) error {
	changes, err := changesOf(calls, root, "")
	if err != nil {
		return err
	}
	for _, c := range withoutIndex(changes) {
		if err := d.apply(c); err != nil {
			return err
		}
	}
	return nil
}

// compare says in which parts what was found is not as wanted. Of a command that
// changes several things, where it was not done, or only nearly, each may be as
// it was at any moment.
func (b *bench) compare(found, want observation, status int) []string {
	if b.parts && status != 0 {
		want = maps.Clone(want)
		for _, part := range append(sortedKeys(want), sortedKeys(found)...) {
			if slices.ContainsFunc(b.states, func(s observation) bool { return s[part] == found[part] }) {
				want[part] = found[part]
			}
		}
	}
	return differences(found, want)
}

// forgiveNewArchives is for an archive that not everything is in. It must be a
// whole one.
func (b *bench) forgiveNewArchives(o observation) {
	for part, found := range o {
		list, old := archives(found), 0
		for _, a := range archives(b.was[part]) {
			if i := slices.Index(list, a); i >= 0 {
				list = slices.Delete(list, i, i+1)
				old++
			}
		}
		isBroken := func(a string) bool { return !strings.HasPrefix(a, "an archive: status 0") }
		if old == len(archives(b.was[part])) && len(list) > 0 && !slices.ContainsFunc(list, isBroken) {
			o[part] = b.was[part]
		}
	}
	maps.DeleteFunc(o, func(_, found string) bool { return found == "" })
}

// forgiveSetAside is for a restore of which a part was done: a database that could
// not be read is kept under another name.
func (b *bench) forgiveSetAside(o observation) {
	maps.DeleteFunc(o, func(part, _ string) bool {
		return b.was[part] == "" && b.is[part] == "" && strings.Contains(part, ".damaged-")
	})
}

// forgiveGone is for a database that could not be read, and then could not be made
// anew, either: it is only under another name now, as the error says.
func (b *bench) forgiveGone(o observation) {
	for part := range b.was {
		if o[part+".damaged-STAMP"] != "" {
			o[part], o[doctorPart], o[setPart] = b.was[part], b.was[doctorPart], b.was[setPart]
		}
	}
}

// forgiveLeftOut is for a safety backup that lacks what could not be read: it is
// kept under another name, or was left as it is.
func (b *bench) forgiveLeftOut(o observation) {
	isKept := func(line string) bool {
		path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "would write ~/")
		path, _, _ = strings.Cut(path, ": ")
		return ok && (o[path] == b.was[path] || slices.ContainsFunc(sortedKeys(o), func(p string) bool { return strings.HasPrefix(p, path+".damaged-") }))
	}
	for part, want := range b.is {
		const whole = "an archive: status 0, "
		found, ok := strings.CutPrefix(o[part], whole)
		if !ok && o[part] != "" || !strings.HasPrefix(want, whole) || b.was[part] != "" {
			continue
		}
		lacks := slices.Collect(strings.Lines(strings.TrimPrefix(want, whole)))
		lacks = slices.DeleteFunc(lacks, func(line string) bool { return strings.Contains(found, line) })
		if !slices.ContainsFunc(lacks, func(line string) bool { return !isKept(line) }) {
			o[part] = want
		}
	}
}

// isRemoval reports whether a call removes a file, or looks for some to remove in
// a directory.
func isRemoval(c call) bool {
	info, err := os.Stat(c.path())
	return strings.HasPrefix(c.name, "unlink") || c.name == "getdents64" || c.name == "openat" && err == nil && info.IsDir()
}

// leftBehind are temporary files.
func (b *bench) leftBehind(tree map[string][]byte, r run) (left []string) {
	for _, path := range sortedKeys(tree) {
		if _, old := b.tree[path]; isTemporary(path) && !old {
			left = append(left, path)
		}
	}
	list, err := os.ReadDir(r.temp())
	if err != nil {
		return []string{err.Error()}
	}
	for _, e := range list {
		left = append(left, e.Name())
	}
	return left
}

// differences are the parts in which two observations differ.
func differences(found, want observation) (list []string) {
	parts := maps.Clone(found)
	maps.Copy(parts, want)
	for _, part := range sortedKeys(parts) {
		if found[part] != want[part] {
			list = append(list, part+": found "+difference(found[part], want[part]))
		}
	}
	return list
}
