package mcpconn

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A pipe is one end of an in-memory connection with a buffer each way, as a socket has.
type pipe struct {
	in, out *pipeBuffer
}

type pipeBuffer struct {
	mu     sync.Mutex
	ready  sync.Cond
	data   []byte
	closed bool
}

func newPipe() (*pipe, *pipe) {
	a, b := new(pipeBuffer), new(pipeBuffer)
	a.ready.L, b.ready.L = &a.mu, &b.mu
	return &pipe{a, b}, &pipe{b, a}
}

func (p *pipe) Read(b []byte) (int, error) {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	for len(p.in.data) == 0 {
		if p.in.closed {
			return 0, net.ErrClosed
		}
		p.in.ready.Wait()
	}
	n := copy(b, p.in.data)
	p.in.data = p.in.data[:copy(p.in.data, p.in.data[n:])]
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	if p.out.closed {
		return 0, net.ErrClosed
	}
	p.out.data = append(p.out.data, b...)
	p.out.ready.Signal()
	return len(b), nil
}

func (p *pipe) Close() error {
	for _, b := range []*pipeBuffer{p.in, p.out} {
		b.mu.Lock()
		b.closed = true
		b.ready.Broadcast()
		b.mu.Unlock()
	}
	return nil
}

func (p *pipe) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (p *pipe) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }
func (p *pipe) SetDeadline(time.Time) error      { return nil }
func (p *pipe) SetReadDeadline(time.Time) error  { return nil }
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

// plainConfigs are crypto/tls's configurations with the same identities.
func plainConfigs(client, server *Config) (c, s *tls.Config) {
	certificate := func(id *Identity) tls.Certificate {
		key := id.key
		if std := plainKey(id); std != nil {
			key = std
		}
		return tls.Certificate{Certificate: id.raw, PrivateKey: key, Leaf: id.chain[0]}
	}
	c = &tls.Config{MinVersion: tls.VersionTLS13, ServerName: client.ServerName, RootCAs: client.Trust.pool,
		Certificates: []tls.Certificate{certificate(client.Identity)}, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}}
	s = &tls.Config{MinVersion: tls.VersionTLS13, ClientCAs: server.Trust.pool, ClientAuth: tls.RequireAndVerifyClientCert,
		Certificates: []tls.Certificate{certificate(server.Identity)}, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}}
	return c, s
}

type handshaker interface {
	net.Conn
	Handshake() error
}

func run(b *testing.B, client, server func(net.Conn) net.Conn) {
	x, y := newPipe()
	c, s := client(x), server(y)
	done := make(chan error, 1)
	go func() {
		buffer := make([]byte, 1)
		_, err := s.Read(buffer)
		if err == nil {
			_, err = s.Write(buffer)
		}
		done <- err
	}()
	buffer := make([]byte, 1)
	_, err := c.Write(buffer)
	require.NoError(b, err)
	_, err = c.Read(buffer)
	require.NoError(b, err)
	require.NoError(b, <-done)
	x.Close()
	y.Close()
}

// BenchmarkHandshake measures both ends of a mutual handshake and one byte each way.
func BenchmarkHandshake(b *testing.B) {
	for _, algorithm := range algorithms() {
		client, server := mutual(b, algorithm)
		b.Run(algorithm+"/crypto-tls", func(b *testing.B) {
			c, s := plainConfigs(client, server)
			for b.Loop() {
				run(b, func(n net.Conn) net.Conn { return tls.Client(n, c) }, func(n net.Conn) net.Conn { return tls.Server(n, s) })
			}
		})
		ours := func(c, s *Config) {
			run(b, func(n net.Conn) net.Conn { conn, _ := Client(n, c); return conn }, func(n net.Conn) net.Conn { conn, _ := Server(n, s); return conn })
		}
		fresh := func(cfg *Config) *Config {
			return &Config{Identity: cfg.Identity, Trust: cfg.Trust, ServerName: cfg.ServerName}
		}
		b.Run(algorithm+"/first", func(b *testing.B) {
			for b.Loop() {
				ours(fresh(client), fresh(server))
			}
		})
		b.Run(algorithm+"/known", func(b *testing.B) {
			c, s := fresh(client), fresh(server)
			c.NoResumption, s.NoResumption = true, true
			for b.Loop() {
				ours(c, s)
			}
		})
		b.Run(algorithm+"/resumed", func(b *testing.B) {
			c, s := fresh(client), fresh(server)
			for b.Loop() {
				ours(c, s)
			}
		})
	}
}

// BenchmarkMessages measures messages there and back, beside the same over the *tls.Conn.
func BenchmarkMessages(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10} {
		client, server := mutual(b, "ECDSA")
		c, s := connect(b, client, server)
		for name, pair := range map[string][2]net.Conn{"crypto-tls": {c.TLS(), s.TLS()}, "mcpconn": {c, s}} {
			b.Run(fmt.Sprintf("%d/%s", size, name), func(b *testing.B) {
				message, buffer := make([]byte, size), make([]byte, size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := pair[0].Write(message); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(pair[1], buffer); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
