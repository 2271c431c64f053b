package testprog

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"prontodb/pronto/sqlite/sqlitetest"
)

// holdLock is the program "holdlock FILE READY": it keeps the database locked
// for writing, makes the file READY and waits to be killed.
func holdLock() {
	_, err := sqlitetest.HoldWriteLock(os.Args[1])
	if err == nil {
		err = os.WriteFile(os.Args[2], nil, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	time.Sleep(time.Hour)
}

// restricted is the program "restricted COMMAND…": it runs the command so that
// the modes of files and directories bind it, root's too. It exits 99 if it
// can't.
func restricted() {
	path, err := exec.LookPath(os.Args[1])
	if err == nil {
		if err = dropOverride(); err == nil {
			err = syscall.Exec(path, os.Args[1:], os.Environ())
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(99)
}
