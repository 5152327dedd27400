package measure

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A counter counts the cycles that one thread spends in user mode. A nil counter
// reads 0.
type counter struct{ fd int }

// openCounter counts on the calling thread, to which the goroutine must be locked.
func openCounter() (*counter, error) {
	attr := unix.PerfEventAttr{
		Type:   unix.PERF_TYPE_HARDWARE,
		Config: unix.PERF_COUNT_HW_CPU_CYCLES,
		Bits:   unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv,
	}
	attr.Size = uint32(unsafe.Sizeof(attr))
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	switch {
	case err == nil:
		return &counter{fd}, nil
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP):
		return nil, fmt.Errorf("perf_event_open: %w: no cycle counter here, as in many virtual machines", err)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return nil, fmt.Errorf("perf_event_open: %w (kernel.perf_event_paranoid is %s; it must be 2 or less, and a container must permit the call)", err, paranoid())
	}
	return nil, fmt.Errorf("perf_event_open: %w", err)
}

func paranoid() string {
	b, err := os.ReadFile("/proc/sys/kernel/perf_event_paranoid")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}

func (c *counter) read() uint64 {
	if c == nil {
		return 0
	}
	var b [8]byte
	if _, err := unix.Read(c.fd, b[:]); err != nil {
		return 0
	}
	return binary.NativeEndian.Uint64(b[:])
}

func (c *counter) close() { unix.Close(c.fd) }
