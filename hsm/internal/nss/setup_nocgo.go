//go:build !cgo || windows

package nss

import "errors"

func setUp(string) error { return errors.New("PKCS #11 needs cgo") }
