package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/pqlane/pqlane/internal/pqcert"
	"github.com/pqlane/pqlane/mcpconn"
)

// demo runs both ends of a link with certificates that it has pqcert make.
func demo(ctx context.Context, o *options) error {
	if len(o.args) != 0 {
		return fmt.Errorf("unexpected argument %q: %w", o.args[0], errUsage)
	}
	dir, err := os.MkdirTemp("", "pqpipe-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := makePKI(dir); err != nil {
		return err
	}
	if !o.json {
		fmt.Fprintf(o.stdout, "%s, certificates of pqcert -alg %s, policy %s%s\n\n", runtime.Version(), demoAlgorithm, demoPolicy, demoNote)
	}

	var mu sync.Mutex
	states := map[bool]mcpconn.State{}
	observer := func(s mcpconn.State, err error) {
		mu.Lock()
		defer mu.Unlock()
		states[s.Client] = s
	}
	config := func(name string) (*mcpconn.Config, error) {
		id, err := mcpconn.LoadIdentity(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
		if err != nil {
			return nil, err
		}
		trust, err := mcpconn.LoadTrust(filepath.Join(dir, "root.crt"))
		return &mcpconn.Config{Identity: id, Trust: trust, Policy: demoPolicy, Observer: observer}, err
	}
	server, err := config("server")
	if err != nil {
		return err
	}
	client, err := config("client")
	if err != nil {
		return err
	}
	echoed, err := exchange(ctx, server, client, "tools/list")
	mu.Lock()
	defer mu.Unlock()
	if o.json {
		b, marshalErr := json.MarshalIndent(map[string]mcpconn.State{"server": states[false], "client": states[true]}, "", "  ")
		fmt.Fprintf(o.stdout, "%s\n", b)
		if err == nil {
			err = marshalErr
		}
		return err
	}
	o.report(o.stdout, states[false])
	fmt.Fprintln(o.stdout)
	o.report(o.stdout, states[true])
	if err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "\nthe client sent %q, the server sent back %q\n", "tools/list", echoed)
	return nil
}

// makePKI has pqcert write root.crt, and server and client with their keys.
func makePKI(dir string) error {
	var problem strings.Builder
	if pqcert.Run([]string{"-dir", dir, "-alg", demoAlgorithm, "-days", "1"}, io.Discard, &problem) != 0 {
		return errors.New(strings.TrimSpace(problem.String()))
	}
	return nil
}

// exchange sends a message over a link to a server that sends it back.
func exchange(ctx context.Context, server, client *mcpconn.Config, message string) (string, error) {
	l, err := mcpconn.Listen(ctx, "tcp", "127.0.0.1:0", server)
	if err != nil {
		return "", err
	}
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		link, err := l.AcceptConn()
		if err != nil {
			served <- err
			return
		}
		defer link.Close()
		_, err = io.Copy(link, link)
		served <- err
	}()
	link, err := mcpconn.Dial(ctx, "tcp", l.Addr().String(), client)
	if err != nil {
		return "", err
	}
	defer link.Close()
	if _, err := io.WriteString(link, message); err != nil {
		return "", err
	}
	if err := link.CloseWrite(); err != nil {
		return "", err
	}
	echoed, err := io.ReadAll(link)
	if err != nil {
		return "", err
	}
	return string(echoed), <-served
}
