package mcpconn_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/pqlane/pqlane/mcpconn"
)

// A server and a client of an MCP link over newline-delimited JSON. mcp.IOTransport of the Go SDK
// takes either end.
func Example() {
	id, err := mcpconn.LoadIdentity("server.pem", "server.key")
	if err != nil {
		log.Fatal(err) // says what to change
	}
	trust, err := mcpconn.LoadTrust("root.pem")
	if err != nil {
		log.Fatal(err)
	}
	listener, err := mcpconn.Listen(context.Background(), "tcp", ":7443", &mcpconn.Config{Identity: id, Trust: trust})
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.AcceptConn()
			if err != nil {
				return
			}
			log.Println("accepted", conn.State().Peer.Subject, conn.State().Group)
			go io.Copy(conn, conn)
		}
	}()

	agent, err := mcpconn.LoadIdentity("agent.pem", "agent.key")
	if err != nil {
		log.Fatal(err)
	}
	conn, err := mcpconn.Dial(context.Background(), "tcp", "tools.example:7443", &mcpconn.Config{Identity: agent, Trust: trust})
	if err != nil {
		log.Fatal(mcpconn.ReasonOf(err), err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	os.Stdout.Write(conn.State().JSON())
}

func ExamplePolicy_Rules() {
	rules, err := mcpconn.PQCStrict2026.Rules()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rules.Date, rules.Groups, rules.PostQuantumAuthentication, rules.Resumption)
	_, err = mcpconn.Policy("strict").Rules()
	fmt.Println(err)
	// Output:
	// 2026-11-01 [X25519MLKEM768 SecP256r1MLKEM768 SecP384r1MLKEM1024] true false
	// mcpconn: unusable configuration: unknown policy "strict", want one of ["PQCStrict2026" "Hybrid2026" "Transition2026"]
}
