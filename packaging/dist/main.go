// Command dist builds a release into the directory dist: an archive for each
// system, a .deb and an .rpm for Linux, and SHA256SUMS. Run from the root of
// the repository:
//
//	go run ./packaging/dist v0.1.0
//
// Two runs on one commit, with one version of Go, give the same bytes: every
// time in them is that of the commit, or SOURCE_DATE_EPOCH.
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"prontodb/internal/cli"
)

// nfpm makes the packages. It is run as a tool of its own, so that the module
// does not depend on it.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.1"

// maxBinary is the most a binary may have, in bytes.
const maxBinary = 12_000_000

type target struct{ os, arch string }

var targets = []target{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// The version of a release: vMAJOR.MINOR.PATCH, and maybe -PRERELEASE.
var versionForm = regexp.MustCompile(`^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.]+)?$`)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 || !versionForm.MatchString(args[0]) {
		return fmt.Errorf("give a version such as v0.1.0: make dist VERSION=v0.1.0")
	}
	r := release{version: args[0], dir: "dist"}
	if err := r.readCommit(); err != nil {
		return err
	}
	if err := os.RemoveAll(r.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	stage, err := os.MkdirTemp("", "prontodb-dist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	for _, t := range targets {
		if err := r.build(t, filepath.Join(stage, t.os+"-"+t.arch)); err != nil {
			return fmt.Errorf("%s/%s: %w", t.os, t.arch, err)
		}
	}
	return r.sums()
}

type release struct {
	version, dir string
	commit       string
	time         time.Time
}

func (r *release) readCommit() error {
	commit, err := output("git", "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		if epoch, err = output("git", "log", "-1", "--format=%ct"); err != nil {
			return err
		}
	}
	sec, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	if changes, err := output("git", "status", "--porcelain"); err != nil {
		return err
	} else if changes != "" {
		fmt.Fprintln(os.Stderr, "dist: not a release: these files are not as in the commit:\n"+changes)
	}
	r.commit, r.time = commit, time.Unix(sec, 0).UTC()
	return nil
}

func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

func (r *release) info() cli.Build {
	return cli.Build{Version: r.version, Commit: r.commit, Date: r.time.Format(time.RFC3339)}
}

// file is one file of an archive.
type file struct {
	name string // with slashes
	data []byte
	mode int64
}

// build makes what there is for one system.
func (r *release) build(t target, stage string) error {
	exe := "prontodb"
	if t.os == "windows" {
		exe += ".exe"
	}
	binary := filepath.Join(stage, exe)
	b := r.info()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary,
		"-ldflags", fmt.Sprintf("-s -w -buildid= -X main.version=%s -X main.commit=%s -X main.date=%s", b.Version, b.Commit, b.Date), ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+t.os, "GOARCH="+t.arch, "GOAMD64=v1", "GOARM64=v8.0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	if err := checkBinary(t, binary, len(data)); err != nil {
		return err
	}
	files := []file{{exe, data, 0o755}}
	for _, name := range []string{"README.md", "LICENSE", "CHANGELOG.md"} {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files = append(files, file{name, data, 0o644})
	}
	docs := cli.Documents(b)
	for name, data := range docs {
		dir := "completions/"
		if strings.HasSuffix(name, ".1") {
			dir = "man/"
		}
		files = append(files, file{dir + name, data, 0o644})
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })

	name := fmt.Sprintf("prontodb-%s-%s-%s", r.version, t.os, t.arch)
	if t.os == "windows" {
		err = r.zip(name, files)
	} else {
		err = r.tarGz(name, files)
	}
	if err != nil || t.os != "linux" {
		return err
	}
	return r.packages(t, stage, append(files,
		file{"prontodb.1.gz", gzipped(docs["prontodb.1"]), 0o644},
		file{"CHANGELOG.md.gz", gzipped(contentOf(files, "CHANGELOG.md")), 0o644}))
}

func contentOf(files []file, name string) []byte {
	i := slices.IndexFunc(files, func(f file) bool { return f.name == name })
	return files[i].data
}

// checkBinary refuses a binary that is too large or, on Linux, needs libraries.
func checkBinary(t target, path string, size int) error {
	if size >= maxBinary {
		return fmt.Errorf("the binary has %d bytes, more than %d", size, maxBinary)
	}
	if t.os == "linux" {
		f, err := elf.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		libs, err := f.ImportedLibraries()
		if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
			return err
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP || len(libs) > 0 {
				return fmt.Errorf("the binary is not static")
			}
		}
	}
	fmt.Printf("%s/%s: %d bytes\n", t.os, t.arch, size)
	return nil
}

// gzipped has neither name nor time in its header.
func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func (r *release) tarGz(name string, files []file) error {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		err := w.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: path.Join(name, f.name), Size: int64(len(f.data)), Mode: f.mode, ModTime: r.time, Format: tar.FormatUSTAR,
		})
		if err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.dir, name+".tar.gz"), gzipped(b.Bytes()), 0o644)
}

func (r *release) zip(name string, files []file) error {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: path.Join(name, f.name), Method: zip.Deflate, Modified: r.time}
		h.SetMode(os.FileMode(f.mode))
		fw, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := fw.Write(f.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.dir, name+".zip"), b.Bytes(), 0o644)
}

// packages makes the .deb and the .rpm.
func (r *release) packages(t target, stage string, files []file) error {
	for _, f := range files {
		path := filepath.Join(stage, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.data, os.FileMode(f.mode)); err != nil {
			return err
		}
		if err := os.Chtimes(path, r.time, r.time); err != nil {
			return err
		}
	}
	text, err := os.ReadFile("packaging/nfpm.yaml")
	if err != nil {
		return err
	}
	vars := map[string]string{
		"ARCH": t.arch, "STAGE": stage, "DATE": r.time.Format(time.RFC3339), "VERSION": strings.TrimPrefix(r.version, "v"),
	}
	config := filepath.Join(stage, "nfpm.yaml")
	if err := os.WriteFile(config, []byte(os.Expand(string(text), func(name string) string { return vars[name] })), 0o644); err != nil {
		return err
	}
	for _, packager := range []string{"deb", "rpm"} {
		cmd := exec.Command("go", "run", nfpm, "package", "--config", config, "--packager", packager, "--target", r.dir)
		// The tool is for the machine it runs on, not for the one it packages for.
		cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH,
			"SOURCE_DATE_EPOCH="+strconv.FormatInt(r.time.Unix(), 10))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("nfpm: %s: %w\n%s", packager, err, out)
		}
	}
	return nil
}

// sums writes SHA256SUMS, as sha256sum -c reads it.
func (r *release) sums() error {
	list, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, f := range list {
		data, err := os.ReadFile(filepath.Join(r.dir, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), f.Name())
	}
	return os.WriteFile(filepath.Join(r.dir, "SHA256SUMS"), b.Bytes(), 0o644)
}
