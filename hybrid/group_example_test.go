package hybrid_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/pqlane/pqlane/hybrid"
)

// A client and a server agree on a secret of TLS 1.3.
func ExampleGroup() {
	client, clientShare, err := hybrid.X25519MLKEM768.GenerateShare() // 1216 bytes to send
	if err != nil {
		log.Fatal(err)
	}
	serverShare, serverSecret, err := hybrid.X25519MLKEM768.Accept(clientShare) // 1120 to answer
	if err != nil {
		log.Fatal(err) // a share that is wrong, and how
	}
	clientSecret, err := client.Finish(serverShare) // once: it wipes the client's keys
	fmt.Println(len(clientSecret), bytes.Equal(clientSecret, serverSecret), err)
	// Output: 64 true <nil>
}
