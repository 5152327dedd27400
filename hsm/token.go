package hsm

import (
	"context"
)

// A TokenInfo is what a token says of itself.
type TokenInfo struct {
	Module                              string // path
	Slot                                uint
	Label, Manufacturer, Model, Serial  string
	Hardware, Firmware                  Version
	PINLocked, PINFinalTry, PINCountLow bool
	LoginRequired                       bool
	Sessions, MaxSessions               uint // of all processes; 0: unknown or unlimited
}

// A Version is a number of two parts.
type Version struct{ Major, Minor byte }

// A Token is an open token. It is safe for concurrent use.
type Token struct {
	guard guard
}

// Open opens the token that config names and logs in. ctx is for opening alone: when it ends, Open returns at
// once, and what the module still does is undone when it is done. Errors match ErrNoCgo, ErrModule,
// ErrTokenNotFound, ErrAmbiguous, ErrPIN or those of the token, of type *Error.
func Open(ctx context.Context, config Config) (*Token, error) { return nil, ErrNoCgo }

// Close waits for the operations that run to end, logs out and closes the token. What is begun
// later returns ErrClosed. A token is closed once for all that WithPolicy made of it.
func (t *Token) Close() error { return nil }

// Info asks the token for what it says of itself now.
func (t *Token) Info(ctx context.Context) (TokenInfo, error) { return TokenInfo{}, ErrNoCgo }

// Capabilities are what a token claims.
type Capabilities struct {
	Interface  Version // the newest interface that the module has: 2.40, 3.0, 3.2
	Algorithms []Algorithm
	Generate   []Algorithm // those of which it generates pairs
	KEM        bool        // the module has C_DecapsulateKey
	PreHash    bool        // of HashML-DSA: digests that the caller computes
	TokenHash  []string    // of HashML-DSA: hash functions that the token computes, as mldsa.PreHash's names
	Mu         bool        // external μ, by Mechanisms.MLDSAMu
	Mechanisms []uint      // all numbers, ascending
}

// Capabilities returns what the token claims; it is asked once, when it is opened.
func (t *Token) Capabilities() Capabilities { return Capabilities{} }

// Keys returns the private keys that match key; the zero Key matches all. It doesn't
// check their attributes, and leaves Public nil where the token has no public key for one.
func (t *Token) Keys(ctx context.Context, key Key) ([]KeyInfo, error) { return nil, ErrNoCgo }

// Generate generates a pair in the token, with a random CKA_ID of 16 bytes if options has none.
// The id must not be in use.
func (t *Token) Generate(ctx context.Context, algorithm Algorithm, options GenerateOptions) (KeyInfo, error) {
	return KeyInfo{}, ErrNoCgo
}

// Import stores a key, a *mldsa.PrivateKey or a decapsulation key of package mlkem, as its seed,
// or as its expanded form if it has no seed. It needs Config.AllowImport.
func (t *Token) Import(ctx context.Context, key any, options GenerateOptions) (KeyInfo, error) {
	return KeyInfo{}, ErrNoCgo
}

// Delete deletes a private key and the public key of the same id. confirm must be its CKA_ID, or it is
// ErrConfirm.
func (t *Token) Delete(ctx context.Context, key Key, confirm []byte) error { return ErrNoCgo }

// Signer returns the signer of the one key that matches.
func (t *Token) Signer(ctx context.Context, key Key) (*Signer, error) { return nil, ErrNoCgo }

// Decapsulator returns the decapsulator of the one key that matches.
func (t *Token) Decapsulator(ctx context.Context, key Key) (*Decapsulator, error) {
	return nil, ErrNoCgo
}
