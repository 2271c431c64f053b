//go:build !linux

package presence

import "time"

// PIDNamespace is the same for all processes.
func PIDNamespace() string { return "" }

// Uptime is a clock of the system's. There is no id of the boot.
func Uptime() (boot string, ms int64) { return "", time.Now().UnixMilli() }

// WaitProcess returns once a process has ended.
func WaitProcess(pid int) { pollProcess(pid) }
