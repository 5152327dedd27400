package hybrid

import (
	"crypto/ecdh"
	"sync/atomic"
)

// An Ephemeral is the secret half of a client's share. It is used once: Finish, whatever
// its outcome, and Destroy wipe it. Copies of it are the same ephemeral, and of several
// uses, which may be concurrent, one succeeds. The zero value refuses use.
//
// An ephemeral that is dropped is not wiped: call Destroy when a handshake fails. The key on
// the curve is crypto/ecdh's, which has no way to wipe it: it is let go.
type Ephemeral struct {
	secrets *initiator
	turn    uint64
}

// An initiator is the memory of an ephemeral, which returns to a pool after its use. Its
// turn then passes, so that an Ephemeral that someone still holds can't reach the secrets
// of the memory's next owner.
type initiator struct {
	turn      atomic.Uint64
	group     *group
	private   *ecdh.PrivateKey
	dk        decapsulationKey // nil in groups without ML-KEM
	sharedKey [kemSecretSize]byte
}

// A responder is a server's working memory.
type responder struct {
	private   *ecdh.PrivateKey // a key for a known answer, otherwise nil
	ek        encapsulationKey // nil in groups without ML-KEM
	sharedKey [kemSecretSize]byte
}

// GenerateShare returns a new ephemeral and the client's share that belongs to it. The
// error matches [ErrGroup] or [ErrUnavailable].
func (g Group) GenerateShare() (e Ephemeral, clientShare []byte, err error) {
	return g.AppendShare(nil)
}

// AppendShare is GenerateShare with the share appended to dst. It allocates what
// crypto/ecdh does, and more only if dst lacks room. On an error dst is returned as it was.
func (g Group) AppendShare(dst []byte) (Ephemeral, []byte, error) {
	known, err := g.lookup()
	if err != nil {
		return Ephemeral{}, dst, err
	}
	private, err := known.curve.generate()
	if err != nil {
		return Ephemeral{}, dst, known.unavailable(err)
	}
	i := known.kem.initiators.Get().(*initiator)
	if i.dk != nil {
		if err := i.dk.Generate(); err != nil {
			return Ephemeral{}, dst, err
		}
	}
	e, share := known.begin(dst, i, private)
	return e, share, nil
}

// begin appends the share of private and i.dk to dst.
func (g *group) begin(dst []byte, i *initiator, private *ecdh.PrivateKey) (Ephemeral, []byte) {
	i.group, i.private = g, private
	all, share := extend(dst, g.shareSize(client))
	point, ek := g.split(share, g.kemSize(client))
	g.curve.putPoint(point, private)
	if i.dk != nil {
		i.dk.AppendEncapsulationKey(ek[:0]) // a key just made has no error
	}
	return Ephemeral{i, i.turn.Load()}, all
}

// take makes the caller the only owner of e's secrets, who has to release them.
func (e Ephemeral) take() (*initiator, error) {
	if e.secrets == nil {
		return nil, newError(ErrNoKey, "the ephemeral was never set")
	}
	if !e.secrets.turn.CompareAndSwap(e.turn, e.turn+1) {
		return nil, newError(ErrUsed, "an ephemeral is used once")
	}
	return e.secrets, nil
}

// release wipes i and returns it to its pool.
func (i *initiator) release() {
	clear(i.sharedKey[:])
	i.private = nil
	if i.dk != nil {
		i.dk.Destroy()
	}
	i.group.kem.initiators.Put(i)
}

// Finish returns the secret that e and the server's share make. Errors match [ErrSize],
// [ErrCompressed], [ErrInfinity], [ErrOffCurve], [ErrZeroSecret], [ErrSwapped], [ErrUsed]
// or [ErrNoKey]. After any of them the handshake can't go on.
//
// An ML-KEM ciphertext has no wrong content: one that was not made for e gives a secret
// that the server does not have, and so do the swapped halves of an X25519MLKEM768 share.
func (e Ephemeral) Finish(serverShare []byte) (secret []byte, err error) {
	return e.AppendFinish(nil, serverShare)
}

// AppendFinish is Finish with the secret appended to dst. It allocates what crypto/ecdh
// does, and more only if dst lacks room. On an error dst is returned as it was.
func (e Ephemeral) AppendFinish(dst, serverShare []byte) ([]byte, error) {
	i, err := e.take()
	if err != nil {
		return dst, err
	}
	defer i.release()
	g := i.group
	if len(serverShare) != g.shareSize(server) {
		return dst, g.wrongSize(server, serverShare)
	}
	point, ciphertext := g.split(serverShare, g.kemSize(server))
	peer, err := g.curve.parse(point)
	if err != nil {
		return dst, g.wrongPoint(server, serverShare, err)
	}
	// ML-KEM is first, as it is last in AppendShare: processors that lower their clock for
	// wide multiplications do so once for both if one follows the other.
	if i.dk != nil {
		if err := i.dk.DecapsulateInto(&i.sharedKey, ciphertext); err != nil {
			return dst, err
		}
	}
	classical, err := g.curve.agree(i.private, peer)
	if err != nil {
		return dst, g.zeroSecret(server)
	}
	defer clear(classical)
	return g.appendSecret(dst, classical, i.sharedKey[:]), nil
}

// Destroy wipes e, whose use then is an error that matches [ErrUsed]. After a use, and of
// the zero value, it does nothing.
func (e Ephemeral) Destroy() {
	if i, err := e.take(); err == nil {
		i.release()
	}
}

// Accept returns the server's share for the client's, and the secret that both make. Errors
// match [ErrGroup], [ErrSize], [ErrCompressed], [ErrInfinity], [ErrOffCurve],
// [ErrZeroSecret], [ErrCoefficient], [ErrSwapped] or [ErrUnavailable].
func (g Group) Accept(clientShare []byte) (serverShare, secret []byte, err error) {
	return g.AppendAccept(nil, nil, clientShare)
}

// AppendAccept is Accept with the share appended to share and the secret to secret. It
// allocates what crypto/ecdh does, and more only if one of them lacks room. On an error
// both are returned as they were.
func (g Group) AppendAccept(share, secret, clientShare []byte) (serverShare, sharedSecret []byte, err error) {
	known, err := g.lookup()
	if err != nil {
		return share, secret, err
	}
	r := known.kem.responders.Get().(*responder)
	defer known.kem.responders.Put(r)
	return known.accept(share, secret, clientShare, r)
}

func (g *group) accept(dst, secret, clientShare []byte, r *responder) (_, _ []byte, err error) {
	if len(clientShare) != g.shareSize(client) {
		return dst, secret, g.wrongSize(client, clientShare)
	}
	point, ek := g.split(clientShare, g.kemSize(client))
	peer, err := g.curve.parse(point)
	if err != nil {
		return dst, secret, g.wrongPoint(client, clientShare, err)
	}
	if r.ek != nil {
		if err := r.ek.SetBytes(ek); err != nil {
			return dst, secret, g.wrongKey(clientShare)
		}
	}
	private := r.private
	if private == nil {
		if private, err = g.curve.generate(); err != nil {
			return dst, secret, g.unavailable(err)
		}
	}
	classical, err := g.curve.agree(private, peer)
	if err != nil {
		return dst, secret, g.zeroSecret(client)
	}
	defer clear(classical)

	// The client's share, which dst may overlap, has been read.
	all, share := extend(dst, g.shareSize(server))
	point, ciphertext := g.split(share, g.kemSize(server))
	g.curve.putPoint(point, private)
	if r.ek != nil {
		if err := r.ek.encapsulate(&r.sharedKey, ciphertext); err != nil {
			return dst, secret, err
		}
	}
	secret = g.appendSecret(secret, classical, r.sharedKey[:])
	clear(r.sharedKey[:])
	return all, secret, nil
}
