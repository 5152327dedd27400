package interop

import (
	"context"
	"crypto/sha256"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// configs returns the configuration of a server and of a client that know each other.
func configs(t *testing.T) (server, client *mcpconn.Config) {
	root, err := mcpconntest.NewAuthority(algorithm)
	require.NoError(t, err)
	trust, err := mcpconn.NewTrust(root.Certificate)
	require.NoError(t, err)
	config := func(leaf *mcpconntest.Leaf, err error) *mcpconn.Config {
		require.NoError(t, err)
		id, err := mcpconn.NewIdentity(leaf.Chain, leaf.Key)
		require.NoError(t, err)
		return &mcpconn.Config{Identity: id, Trust: trust, Policy: policy}
	}
	return config(root.Server(algorithm, "127.0.0.1")), config(root.Client(algorithm, "agent.example"))
}

func listen(t *testing.T, cfg *mcpconn.Config) *mcpconn.Listener {
	l, err := mcpconn.Listen(t.Context(), "tcp", "127.0.0.1:0", cfg)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// An input is what the tools take.
type input struct {
	Text string `json:"text"`
}

// newServer returns an MCP server with a tool that says who calls it. who returns the
// connection of a call.
func newServer(who func(context.Context) (mcpconn.State, bool)) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "tools", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "whoami", Description: "says who calls"},
		func(ctx context.Context, _ *mcp.CallToolRequest, in input) (*mcp.CallToolResult, any, error) {
			text := in.Text + " from nobody"
			if state, ok := who(ctx); ok && state.Peer != nil {
				text = in.Text + " from " + state.Peer.Subject + " over " + state.Group
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
		})
	return server
}

// requireTool has the client list the tools and call the one there is.
func requireTool(t *testing.T, transport mcp.Transport) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
	session, err := client.Connect(ctx, transport, nil)
	require.NoError(t, err)
	defer session.Close()
	tools, err := session.ListTools(ctx, nil)
	require.NoError(t, err)
	require.Len(t, tools.Tools, 1)
	assert.Equal(t, "whoami", tools.Tools[0].Name)
	for _, text := range []string{"a call", string(make([]byte, 100_000))} {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "whoami", Arguments: input{text}})
		require.NoError(t, err)
		require.Len(t, result.Content, 1)
		got, want := result.Content[0].(*mcp.TextContent).Text, text+" from CN=agent.example over X25519MLKEM768"
		assert.Equal(t, sha256.Sum256([]byte(want)), sha256.Sum256([]byte(got)), "%.200q", got)
	}
}

// requireStrong checks the report of a link.
func requireStrong(t *testing.T, s mcpconn.State, peer string) {
	t.Helper()
	assert.True(t, s.Complete)
	assert.True(t, s.KeyExchange.QuantumSafe, s.KeyExchange.Why)
	assert.Equal(t, policy == mcpconn.PQCStrict2026, s.Authentication.QuantumSafe, s.Authentication.Why)
	assert.Equal(t, policy == mcpconn.PQCStrict2026, s.Chain.QuantumSafe, s.Chain.Why)
	if assert.NotNil(t, s.Peer) {
		assert.Equal(t, peer, s.Peer.Subject)
	}
}

// requireEnded checks how a session ended. At its end the SDK closes the reader and the writer, which
// here are one connection, and reports that the second time it was closed already.
func requireEnded(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		assert.ErrorIs(t, err, net.ErrClosed)
	}
}

// TestNewlineFraming runs MCP over the bytes of a link, one JSON value a line: mcpconn's client
// is the MCP client.
func TestNewlineFraming(t *testing.T) {
	serverConfig, clientConfig := configs(t)
	l := listen(t, serverConfig)
	served := make(chan error, 1)
	go func() {
		conn, err := l.AcceptConn()
		if err != nil {
			served <- err
			return
		}
		requireStrong(t, conn.State(), "CN=agent.example")
		server := newServer(func(context.Context) (mcpconn.State, bool) { return conn.State(), true })
		session, err := server.Connect(t.Context(), &mcp.IOTransport{Reader: conn, Writer: conn}, nil)
		if err == nil {
			err = session.Wait()
		}
		served <- err
	}()
	conn, err := mcpconn.Dial(t.Context(), "tcp", l.Addr().String(), clientConfig)
	require.NoError(t, err)
	requireStrong(t, conn.State(), "CN=127.0.0.1")
	requireTool(t, &mcp.IOTransport{Reader: conn, Writer: conn})
	select {
	case err := <-served:
		requireEnded(t, err)
	case <-time.After(20 * time.Second):
		t.Error("the session goes on")
	}
}

// TestNewlineFramingReversed has the MCP server dial, as one behind a firewall does.
func TestNewlineFramingReversed(t *testing.T) {
	serverConfig, clientConfig := configs(t)
	l := listen(t, serverConfig)
	served := make(chan error, 1)
	dialed := make(chan *mcpconn.Conn, 1)
	go func() {
		conn, err := mcpconn.Dial(t.Context(), "tcp", l.Addr().String(), clientConfig)
		dialed <- conn
		if err != nil {
			served <- err
			return
		}
		// The tool reports the agent, and here it is the server who is that.
		agent := mcpconn.State{Peer: conn.State().Local, Group: conn.State().Group}
		server := newServer(func(context.Context) (mcpconn.State, bool) { return agent, true })
		session, err := server.Connect(t.Context(), &mcp.IOTransport{Reader: conn, Writer: conn}, nil)
		if err == nil {
			err = session.Wait()
		}
		served <- err
	}()
	conn, err := l.AcceptConn()
	require.NoError(t, err)
	require.NotNil(t, <-dialed)
	requireStrong(t, conn.State(), "CN=agent.example")
	requireTool(t, &mcp.IOTransport{Reader: conn, Writer: conn})
	requireEnded(t, <-served)
}

// TestStreamableHTTP runs MCP over HTTP/1.1 and HTTP/2, through the listener and the dialer.
func TestStreamableHTTP(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		for _, stateless := range []bool{false, true} {
			name := protocol + " with a session"
			if stateless {
				name = protocol + " without"
			}
			t.Run(name, func(t *testing.T) {
				serverConfig, clientConfig := configs(t)
				serverConfig.ALPN, clientConfig.ALPN = []string{protocol}, []string{protocol}
				l := listen(t, serverConfig)
				server := newServer(mcpconn.StateFrom)
				handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
					&mcp.StreamableHTTPOptions{Stateless: stateless})
				states := make(chan mcpconn.State, 100)
				web := &http.Server{ConnContext: mcpconn.ConnContext, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					state, ok := mcpconn.StateFrom(r.Context())
					assert.True(t, ok)
					assert.NotNil(t, r.TLS, "net/http knows that it is TLS")
					select {
					case states <- state:
					default:
					}
					handler.ServeHTTP(w, r)
				})}
				go web.Serve(l.HTTP())
				defer web.Close()

				transport := &http.Transport{DialTLSContext: mcpconn.DialTLSContext(clientConfig), ForceAttemptHTTP2: protocol == "h2"}
				defer transport.CloseIdleConnections()
				requireTool(t, &mcp.StreamableClientTransport{
					Endpoint:   "https://" + l.Addr().String(),
					HTTPClient: &http.Client{Transport: transport},
				})
				require.NotEmpty(t, states)
				for range len(states) {
					state := <-states
					requireStrong(t, state, "CN=agent.example")
					assert.Equal(t, protocol, state.ALPN)
				}
			})
		}
	}
}

// TestClientWithoutIdentityGetsNowhere: the tool is not reached.
func TestClientWithoutIdentityGetsNowhere(t *testing.T) {
	serverConfig, clientConfig := configs(t)
	failed := make(chan error, 10)
	serverConfig.Observer = func(_ mcpconn.State, err error) { failed <- err }
	l := listen(t, serverConfig)
	go func() {
		conn, err := l.AcceptConn()
		assert.ErrorIs(t, err, net.ErrClosed)
		assert.Nil(t, conn)
	}()
	clientConfig.Identity = nil
	transport := &http.Transport{DialTLSContext: mcpconn.DialTLSContext(clientConfig)}
	defer transport.CloseIdleConnections()
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
	_, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: "https://" + l.Addr().String(), HTTPClient: &http.Client{Transport: transport}, MaxRetries: -1,
	}, nil)
	assert.Error(t, err)
	assert.ErrorIs(t, <-failed, mcpconn.ErrCertificate)
}
