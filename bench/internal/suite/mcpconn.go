package suite

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// linksAtATime is the number of links that a row makes at the same time.
const linksAtATime = 64

// A linkBench has identities of one algorithm for both ends, and crypto/tls's configurations
// with the same certificates.
type linkBench struct {
	algorithm                  string
	trust                      *mcpconn.Trust
	client, server             *mcpconn.Identity
	plainClient, plainServer   *tls.Config
	plainResumeClient          *tls.Config
	knownClient, knownServer   *mcpconn.Config
	resumeClient, resumeServer *mcpconn.Config
}

const benchServer = "server.example"

func newLinkBench(algorithm string) (*linkBench, error) {
	root, err := mcpconntest.NewAuthority(algorithm)
	if err != nil {
		return nil, err
	}
	server, err := root.Server(algorithm, benchServer)
	if err != nil {
		return nil, err
	}
	client, err := root.Client(algorithm, "client.example")
	if err != nil {
		return nil, err
	}
	b := &linkBench{algorithm: algorithm}
	if b.trust, err = mcpconn.NewTrust(root.Certificate); err != nil {
		return nil, err
	}
	if b.client, err = mcpconn.NewIdentity(client.Chain, client.Key); err != nil {
		return nil, err
	}
	if b.server, err = mcpconn.NewIdentity(server.Chain, server.Key); err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(root.Certificate)
	plain := func(leaf *mcpconntest.Leaf) (*tls.Config, error) {
		key, err := standardTLSKey(leaf.Key)
		return &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Chain[0].Raw}, PrivateKey: key, Leaf: leaf.Chain[0]}},
			RootCAs:      pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, ServerName: benchServer,
			MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768},
		}, err
	}
	if b.plainClient, err = plain(client); err != nil {
		return nil, err
	}
	if b.plainServer, err = plain(server); err != nil {
		return nil, err
	}
	b.plainResumeClient = b.plainClient.Clone()
	b.plainResumeClient.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	b.knownClient, b.knownServer = b.configs()
	b.knownClient.NoResumption, b.knownServer.NoResumption = true, true
	b.resumeClient, b.resumeServer = b.configs()
	return b, nil
}

// configs returns new ones, which know nobody.
func (b *linkBench) configs() (client, server *mcpconn.Config) {
	return &mcpconn.Config{Identity: b.client, Trust: b.trust, ServerName: benchServer},
		&mcpconn.Config{Identity: b.server, Trust: b.trust}
}

// ends makes both ends of a link, whose handshake has not begun.
func ends(client, server *mcpconn.Config) (c, s net.Conn, err error) {
	x, y := newMemoryPipe()
	cc, err := mcpconn.Client(x, client)
	if err != nil {
		return nil, nil, err
	}
	sc, err := mcpconn.Server(y, server)
	return cc, sc, err
}

func (b *linkBench) first() (c, s net.Conn, err error)   { return ends(b.configs()) }
func (b *linkBench) known() (c, s net.Conn, err error)   { return ends(b.knownClient, b.knownServer) }
func (b *linkBench) resumed() (c, s net.Conn, err error) { return ends(b.resumeClient, b.resumeServer) }

func (b *linkBench) plain() (c, s net.Conn, err error) {
	return b.plainEnds(b.plainClient)
}

func (b *linkBench) plainEnds(client *tls.Config) (c, s net.Conn, err error) {
	x, y := newMemoryPipe()
	return tls.Client(x, client), tls.Server(y, b.plainServer), nil
}

// plainTicket is plain with a cache that keeps the session, and has none.
func (b *linkBench) plainTicket() (c, s net.Conn, err error) {
	client := b.plainClient.Clone()
	client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return b.plainEnds(client)
}

func (b *linkBench) plainResumed() (c, s net.Conn, err error) {
	return b.plainEnds(b.plainResumeClient)
}

// shake makes a link, sends a byte each way, and closes it.
func shake(make func() (c, s net.Conn, err error)) error {
	c, s, err := make()
	if err != nil {
		return err
	}
	served := newResult(func() error {
		var b [1]byte
		if _, err := s.Read(b[:]); err != nil {
			return err
		}
		_, err := s.Write(b[:])
		return err
	})
	var b [1]byte
	_, err = c.Write(b[:])
	if err == nil {
		_, err = c.Read(b[:])
	}
	err = errors.Join(err, <-served)
	c.Close()
	s.Close()
	return err
}

func newResult(f func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return result
}

// linkAlgorithms are those of the identities, which this version of Go can have.
func linkAlgorithms() []string {
	if StandardHasMLDSA {
		return []string{mcpconntest.MLDSA65, mcpconntest.ECDSA}
	}
	return []string{mcpconntest.ECDSA}
}

// mcpconnComparisons are links beside those of crypto/tls used plainly, each made by both ends in
// this process, on the best backend.
func mcpconnComparisons(backends []string) ([]measure.Comparison, error) {
	if len(backends) == 0 {
		return nil, nil
	}
	var out []measure.Comparison
	for _, algorithm := range linkAlgorithms() {
		b, err := newLinkBench(algorithm)
		if err != nil {
			return nil, fmt.Errorf("links of %s: %w", algorithm, err)
		}
		out = append(out, b.comparisons(backends[0])...)
		if algorithm == mcpconntest.ECDSA {
			messages, err := b.messages(backends[0])
			if err != nil {
				return nil, err
			}
			out = append(out, messages...)
		}
	}
	return out, nil
}

// linksNote says what each side of the rows does.
const linksNote = "pqlane is mcpconn with a Config of identity and trust alone, that is policy Hybrid2026: at a first contact it verifies the peer's chain and keeps it and a session; " +
	"a known peer's chain is not verified again (no resumption here); a resumed one comes with a session. " +
	"crypto/tls is used plainly, with certificates, RootCAs or ClientCAs, RequireAndVerifyClientCert, TLS 1.3 and X25519MLKEM768 alone: without a session cache it is sent no ticket, which " +
	"\"full, with ticket\" and \"resumed\" have. Each row is the processor time of both ends: handshake, a byte each way, close, and what the collector does meanwhile."

func (b *linkBench) comparisons(level string) []measure.Comparison {
	rows := func(group string, together int) measure.Comparison {
		contestant := func(op, impl, level string, make func() (c, s net.Conn, err error)) measure.Contestant {
			return measure.Contestant{Op: op, Impl: impl, Backend: level, Mode: measure.Whole, Together: together,
				Call: func(int) error { return shake(make) }}
		}
		c := measure.Comparison{Group: group, Longer: 5, Contestants: []measure.Contestant{
			contestant("first contact", "pqlane", level, b.first),
			contestant("known peer", "pqlane", level, b.known),
			contestant("resumed", "pqlane", level, b.resumed),
			contestant("full handshake", "crypto/tls", "", b.plain),
			contestant("full, with ticket", "crypto/tls", "", b.plainTicket),
			contestant("resumed", "crypto/tls", "", b.plainResumed),
		}}
		c.Contestants[3].Baseline = true
		return c
	}
	one := rows("links, mutual "+b.algorithm+", both ends", 0)
	one.Note = linksNote
	many := rows(fmt.Sprintf("links, mutual %s, %d at a time", b.algorithm, linksAtATime), linksAtATime)
	many.Note = fmt.Sprintf("Processor time that has passed from the start of all %d until each was made, on all processors.", linksAtATime)
	return []measure.Comparison{one, many}
}

// messages are a Write at one end and the Reads of it at the other.
func (b *linkBench) messages(level string) ([]measure.Comparison, error) {
	var out []measure.Comparison
	for _, size := range []int{1 << 10, 16 << 10} {
		c := measure.Comparison{Group: "messages over a link"}
		for _, x := range []struct {
			impl, level string
			make        func() (c, s net.Conn, err error)
		}{{"pqlane", level, b.known}, {"crypto/tls", "", b.plain}} {
			client, server, err := x.make()
			if err != nil {
				return nil, err
			}
			message, buffer := make([]byte, size), make([]byte, size)
			send := func(int) error {
				if _, err := client.Write(message); err != nil {
					return err
				}
				_, err := io.ReadFull(server, buffer)
				return err
			}
			// The first message completes the handshake, which takes both ends.
			sent := newResult(func() error { _, err := client.Write(message); return err })
			if _, err := io.ReadFull(server, buffer); err != nil {
				return nil, err
			}
			if err := <-sent; err != nil {
				return nil, err
			}
			c.Contestants = append(c.Contestants, measure.Contestant{
				Op: fmt.Sprintf("write, read %d KB", size>>10), Impl: x.impl, Backend: x.level, Baseline: x.level == "", Call: send})
		}
		out = append(out, c)
	}
	return out, nil
}

// A memoryPipe is one end of a connection in memory with a buffer each way, as a socket has.
type memoryPipe struct{ in, out *memoryBuffer }

type memoryBuffer struct {
	mu     sync.Mutex
	ready  sync.Cond
	data   []byte
	read   int // bytes of data that were
	closed int // ends
}

// memoryBuffers has buffers for pipes: their growth would be a twelfth of what a handshake allocates.
var memoryBuffers = sync.Pool{New: func() any { return make([]byte, 0, 32<<10) }}

func newMemoryPipe() (*memoryPipe, *memoryPipe) {
	a, b := new(memoryBuffer), new(memoryBuffer)
	a.ready.L, b.ready.L = &a.mu, &b.mu
	a.data, b.data = memoryBuffers.Get().([]byte), memoryBuffers.Get().([]byte)
	return &memoryPipe{a, b}, &memoryPipe{b, a}
}

func (p *memoryPipe) Read(b []byte) (int, error) {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	for p.in.read == len(p.in.data) {
		if p.in.closed > 0 {
			return 0, io.EOF
		}
		p.in.ready.Wait()
	}
	n := copy(b, p.in.data[p.in.read:])
	if p.in.read += n; p.in.read == len(p.in.data) {
		p.in.data, p.in.read = p.in.data[:0], 0
	}
	return n, nil
}

func (p *memoryPipe) Write(b []byte) (int, error) {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	if p.out.closed > 0 {
		return 0, net.ErrClosed
	}
	p.out.data = append(p.out.data, b...)
	p.out.ready.Signal()
	return len(b), nil
}

func (p *memoryPipe) Close() error {
	for _, b := range []*memoryBuffer{p.in, p.out} {
		b.mu.Lock()
		if b.closed++; b.closed == 2 {
			memoryBuffers.Put(b.data[:0])
			b.data, b.read = nil, 0
		}
		b.ready.Broadcast()
		b.mu.Unlock()
	}
	return nil
}

var memoryAddress = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}

func (p *memoryPipe) LocalAddr() net.Addr              { return memoryAddress }
func (p *memoryPipe) RemoteAddr() net.Addr             { return memoryAddress }
func (p *memoryPipe) SetDeadline(time.Time) error      { return nil }
func (p *memoryPipe) SetReadDeadline(time.Time) error  { return nil }
func (p *memoryPipe) SetWriteDeadline(time.Time) error { return nil }
