package hybrid_test

import (
	"bytes"
	"fmt"

	"github.com/pqlane/pqlane/hybrid"
)

// A client and a server agree on a secret of TLS 1.3.
func ExampleGroup() {
	client, clientShare, err := hybrid.X25519MLKEM768.GenerateShare()
	if err != nil {
		panic(err)
	}
	defer client.Destroy()

	serverShare, serverSecret, err := hybrid.X25519MLKEM768.Accept(clientShare)
	if err != nil {
		panic(err) // a share that is wrong, and how
	}

	secret, err := client.Finish(serverShare)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(clientShare), len(serverShare), len(secret), bytes.Equal(secret, serverSecret))
	// Output: 1216 1120 64 true
}
