package presence

import (
	"time"

	"prontodb/internal/proc"
)

// pollProcess returns once a process has ended, looking for it now and then.
func pollProcess(pid int) {
	for start := proc.StartTime(pid); start != "" && proc.StartTime(pid) == start; {
		time.Sleep(pollEvery)
	}
}
