package mcpconn

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A testSigner is a key of elsewhere.
type testSigner struct {
	crypto.Signer
	sign func(digest []byte) ([]byte, error)
}

func (s testSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if s.sign != nil {
		return s.sign(digest)
	}
	return s.Signer.Sign(random, digest, opts)
}

// A contextTestSigner waits for its context.
type contextTestSigner struct {
	testSigner
	ended chan error
}

func (s contextTestSigner) SignContext(ctx context.Context, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if s.ended == nil {
		return crypto.SignMessage(s.Signer, rand.Reader, message, opts)
	}
	<-ctx.Done()
	s.ended <- ctx.Err()
	return nil, ctx.Err()
}

// TestForeignSigners: they sign, fail, hang, or sign wrongly, as client and as server, and the
// error says which.
func TestForeignSigners(t *testing.T) {
	for _, algorithm := range algorithms() {
		a := newAuthority(t, algorithm)
		good := a.identity(t, algorithm, serverName)
		chain, key := a.chain(t, algorithm, serverName, nil)
		broken := errors.New("token removed")
		hang := make(chan struct{})
		t.Cleanup(func() { close(hang) })
		ended := make(chan error, 2)
		for name, signer := range map[string]crypto.Signer{
			"signs":          testSigner{key, nil},
			"signs, context": contextTestSigner{testSigner{key, nil}, nil},
			"fails":          testSigner{key, func([]byte) ([]byte, error) { return nil, broken }},
			"wrong":          testSigner{key, func([]byte) ([]byte, error) { return make([]byte, 3309), nil }},
			"hangs":          testSigner{key, func([]byte) ([]byte, error) { <-hang; return nil, nil }},
			"hangs, context": contextTestSigner{testSigner{key, nil}, ended},
		} {
			t.Run(algorithm+"/"+name, func(t *testing.T) {
				id, err := NewIdentity(chain, signer)
				require.NoError(t, err)
				for _, isClient := range []bool{false, true} {
					client := &Config{Identity: good, Trust: a.trust(t), ServerName: serverName}
					server := &Config{Identity: good, Trust: a.trust(t)}
					ours := server
					if isClient {
						ours = client
					}
					ours.Identity = id
					var seen []State
					ours.Observer = func(s State, err error) { seen = append(seen, s) }
					if name == "hangs" || name == "hangs, context" {
						ours.HandshakeTimeout = 100 * time.Millisecond
					}
					_, _, clientErr, serverErr := shake(t, client, server)
					err := serverErr
					if isClient {
						err = clientErr
					}
					require.Len(t, seen, 1)
					switch name {
					case "signs", "signs, context":
						require.NoError(t, clientErr)
						require.NoError(t, serverErr)
						assert.Positive(t, seen[0].Timing.Signing)
					case "fails":
						require.ErrorIs(t, err, ErrSigner)
						require.ErrorIs(t, err, broken)
						assert.Equal(t, ReasonSigner, seen[0].Reason)
					case "wrong":
						require.ErrorIs(t, err, ErrSigner)
					default:
						require.ErrorIs(t, err, ErrTimeout)
						require.ErrorIs(t, err, ErrSigner, "the cause is named")
						assert.Equal(t, ReasonTimeout, seen[0].Reason)
						if name == "hangs, context" {
							require.ErrorIs(t, <-ended, context.DeadlineExceeded)
						}
					}
				}
			})
		}
	}
}
