//go:build !cgo || windows

package suite

import "github.com/pqlane/pqlane/hsm"

func rawSessions(string, uint, []byte, int) ([]rawSession, error) { return nil, hsm.ErrNoCgo }
