//go:build cgo && !windows

package suite

import "github.com/pqlane/pqlane/internal/raw"

// rawSessions opens sessions of a module that is logged in, for the key with an id.
func rawSessions(path string, slot uint, id []byte, n int) (sessions []rawSession, err error) {
	module, err := raw.Open(path)
	if err != nil {
		return nil, err
	}
	for range n {
		s, err := module.Session(slot, id)
		if err != nil {
			return sessions, err
		}
		sessions = append(sessions, s)
	}
	return sessions, nil
}
