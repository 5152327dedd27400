//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package mcpconn

import (
	"os"

	"golang.org/x/sys/unix"
)

// memoryLocks says whether tryLock locks.
const memoryLocks = true

// tryLock locks an open file, and reports false if somebody else has it locked.
func tryLock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch err {
	case nil:
		return true, nil
	case unix.EWOULDBLOCK, unix.EINTR:
		return false, nil
	}
	return false, &os.PathError{Op: "flock", Path: f.Name(), Err: err}
}
