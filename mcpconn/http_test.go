package mcpconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
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

// TestHTTPNames: without ServerName, each server must have the name in the URL.
func TestHTTPNames(t *testing.T) {
	a := newAuthority(t, "ECDSA")
	id := a.identityWith(t, "ECDSA", "localhost", func(c *x509.Certificate) { c.IPAddresses = nil })
	l := listen(t, &Config{Identity: id, AnonymousClients: true})
	srv := &http.Server{Handler: http.NotFoundHandler()}
	go srv.Serve(l.HTTP())
	defer srv.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	transport := &http.Transport{DialTLSContext: DialTLSContext(&Config{Trust: a.trust(t)})}
	defer transport.CloseIdleConnections()
	for host, good := range map[string]bool{"localhost": true, "127.0.0.1": false} {
		response, err := (&http.Client{Transport: transport}).Get("https://" + net.JoinHostPort(host, port))
		if good {
			require.NoError(t, err, host)
			response.Body.Close()
			continue
		}
		require.ErrorIs(t, err, ErrCertificate)
	}
}

// TestHTTPShutdown: requests that run are answered, those that come later find nobody, and nothing is left.
func TestHTTPShutdown(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			client, server := mutual(t, "ECDSA")
			client.ALPN, server.ALPN = []string{protocol}, []string{protocol}
			l := listen(t, server)
			began, release := make(chan struct{}), make(chan struct{})
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(began)
				<-release
				io.WriteString(w, "done")
			})}
			served := make(chan error, 1)
			go func() { served <- srv.Serve(l.HTTP()) }()
			transport := &http.Transport{DialTLSContext: DialTLSContext(client), ForceAttemptHTTP2: protocol == "h2"}
			defer transport.CloseIdleConnections()
			body := make(chan string, 1)
			go func() {
				response, err := (&http.Client{Transport: transport}).Get("https://" + l.Addr().String())
				if assert.NoError(t, err) {
					b, err := io.ReadAll(response.Body)
					assert.NoError(t, err)
					response.Body.Close()
					body <- string(b)
				}
				close(body)
			}()
			<-began
			down := make(chan error, 1)
			go func() { down <- srv.Shutdown(context.Background()) }()
			require.ErrorIs(t, <-served, http.ErrServerClosed)
			_, err := Dial(t.Context(), "tcp", l.Addr().String(), client)
			require.ErrorIs(t, err, ErrNetwork)
			close(release)
			require.Equal(t, "done", <-body)
			require.NoError(t, <-down)
			require.NoError(t, l.Shutdown(t.Context()))
			require.Empty(t, l.open)
		})
	}
}

// newAuthorityFor gives the client a new authority, and returns a server's identity of it.
func newAuthorityFor(t *testing.T, client *Config) *Identity {
	a := newAuthority(t, "ECDSA")
	client.Trust = a.trust(t)
	return a.identity(t, "ECDSA", "localhost")
}
