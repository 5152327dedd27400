//go:build !linux

package measure

import "time"

var started = time.Now()

// processorTime returns the time, which on one processor is that of this process and of who
// interrupts it.
func processorTime() time.Duration { return time.Since(started) }
