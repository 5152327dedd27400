//go:build ctcheck

package mlkem

import "github.com/pqlane/pqlane/internal/ctcheck"

func publicRho(rho *[32]byte) { ctcheck.DeclassifyValue(rho) }

func publicCheck(ok bool) bool {
	ctcheck.DeclassifyValue(&ok)
	return ok
}
