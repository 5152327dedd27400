package mcpconn

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMutualHandshakes: both ends agree on what they have, for every identity and policy that takes it.
func TestMutualHandshakes(t *testing.T) {
	for _, algorithm := range algorithms() {
		for _, policy := range Policies() {
			if policy == PQCStrict2026 && algorithm == "ECDSA" {
				continue
			}
			t.Run(algorithm+"/"+string(policy), func(t *testing.T) {
				client, server := mutual(t, algorithm)
				client.Policy, server.Policy = policy, policy
				c, s := connect(t, client, server)
				cs, ss := c.State(), s.State()
				for _, state := range []State{cs, ss} {
					assert.True(t, state.Complete)
					assert.Equal(t, "X25519MLKEM768", state.Group)
					assert.Equal(t, "ML-KEM-768", state.KEM)
					assert.True(t, state.KeyExchange.QuantumSafe)
					assert.Equal(t, algorithm != "ECDSA", state.Authentication.QuantumSafe, state.Authentication.Why)
					assert.Equal(t, algorithm != "ECDSA", state.Chain.QuantumSafe, state.Chain.Why)
					assert.Equal(t, policy, state.Policy)
					assert.False(t, state.Resumed)
					assert.Empty(t, state.Fallback)
					require.NotNil(t, state.Peer)
					require.NotNil(t, state.Local)
				}
				assert.Equal(t, cs.Local.Pin, ss.Peer.Pin)
				assert.Equal(t, ss.Local.Pin, cs.Peer.Pin)
				assert.Equal(t, cs.Size.Sent, ss.Size.Received)
				assert.Equal(t, cs.Offer, ss.Offer)
				assert.Positive(t, cs.Size.Tax)

				a, err := c.ExportKeyingMaterial("test", nil, 32)
				require.NoError(t, err)
				b, err := s.ExportKeyingMaterial("test", nil, 32)
				require.NoError(t, err)
				assert.Equal(t, a, b)
			})
		}
	}
}
