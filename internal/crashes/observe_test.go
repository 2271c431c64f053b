package crashes

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"prontodb/internal/atomicfile"
	"prontodb/pronto/sqlite/sqlitetest"
)

// observation is what the program finds in a HOME, part by part: what each
// database lists, a hash of each other file, and by which statuses commands end
// that have to go well anywhere. What is not there, or empty, is no part.
type observation map[string]string

const (
	doctorPart = "doctor"
	setPart    = "a further set"
	laterPart  = "a set after a failure"
	probe      = "probe" // the project of that set
	later      = "later" // that of one after a command has failed
)

// look says how to observe.
type look struct {
	lists    [][]string        // the commands that list a database
	projects bool              // each project of a database is a part of its own
	gets     map[string]string // addresses to get before anything else opens the database, with its path
	setFirst bool              // the further set comes before everything else
	archives bool              // of an archive, what it holds is looked at, not its bytes, which tell the time
}

var scan = []string{"scan", "--json"}

// observe looks at the HOME of p, which must be used for nothing else later.
// What contradicts itself is an error.
func observe(p place, l look) (observation, []string) {
	o := observation{}
	var wrong []string
	tree, err := readTree(p.home)
	if err != nil {
		return o, []string{err.Error()}
	}
	if l.setFirst {
		o.furtherSet(p)
	}
	got := map[string]result{}
	for address, db := range l.gets {
		if _, ok := tree[db]; ok {
			got[address] = p.prontodb("get", "--json", "-d", filepath.Join(p.home, db), address)
		}
	}
	for _, path := range sortedKeys(tree) {
		switch {
		case tree[path] == nil || isTemporary(path) || sqlitetest.IsSidecar(path):
		case filepath.Ext(path) == ".db":
			lines := o.database(p, path, l)
			for address, g := range got {
				if l.gets[address] == path && !agrees(g, address, lines) {
					wrong = append(wrong, fmt.Sprintf("get %s: status %d, %s%s, and scan has it otherwise", address, g.status, g.stdout, g.err))
				}
			}
		case l.archives && strings.HasSuffix(path, ".tar.gz"):
			fresh := p.fresh()
			r := fresh.prontodb("restore", "--dry-run", "--into", p.temp(), filepath.Join(p.home, path))
			o[path] = fresh.mask(p.mask(fmt.Sprintf("an archive: status %d, %s%s", r.status, r.stdout, r.err)))
		default:
			content := bytes.ReplaceAll(tree[path], []byte(p.home), []byte("~"))
			o[path] = fmt.Sprintf("%x, %d bytes", sha256.Sum256(content), len(content))
		}
	}
	doctor := p.prontodb("doctor")
	o[doctorPart] = fmt.Sprintf("status %d", doctor.status)
	for line := range strings.Lines(doctor.stdout) {
		if strings.HasPrefix(line, "FAIL") {
			o[doctorPart] += ", " + p.mask(line)
		}
	}
	if !l.setFirst {
		o.furtherSet(p)
	}
	return o, wrong
}

// database observes a database and returns what the first command lists.
func (o observation) database(p place, path string, l look) (lines []string) {
	for i, list := range l.lists {
		r := p.prontodb(append([]string{"-d", filepath.Join(p.home, path)}, list...)...)
		if r.status != 0 {
			o[path] += p.mask(fmt.Sprintf("%s: status %d, %s\n", list[0], r.status, r.err))
			continue
		}
		for line := range strings.Lines(r.stdout) {
			part, project := path, projectOf(line)
			if project == probe {
				continue
			}
			if project == later {
				o[laterPart] = line
				continue
			}
			if i == 0 {
				lines = append(lines, line)
			}
			if l.projects {
				part += " " + project
			}
			o[part] += line
		}
	}
	return lines
}

func (o observation) furtherSet(p place) {
	address := probe + ".n.k"
	set := p.prontodb("set", address, "v")
	o[setPart] = fmt.Sprintf("status %d%s", set.status, p.mask(set.err))
	if get := p.prontodb("get", address); set.status == 0 && get.stdout != "v\n" {
		o[setPart] += fmt.Sprintf(", and get: %d %s%s", get.status, get.stdout, get.err)
	}
}

// fresh is another HOME, in which there is nothing.
func (p place) fresh() place {
	p.home = p.temp()
	return p
}

// mask takes from a text what differs from place to place.
func (p place) mask(s string) string { return strings.ReplaceAll(s, p.home, "~") }

// agrees reports whether a get says what a scan says.
func agrees(get result, address string, lines []string) bool {
	for _, line := range lines {
		if addressOf(line) == address {
			return get.status == 0 && get.stdout == line
		}
	}
	return get.status == 2 && get.stdout == ""
}

// entry is of the JSON of an entry or a cache what is looked at.
type entry struct{ Address, Project string }

func entryOf(line string) (e entry) {
	json.Unmarshal([]byte(line), &e)
	return e
}

func projectOf(line string) string { return entryOf(line).Project }
func addressOf(line string) string { return entryOf(line).Address }

// isTemporary reports whether a file is one that somebody was writing, which a
// later call removes: it, or a directory in the data, has a name with a dot.
func isTemporary(path string) bool {
	return atomicfile.IsTemp(filepath.Base(path)) || slices.ContainsFunc(strings.Split(path, "/"), func(name string) bool {
		return strings.HasPrefix(name, ".") && name != ".local" && name != ".config"
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
