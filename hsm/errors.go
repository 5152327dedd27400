package hsm

import (
	"errors"
	"fmt"
	"strings"
)

// Errors, to be matched with errors.Is. What functions return says more.
var (
	ErrNoCgo         = errors.New("hsm: built without cgo, which PKCS #11 needs") // or for Windows
	ErrModule        = errors.New("hsm: no PKCS #11 module")                      // missing, or another kind of file
	ErrURI           = errors.New("hsm: malformed PKCS #11 URI")
	ErrTokenNotFound = errors.New("hsm: no such token")
	ErrAmbiguous     = errors.New("hsm: ambiguous") // an *AmbiguityError
	ErrClosed        = errors.New("hsm: token closed")
	ErrSessions      = errors.New("hsm: the token has no session left")

	ErrPIN         = errors.New("hsm: wrong PIN")
	ErrPINMismatch = errors.New("hsm: another PIN than the one logged in with")
	ErrPINLocked   = errors.New("hsm: the token is locked: too many wrong PINs")
	ErrPINFinalTry = errors.New("hsm: the next wrong PIN locks the token")

	ErrKeyNotFound = errors.New("hsm: no such key")
	ErrKeyExists   = errors.New("hsm: id in use")
	ErrKeyChanged  = errors.New("hsm: the key in the token is another one now")
	ErrKeyType     = errors.New("hsm: wrong type of key or parameter set")
	ErrKeyPolicy   = errors.New("hsm: the key's attributes don't satisfy the policy")
	ErrConfirm     = errors.New("hsm: deletion not confirmed")
	ErrImport      = errors.New("hsm: import not allowed")

	ErrUnsupported = errors.New("hsm: not supported by the token") // an *UnsupportedError
	ErrContext     = errors.New("hsm: context of more than 255 bytes")
	ErrHedge       = errors.New("hsm: no such hedge")
	ErrOptions     = errors.New("hsm: unsupported options")
	ErrSize        = errors.New("hsm: wrong size")
	ErrFaulty      = errors.New("hsm: the token returned a wrong result")
)

// An AmbiguityError is a name that more than one token or key has. It matches ErrAmbiguous.
type AmbiguityError struct {
	Name       string   // what was asked for
	Candidates []string // what there is
}

// Error returns the name and the candidates.
func (e *AmbiguityError) Error() string {
	return fmt.Sprintf("hsm: %s is ambiguous: %s", e.Name, strings.Join(e.Candidates, "; "))
}

// Is reports whether target is ErrAmbiguous.
func (e *AmbiguityError) Is(target error) bool { return target == ErrAmbiguous }

// An UnsupportedError is an operation that the token lacks. It matches ErrUnsupported.
type UnsupportedError struct {
	Operation string // for example "external μ"
	Reason    string
}

// Error returns the operation and the reason.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("hsm: the token does not support %s: %s", e.Operation, e.Reason)
}

// Is reports whether target is ErrUnsupported.
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

// An Error is what a function of the module returned. It matches what Code means where this
// package has an error for it: ErrPIN, ErrPINLocked, ErrSessions.
type Error struct {
	Function string // for example "C_Sign"
	Code     uint   // CK_RV
}
