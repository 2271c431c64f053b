package crashes

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"prontodb/pronto/sqlite/sqlitetest"
)

// The power fails at any moment of each workload. What is left can be opened,
// and every command that had ended with 0 is done.
func TestPowerCut(t *testing.T) {
	needStrace(t)
	e := sample
	if all {
		e = everything
	}
	for _, w := range workloads() {
		t.Run(w.name, func(t *testing.T) {
			if w.long && !all {
				t.Skip("left out: only with PRONTODB_CRASHES=all")
			}
			r := record(t, w)
			for _, fs := range []fileSystem{strict, journaled} {
				images, wrong := r.explore(t, fs, e)
				for _, s := range wrong {
					t.Errorf("%s: %s", fs, s)
				}
				t.Logf("%s: %d images of %d changes", fs, images, len(r.changes))
			}
		})
	}
}

// progress is how far each writer is: the steps that are acknowledged, and those
// that have begun.
type progress struct{ acked, begun []int }

// expected reports whether a part of what was observed is as it may be: as in a
// state from the writer's last acknowledged step on, and no later than what has
// begun.
func (r *recording) expected(part, found string, p progress) (ok bool, want string) {
	for w, states := range r.states {
		if owner, ok := r.ownerOf(part); ok && owner != w {
			continue
		}
		from := 0
		for i, s := range states {
			if s.acked && s.step == p.acked[w]-1 && !r.forgets {
				from = i
			}
		}
		for _, s := range states[from:] {
			if s.step >= p.begun[w] {
				break
			}
			if s.observation[part] == found {
				return true, ""
			}
			if want == "" {
				want = s.observation[part]
			}
		}
	}
	return false, want
}

// ownerOf is the writer whose project a part of a database is, if there is one.
func (r *recording) ownerOf(part string) (writer int, ok bool) {
	_, err := fmt.Sscanf(part[strings.LastIndex(part, " ")+1:], "w%d", &writer)
	return writer, err == nil && len(r.writers) > 1 && writer < len(r.writers)
}

// wrongIn are the parts that are not as they may be.
func (r *recording) wrongIn(o observation, p progress) []string {
	parts := map[string]bool{}
	for part := range o {
		parts[part] = true
	}
	for _, states := range r.states {
		for _, s := range states {
			for part := range s.observation {
				parts[part] = true
			}
		}
	}
	var wrong []string
	for _, part := range sortedKeys(parts) {
		if part == doctorPart && r.halfway && !slices.Equal(p.acked, p.begun) {
			continue
		}
		if ok, want := r.expected(part, o[part], p); !ok {
			wrong = append(wrong, fmt.Sprintf("%s: found %s", part, difference(o[part], want)))
		}
	}
	return wrong
}

// difference is the first line in which two texts differ.
func difference(found, want string) string {
	f, w := strings.Split(found, "\n"), strings.Split(want, "\n")
	i := 0
	for i < len(f)-1 && i < len(w)-1 && f[i] == w[i] {
		i++
	}
	return fmt.Sprintf("%.300q, want %.300q", f[i], w[i])
}

// effort is how many images to look at.
type effort struct {
	most   int // moments at which most is at stake
	others int // other moments
	fates  int // at each, beside the extremes
}

var (
	sample     = effort{most: 10, others: 5, fates: 2}
	everything = effort{most: math.MaxInt, others: 400, fates: 10}
)

// moments are the changes after which the power fails. Where a sync begins, a
// name changes, or something is acknowledged, most is at stake.
func (r *recording) moments(e effort, random *rand.Rand) map[int]bool {
	var at, between []int
	for i, c := range r.changes {
		switch c.kind {
		case syncBegins, mark, rename, remove, makeLink:
			at = append(at, i)
		default:
			between = append(between, i)
		}
	}
	moments := map[int]bool{}
	for _, list := range []struct {
		of []int
		n  int
	}{{at, e.most}, {between, e.others}} {
		for _, i := range random.Perm(len(list.of))[:min(list.n, len(list.of))] {
			moments[list.of[i]] = true
		}
	}
	return moments
}

// image is one to be looked at.
type image struct {
	tree map[string][]byte
	progress
	look
	where string
}

// explore looks at images of a workload and says how many, and what is wrong:
// each kind once, with the first place where it was found.
func (r *recording) explore(t *testing.T, fs fileSystem, e effort) (images int, wrong []string) {
	jobs := make(chan image)
	var wg sync.WaitGroup
	var mu sync.Mutex
	kinds := map[string][]string{}
	for worker := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for im := range jobs {
				o, wrong := r.open(filepath.Join(r.dir, fmt.Sprintf("i%05d", worker)), im.tree, im.look)
				wrong = append(wrong, r.wrongIn(o, im.progress)...)
				mu.Lock()
				images++
				for _, s := range wrong {
					kinds[kindOf(s)] = append(kinds[kindOf(s)], im.where+": "+s)
				}
				mu.Unlock()
			}
		})
	}
	r.eachImage(fs, e, func(im image) { jobs <- im })
	close(jobs)
	wg.Wait()
	for _, k := range sortedKeys(kinds) {
		wrong = append(wrong, fmt.Sprintf("%d times, first %s", len(kinds[k]), kinds[k][0]))
	}
	return images, wrong
}

var digits = regexp.MustCompile(`[0-9a-f]*[0-9][0-9a-f]*`)

// kindOf is what messages of one kind have in common.
func kindOf(s string) string {
	s, _, _ = strings.Cut(digits.ReplaceAllString(s, "#"), ", want")
	return s
}

// eachImage calls f with the images of a workload, each once.
func (r *recording) eachImage(fs fileSystem, e effort, f func(image)) {
	random := rand.New(rand.NewPCG(1, uint64(len(r.changes))))
	moments := r.moments(e, random)
	d := newDisk(fs, r.before)
	p := progress{make([]int, len(r.writers)), make([]int, len(r.writers))}
	seen := map[[sha256.Size]byte]bool{}
	for i, c := range r.changes {
		if c.kind != mark {
			d.apply(c) // checkReplay has seen the errors
		} else if what, w, step := readMark(c); what == "ack" {
			p.acked[w] = step + 1
		} else {
			p.begun[w] = step + 1
		}
		if !moments[i] {
			continue
		}
		list := slices.Clone(extremes)
		for range e.fates {
			list = append(list, randomFate(random))
		}
		for _, fate := range list {
			tree := d.image(fate, random)
			now := progress{slices.Clone(p.acked), slices.Clone(p.begun)}
			if key := hashOf(tree, now); !seen[key] {
				seen[key] = true
				scrambleIndexes(tree, random)
				l := look{lists: r.lists(), projects: len(r.writers) > 1, setFirst: random.IntN(4) == 0, gets: r.gets(now)}
				f(image{tree, now, l, fmt.Sprintf("after change %d (%s), kept: %s, acknowledged %v", i, c, fate.name, now.acked)})
			}
		}
	}
}

// scrambleIndexes gives some databases an index of their log that says anything.
// It is memory that processes share, which nobody syncs.
func scrambleIndexes(tree map[string][]byte, random *rand.Rand) {
	for _, path := range sortedKeys(tree) {
		if filepath.Ext(path) != ".db" || tree[path] == nil {
			continue
		}
		delete(tree, sqlitetest.IndexFile(path))
		if random.IntN(2) == 0 {
			noise := make([]byte, 32<<10)
			for i := range noise {
				noise[i] = byte(random.Uint32())
			}
			tree[sqlitetest.IndexFile(path)] = noise
		}
	}
}

func hashOf(tree map[string][]byte, p progress) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintln(h, p)
	for _, path := range sortedKeys(tree) {
		fmt.Fprintf(h, "%q %v %d\n", path, tree[path] == nil, len(tree[path]))
		h.Write(tree[path])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// gets are a few addresses that ought to be there, each with its database.
func (r *recording) gets(p progress) map[string]string {
	gets := map[string]string{}
	for w, states := range r.states {
		for _, s := range states {
			if !s.acked || s.step != p.acked[w]-1 {
				continue
			}
			for part, lists := range s.observation {
				path, _, _ := strings.Cut(part, " ")
				lines := strings.Split(strings.TrimSpace(lists), "\n")
				if address := addressOf(lines[len(lines)-1]); filepath.Ext(path) == ".db" && address != "" && len(gets) < 3 {
					gets[address] = path
				}
			}
		}
	}
	return gets
}
