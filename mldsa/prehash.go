package mldsa

// A PreHash is a hash function that HashML-DSA signs the digests of (FIPS 204, Section 5.4).
type PreHash uint8

// The hash functions of HashML-DSA: those that NIST's validation tests have.
const (
	SHA224 PreHash = iota + 1
	SHA256
	SHA384
	SHA512
	SHA512_224
	SHA512_256
	SHA3_224
	SHA3_256
	SHA3_384
	SHA3_512
	SHAKE128 // with 32 bytes of output
	SHAKE256 // with 64 bytes of output
)

// preHashes gives each function's name, size of digest and last arc of its object
// identifier, 2.16.840.1.101.3.4.2.x.
var preHashes = [...]struct {
	name string
	size int
	arc  byte
}{
	SHA224: {"SHA2-224", 28, 4}, SHA256: {"SHA2-256", 32, 1}, SHA384: {"SHA2-384", 48, 2}, SHA512: {"SHA2-512", 64, 3},
	SHA512_224: {"SHA2-512/224", 28, 5}, SHA512_256: {"SHA2-512/256", 32, 6},
	SHA3_224: {"SHA3-224", 28, 7}, SHA3_256: {"SHA3-256", 32, 8}, SHA3_384: {"SHA3-384", 48, 9}, SHA3_512: {"SHA3-512", 64, 10},
	SHAKE128: {"SHAKE-128", 32, 11}, SHAKE256: {"SHAKE-256", 64, 12},
}

// String returns the name that NIST's validation tests use, for example "SHA2-256".
func (h PreHash) String() string {
	if !h.valid() {
		return "no hash function"
	}
	return preHashes[h].name
}

// Size returns the size of a digest in bytes.
func (h PreHash) Size() int {
	if !h.valid() {
		return 0
	}
	return preHashes[h].size
}

func (h PreHash) valid() bool { return h > 0 && int(h) < len(preHashes) }

// SignPreHash signs the digest of a message with HashML-DSA, hedged (FIPS 204, Algorithm 4).
// Its signatures are not those of ML-DSA: VerifyPreHash verifies them. Errors match
// [ErrOptions], [ErrSize], [ErrContext], [ErrNoKey] or [ErrDestroyed].
func SignPreHash(sk *PrivateKey, h PreHash, digest []byte, opts *Options) ([]byte, error) {
	const op = "SignPreHash"
	if err := sk.check(op); err != nil {
		return nil, err
	}
	m, err := digestMessage(op, h, digest, opts)
	if err != nil {
		return nil, err
	}
	return sk.appendSignature(op, nil, m, true)
}

// VerifyPreHash verifies a signature of SignPreHash (FIPS 204, Algorithm 5); see [Verify].
func VerifyPreHash(pk *PublicKey, h PreHash, digest, signature []byte, opts *Options) error {
	const op = "VerifyPreHash"
	if err := pk.check(op); err != nil {
		return err
	}
	m, err := digestMessage(op, h, digest, opts)
	if err != nil {
		return err
	}
	return pk.verify(nil, &m, signature)
}

// digestMessage returns M′ = 1 ‖ |ctx| ‖ ctx ‖ OID ‖ PH(M).
func digestMessage(op string, h PreHash, digest []byte, opts *Options) (m signedMessage, err error) {
	if !h.valid() {
		return m, newError(ErrOptions, "%s: unknown hash function %d", op, h)
	}
	if err := checkSize(op, h.String(), "digest", len(digest), h.Size()); err != nil {
		return m, err
	}
	context, err := contextOf(op, opts)
	if err != nil {
		return m, err
	}
	oid := []byte{0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, preHashes[h].arc}
	return signedMessage{domain: 1, context: context, oid: oid, content: digest}, nil
}
