//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// module is the copy of the module with the mutants in it.
type module struct {
	dir     string
	state   string // the file that says which mutant is awake
	reach   string // the file that mutants leave their numbers in when they are asked to
	mutants []*mutant
}

type mutant struct {
	id        int
	file      string // from the root of the module
	line, col int
	lastLine  int
	what      string
	fate      fate
}

func (mu *mutant) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", mu.file, mu.line, mu.col, mu.what)
}

type fate int

const (
	killed    fate = iota
	slow           // ended by us
	lived          // tests ran into it, and passed
	unreached      // no test ran into it
)

func (f fate) String() string {
	return [...]string{"killed", "killed by running too long", "lived", "not reached"}[f]
}

// copy copies the module that the working directory is the root of.
func (m *module) copy() error {
	return filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(m.dir, path)
		switch {
		case d.Name() == ".git":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, info.Mode().Perm())
	})
}

// goPackage is a package as go list has it.
type goPackage struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// goList lists packages, or what else the arguments of go list say.
func (m *module) goList(args ...string) ([]goPackage, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Export,GoFiles"}, args...)...)
	cmd.Dir, cmd.Stderr = m.dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var list []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
}

// plant puts the mutants into the packages. What does not compile with them
// loses those of the line, until it does.
func (m *module) plant(packages []goPackage, want func(file string) bool, every int) error {
	paths := make([]string, len(packages))
	for i, p := range packages {
		paths[i] = p.ImportPath
	}
	deps, err := m.goList(append([]string{"-export", "-deps"}, paths...)...)
	if err != nil {
		return err
	}
	exports := map[string]string{}
	for _, d := range deps {
		exports[d.ImportPath] = d.Export
	}
	fset := token.NewFileSet()
	imp := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	var plants []*planter
	next := 0
	for _, p := range packages {
		files := make([]*ast.File, len(p.GoFiles))
		for i, name := range p.GoFiles {
			if files[i], err = parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution); err != nil {
				return err
			}
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
		if _, err := (&types.Config{Importer: imp}).Check(p.ImportPath, fset, files, info); err != nil {
			return err
		}
		for i, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			rel, err := filepath.Rel(m.dir, path)
			if err != nil {
				return err
			}
			if !want(rel) {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			pl := &planter{fset: fset, info: info, path: path, rel: rel, text: text, bounds: map[ast.Expr]bool{}}
			pl.find(files[i])
			for _, s := range pl.sites {
				next++
				s.mutant.id = next
				if next%every == 0 {
					m.mutants = append(m.mutants, s.mutant)
				} else {
					s.dropped = true
				}
			}
			plants = append(plants, pl)
		}
		helper := fmt.Sprintf(helperText, files[0].Name.Name, m.state, m.reach)
		if err := os.WriteFile(filepath.Join(p.Dir, "mutate_helper.go"), []byte(helper), 0o644); err != nil {
			return err
		}
	}
	for range 20 {
		for _, pl := range plants {
			if err := os.WriteFile(pl.path, pl.render(), 0o644); err != nil {
				return err
			}
		}
		cmd := exec.Command("go", append([]string{"build", "-gcflags=-e"}, paths...)...)
		cmd.Dir = m.dir
		out, err := cmd.CombinedOutput()
		if err == nil {
			return nil
		}
		if dropped := m.drop(plants, out); dropped == 0 {
			return fmt.Errorf("the mutants do not compile: %w\n%s", err, out)
		}
	}
	return errors.New("the mutants do not compile")
}

var compileError = regexp.MustCompile(`(?m)^(\S+\.go):(\d+):\d+: `)

// drop drops the mutants of the lines that the compiler complains of, and says
// how many there were.
func (m *module) drop(plants []*planter, out []byte) (n int) {
	bad := map[string]bool{}
	for _, e := range compileError.FindAllSubmatch(out, -1) {
		bad[filepath.Clean(string(e[1]))+":"+string(e[2])] = true
	}
	gone := map[*mutant]bool{}
	for _, whole := range []bool{false, true} { // of mutants that begin there, else of those around it
		for _, pl := range plants {
			for _, s := range pl.sites {
				lines := s.mutant.line
				if whole {
					lines = s.mutant.lastLine
				}
				for line := s.mutant.line; line <= lines && !s.dropped; line++ {
					if bad[s.mutant.file+":"+strconv.Itoa(line)] {
						s.dropped = true
						gone[s.mutant] = true
					}
				}
			}
		}
		if len(gone) > 0 {
			break
		}
	}
	kept := m.mutants[:0]
	for _, mu := range m.mutants {
		if gone[mu] {
			fmt.Fprintln(os.Stderr, "does not compile:", mu)
		} else {
			kept = append(kept, mu)
		}
	}
	m.mutants = kept
	return len(gone)
}

// helperText is what the mutants of a package call. Whether one is awake is read
// when the process starts: tests start others, with other environments.
const helperText = `package %s

import (
	"cmp"
	"os"
	"strconv"
	"sync"
)

type (
	mutateInteger interface {
		~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
	}
	mutateNumber interface {
		mutateInteger | ~float32 | ~float64
	}
)

var (
	mutateAwake = mutateRead()
	mutateMutex sync.Mutex
	mutateSeen  map[int]bool
	mutateReach *os.File
)

func mutateRead() int {
	text, _ := os.ReadFile(%q)
	n, _ := strconv.Atoi(string(text))
	return n
}

// mutateOn reports whether a mutant is awake. -1 has each say that it is reached.
func mutateOn(k int) bool {
	if mutateAwake == -1 {
		mutateNote(k)
	}
	return mutateAwake == k
}

func mutateNote(k int) {
	mutateMutex.Lock()
	defer mutateMutex.Unlock()
	if mutateSeen[k] {
		return
	}
	if mutateSeen == nil {
		mutateSeen = map[int]bool{}
		mutateReach, _ = os.OpenFile(%q, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	}
	mutateSeen[k] = true
	mutateReach.WriteString(strconv.Itoa(k) + "\n")
}

func mutateLit[T mutateInteger](k int, v T) T {
	if mutateOn(k) {
		return v + 1
	}
	return v
}

func mutateNil(k int, err error) error {
	if mutateOn(k) {
		return nil
	}
	return err
}

func mutateLess[T cmp.Ordered](k int, a, b T) bool {
	return a < b || a == b && mutateOn(k)
}

func mutateLessEqual[T cmp.Ordered](k int, a, b T) bool {
	return a < b || a == b && !mutateOn(k)
}

func mutateAdd[T mutateNumber](k int, a, b T) T {
	if mutateOn(k) {
		return a - b
	}
	return a + b
}

func mutateSub[T mutateNumber](k int, a, b T) T {
	if mutateOn(k) {
		return a + b
	}
	return a - b
}

func mutateMul[T mutateNumber](k int, a, b T) T {
	if mutateOn(k) {
		return a / b
	}
	return a * b
}

func mutateDiv[T mutateNumber](k int, a, b T) T {
	if mutateOn(k) {
		return a * b
	}
	return a / b
}

func mutateMod[T mutateInteger](k int, a, b T) T {
	if mutateOn(k) {
		return a * b
	}
	return a %% b
}

func mutateAnd[T mutateInteger](k int, a, b T) T {
	if mutateOn(k) {
		return a | b
	}
	return a & b
}

func mutateOr[T mutateInteger](k int, a, b T) T {
	if mutateOn(k) {
		return a & b
	}
	return a | b
}
`
