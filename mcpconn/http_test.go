package mcpconn

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHTTP: HTTP/1.1 and HTTP/2, with the report on both ends.
func TestHTTP(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			client, server := mutual(t, algorithms()[len(algorithms())-1])
			client.ServerName = "localhost"
			server.Identity = newAuthorityFor(t, client)
			client.ALPN, server.ALPN = []string{protocol}, []string{"h2", "http/1.1"}
			l := listen(t, server)
			srv := &http.Server{
				ConnContext: ConnContext,
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					state, ok := StateFrom(r.Context())
					conn, _ := ConnFrom(r.Context())
					fmt.Fprintln(w, ok, state.Group, state.Peer.Subject, r.TLS != nil, r.Proto, conn.State().ALPN)
				}),
			}
			go srv.Serve(l.HTTP())
			defer srv.Close()
			transport := &http.Transport{DialTLSContext: DialTLSContext(client), ForceAttemptHTTP2: protocol == "h2"}
			defer transport.CloseIdleConnections()
			var seen State
			trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { seen, _ = StateOf(info.Conn) }}
			request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", "https://"+l.Addr().String()+"/", nil)
			require.NoError(t, err)
			response, err := transport.RoundTrip(request)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			proto := map[string]string{"h2": "HTTP/2.0", "http/1.1": "HTTP/1.1"}[protocol]
			assert.Equal(t, fmt.Sprintln(true, "X25519MLKEM768", "CN=client.example", true, proto, protocol), string(body))
			assert.Equal(t, proto, response.Proto)
			assert.Equal(t, "X25519MLKEM768", seen.Group)
		})
	}
	_, ok := StateFrom(t.Context())
	assert.False(t, ok)
	_, ok = StateOf(&tls.Conn{})
	assert.False(t, ok)
	assert.Equal(t, t.Context(), ConnContext(t.Context(), nil))
}

// newAuthorityFor gives the client a new authority, and returns a server's identity of it.
func newAuthorityFor(t *testing.T, client *Config) *Identity {
	a := newAuthority(t, "ECDSA")
	client.Trust = a.trust(t)
	return a.identity(t, "ECDSA", "localhost")
}
