package mcpconn_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/pqlane/pqlane/internal/pqcert"
	"github.com/pqlane/pqlane/mcpconn"
)

// exampleServer and exampleClient are what the README shows.
func exampleServer(ctx context.Context, address string) {
	id, idErr := mcpconn.LoadIdentity("pki/server.crt", "pki/server.key") // PEM of any key that hybrid reads
	trust, trustErr := mcpconn.LoadTrust("pki/root.crt")
	listener, err := mcpconn.Listen(ctx, "tcp", address, &mcpconn.Config{Identity: id, Trust: trust})
	if err := errors.Join(idErr, trustErr, err); err != nil {
		log.Fatal(err) // says what to change
	}
	for conn, err := listener.AcceptConn(); err == nil; conn, err = listener.AcceptConn() {
		fmt.Println(conn.State().Peer.Subject, conn.State().Group) // both ends are known by now
		go serve(conn)                                             // a net.Conn
	}
}

func exampleClient(ctx context.Context, address string) {
	id, idErr := mcpconn.LoadIdentity("pki/client.crt", "pki/client.key")
	trust, trustErr := mcpconn.LoadTrust("pki/root.crt")
	conn, err := mcpconn.Dial(ctx, "tcp", address, &mcpconn.Config{Identity: id, Trust: trust})
	if err := errors.Join(idErr, trustErr, err); err != nil {
		log.Fatal(err) // errors.Is: ErrPolicy, ErrCertificate, ErrRegression, ErrTimeout, ...
	}
	defer conn.Close()
	fmt.Fprintln(conn, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	answer, err := bufio.NewReader(conn).ReadString('\n')
	fmt.Printf("%s%s, %v\n", answer, conn.State().KeyExchange.Why, err)
}

// serve sends back what it gets.
func serve(conn net.Conn) {
	defer conn.Close()
	io.Copy(conn, conn)
}

// examplePKI has hybrid/pqcert make the folder pki, in a temporary one that is the current one from now on, and
// returns how to go back.
func examplePKI() (back func()) {
	algorithm := "ECDSA-P256"
	if hasMLDSA {
		algorithm = "ML-DSA-65"
	}
	was, err := os.Getwd()
	dir, dirErr := os.MkdirTemp("", "mcpconn-")
	if err := errors.Join(err, dirErr, os.Chdir(dir)); err != nil {
		log.Fatal(err)
	}
	if pqcert.Run([]string{"-dir", "pki", "-alg", algorithm}, io.Discard, os.Stderr) != 0 {
		os.Exit(1)
	}
	return func() {
		if err := errors.Join(os.Chdir(was), os.RemoveAll(dir)); err != nil {
			log.Fatal(err)
		}
	}
}

// freeAddress returns an address to listen at.
func freeAddress() string {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A server and a client of a link over newline-delimited JSON, with certificates of hybrid/pqcert.
// mcp.IOTransport of the Go SDK takes either end.
func Example() {
	defer examplePKI()()
	ctx, address := context.Background(), freeAddress()

	go exampleServer(ctx, address)
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			break
		}
		time.Sleep(time.Millisecond)
	}
	exampleClient(ctx, address)
	// Output:
	// CN=client X25519MLKEM768
	// {"jsonrpc":"2.0","id":1,"method":"ping"}
	// X25519MLKEM768 has ML-KEM-768, <nil>
}

// An HTTP server whose handlers know who asks, over what, and a client that knows the same of it.
func ExampleListener_HTTP() {
	defer examplePKI()()
	config := func(name string) *mcpconn.Config {
		id, err := mcpconn.LoadIdentity("pki/"+name+".crt", "pki/"+name+".key")
		trust, trustErr := mcpconn.LoadTrust("pki/root.crt")
		if err := errors.Join(err, trustErr); err != nil {
			log.Fatal(err)
		}
		return &mcpconn.Config{Identity: id, Trust: trust, ALPN: []string{"h2", "http/1.1"}}
	}

	listener, err := mcpconn.Listen(context.Background(), "tcp", "localhost:0", config("server"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		ConnContext: mcpconn.ConnContext,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			state, _ := mcpconn.StateFrom(r.Context())
			fmt.Fprintln(w, state.Peer.Subject, "by", r.Proto, "over", state.Group)
		}),
	}
	go server.Serve(listener.HTTP())
	defer server.Close()

	client := &http.Client{Transport: &http.Transport{
		DialTLSContext:    mcpconn.DialTLSContext(config("client")),
		ForceAttemptHTTP2: true,
	}}
	response, err := client.Get("https://" + listener.Addr().String())
	if err != nil {
		log.Fatal(err) // matches the errors of this package
	}
	defer response.Body.Close()
	io.Copy(os.Stdout, response.Body)
	// Output: CN=client by HTTP/2.0 over X25519MLKEM768
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
