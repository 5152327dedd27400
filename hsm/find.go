package hsm

import (
	"bytes"
	"context"
	"crypto"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
	"unsafe"
)

// mostObjects bounds what a search returns.
const mostObjects = 100_000

// ulong returns a CK_ULONG, which is a native word on all systems with cgo but Windows.
func ulong(n uint) []byte {
	if unsafe.Sizeof(n) == 4 {
		return binary.NativeEndian.AppendUint32(nil, uint32(n))
	}
	return binary.NativeEndian.AppendUint64(nil, uint64(n))
}

func ulongs(list []uint) []byte {
	var b []byte
	for _, n := range list {
		b = append(b, ulong(n)...)
	}
	return b
}

func boolean(b bool) []byte {
	if b {
		return []byte{1}
	}
	return []byte{0}
}

// An object reads the attributes of one object, one at a time: a module may fail a whole list
// for one attribute that it lacks.
type object struct {
	cryptoki        cryptoki
	session, handle uint
	err             error // the first that is not about one attribute
}

// bytes returns an attribute, or nil if the object has none, or shows none.
func (o *object) bytes(kind uint) []byte {
	if o.err != nil {
		return nil
	}
	b, err := o.cryptoki.Attribute(o.session, o.handle, kind)
	switch code(err) {
	case 0, ckrAttributeTypeInvalid, ckrAttributeSensitive, ckrAttributeValueInvalid, ckrTemplateInconsistent:
		if err != nil && code(err) == 0 {
			o.err = err
		}
		return b
	}
	o.err = err
	return nil
}

func (o *object) bool(kind uint) bool {
	b := o.bytes(kind)
	return len(b) == 1 && b[0] != 0
}

// ulong returns an attribute of type CK_ULONG.
func (o *object) ulong(kind uint) (uint, bool) {
	b := o.bytes(kind)
	if len(b) != int(unsafe.Sizeof(uint(0))) {
		return 0, false
	}
	if len(b) == 4 {
		return uint(binary.NativeEndian.Uint32(b)), true
	}
	return uint(binary.NativeEndian.Uint64(b)), true
}

func (k *Key) template(class uint) []attribute {
	t := []attribute{{ckaClass, ulong(class)}, {ckaToken, boolean(true)}}
	if k.Label != "" {
		t = append(t, attribute{ckaLabel, []byte(k.Label)})
	}
	if k.ID != nil {
		t = append(t, attribute{ckaID, k.ID})
	}
	return t
}

// Keys returns the private keys that match key; the zero Key matches all. It doesn't check their attributes
// against any policy. Public is nil where the token has no public key for one.
func (t *Token) Keys(ctx context.Context, key Key) ([]KeyInfo, error) {
	var keys []KeyInfo
	err := t.do(ctx, t.guard, &use{key: &KeyInfo{Label: key.Label, ID: key.ID, Algorithm: key.Algorithm}, start: time.Now()}, false,
		func(ctx context.Context, s *session) error {
			found, err := t.find(ctx, s, key)
			keys = nil
			for _, f := range found {
				keys = append(keys, f.info)
			}
			return err
		})
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// A foundKey is a private key and the handle that it has in this epoch.
type foundKey struct {
	info   KeyInfo
	handle uint
}

func (c *core) find(ctx context.Context, s *session, key Key) ([]foundKey, error) {
	handles, err := c.module.cryptoki.Find(s.handle, key.template(ckoPrivateKey), mostObjects)
	if err != nil {
		return nil, err
	}
	if c.login != nil && c.login.wanted() { // without a login private keys are not found, and that is no error
		state, err := c.module.cryptoki.SessionState(s.handle)
		if err == nil && !loggedIn(state) {
			err = &Error{Function: "C_FindObjects", Code: ckrUserNotLoggedIn}
		}
		if err == nil && len(handles) == 0 {
			// The login may have come after the search, by another session that recovered.
			handles, err = c.module.cryptoki.Find(s.handle, key.template(ckoPrivateKey), mostObjects)
		}
		if err != nil {
			return nil, err
		}
	}
	var keys []foundKey
	for _, handle := range handles {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		info, err := c.describe(s, handle)
		if err != nil {
			return nil, err
		}
		if key.Algorithm == 0 || key.Algorithm == info.Algorithm {
			keys = append(keys, foundKey{info, handle})
		}
	}
	return keys, nil
}

// findOne returns the one key that matches.
func (c *core) findOne(ctx context.Context, s *session, key Key) (foundKey, error) {
	found, err := c.find(ctx, s, key)
	if err != nil {
		return foundKey{}, err
	}
	switch len(found) {
	case 0:
		return foundKey{}, fmt.Errorf("%w: %s", ErrKeyNotFound, key)
	case 1:
		return found[0], nil
	}
	e := &AmbiguityError{Name: "the key with " + key.String()}
	for _, f := range found {
		e.Candidates = append(e.Candidates, fmt.Sprintf("%s, label %q, id %s", f.info.Algorithm, f.info.Label, hex.EncodeToString(f.info.ID)))
	}
	return foundKey{}, e
}

// describe reads the attributes of a private key, and finds its public key.
func (c *core) describe(s *session, handle uint) (KeyInfo, error) {
	o := object{cryptoki: c.module.cryptoki, session: s.handle, handle: handle}
	info := KeyInfo{
		Label: string(o.bytes(ckaLabel)), ID: o.bytes(ckaID),
		Sign: o.bool(ckaSign), Sensitive: o.bool(ckaSensitive),
		Extractable: true,
		Local:       o.bool(ckaLocal), AlwaysSensitive: o.bool(ckaAlwaysSensitive), NeverExtractable: o.bool(ckaNeverExtractable),
	}
	if b := o.bytes(ckaExtractable); len(b) == 1 && b[0] == 0 {
		info.Extractable = false // and nothing less says so
	}
	info.Algorithm = c.algorithm(&o)
	if info.Algorithm.IsMLKEM() {
		info.Decapsulate = o.bool(c.numbers.Decapsulate)
	}
	if b := o.bytes(ckaAllowedMechanisms); len(b)%len(ulong(0)) == 0 {
		for ; len(b) > 0; b = b[len(ulong(0)):] {
			if len(ulong(0)) == 4 {
				info.AllowedMechanisms = append(info.AllowedMechanisms, uint(binary.NativeEndian.Uint32(b)))
			} else {
				info.AllowedMechanisms = append(info.AllowedMechanisms, uint(binary.NativeEndian.Uint64(b)))
			}
		}
	}
	if o.err != nil {
		return KeyInfo{}, o.err
	}
	if info.Algorithm == 0 {
		return info, nil
	}
	public, err := c.publicKey(s, &info)
	info.Public = public
	return info, err
}

// algorithm returns what kind of key an object is, or 0.
func (c *core) algorithm(o *object) Algorithm {
	kind, ok := o.ulong(ckaKeyType)
	if !ok {
		return 0
	}
	switch kind {
	case c.numbers.MLDSAKeyType, c.numbers.MLKEMKeyType:
		set, ok := o.ulong(c.numbers.ParameterSet)
		if !ok || set < 1 || set > 3 {
			return 0
		}
		if kind == c.numbers.MLDSAKeyType {
			return MLDSA44 + Algorithm(set) - 1
		}
		return MLKEM512 + Algorithm(set) - 1
	case ckkRSA:
		switch len(bytes.TrimLeft(o.bytes(ckaModulus), "\x00")) {
		case 256:
			return RSA2048
		case 384:
			return RSA3072
		case 512:
			return RSA4096
		}
	case ckkEC, ckkECEdwards:
		parameters := o.bytes(ckaECParams)
		for _, curve := range []struct {
			parameters []byte
			kind       uint
			algorithm  Algorithm
		}{
			{oidP256, ckkEC, ECDSAP256}, {oidP384, ckkEC, ECDSAP384}, {oidP521, ckkEC, ECDSAP521},
			{oidEd25519, ckkECEdwards, Ed25519}, {oidEd25519Old, ckkECEdwards, Ed25519}, {nameEd25519, ckkECEdwards, Ed25519},
		} {
			if kind == curve.kind && bytes.Equal(parameters, curve.parameters) {
				return curve.algorithm
			}
		}
	}
	return 0
}

// publicKey returns the public key of the private key: that of the public key object with
// its CKA_ID and type. It is nil if there is none.
func (c *core) publicKey(s *session, info *KeyInfo) (crypto.PublicKey, error) {
	key := Key{ID: info.ID}
	if len(info.ID) == 0 {
		key = Key{Label: info.Label}
		if info.Label == "" {
			return nil, nil
		}
	}
	handles, err := c.module.cryptoki.Find(s.handle, key.template(ckoPublicKey), mostObjects)
	if err != nil {
		return nil, err
	}
	var public crypto.PublicKey
	for _, handle := range handles {
		o := object{cryptoki: c.module.cryptoki, session: s.handle, handle: handle}
		if c.algorithm(&o) != info.Algorithm {
			if o.err != nil {
				return nil, o.err
			}
			continue
		}
		found := parsePublic(info.Algorithm, &o)
		if o.err != nil {
			return nil, o.err
		}
		if found == nil {
			continue
		}
		if public != nil && !samePublic(public, found) {
			return nil, &AmbiguityError{Name: "the public key of " + key.String(),
				Candidates: []string{"two public keys of one id that differ"}}
		}
		public = found
	}
	return public, nil
}

// samePublic reports whether two public keys, neither of them nil, are the same.
func samePublic(a, b crypto.PublicKey) bool {
	switch a := a.(type) {
	case interface{ Equal(crypto.PublicKey) bool }:
		return a.Equal(b)
	case crypto.Encapsulator:
		b, ok := b.(crypto.Encapsulator)
		return ok && kemAlgorithm(a) == kemAlgorithm(b) && bytes.Equal(a.Bytes(), b.Bytes())
	}
	return false
}
