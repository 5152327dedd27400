// Package hsm uses private keys that stay in a hardware security module: ML-DSA signers and
// ML-KEM decapsulators, and the RSA, ECDSA and Ed25519 keys beside them, through [PKCS #11 3.2].
//
// [Open] finds a token, from an RFC 7512 URI ([ParseURI]) or a [Config], and logs in.
// [Token.Signer] and [Token.Decapsulator] find a key and check it: that it is sensitive and
// not extractable, of the type that is asked for, and that its public key can be had. What
// they return is used as any Go key is: a [Signer] is a crypto.Signer and
// crypto.MessageSigner, a [Decapsulator] a crypto.Decapsulator. Verification and
// encapsulation need no token: Public and Encapsulator give the keys of packages mldsa
// and mlkem, and of the standard library.
//
//	uri, err := hsm.ParseURI("pkcs11:token=payments;object=issuer?module-path=/usr/lib/libhsm.so&pin-source=/run/pin")
//	token, err := hsm.Open(ctx, uri.Config())
//	signer, err := token.Signer(ctx, uri.Key())
//	signature, err := signer.SignContext(ctx, message, nil)
//
// # Sessions
//
// Each operation has a session of the token for itself, from a pool of at most
// [Config.MaxSessions]; more operations wait, under their context. A session in which an
// operation failed is closed, not used again. One more session stays open so that the login
// lasts.
//
// A context that ends while the token works makes the operation return at once. The token
// can't be interrupted: its call finishes on its own session, which is then closed.
//
// When the token was reset or removed and is back, its daemon was restarted, or a key's handle
// is stale, the next operation opens sessions anew, logs in, finds the key again by its
// CKA_ID, compares its public key, has it prove by a verified signature or a round trip that it
// is the private key of that public key, and then tries again, once. A key that was replaced
// is [ErrKeyChanged]; it is never used.
//
// # PINs
//
// A [PIN] never appears in an error, a log, or what fmt prints. The login is done once for a
// module and slot, whoever opens it; a PIN that the token has refused is not tried
// again by this process, and none is tried when a wrong one would lock the token, unless
// [Config.AllowFinalTry] says so.
//
// # Faults
//
// ML-DSA signatures are hedged unless the [SignOptions] say otherwise. Those that need not be, and all of RSA
// and Ed25519, are verified before they are returned, because one that a fault in the token made wrong would
// give the key away; with [Config.VerifyAfterSign] all are. A signature that fails is [ErrFaulty], and is not tried again.
//
// # Policies and rotation
//
// [Token.WithPolicy] gives keys rules that are enforced before the token is asked: purposes, ML-DSA contexts,
// operations per second, hours and approval. [Token.WithObserver] tells of every use, refusal and recovery. A
// [Rotator] replaces a key by a successor at a chosen time, and resumes after a crash from what the token holds.
//
// The package needs cgo; without it, and on Windows, everything compiles and Open returns [ErrNoCgo].
//
// [PKCS #11 3.2]: https://docs.oasis-open.org/pkcs11/pkcs11-spec/v3.2/pkcs11-spec-v3.2.html
package hsm
