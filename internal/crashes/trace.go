package crashes

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// straceFlags have strace write what parseTrace reads: all threads, the paths
// of descriptors, strings whole and in hexadecimal. Where the kernel will not
// copy a file by itself, as on some file systems, programs write it.
var straceFlags = []string{
	"-f", "-qq", "-y", "-xx", "-s", "67108864", "--seccomp-bpf", "-e", "signal=none",
	"-e", "inject=copy_file_range,sendfile,splice:error=ENOSYS",
}

// changingCalls are the system calls that change files, or make a change
// durable. Those that changesOf does not know are an error there.
var changingCalls = []string{
	"open", "openat", "openat2", "creat", "lseek",
	"write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile", "splice", "ftruncate", "truncate", "fallocate",
	"mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir",
	"fsync", "fdatasync", "sync", "syncfs", "sync_file_range",
}

// call is a system call in a trace. It is there twice, as it begins and as it
// ends: what other threads do may stand between.
type call struct {
	tid      int
	name     string
	args     []string // as strace writes them; at the beginning maybe not all
	ended    bool
	ret      int64  // -1 at an error
	errno    string // "EIO", "" if there was no error
	injected bool   // by strace
}

// returned is how the line of a call ends. It is looked for in the last tailSize
// bytes, for the sake of lines of megabytes.
var returned = regexp.MustCompile(`\) += (-?\d+|\?)(?:<[^>]*>)?(?: (E[A-Z0-9]+) \([^)]*\))?( \(INJECTED\))?`)

const tailSize = 1000

// parseTrace reads what strace wrote under straceFlags.
func parseTrace(r io.Reader) ([]call, error) {
	p := parser{begun: map[int]string{}}
	lines := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF && line == "" {
			return p.calls, nil
		} else if err != nil && err != io.EOF {
			return nil, err
		}
		if !p.line(strings.TrimSuffix(line, "\n")) {
			return nil, fmt.Errorf("not a line of a trace: %.200q", line)
		}
	}
}

type parser struct {
	calls []call
	begun map[int]string // by thread: the arguments so far of a call that has not ended
}

func (p *parser) line(line string) (ok bool) {
	id, text, _ := strings.Cut(line, " ")
	text = strings.TrimLeft(text, " ")
	tid, err := strconv.Atoi(id)
	if err != nil {
		return false
	}
	if strings.HasPrefix(text, "+++") || strings.HasPrefix(text, "---") {
		return true
	}
	if rest, resumed := strings.CutPrefix(text, "<... "); resumed {
		name, rest, _ := strings.Cut(rest, " resumed>")
		head, begun := p.begun[tid]
		delete(p.begun, tid)
		return begun && p.end(tid, name, head+rest)
	}
	name, rest, isCall := strings.Cut(text, "(")
	if !isCall {
		return false
	}
	for _, s := range []string{" <unfinished ...>", " <detached ...>"} {
		if rest, unended := strings.CutSuffix(rest, s); unended {
			p.begun[tid] = rest
			p.calls = append(p.calls, call{tid: tid, name: name, args: splitArgs(rest)})
			return true
		}
	}
	at := len(p.calls)
	p.calls = append(p.calls, call{tid: tid, name: name})
	if !p.end(tid, name, rest) {
		return false
	}
	if len(p.calls) > at+1 {
		p.calls[at].args = p.calls[at+1].args
	}
	return true
}

// end is the end of a call, rest being what stands after its name.
func (p *parser) end(tid int, name, rest string) (ok bool) {
	from := max(0, len(rest)-tailSize)
	m := returned.FindStringSubmatchIndex(rest[from:])
	if m == nil {
		return false
	}
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return rest[from+m[2*i] : from+m[2*i+1]]
	}
	ret, err := strconv.ParseInt(group(1), 10, 64)
	if err != nil {
		return true // "?": the thread ended in it
	}
	p.calls = append(p.calls, call{
		tid: tid, name: name, args: splitArgs(rest[:from+m[0]]), ended: true, ret: ret, errno: group(2), injected: group(3) != "",
	})
	return true
}

// splitArgs splits arguments at commas, but for those within brackets. Strings
// have none in them: they are in hexadecimal.
func splitArgs(s string) []string {
	var args []string
	depth, from := 0, 0
	for i, c := range s {
		switch {
		case strings.ContainsRune("{[(", c):
			depth++
		case strings.ContainsRune("}])", c):
			depth--
		case c == ',' && depth == 0:
			args = append(args, strings.TrimSpace(s[from:i]))
			from = i + 1
		}
	}
	return append(args, strings.TrimSpace(s[from:]))
}

// decode is a string as it was before strace wrote it in hexadecimal.
func decode(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		return s // such as pipe:[42]
	}
	return string(b)
}

// descriptor is the path of an argument such as 7</path>, "" if it has none, as
// a pipe, or its file has been removed.
func descriptor(arg string) string {
	_, rest, ok := strings.Cut(arg, "<")
	path, after, _ := strings.Cut(rest, ">")
	if path = decode(path); ok && after == "" && filepath.IsAbs(path) {
		return path
	}
	return ""
}

// paths are those that a call names. The argument before a relative one is the
// descriptor of the directory that it is in, if there is one.
func (c call) paths() []string {
	var list []string
	for i, a := range c.args {
		if !strings.HasPrefix(a, `"`) {
			continue
		}
		p := decode(strings.Trim(a, `"`))
		if !filepath.IsAbs(p) && i > 0 {
			p = filepath.Join(descriptor(c.args[i-1]), p)
		}
		list = append(list, filepath.Clean(p))
	}
	return list
}

// path is the file, or the first of those, that a call is about: "" if it has
// none.
func (c call) path() string {
	switch c.name {
	case "read", "write", "pread64", "pwrite64", "lseek", "fsync", "fdatasync", "ftruncate", "fstat", "fchmod", "fchown", "getdents64", "fcntl", "flock":
		return descriptor(c.args[0])
	}
	if list := c.paths(); len(list) > 0 {
		return list[0]
	}
	return ""
}

// change is what a call does to a file system, or to what of it is durable.
type change struct {
	kind kind
	path string // of the file or directory, from the root of the tree
	to   string // of a link or rename
	data string // of a write or a mark
	at   int64  // a write's offset, -1 for where the last one ended; a truncate's size; a seek's offset
	tid  int    // of a sync
}

func (c change) String() string {
	if c.kind == mark {
		return c.data
	}
	return fmt.Sprintf("%s %s", c.kind, c.path)
}

type kind string

const (
	createFile kind = "create"
	makeDir    kind = "mkdir"
	makeLink   kind = "link"
	rename     kind = "rename"
	remove     kind = "remove"
	write      kind = "write"
	truncate   kind = "truncate"
	seek       kind = "seek"
	syncBegins kind = "sync begins"
	syncEnds   kind = "sync ends"
	syncFails  kind = "sync fails"
	mark       kind = "mark" // written by the workload itself
)

// changesOf are the changes that calls made to the files below root. What was
// written to the file marks becomes marks among them.
func changesOf(calls []call, root, marks string) ([]change, error) {
	var changes []change
	for _, c := range calls {
		list, err := c.changes(marks)
		if err != nil {
			return nil, err
		}
		for _, ch := range list {
			if ch.kind != mark {
				var in, toIn bool
				ch.path, in = below(root, ch.path)
				if ch.to != "" {
					if ch.to, toIn = below(root, ch.to); in != toIn {
						return nil, fmt.Errorf("%s from or to a place outside %s: %q", c.name, root, c.args)
					}
				}
				if !in {
					continue
				}
			}
			if !knownCall(c.name) {
				return nil, fmt.Errorf("%s(%.200q): not in the model", c.name, c.args)
			}
			changes = append(changes, ch)
		}
	}
	return changes, nil
}

// below is path as it is called from root, which it must be in. A relative one
// is from there: nothing changes its working directory.
func below(root, path string) (string, bool) {
	if path != "" && !filepath.IsAbs(path) {
		path = filepath.Join(root, path)
	}
	rel, err := filepath.Rel(root, path)
	return rel, err == nil && filepath.IsLocal(rel)
}

var modelled = []string{
	"open", "openat", "creat", "lseek", "write", "pwrite64", "ftruncate", "mkdir", "mkdirat", "link", "linkat",
	"rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "fsync", "fdatasync",
}

func knownCall(name string) bool { return slices.Contains(modelled, name) }

// changes are what one call did; paths are absolute.
func (c call) changes(marks string) ([]change, error) {
	isSync := c.name == "fsync" || c.name == "fdatasync"
	switch {
	case isSync && !c.ended:
		return []change{{kind: syncBegins, path: c.path(), tid: c.tid}}, nil
	case isSync && c.ret < 0 && c.errno != "EINTR":
		return []change{{kind: syncFails, path: c.path(), tid: c.tid}}, nil
	case !c.ended || c.ret < 0 || !slices.Contains(changingCalls, c.name):
		return nil, nil
	case isSync:
		return []change{{kind: syncEnds, path: c.path(), tid: c.tid}}, nil
	}
	number := func(i int) int64 {
		n, err := strconv.ParseInt(c.args[i], 0, 64)
		if err != nil {
			panic(fmt.Sprintf("%s(%q): %v", c.name, c.args, err))
		}
		return n
	}
	switch c.name {
	case "open", "openat", "creat":
		flags := strings.Join(c.args, " ")
		var list []change
		if c.name == "creat" || strings.Contains(flags, "O_CREAT") {
			list = append(list, change{kind: createFile, path: c.path()})
		}
		if c.name == "creat" || strings.Contains(flags, "O_TRUNC") {
			list = append(list, change{kind: truncate, path: c.path()})
		}
		for _, f := range []string{"O_SYNC", "O_DSYNC", "O_TMPFILE", "O_APPEND"} {
			if strings.Contains(flags, f) && c.path() != marks {
				return nil, fmt.Errorf("%s with %s: not in the model", c.name, f)
			}
		}
		return list, nil
	case "write", "pwrite64":
		data := decode(strings.Trim(c.args[1], `"`))[:c.ret]
		if marks != "" && c.path() == marks {
			return []change{{kind: mark, data: strings.TrimSpace(data)}}, nil
		}
		at := int64(-1)
		if c.name == "pwrite64" {
			at = number(3)
		}
		return []change{{kind: write, path: c.path(), data: data, at: at}}, nil
	case "ftruncate":
		return []change{{kind: truncate, path: c.path(), at: number(1)}}, nil
	case "lseek":
		return []change{{kind: seek, path: c.path(), at: c.ret}}, nil
	case "mkdir", "mkdirat":
		return []change{{kind: makeDir, path: c.path()}}, nil
	case "unlink", "unlinkat", "rmdir":
		return []change{{kind: remove, path: c.path()}}, nil
	case "rename", "renameat", "renameat2":
		return []change{{kind: rename, path: c.paths()[0], to: c.paths()[1]}}, nil
	case "link", "linkat":
		return []change{{kind: makeLink, path: c.paths()[0], to: c.paths()[1]}}, nil
	}
	var list []change // which changesOf refuses within the tree
	for _, p := range c.paths() {
		list = append(list, change{path: p})
	}
	for _, a := range c.args {
		list = append(list, change{path: descriptor(a)})
	}
	return list, nil
}
