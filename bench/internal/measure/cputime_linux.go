package measure

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime returns the processor time that this process has taken, all threads together.
func processorTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		panic(err) // every Linux has it
	}
	return time.Duration(ts.Nano())
}
