package hybrid

import "errors"

// Errors of composite keys, to be matched with [errors.Is], beside [ErrSize],
// [ErrCoefficient], [ErrNoKey] and [ErrDestroyed].
var (
	// ErrInvalidSignature is every signature that does not verify, whatever is wrong
	// with it and with which half. It is returned as it is.
	ErrInvalidSignature = errors.New("hybrid: invalid signature")

	// ErrCiphertext is a ciphertext that the classical half of a composite KEM refuses.
	ErrCiphertext = errors.New("hybrid: invalid ciphertext")

	// ErrEncoding is a key that is not in the encoding asked for.
	ErrEncoding = errors.New("hybrid: malformed encoding")

	// ErrInconsistent is a private key whose parts don't belong together.
	ErrInconsistent = errors.New("hybrid: inconsistent private key")

	// ErrAlgorithm is a key of another algorithm than those asked for, or no algorithm. If
	// the algorithm is unknown, the error is an [*AlgorithmError].
	ErrAlgorithm = errors.New("hybrid: unknown algorithm")

	// ErrContext is a context of more than 255 bytes.
	ErrContext = errors.New("hybrid: context too long")

	// ErrOptions is a crypto.SignerOpts of a type or with a hash function that a composite
	// key does not sign with.
	ErrOptions = errors.New("hybrid: unsupported options")

	// ErrKeyReuse is an existing key as half of a composite key, without the caller's word
	// that it serves nowhere else. See [ImportOptions].
	ErrKeyReuse = errors.New("hybrid: half of a composite key that may serve elsewhere")

	// ErrSigner is a half whose signature is none of its algorithm.
	ErrSigner = errors.New("hybrid: malformed signature from a signer")

	// ErrNotExportable is the encoding of a private key of which a half has none, because
	// it is in a token or was made from an expanded key.
	ErrNotExportable = errors.New("hybrid: private key cannot be exported")
)

// An AlgorithmError is a key of an algorithm that is unknown. It matches [ErrAlgorithm].
type AlgorithmError struct {
	OID string // of the algorithm, in dotted form
}

func (e *AlgorithmError) Error() string { return ErrAlgorithm.Error() + " " + e.OID }
func (e *AlgorithmError) Unwrap() error { return ErrAlgorithm }
