// Package fsutil asks the file system what several packages of lifecycle want
// to know. Nothing in it changes anything.
package fsutil

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Exists reports whether there is anything at path, a dangling link included.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// IsGone reports that a file, or a directory on the way to it, is not there.
func IsGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Within reports whether path is dir or below it.
func Within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// MissingDirs lists dir and those above it that do not exist, the outermost
// first.
func MissingDirs(dir string) []string {
	var list []string
	for {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		list = append([]string{dir}, list...)
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return list
}

// Hash is the SHA-256 of what r has left to read, in hexadecimal digits, and
// how many bytes that was.
func Hash(r io.Reader) (sum string, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// NotRegular is the hash of what is not a regular file: it equals no other.
const NotRegular = "not a file"

// HashFile is the SHA-256 of a regular file; "" if there is nothing at path,
// and [NotRegular] if it is a link, a directory or the like.
func HashFile(path string) (string, error) {
	info, err := os.Lstat(path)
	if IsGone(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return NotRegular, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum, _, err := Hash(f)
	return sum, err
}
