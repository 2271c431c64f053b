package testprog

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// onTerminal is the program "onterminal COMMAND…": it runs the command with a
// terminal of its own for standard input and standard error, whose output it
// copies to its standard error, all of it. (ttyout of testscript may lack the end:
// it closes the terminal before that is read.)
func onTerminal() {
	status, err := runOnTerminal(exec.Command(os.Args[1], os.Args[2:]...))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	os.Exit(status)
}

func runOnTerminal(cmd *exec.Cmd) (status int, err error) {
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return 0, err
	}
	defer control.Close()
	if err := unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return 0, err
	}
	n, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	if err != nil {
		return 0, err
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return 0, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, os.Stdout, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = cmd.Start()
	terminal.Close()
	if err != nil {
		return 0, err
	}
	io.Copy(os.Stderr, control) // ends with EIO, when nobody has the terminal open
	cmd.Wait()
	return cmd.ProcessState.ExitCode(), nil
}
