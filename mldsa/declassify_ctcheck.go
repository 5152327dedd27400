//go:build ctcheck

package mldsa

import (
	"github.com/pqlane/pqlane/internal/ctcheck"
	"github.com/pqlane/pqlane/internal/dsaring"
)

func publicRho(rho []byte) { ctcheck.Publish("rho", rho) }

func publicEncoded(pk []byte) { ctcheck.Publish("encoded", pk) }

func publicCheck(ok bool) bool {
	ctcheck.PublishValue("check", &ok)
	return ok
}

func publicRejection(rejected bool) bool {
	ctcheck.PublishValue("rejection", &rejected)
	return rejected
}

func publicChallenge(challenge []byte) { ctcheck.Publish("challenge", challenge) }

func publicHints(hints []dsaring.Hint) {
	for i := range hints {
		ctcheck.PublishValue("hints", &hints[i])
	}
}
