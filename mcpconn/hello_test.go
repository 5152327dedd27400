package mcpconn

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// helloBytes returns what our client sends first.
func helloBytes(t testing.TB) []byte {
	client, _ := mutual(t, "ECDSA")
	x, y := newPipe()
	c, err := Client(x, client)
	require.NoError(t, err)
	go c.HandshakeContext(t.Context())
	b := make([]byte, 4096)
	n, err := y.Read(b)
	require.NoError(t, err)
	y.Close()
	return b[:n]
}

// TestHelloInPieces: pieces and records of any size make the same hello.
func TestHelloInPieces(t *testing.T) {
	whole := helloBytes(t)
	r := helloReader{}
	r.feed(whole)
	want := r.parseClientHello()
	require.NotNil(t, want)
	assert.Equal(t, serverName, want.serverName)
	for _, size := range []int{1, 2, 5, 7, 1000} {
		r := helloReader{}
		for b := whole; len(b) > 0; {
			n := min(size, len(b))
			r.feed(b[:n])
			b = b[n:]
		}
		require.Equal(t, want, r.parseClientHello())

		r = helloReader{} // as records of that size
		for b := whole[recordHeader:]; len(b) > 0; {
			n := min(size, len(b))
			r.feed(append([]byte{22, 3, 1, byte(n >> 8), byte(n)}, b[:n]...))
			b = b[n:]
		}
		got := r.parseClientHello()
		require.NotNil(t, got)
		got.size = want.size
		require.Equal(t, want, got)
	}
	for i := range len(whole) - 1 {
		r := helloReader{}
		r.feed(whole[:i])
		require.Nil(t, r.parseClientHello(), "%d bytes", i)
	}
}

// FuzzHello: no bytes panic, and what is kept is bounded.
func FuzzHello(f *testing.F) {
	f.Add(helloBytes(f), uint8(7))
	f.Add([]byte{22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3}, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		r := helloReader{}
		for len(b) > 0 {
			n := min(int(step)+1, len(b))
			r.feed(b[:n])
			b = b[n:]
		}
		if len(r.pending)+len(r.message) > 2*maxHello+maxRecordFragment {
			t.Fatal("too much kept")
		}
		if h := r.parseClientHello(); h != nil {
			h.offer()
		}
		r.parseServerHello()
	})
}
