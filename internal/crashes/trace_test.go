package crashes

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// inHex writes the strings of a trace as strace -xx does.
func inHex(trace string) string {
	return regexp.MustCompile(`'[^']*'`).ReplaceAllStringFunc(trace, func(s string) string {
		h := hex.EncodeToString([]byte(s[1 : len(s)-1]))
		return regexp.MustCompile(`..`).ReplaceAllString(h, `\x$0`)
	})
}

const someTrace = `
10 openat(AT_FDCWD<'/h'>, "'/h/a'", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 3<'/h/a'>
10 write(3<'/h/a'>, "'x=, (12'", 8) = 6
10 pwrite64(3<'/h/a'>, "'yy'", 2, 4096 <unfinished ...>
11 openat(AT_FDCWD<'/h'>, "'/elsewhere'", O_RDWR|O_CREAT, 0600) = 4<'/elsewhere'>
11 fsync(3<'/h/a'> <unfinished ...>
10 <... pwrite64 resumed>)                = 2
11 <... fsync resumed>)                   = 0
10 fdatasync(3<'/h/a'>)                   = -1 EIO (Input/output error) (INJECTED)
10 fdatasync(3<'/h/a'>)                   = -1 EINTR (Interrupted system call)
10 openat(AT_FDCWD<'/h'>, "'/h/b'", O_WRONLY|O_CREAT|O_EXCL, 0600) = -1 EEXIST (File exists)
10 fcntl(3<'/h/a'>, F_SETLK, {l_type=F_RDLCK, l_whence=SEEK_SET, l_start=1073741824, l_len=1}) = 0
10 write(1<pipe:[77]>, "'out'", 3) = 3
10 write(5<'/h/gone'>(deleted), "'z'", 1) = 1
10 mkdir("'d'", 0777)                     = 0
10 mkdirat(4<'/h/d'>, "'e'", 0700)        = 0
10 renameat(AT_FDCWD<'/h'>, "'/h/a'", AT_FDCWD<'/h'>, "'/h/b'") = 0
10 linkat(AT_FDCWD<'/h'>, "'/h/b'", AT_FDCWD<'/h'>, "'/h/c'", 0) = 0
10 ftruncate(3<'/h/b'>, 12)               = 0
10 lseek(3<'/h/b'>, 0, SEEK_END)          = 12
10 unlinkat(AT_FDCWD<'/h'>, "'c'", 0)     = 0
11 ???( <unfinished ...>
12 ???( <detached ...>
11 +++ exited with 0 +++
10 write(9<'/marks'>, "'ack 0 1
'", 8) = 8
10 exit_group(0)                          = ?
10 +++ exited with 0 +++
`

func TestTrace(t *testing.T) {
	calls, err := parseTrace(strings.NewReader(inHex(someTrace[1:])))
	if err != nil {
		t.Fatal(err)
	}
	injected := slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return !c.injected })
	if len(injected) != 1 || injected[0].name != "fdatasync" || injected[0].errno != "EIO" || injected[0].path() != "/h/a" {
		t.Errorf("injected: %v", injected)
	}
	changes, err := changesOf(calls, "/h", "/marks")
	if err != nil {
		t.Fatal(err)
	}
	want := []change{
		{kind: createFile, path: "a"},
		{kind: write, path: "a", data: "x=, (1", at: -1},
		{kind: syncBegins, path: "a", tid: 11},
		{kind: write, path: "a", data: "yy", at: 4096},
		{kind: syncEnds, path: "a", tid: 11},
		{kind: syncBegins, path: "a", tid: 10},
		{kind: syncFails, path: "a", tid: 10},
		{kind: syncBegins, path: "a", tid: 10},
		{kind: makeDir, path: "d"},
		{kind: makeDir, path: "d/e"},
		{kind: rename, path: "a", to: "b"},
		{kind: makeLink, path: "b", to: "c"},
		{kind: truncate, path: "b", at: 12},
		{kind: seek, path: "b", at: 12},
		{kind: remove, path: "c"},
		{kind: mark, data: "ack 0 1"},
	}
	for i := range max(len(want), len(changes)) {
		if i >= len(want) || i >= len(changes) || !reflect.DeepEqual(changes[i], want[i]) {
			t.Fatalf("change %d:\n%+v, want\n%+v", i, changes[min(i, len(changes)):], want[min(i, len(want)):])
		}
	}
}

// What the model does not know it does not pass over.
func TestTraceErrors(t *testing.T) {
	for _, line := range []string{
		"no trace",
		"10 <... write resumed>) = 1",
		"10 truncate(\"'/h/a'\", 3) = 0",
		"10 copy_file_range(4<'/elsewhere'>, NULL, 3<'/h/a'>, NULL, 10, 0) = 10",
		"10 openat(AT_FDCWD<'/h'>, \"'/h/a'\", O_WRONLY|O_SYNC) = 3<'/h/a'>",
		"10 rename(\"'/h/a'\", \"'/elsewhere'\") = 0",
		"10 symlink(\"'a'\", \"'/h/b'\") = 0",
		"10 syncfs(3<'/h'>) = 0",
	} {
		calls, err := parseTrace(strings.NewReader(inHex(line) + "\n"))
		if err == nil {
			var changes []change
			changes, err = changesOf(calls, "/h", "/marks")
			if err == nil {
				t.Errorf("%s: %s", line, fmt.Sprint(changes))
			}
		}
	}
}
