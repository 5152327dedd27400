package mcpconn

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A slowConn waits before each Read, so that what the peer sends in several pieces comes in one.
type slowConn struct {
	net.Conn
	wait time.Duration
}

func (c slowConn) Read(b []byte) (int, error) {
	time.Sleep(c.wait)
	return c.Conn.Read(b)
}

// A countingConn counts what it carries.
type countingConn struct {
	net.Conn
	mu             sync.Mutex
	sent, received int
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received += n
	return n, err
}

func (c *countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent += n
	return n, err
}

// TestSizesAreOfTheHandshake: what one side counts as sent, the other counts as received, whether or
// not session tickets follow, or data in the same piece; and without either it is all that
// went over the wire.
func TestSizesAreOfTheHandshake(t *testing.T) {
	data := bytes.Repeat([]byte("data"), 1_000)
	for _, algorithm := range algorithms()[:min(2, len(algorithms()))] {
		a := newAuthority(t, algorithm)
		trust, id, clientID := a.trust(t), a.identity(t, algorithm, serverName), a.identity(t, algorithm, "client.example")
		for _, anonymous := range []bool{false, true} {
			for _, tickets := range []bool{false, true} {
				client := &Config{Identity: clientID, Trust: trust, ServerName: serverName}
				server := &Config{Identity: id, Trust: trust, AnonymousClients: anonymous, NoResumption: !tickets}
				if anonymous {
					client.Identity, server.Trust = nil, nil
				}
				for i := range 3 { // the last two resume
					x, y := newPipe()
					clientConn, serverConn := &countingConn{Conn: slowConn{x, time.Millisecond}}, &countingConn{Conn: slowConn{y, time.Millisecond}}
					c, err := Client(clientConn, client)
					require.NoError(t, err)
					s, err := Server(serverConn, server)
					require.NoError(t, err)
					done := make(chan error, 1)
					go func() {
						if i == 1 { // sends first
							if _, err := s.Write(data); err != nil {
								done <- err
								return
							}
						} else if err := s.HandshakeContext(t.Context()); err != nil {
							done <- err
							return
						}
						got := make([]byte, len(data))
						_, err := io.ReadFull(s, got)
						if err == nil && i != 1 {
							_, err = s.Write(got)
						}
						assert.Equal(t, data, got)
						done <- err
					}()
					if i == 2 {
						require.NoError(t, c.HandshakeContext(t.Context()))
						time.Sleep(20 * time.Millisecond)
						if !tickets {
							clientConn.mu.Lock()
							assert.Equal(t, c.State().Size.Sent, clientConn.sent)
							assert.Equal(t, c.State().Size.Received, clientConn.received)
							clientConn.mu.Unlock()
						}
					}
					_, err = c.Write(data) // right behind our Finished
					require.NoError(t, err)
					got := make([]byte, len(data))
					_, err = io.ReadFull(c, got)
					require.NoError(t, err)
					require.Equal(t, data, got)
					require.NoError(t, <-done)
					cs, ss := c.State(), s.State()
					require.Equal(t, tickets && i > 0, cs.Resumed)
					require.Equal(t, cs.Size.Sent, ss.Size.Received, "%s, anonymous %t, tickets %t", algorithm, anonymous, tickets)
					require.Equal(t, cs.Size.Received, ss.Size.Sent, "%s, anonymous %t, tickets %t", algorithm, anonymous, tickets)
					require.Equal(t, cs.Size.SentSegments, ss.Size.ReceivedSegments)
					require.Equal(t, cs.Size.ReceivedSegments, ss.Size.SentSegments)
					require.Nil(t, c.wire.recorder.Load(), "nothing is measured any more")
					require.Nil(t, s.wire.recorder.Load())
					x.Close()
				}
			}
		}
	}
}

// A rewritingConn changes the first bytes that are read.
type rewritingConn struct {
	net.Conn
	at    int
	bytes []byte
}

func (c *rewritingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for i := range b[:n] {
		if j := c.at + i - 1; j >= 0 && j < len(c.bytes) {
			b[i] = c.bytes[j]
		}
	}
	c.at += n
	return n, err
}

// TestRecordVersions: of the server's records only 0x0303 is taken, from the first on. Of the client's
// first record it is ignored, which is all of a handshake that somebody can change.
func TestRecordVersions(t *testing.T) {
	client, server := mutual(t, "ECDSA")
	client.NoResumption, server.NoResumption = true, true
	for version, ofServers := range map[uint16]bool{0: false, 0x0300: false, 0x0301: false, 0x0302: false, 0x0303: true, 0x0304: false, 0x0203: false, 0x0f03: false} {
		changed := []byte{byte(version >> 8), byte(version)}
		try := func(c, s net.Conn) (clientErr, serverErr error) {
			ours, err := Client(c, client)
			require.NoError(t, err)
			theirs, err := Server(s, server)
			require.NoError(t, err)
			done := make(chan error, 1)
			go func() { done <- theirs.HandshakeContext(t.Context()) }()
			clientErr = ours.HandshakeContext(t.Context())
			return clientErr, <-done
		}
		x, y := newPipe()
		clientErr, serverErr := try(&rewritingConn{Conn: x, bytes: changed}, y)
		if ofServers {
			require.NoError(t, clientErr)
			require.NoError(t, serverErr)
		} else {
			require.ErrorIs(t, clientErr, ErrProtocol, "%#x", version)
			require.ErrorContains(t, clientErr, "want 0x0303")
			require.ErrorIs(t, serverErr, ErrProtocol, "%#x", version)
			// It expects what is encrypted by then.
			require.ErrorContains(t, serverErr, "bad record MAC")
		}
		x, y = newPipe()
		clientErr, serverErr = try(x, &rewritingConn{Conn: y, bytes: changed})
		require.NoError(t, clientErr)
		require.NoError(t, serverErr)
	}

	// A server of TLS 1.0 says so by the version of its records as by its hello. Its alert is still heard.
	_, plain := plainConfigs(client, server)
	plain.MinVersion, plain.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	c, err := plainServer(t, client, plain)
	require.ErrorIs(t, err, ErrProtocol)
	require.Equal(t, "protocol version not supported", c.State().Alert)
	x, y := newPipe()
	c, err = Client(x, client)
	require.NoError(t, err)
	_, err = y.Write(append([]byte{recordHandshake, 3, 1, 0, 42, typeServerHello, 0, 0, 38, 3, 1}, make([]byte, 36)...))
	require.NoError(t, err)
	err = c.HandshakeContext(t.Context())
	require.ErrorIs(t, err, ErrPolicy)
	require.ErrorContains(t, err, "TLS 1.0")

}

// TestRecordReader finds the ends of records in pieces of any size.
func TestRecordReader(t *testing.T) {
	var stream []byte
	var ends []int
	for _, n := range []int{0, 1, 300, 0, 5, 16384} {
		stream = append(append(stream, 23, 3, 3, byte(n>>8), byte(n)), make([]byte, n)...)
		ends = append(ends, len(stream))
	}
	for _, size := range []int{1, 2, 5, 6, 7, 100, len(stream)} {
		var r recordReader
		var found []int
		for at := 0; at < len(stream); {
			n, _ := r.next(stream[at:min(len(stream), at+size)])
			require.Positive(t, n)
			at += n
			if r.whole() {
				found = append(found, at)
			}
		}
		assert.Equal(t, ends, found, "in pieces of %d", size)
	}
	assert.Equal(t, ends[5]-ends[4], lastRecord(stream))
	assert.Equal(t, 10, lastRecord(stream[:ends[4]]))
	assert.Zero(t, lastRecord(nil))
	assert.Equal(t, 3, lastRecord([]byte{23, 3, 3}))
}

// TestSegments: each flight begins a segment of its own, which carries 1,428 bytes.
func TestSegments(t *testing.T) {
	var way traffic
	for _, flight := range []struct{ bytes, segments int }{{1, 1}, {1428, 1}, {1429, 2}, {2856, 2}, {2857, 3}, {0, 0}} {
		before := way.segments
		way.add(flight.bytes / 2)
		way.add(flight.bytes - flight.bytes/2)
		way.endFlight()
		way.endFlight()
		assert.Equal(t, flight.segments, way.segments-before, "%d bytes", flight.bytes)
	}
	assert.Equal(t, 1+1428+1429+2856+2857, way.bytes)

	// A hello of two segments and what follows it; the server's two; names and signatures leave room.
	client, server := mutual(t, "ECDSA")
	client.ALPN, server.ALPN = []string{"mcp/2026"}, []string{"mcp/2026"}
	c, s := connect(t, client, server)
	assert.Equal(t, 3, c.State().Size.SentSegments)
	assert.Equal(t, 2, c.State().Size.ReceivedSegments)
	assert.Equal(t, 2, s.State().Size.SentSegments)
	assert.Equal(t, 3, s.State().Size.ReceivedSegments)
}
