package faults

const (
	hybrid = "./hybrid"

	compositeTable     = "hybrid/composite.go"
	compositeEncoding  = "hybrid/composite_encoding.go"
	compositeClassical = "hybrid/composite_classical.go"
	compositePublic    = "hybrid/composite_public.go"
	compositePrivate   = "hybrid/composite_private.go"
	compositeKEM       = "hybrid/composite_kem.go"
	compositeKEMKeys   = "hybrid/composite_kem_keys.go"
	compositeKEMHalves = "hybrid/composite_kem_halves.go"
)

func init() {
	faults = append(faults, []fault{
		{"a composite signature by its classical half alone", compositePublic, "if !first || !second {", "if first = true; !first || !second {", hybrid, "TestWrongHalves"},
		{"a composite signature by its ML-DSA half alone", compositePublic, "if !first || !second {", "if second = true; !first || !second {", hybrid, "TestWrongHalves"},
		{"a composite signature by either half", compositePublic, "if !first || !second {", "if !first && !second {", hybrid, "TestWrongHalves"},
		{"the context of a composite signature dropped", compositeTable, "	b = append(b, context...)\n", "", hybrid, "TestHalves|TestContexts"},
		{"ML-DSA half without the label", compositeTable, "Context: a.label", "Context: \"\"", hybrid, "TestHalves"},
		{"composite algorithms share a label", compositeTable, "	b = append(b, a.label...)\n", "", hybrid, "TestHalves"},
		{"classical half that signs with the pre-hash", compositeTable, "rsaPSS(3072, crypto.SHA256)},\n	{42", "rsaPSS(3072, crypto.SHA512)},\n	{42", hybrid, "TestHalves"},
		{"RSA modulus of any size", compositeEncoding, "case pk.N.BitLen() != k.bits:", "case false:", hybrid, "TestWrong"},
		{"RSA with any exponent", compositeEncoding, "case pk.E != rsaExponent:", "case false:", hybrid, "TestWrong"},
		{"RSAPublicKey not in DER", compositeEncoding, " || !bytes.Equal(x509.MarshalPKCS1PublicKey(pk), b)", " || bytes.Equal(b, nil)", hybrid, "TestWrong"},
		{"RSAPrivateKey with extra elements", compositeEncoding, "subtle.ConstantTimeCompare(again, b) != 1", "subtle.ConstantTimeCompare(again, b) > 1", hybrid, "TestWrong"},
		{"ECPrivateKey of another curve", compositeEncoding, "oid != c.oid", "oid == \"\"", hybrid, "TestEC|TestWrong"},
		{"ECPrivateKey with more after the curve", compositeEncoding, "tagParameters) || !body.Empty()", "tagParameters)", hybrid, "TestEC"},
		{"existing keys in composites", compositePrivate, "opts == nil || !opts.DedicatedKeys", "false", hybrid, "TestImport"},
		{"a composite private key with another's public key", compositePrivate, "!bytes.Equal(k.PublicKey, sk.public.encoded)", "false", hybrid, "TestCompositeKeysEncode"},
		{"Destroy leaves the ML-DSA half", compositePrivate, "sk.mldsa.Signer.(*mldsa.PrivateKey).Destroy()", "_ = sk.mldsa", hybrid, "TestDestroyed"},
		{"a token's signature of a wrong length", compositePrivate, "if len(first) != a.mldsa.SignatureSize() ||", "if", hybrid, "TestSigners"},
		{"a shared key without the classical ciphertext", compositeKEM, "secret, ciphertext, public,", "secret, public,", hybrid, "TestKEMHalves"},
		{"a shared key without the classical secret", compositeKEM, "{mlkemSecret, secret,", "{mlkemSecret,", hybrid, "TestKEMHalves"},
		{"a refused classical ciphertext gives a key", compositeKEMKeys, "	defer clear(secret)\n	if err != nil {\n		return nil, newError(ErrCiphertext", "	defer clear(secret)\n	if false {\n		return nil, newError(ErrCiphertext", hybrid, "TestWrongCompositeCiphertexts"},
		{"an OAEP secret of any size", compositeKEMHalves, "len(secret) != oaepSecretSize", "false", hybrid, "TestWrongCompositeCiphertexts"},
		{"X25519 keys of small order", compositeKEMHalves, "_, err := anyX25519Key().ECDH(pk); err != nil", "false", hybrid, "TestWrongEncapsulationKeys"},
		{"parameters in a composite's identifier", compositeTable, "err := id.Bare(); err != nil", "err := error(nil); err != nil", hybrid, "Strict"},
	}...)
}
