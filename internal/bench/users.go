//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const descriptors = 64

// backup compares a backup of twice the users with one of them, with few
// descriptors.
func (b *bench) backup() error {
	one, err := b.backupOf(b.users)
	if err != nil {
		return err
	}
	two, err := b.backupOf(2 * b.users)
	if err != nil {
		return err
	}
	work := fmt.Sprintf("backup of %d users, %d descriptors", 2*b.users, descriptors)
	if err := b.compare(work, 3, two, peer{fmt.Sprintf("%d users", b.users), one, 2.2}); err != nil {
		return err
	}
	return b.memory(work, two, flatLimit)
}

// backupOf is a backup of n users, each of whom has a small database.
func (b *bench) backupOf(n int) (command, error) {
	small, err := b.data("small/main.db", 1)
	if err != nil {
		return command{}, err
	}
	home := filepath.Join(b.dir, fmt.Sprint("users", n))
	for i := range n {
		user := filepath.Join(home, "prontodb", "users", fmt.Sprintf("user%06d", i))
		if exists(user) {
			continue
		}
		if err := copyDir(user, filepath.Dir(small), func(*os.File) error { return nil }); err != nil {
			return command{}, err
		}
	}
	out := filepath.Join(b.dir, fmt.Sprintf("users%d.tar.gz", n))
	return command{
		args:  []string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$@"`, descriptors), "sh", b.bin, "backup", "--output", out, "-q"},
		env:   []string{"XDG_DATA_HOME=" + home},
		setup: func() error { os.Remove(out); return nil },
	}, nil
}
