package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestVersionForm(t *testing.T) {
	for v, want := range map[string]bool{
		"v0.1.0": true, "v10.20.30": true, "v1.0.0-rc.1": true,
		"": false, "0.1.0": false, "v1": false, "v1.2": false, "v01.2.3": false, "v1.2.3-": false,
		"5f4e159-dirty": false, "v1.2.3/../x": false, "v1.2.3\n": false,
	} {
		if got := versionForm.MatchString(v); got != want {
			t.Errorf("%q: %v, want %v", v, got, want)
		}
	}
	for _, args := range [][]string{nil, {"devel"}, {"v1.0.0", "v2.0.0"}} {
		if err := run(args); err == nil || !strings.Contains(err.Error(), "make dist VERSION=v0.1.0") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// TestArchives: an archive holds the files, with the time and the modes given,
// and has the same bytes each time.
func TestArchives(t *testing.T) {
	files := []file{{"LICENSE", []byte("a license"), 0o644}, {"man/prontodb.1", []byte("a manual"), 0o644}, {"prontodb", []byte("a program"), 0o755}}
	when := time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	var first [2][]byte
	for i := range 2 {
		r := release{version: "v0.1.0", dir: t.TempDir(), time: when}
		if err := errors.Join(r.tarGz("p", files), r.zip("p", files), r.sums()); err != nil {
			t.Fatal(err)
		}
		for j, name := range []string{"p.tar.gz", "p.zip"} {
			data, err := os.ReadFile(filepath.Join(r.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first[j] = data
			} else if !bytes.Equal(data, first[j]) {
				t.Errorf("%s differs from run to run", name)
			}
		}
		sums, err := os.ReadFile(filepath.Join(r.dir, "SHA256SUMS"))
		if err != nil || strings.Count(string(sums), "\n") != 2 || !strings.Contains(string(sums), "  p.zip\n") {
			t.Errorf("SHA256SUMS: %q, %v", sums, err)
		}
	}

	zr, err := gzip.NewReader(bytes.NewReader(first[0]))
	if err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(zr)
	for _, f := range files {
		h, err := tr.Next()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil || h.Name != "p/"+f.name || h.Mode != f.mode || !h.ModTime.Equal(when) || !bytes.Equal(data, f.data) {
			t.Errorf("tar: %+v, %q, %v", h, data, err)
		}
	}
	if h, err := tr.Next(); err != io.EOF {
		t.Errorf("tar: one more file: %v, %v", h, err)
	}

	z, err := zip.NewReader(bytes.NewReader(first[1]), int64(len(first[1])))
	if err != nil || len(z.File) != len(files) {
		t.Fatal(err, len(z.File))
	}
	for i, f := range z.File {
		if f.Name != "p/"+files[i].name || int64(f.Mode().Perm()) != files[i].mode || !f.Modified.Equal(when) {
			t.Errorf("zip: %s, %v, %v", f.Name, f.Mode(), f.Modified)
		}
	}
}
