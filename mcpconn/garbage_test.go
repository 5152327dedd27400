package mcpconn_test

import (
	"crypto/rand"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// TestGarbage of several kinds ends a handshake at once, in either role.
func TestGarbage(t *testing.T) {
	w := newWorld(t, mcpconntest.ECDSA)
	random := make([]byte, 20_000)
	rand.Read(random)
	for name, garbage := range map[string][]byte{
		"random":              random,
		"random in a record":  append([]byte{22, 3, 1, 0x40, 0}, random[:0x4000]...),
		"HTTP":                []byte("GET / HTTP/1.1\r\nHost: server.example\r\n\r\n"),
		"HTTP answer":         []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"SSH":                 []byte("SSH-2.0-OpenSSH_9.2\r\n"),
		"MCP in the clear":    []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}` + "\n"),
		"an alert":            {21, 3, 3, 0, 2, 2, 40},
		"a close":             {21, 3, 3, 0, 2, 1, 0},
		"an unknown alert":    {21, 3, 3, 0, 2, 2, 255},
		"empty records":       make22(1000),
		"a record too long":   {22, 3, 1, 0xff, 0xff, 1, 0xff, 0xff, 0xff},
		"a hello of 16 MB":    {22, 3, 1, 0, 5, 1, 0xff, 0xff, 0xff, 3},
		"application data":    {23, 3, 3, 0, 1, 0},
		"a ChangeCipherSpec":  {20, 3, 3, 0, 1, 1},
		"SSLv2":               {0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80},
		"a hello of nothing":  {22, 3, 1, 0, 4, 1, 0, 0, 0},
		"a server's finished": {22, 3, 3, 0, 8, 20, 0, 0, 4, 1, 2, 3, 4},
	} {
		for role, side := range map[string]func(net.Conn, *mcpconn.Config) (*mcpconn.Conn, error){"client": mcpconn.Client, "server": mcpconn.Server} {
			t.Run(name+" to a "+role, func(t *testing.T) {
				a, b := net.Pipe()
				defer b.Close()
				go func() {
					b.Write(garbage)
					// What we answer is not read by everybody; then there is nothing more.
					b.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
					io.Copy(io.Discard, b)
					b.Close()
				}()
				go func() {
					io.Copy(io.Discard, b)
				}()
				cfg := w.client()
				if role == "server" {
					cfg = w.server()
				}
				c, err := side(a, cfg)
				require.NoError(t, err)
				start := time.Now()
				err = c.HandshakeContext(t.Context())
				assert.Contains(t, []mcpconn.Reason{mcpconn.ReasonProtocol, mcpconn.ReasonNetwork, mcpconn.ReasonPolicy}, mcpconn.ReasonOf(err), "%v", err)
				assert.Less(t, time.Since(start), 10*time.Second)
				assert.False(t, c.State().Complete)
				_, err = c.Write([]byte("x"))
				assert.Error(t, err)
			})
		}
	}
}

// make22 returns n empty handshake records.
func make22(n int) (b []byte) {
	for range n {
		b = append(b, 22, 3, 3, 0, 0)
	}
	return b
}
