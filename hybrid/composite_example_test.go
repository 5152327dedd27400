package hybrid_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// A composite signature is made and verified like any other. Its context is optional.
func ExampleGenerateCompositeKey() {
	sk, err := hybrid.GenerateCompositeKey(hybrid.MLDSA65ECDSAP256SHA512())
	if err != nil {
		log.Fatal(err)
	}
	message, opts := []byte("tools/call"), &mldsa.Options{Context: "example.com/audit"} // or nil
	signature, err := sk.Sign(nil, message, opts)                                       // by both keys
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hybrid.VerifyComposite(sk.PublicKey(), message, signature, opts)) // of both
	fmt.Println(hybrid.VerifyComposite(sk.PublicKey(), []byte("tools/list"), signature, opts))
	// Output:
	// <nil>
	// hybrid: invalid signature
}

// The classical half is in a token, where it was made for this key and serves nothing else;
// the ML-DSA half is generated here.
func ExampleImportCompositeKey() {
	var token crypto.Signer // of package hsm, or any other
	token, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	sk, err := hybrid.ImportCompositeKey(hybrid.MLDSA44ECDSAP256SHA256(), nil, token,
		&hybrid.ImportOptions{DedicatedKeys: true})
	if err != nil {
		panic(err)
	}
	signature, err := sk.Sign(nil, []byte("message"), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(hybrid.VerifyComposite(sk.PublicKey(), []byte("message"), signature, nil))
	// Output: <nil>
}

func ExampleGenerateCompositeDecapsulationKey() {
	dk, err := hybrid.GenerateCompositeDecapsulationKey(hybrid.MLKEM768ECDHP256SHA3_256())
	if err != nil {
		panic(err)
	}
	sharedKey, ciphertext := dk.EncapsulationKey().Encapsulate()
	again, err := dk.Decapsulate(ciphertext)
	if err != nil {
		panic(err)
	}
	fmt.Println(bytes.Equal(sharedKey, again), len(ciphertext))
	// Output: true 1153
}
