package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/mattn/go-isatty"

	"prontodb/internal/presence"
	"prontodb/lifecycle"
	"prontodb/pronto/home"
)

// Process is what a run of the tool has around it.
type Process struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Build  Build

	Now     func() time.Time               // nil is time.Now
	Uptime  func() (boot string, ms int64) // of the clock of leases; nil is presence.Uptime
	Getenv  func(string) string            // nil is os.Getenv
	Environ func() []string                // nil is os.Environ

	// Ends says that the process ends with this run. What the store has open
	// then is left for the system to close, which is quicker, and as safe:
	// what was committed is committed, and locks go with their process.
	Ends bool
}

// fill puts what a process of the system has in the place of what is nil. No
// other place in this package reads the environment.
func (p *Process) fill() {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Uptime == nil {
		p.Uptime = presence.Uptime
	}
	if p.Getenv == nil {
		p.Getenv = os.Getenv
	}
	if p.Environ == nil {
		p.Environ = os.Environ
	}
}

// userHome is the user's home directory, "" if the environment has no absolute
// path for it.
func (p *Process) userHome() string {
	variable := "HOME"
	if runtime.GOOS == "windows" {
		variable = "USERPROFILE"
	}
	if dir := p.Getenv(variable); filepath.IsAbs(dir) {
		return dir
	}
	return ""
}

// dataDir is $XDG_DATA_HOME/prontodb, and configDir $XDG_CONFIG_HOME/prontodb.
// A relative path in these variables is invalid and not looked at (XDG Base
// Directory Specification).
func (p *Process) dataDir() (string, error) { return p.xdgDir("XDG_DATA_HOME", ".local/share") }

func (p *Process) configDir() (string, error) { return p.xdgDir("XDG_CONFIG_HOME", ".config") }

func (p *Process) xdgDir(variable, fallback string) (string, error) {
	dir := p.Getenv(variable)
	if !filepath.IsAbs(dir) {
		dir = p.userHome()
		if dir == "" {
			return "", fmt.Errorf("neither $%s nor $HOME is set to an absolute path", variable)
		}
		dir = filepath.Join(dir, filepath.FromSlash(fallback))
	}
	return filepath.Join(dir, "prontodb"), nil
}

// home is the data directory.
func (p *Process) home() (home.Home, error) {
	dir, err := p.dataDir()
	return home.Home{Dir: dir}, err
}

// dirs are the directories of the user who runs this.
func (p *Process) dirs() (d lifecycle.Dirs, err error) {
	if d.Data, err = p.dataDir(); err != nil {
		return d, err
	}
	if d.Config, err = p.configDir(); err != nil {
		return d, err
	}
	d.Share = filepath.Dir(d.Data)
	d.Home = p.userHome()
	return d, nil
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	if t, ok := stream.(*terminal); ok {
		stream = t.w
	}
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// isPiped reports whether standard input is a pipe or a file, from which a
// value may be read without being asked to.
func (p *Process) isPiped() bool {
	f, ok := p.Stdin.(*os.File)
	if !ok {
		return p.Stdin != nil
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&(os.ModeCharDevice|os.ModeDir) == 0
}

// isRegular reports whether a stream is a file on a disk: nobody has to wait for
// what it holds.
func isRegular(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// isPipe reports whether a path is that of a pipe, which may have to be waited for.
func isPipe(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// Build says what was built; the linker fills it in.
type Build struct{ Version, Commit, Date string }

// filled is the build with what Go itself noted, for what the linker did not
// fill in.
func (b Build) filled() Build {
	if info, ok := debug.ReadBuildInfo(); ok && b.Version == "" {
		if b.Version = info.Main.Version; b.Version == "(devel)" {
			b.Version = ""
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision" && b.Commit == "":
				b.Commit = s.Value
			case s.Key == "vcs.time" && b.Date == "":
				b.Date = s.Value
			}
		}
	}
	if b.Version == "" {
		b.Version = "devel"
	}
	return b
}
