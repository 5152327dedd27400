//go:build !cgo || windows

package hsm

func loadModule(string) (cryptoki, error) { return nil, ErrNoCgo }
