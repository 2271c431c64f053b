package doctor

import (
	"os"
	"os/exec"
	"path/filepath"

	"prontodb/lifecycle/install"
	"prontodb/lifecycle/internal/fsutil"
)

// installation looks at what install made, and at which program PATH finds.
func (x *examination) installation() {
	files, err := install.Installed(x.dirs)
	if err != nil {
		x.say(Fail, "install", "%v", err)
		return
	}
	first, _ := exec.LookPath(install.BinaryName())
	programs := programsOf(files)
	if len(programs) == 0 {
		x.notInstalled(first)
		return
	}
	own, err := fsutil.HashFile(x.o.Binary)
	if err != nil {
		x.say(Warn, "binary", "%v", err)
	}
	for _, f := range files {
		if sum, err := fsutil.HashFile(f.Path); err != nil {
			x.say(Fail, "file", "%v", err)
		} else if f.Binary {
			x.program(f, sum, own)
		} else {
			x.sharedFile(f, sum)
		}
	}
	x.path(programs, first)
}

// notInstalled tells of the program that runs, where none is installed. first
// is the one that PATH finds.
func (x *examination) notInstalled(first string) {
	x.say(OK, "binary", "%s %s runs, none is installed by prontodb install", x.o.Binary, x.o.Version)
	if first == "" {
		x.say(Warn, "path", "no %s is on PATH", install.BinaryName())
		return
	}
	x.say(OK, "path", "%s comes first", first)
}

// program compares an installed program with its manifest, and with the one
// that runs: sum is the hash of what is there, own of what runs.
func (x *examination) program(f install.File, sum, own string) {
	switch {
	case f.Unfinished():
		x.unfinished(f)
	case sum == "":
		x.say(Fail, "binary", "%s is gone: run prontodb install again", f.Path)
	case sum != f.SHA256:
		x.say(Warn, "binary", "%s was changed since it was installed", f.Path)
	case f.Version != x.o.Version:
		x.say(Warn, "binary", "%s is %s, this is %s: run %s install to make them the same", f.Path, f.Version, x.o.Version, x.o.Quote(x.o.Binary))
	case sum != own:
		x.say(Warn, "binary", "%s is another build of %s than this: run %s install to make them the same", f.Path, f.Version, x.o.Quote(x.o.Binary))
	default:
		x.say(OK, "binary", "%s is %s, as is this", f.Path, f.Version)
	}
}

// sharedFile compares a file that goes with the program with its manifest.
func (x *examination) sharedFile(f install.File, sum string) {
	switch {
	case f.Unfinished():
		x.unfinished(f)
	case sum == "":
		x.say(Warn, "file", "%s is gone: run prontodb install again", f.Path)
	case sum != f.SHA256:
		x.say(Warn, "file", "%s was changed since it was installed", f.Path)
	default:
		x.say(OK, "file", "%s of %s", filepath.Base(f.Path), f.Version)
	}
}

func (x *examination) unfinished(f install.File) {
	x.say(Fail, "install", "was stopped before %s was in place: run prontodb install again", f.Path)
}

// path looks whether PATH leads to an installed program. first is what it leads
// to, "" for nothing.
func (x *examination) path(programs []string, first string) {
	onPath := false
	for _, p := range programs {
		onPath = onPath || install.OnPath(filepath.Dir(p), x.o.Path)
	}
	switch {
	case !onPath:
		x.say(Warn, "path", "%s is not on PATH", filepath.Dir(programs[0]))
	case first != "" && !isOneOf(first, programs):
		x.say(Warn, "path", "%s comes before the installed one", first)
	default:
		x.say(OK, "path", "%s comes first", first)
	}
}

// isOneOf reports whether path leads to one of the files.
func isOneOf(path string, files []string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	for _, f := range files {
		if other, err := os.Stat(f); err == nil && os.SameFile(info, other) {
			return true
		}
	}
	return false
}

// programsOf are the paths of the programs among what is installed.
func programsOf(files []install.File) []string {
	var list []string
	for _, f := range files {
		if f.Binary {
			list = append(list, f.Path)
		}
	}
	return list
}
