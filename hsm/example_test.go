package hsm_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/pqlane/pqlane/hsm"
	"github.com/pqlane/pqlane/mldsa"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	uri, err := hsm.ParseURI("pkcs11:token=payments;object=issuer?module-path=/usr/lib/libhsm.so&pin-source=/run/pin")
	if err != nil {
		log.Fatal(err)
	}
	token, err := hsm.Open(ctx, uri.Config())
	if err != nil {
		log.Fatal(err)
	}
	defer token.Close()
	signer, err := token.Signer(ctx, uri.Key())
	if err != nil {
		log.Fatal(err)
	}
	message := []byte("message")
	signature, err := signer.SignContext(ctx, message, &hsm.SignOptions{Context: "example.com/audit"})
	if err != nil {
		log.Fatal(err)
	}
	public := signer.Public().(*mldsa.PublicKey) // verification needs no token
	fmt.Println(mldsa.Verify(public, message, signature, &mldsa.Options{Context: "example.com/audit"}))
}
