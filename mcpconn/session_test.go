package mcpconn

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestResumption: a second connection resumes, and a third resumes that, with the age of the first
// authentication, and both peers are still known.
func TestResumption(t *testing.T) {
	for _, algorithm := range algorithms() {
		client, server := mutual(t, algorithm)
		now := time.Now()
		clock := func() time.Time { return now }
		client.Time, server.Time = clock, clock
		c, s := connect(t, client, server)
		assert.False(t, c.State().Resumed)
		pin := c.State().Peer.Pin
		c.Close()
		s.Close()
		for i := 1; i <= 3; i++ {
			now = now.Add(time.Minute)
			c, s = connect(t, client, server)
			for _, state := range []State{c.State(), s.State()} {
				require.True(t, state.Resumed, "%d", i)
				assert.Equal(t, Duration(time.Duration(i)*time.Minute), state.AuthenticationAge)
				assert.Equal(t, algorithm != "ECDSA", state.Authentication.QuantumSafe)
				assert.Equal(t, algorithm != "ECDSA", state.Chain.QuantumSafe)
				assert.True(t, state.ChainCached)
			}
			assert.Equal(t, pin, c.State().Peer.Pin)
			assert.Nil(t, c.State().Local)
			assert.Less(t, c.State().Size.Tax, 2400, "a resumed handshake has no certificates")
			c.Close()
			s.Close()
		}
	}
}
