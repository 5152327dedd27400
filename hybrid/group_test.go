package hybrid

import (
	"crypto/ecdh"
	stdmlkem "crypto/mlkem"
	"crypto/rand"
	"crypto/tls"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
	"github.com/pqlane/pqlane/mlkem"
)

// onEveryGroup runs f for every group on every backend.
func onEveryGroup(t *testing.T, f func(t *testing.T, g Group)) {
	for _, name := range cpu.Available() {
		for _, g := range Groups() {
			t.Run(name+"/"+g.String(), func(t *testing.T) {
				defer cpu.Use(name)()
				f(t, g)
			})
		}
	}
}

func TestGroupsAreThoseOfTheRegistry(t *testing.T) {
	type facts struct {
		id                     uint16
		name                   string
		client, server, secret int
		postQuantum            bool
	}
	var got []facts
	for _, g := range Groups() {
		got = append(got, facts{g.ID(), g.String(), g.ClientShareSize(), g.ServerShareSize(), g.SecretSize(), g.PostQuantum()})
		found, ok := GroupByID(g.ID())
		assert.True(t, ok)
		assert.Equal(t, g, found)
	}
	assert.Equal(t, []facts{
		{0x11EC, "X25519MLKEM768", 1216, 1120, 64, true},
		{0x11EB, "SecP256r1MLKEM768", 1249, 1153, 64, true},
		{0x11ED, "SecP384r1MLKEM1024", 1665, 1665, 80, true},
		{0x0201, "MLKEM768", 1184, 1088, 32, true},
		{0x0202, "MLKEM1024", 1568, 1568, 32, true},
		{0x0200, "MLKEM512", 800, 768, 32, true},
		{0x001D, "X25519", 32, 32, 32, false},
		{0x0017, "P-256", 65, 65, 32, false},
	}, got)

	assert.EqualValues(t, tls.X25519MLKEM768, X25519MLKEM768)
	assert.EqualValues(t, tls.SecP256r1MLKEM768, SecP256r1MLKEM768)
	assert.EqualValues(t, tls.SecP384r1MLKEM1024, SecP384r1MLKEM1024)
	assert.EqualValues(t, tls.X25519, X25519)
	assert.EqualValues(t, tls.CurveP256, P256)
}

func TestUnknownGroup(t *testing.T) {
	g, ok := GroupByID(0x6399)
	assert.False(t, ok)
	assert.Equal(t, "Group(0x6399)", g.String())
	assert.Zero(t, g.ClientShareSize()+g.ServerShareSize()+g.SecretSize())
	assert.False(t, g.PostQuantum())
	dst := []byte("kept")
	e, share, err := g.AppendShare(dst)
	require.ErrorIs(t, err, ErrGroup)
	assert.ErrorContains(t, err, "hybrid: unknown group 0x6399")
	assert.Equal(t, dst, share)
	_, err = e.Finish(nil)
	require.ErrorIs(t, err, ErrNoKey)
	share, secret, err := g.AppendAccept(dst, dst, nil)
	require.ErrorIs(t, err, ErrGroup)
	assert.Equal(t, dst, share)
	assert.Equal(t, dst, secret)
}

func TestBothSidesGetOneSecret(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		e, clientShare, err := g.GenerateShare()
		require.NoError(t, err)
		serverShare, serverSecret, err := g.Accept(clientShare)
		require.NoError(t, err)
		clientSecret, err := e.Finish(serverShare)
		require.NoError(t, err)

		assert.Equal(t, serverSecret, clientSecret)
		assert.Len(t, clientShare, g.ClientShareSize())
		assert.Len(t, serverShare, g.ServerShareSize())
		assert.Len(t, clientSecret, g.SecretSize())

		_, again, err := g.GenerateShare()
		require.NoError(t, err)
		assert.NotEqual(t, clientShare, again)
		serverShareAgain, secretAgain, err := g.Accept(clientShare)
		require.NoError(t, err)
		assert.NotEqual(t, serverShare, serverShareAgain)
		assert.NotEqual(t, serverSecret, secretAgain)
	})
}

// TestAppendFormsKeepWhatIsThere has a server write its share over the client's, too.
func TestAppendFormsKeepWhatIsThere(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		prefix := []byte("prefix")
		buf := append(make([]byte, 0, 4000), prefix...)
		e, buf, err := g.AppendShare(buf)
		require.NoError(t, err)
		require.Len(t, buf, len(prefix)+g.ClientShareSize())
		buf, secret, err := g.AppendAccept(buf[:len(prefix)], []byte("secret: "), buf[len(prefix):])
		require.NoError(t, err)
		require.Len(t, buf, len(prefix)+g.ServerShareSize())
		require.Equal(t, prefix, buf[:len(prefix)])
		got, err := e.AppendFinish(buf[:len(prefix)], buf[len(prefix):])
		require.NoError(t, err)
		assert.Equal(t, prefix, got[:len(prefix)])
		assert.Equal(t, secret[len("secret: "):], got[len(prefix):])
		assert.Equal(t, "secret: ", string(secret[:len("secret: ")]))
	})
}

// A composition is a hybrid group written out with the standard library.
type composition struct {
	curve    ecdh.Curve
	generate func(t *testing.T) (ek []byte, decapsulate func(c []byte) []byte)
	accept   func(t *testing.T, ek []byte) (sharedKey, ciphertext []byte)
}

func generate768(t *testing.T) ([]byte, func([]byte) []byte) {
	dk, err := stdmlkem.GenerateKey768()
	require.NoError(t, err)
	return dk.EncapsulationKey().Bytes(), func(c []byte) []byte {
		k, err := dk.Decapsulate(c)
		require.NoError(t, err)
		return k
	}
}

func generate1024(t *testing.T) ([]byte, func([]byte) []byte) {
	dk, err := stdmlkem.GenerateKey1024()
	require.NoError(t, err)
	return dk.EncapsulationKey().Bytes(), func(c []byte) []byte {
		k, err := dk.Decapsulate(c)
		require.NoError(t, err)
		return k
	}
}

func accept768(t *testing.T, ek []byte) (sharedKey, ciphertext []byte) {
	key, err := stdmlkem.NewEncapsulationKey768(ek)
	require.NoError(t, err)
	return key.Encapsulate()
}

func accept1024(t *testing.T, ek []byte) (sharedKey, ciphertext []byte) {
	key, err := stdmlkem.NewEncapsulationKey1024(ek)
	require.NoError(t, err)
	return key.Encapsulate()
}

var compositions = map[Group]composition{
	X25519MLKEM768:     {ecdh.X25519(), generate768, accept768},
	SecP256r1MLKEM768:  {ecdh.P256(), generate768, accept768},
	SecP384r1MLKEM1024: {ecdh.P384(), generate1024, accept1024},
	MLKEM768:           {nil, generate768, accept768},
	MLKEM1024:          {nil, generate1024, accept1024},
	X25519:             {ecdh.X25519(), nil, nil},
	P256:               {ecdh.P256(), nil, nil},
}

// join concatenates the parts of a share or a secret in the group's order.
func join(g Group, classical, postQuantum []byte) []byte {
	if g == X25519MLKEM768 {
		return append(append([]byte{}, postQuantum...), classical...)
	}
	return append(append([]byte{}, classical...), postQuantum...)
}

// part returns the classical and the post-quantum part of a share.
func part(g Group, share []byte) (classical, postQuantum []byte) {
	points := map[Group]int{X25519MLKEM768: 32, SecP256r1MLKEM768: 65, SecP384r1MLKEM1024: 97, X25519: 32, P256: 65}
	n := points[g]
	if g == X25519MLKEM768 {
		return share[len(share)-n:], share[:len(share)-n]
	}
	return share[:n], share[n:]
}

func exchange(t *testing.T, private *ecdh.PrivateKey, point []byte) []byte {
	peer, err := private.Curve().NewPublicKey(point)
	require.NoError(t, err)
	secret, err := private.ECDH(peer)
	require.NoError(t, err)
	return secret
}

func TestClientAgreesWithTheStandardLibrary(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		c, ok := compositions[g]
		if !ok {
			require.Equal(t, MLKEM512, g, "the standard library has no ML-KEM-512")
			return
		}
		e, clientShare, err := g.GenerateShare()
		require.NoError(t, err)
		clientPoint, ek := part(g, clientShare)
		var classical, postQuantum, serverPoint, ciphertext []byte
		if c.curve != nil {
			private, err := c.curve.GenerateKey(rand.Reader)
			require.NoError(t, err)
			serverPoint, classical = private.PublicKey().Bytes(), exchange(t, private, clientPoint)
		}
		if c.accept != nil {
			postQuantum, ciphertext = c.accept(t, ek)
		}
		secret, err := e.Finish(join(g, serverPoint, ciphertext))
		require.NoError(t, err)
		assert.Equal(t, join(g, classical, postQuantum), secret)
	})
}

func TestServerAgreesWithTheStandardLibrary(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		c, ok := compositions[g]
		if !ok {
			require.Equal(t, MLKEM512, g, "the standard library has no ML-KEM-512")
			return
		}
		var private *ecdh.PrivateKey
		var clientPoint, ek []byte
		var decapsulate func([]byte) []byte
		if c.curve != nil {
			var err error
			private, err = c.curve.GenerateKey(rand.Reader)
			require.NoError(t, err)
			clientPoint = private.PublicKey().Bytes()
		}
		if c.generate != nil {
			ek, decapsulate = c.generate(t)
		}
		serverShare, secret, err := g.Accept(join(g, clientPoint, ek))
		require.NoError(t, err)
		serverPoint, ciphertext := part(g, serverShare)
		var classical, postQuantum []byte
		if private != nil {
			classical = exchange(t, private, serverPoint)
		}
		if decapsulate != nil {
			postQuantum = decapsulate(ciphertext)
		}
		assert.Equal(t, join(g, classical, postQuantum), secret)
	})
}

func TestEphemeralIsUsedOnce(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		e, clientShare, err := g.GenerateShare()
		require.NoError(t, err)
		serverShare, _, err := g.Accept(clientShare)
		require.NoError(t, err)
		copied := e
		_, err = e.Finish(serverShare)
		require.NoError(t, err)
		for range 2 {
			dst, err := e.AppendFinish([]byte("kept"), serverShare)
			require.ErrorIs(t, err, ErrUsed)
			require.Equal(t, "kept", string(dst))
			_, err = copied.Finish(serverShare)
			require.ErrorIs(t, err, ErrUsed)
			e.Destroy()
		}

		e, _, err = g.GenerateShare()
		require.NoError(t, err)
		_, err = e.Finish(serverShare[1:])
		require.ErrorIs(t, err, ErrSize)
		_, err = e.Finish(serverShare)
		require.ErrorIs(t, err, ErrUsed, "after an error")

		e, _, err = g.GenerateShare()
		require.NoError(t, err)
		e.Destroy()
		_, err = e.Finish(serverShare)
		require.ErrorIs(t, err, ErrUsed, "after Destroy")
	})
	var zero Ephemeral
	zero.Destroy()
	_, err := zero.Finish(nil)
	require.ErrorIs(t, err, ErrNoKey)
}

// TestUsedEphemeralCannotReachItsMemorysNextOwner puts the memory of a used ephemeral to
// its next use, as the pool does: one of its own, since the memory is put there twice.
func TestUsedEphemeralCannotReachItsMemorysNextOwner(t *testing.T) {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	g := &group{X25519, "X25519", x25519, new(kem), false}
	i := new(initiator)
	first, _ := g.begin(nil, i, private)
	first.Destroy()
	second, share := g.begin(nil, i, private)
	first.Destroy()
	_, err = first.Finish(share)
	require.ErrorIs(t, err, ErrUsed)
	_, err = second.Finish(share)
	require.NoError(t, err)
}

func TestOfConcurrentUsesOneSucceeds(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		for range 4 {
			e, clientShare, err := g.GenerateShare()
			require.NoError(t, err)
			serverShare, want, err := g.Accept(clientShare)
			require.NoError(t, err)
			var wg sync.WaitGroup
			var mu sync.Mutex
			succeeded := 0
			for range 4 {
				wg.Go(func() {
					secret, err := e.Finish(serverShare)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						succeeded++
						assert.Equal(t, want, secret)
					} else {
						assert.ErrorIs(t, err, ErrUsed)
					}
				})
			}
			wg.Wait()
			assert.Equal(t, 1, succeeded)
		}
	})
}

func TestConcurrentExchanges(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					e, clientShare, err := g.GenerateShare()
					assert.NoError(t, err)
					serverShare, want, err := g.Accept(clientShare)
					assert.NoError(t, err)
					secret, err := e.Finish(serverShare)
					assert.NoError(t, err)
					assert.Equal(t, want, secret)
				}
			})
		}
		wg.Wait()
	})
}

// TestSecretsAreWiped looks into the memory that goes back to the pools.
func TestSecretsAreWiped(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		known, err := g.lookup()
		require.NoError(t, err)
		for _, use := range []func(e Ephemeral, serverShare []byte){
			func(e Ephemeral, serverShare []byte) { e.Finish(serverShare) },
			func(e Ephemeral, serverShare []byte) { e.Finish(serverShare[1:]) },
			func(e Ephemeral, serverShare []byte) { e.Destroy() },
		} {
			e, clientShare, err := g.GenerateShare()
			require.NoError(t, err)
			r := known.kem.responders.New().(*responder)
			serverShare, _, err := known.accept(nil, nil, clientShare, r)
			require.NoError(t, err)
			assert.Zero(t, r.sharedKey)
			use(e, serverShare)
			i := e.secrets
			assert.Zero(t, i.sharedKey)
			assert.Nil(t, i.private)
			if g.PostQuantum() {
				require.ErrorIs(t, i.dk.DecapsulateInto(new([32]byte), make([]byte, known.kem.ciphertextSize)), mlkem.ErrDestroyed)
			}
		}
	})
}

// TestAppendFormsAllocateOnlyWhatCryptoECDHDoes compares with the calls of crypto/ecdh
// alone.
func TestAppendFormsAllocateOnlyWhatCryptoECDHDoes(t *testing.T) {
	onEveryGroup(t, func(t *testing.T, g Group) {
		known, err := g.lookup()
		require.NoError(t, err)
		generate, agree := 0.0, 0.0
		if known.curve != noCurve {
			private, err := known.curve.GenerateKey(rand.Reader)
			require.NoError(t, err)
			point := private.PublicKey().Bytes()
			generate = testing.AllocsPerRun(50, func() { known.curve.GenerateKey(rand.Reader) })
			agree = testing.AllocsPerRun(50, func() {
				peer, _ := known.curve.NewPublicKey(point)
				private.ECDH(peer)
			})
		}
		clientShare, serverShare := make([]byte, 0, 2000), make([]byte, 0, 2000)
		clientSecret, serverSecret := make([]byte, 0, 100), make([]byte, 0, 100)
		run := func() {
			var e Ephemeral
			e, clientShare, _ = g.AppendShare(clientShare[:0])
			serverShare, serverSecret, _ = g.AppendAccept(serverShare[:0], serverSecret[:0], clientShare)
			clientSecret, _ = e.AppendFinish(clientSecret[:0], serverShare)
		}
		got := testing.AllocsPerRun(50, run)
		require.Equal(t, serverSecret, clientSecret)
		if raceEnabled {
			return // sync.Pool drops at random
		}
		assert.Equal(t, 2*(generate+agree), got)
	})
}
