package hsm

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

const idSize = 16

// change runs f in a session that may change objects, one at a time, between what the guard
// says before and after.
func (t *Token) change(ctx context.Context, u *use, f func(context.Context, *session) error) error {
	return guarded(ctx, t.guard, u, func() error {
		return t.do(ctx, t.guard, u, true, func(ctx context.Context, s *session) error {
			if err := acquire(ctx, t.changing); err != nil {
				return err
			}
			defer func() { <-t.changing }()
			return f(ctx, s)
		})
	})
}

// newID returns the id that options ask for, or a random one.
func newID(options *GenerateOptions) []byte {
	if options.ID != nil {
		return bytes.Clone(options.ID)
	}
	id := make([]byte, idSize)
	rand.Read(id)
	return id
}

// unused refuses an id that a key has: some tokens replace that key.
func (c *core) unused(s *session, id []byte) error {
	key := Key{ID: id}
	for _, class := range []uint{ckoPrivateKey, ckoPublicKey} {
		found, err := c.module.cryptoki.Find(s.handle, key.template(class), 1)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return fmt.Errorf("%w: %x", ErrKeyExists, id)
		}
	}
	return nil
}

// templates returns what a new pair has beside its key material.
func (c *core) templates(a Algorithm, options *GenerateOptions, id []byte) (public, private []attribute) {
	both := []attribute{{ckaToken, boolean(true)}, {ckaID, id}}
	if options.Label != "" {
		both = append(both, attribute{ckaLabel, []byte(options.Label)})
	}
	public = append(append(public, both...), attribute{ckaPrivate, boolean(false)})
	private = append(append(private, both...), attribute{ckaPrivate, boolean(true)},
		attribute{ckaSensitive, boolean(true)}, attribute{ckaExtractable, boolean(false)})
	if a.IsMLKEM() {
		public = append(public, attribute{ckaEncapsulate, boolean(true)})
		private = append(private, attribute{c.numbers.Decapsulate, boolean(true)})
	} else {
		public = append(public, attribute{ckaVerify, boolean(true)})
		private = append(private, attribute{ckaSign, boolean(true)})
	}
	return public, private
}

// restrict adds CKA_ALLOWED_MECHANISMS.
func (c *core) restrict(private []attribute, a Algorithm) []attribute {
	return append(private[:len(private):len(private)], attribute{ckaAllowedMechanisms, ulongs(c.numbers.allowed(a))})
}

// templateError reports whether a token refuses an attribute.
func templateError(err error) bool {
	switch code(err) {
	case ckrAttributeTypeInvalid, ckrAttributeValueInvalid, ckrTemplateInconsistent, ckrTemplateIncomplete:
		return true
	}
	return false
}

// Generate generates a pair in the token: sensitive, not extractable, and restricted to the mechanisms
// of its algorithm where the token keeps CKA_ALLOWED_MECHANISMS. Errors match ErrUnsupported or
// ErrKeyExists, or are those of the token.
func (t *Token) Generate(ctx context.Context, algorithm Algorithm, options GenerateOptions) (KeyInfo, error) {
	if algorithm == 0 || algorithm > Ed25519 {
		return KeyInfo{}, fmt.Errorf("%w: no such algorithm: %d", ErrOptions, algorithm)
	}
	id := newID(&options)
	u := &use{purpose: Generate, key: &KeyInfo{Label: options.Label, ID: id, Algorithm: algorithm}}
	var info KeyInfo
	err := t.change(ctx, u, func(ctx context.Context, s *session) error {
		if err := t.unused(s, id); err != nil {
			return err
		}
		kind := t.numbers.typeOf(algorithm)
		public, private := t.templates(algorithm, &options, id)
		switch {
		case kind.set != 0:
			public = append(public, attribute{t.numbers.ParameterSet, ulong(kind.set)})
		case kind.curve != nil:
			public = append(public, attribute{ckaECParams, kind.curve})
		default:
			public = append(public, attribute{ckaModulusBits, ulong(kind.bits)}, attribute{ckaPublicExponent, publicExponent})
		}
		m := t.module.cryptoki
		restrict := !options.NoRestriction && !t.unrestricted.Load()
		restricted := private
		if restrict {
			restricted = t.restrict(private, algorithm)
		}
		pub, priv, err := m.GeneratePair(s.handle, kind.generate, public, restricted)
		if restrict && (templateError(err) || code(err) == ckrGeneralError) { // NSS: general error
			if err := t.unused(s, id); err != nil {
				return err
			}
			pub, priv, err = m.GeneratePair(s.handle, kind.generate, public, private)
			t.unrestricted.Store(err == nil)
		}
		if err != nil {
			return err
		}
		info, err = t.accept(s, priv, algorithm)
		return t.undo(s, err, priv, pub)
	})
	if err != nil {
		return KeyInfo{}, err
	}
	return info, nil
}

// accept reads a new key back and checks it.
func (c *core) accept(s *session, private uint, a Algorithm) (KeyInfo, error) {
	info, err := c.describe(s, private)
	if err != nil {
		return info, err
	}
	if info.Algorithm != a {
		return info, fmt.Errorf("%w: asked for a key of %s, it made one of %s", ErrFaulty, a, info.Algorithm)
	}
	purpose := Sign
	if a.IsMLKEM() {
		purpose = Decapsulate
	}
	return info, c.check(&info, purpose)
}

// undo destroys new objects if err is an error, which it returns.
func (c *core) undo(s *session, err error, objects ...uint) error {
	if err == nil {
		return nil
	}
	for _, o := range objects {
		if o == 0 {
			continue
		}
		if failed := c.module.cryptoki.Destroy(s.handle, o); failed != nil {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// Import stores a key, a *mldsa.PrivateKey or a decapsulation key of package mlkem, as its seed,
// and as its expanded form if it has none or the token takes no seeds. The new key must prove
// itself. Errors match ErrImport without Config.AllowImport, ErrKeyType, ErrKeyExists or
// ErrFaulty, or are those of the token.
func (t *Token) Import(ctx context.Context, key any, options GenerateOptions) (KeyInfo, error) {
	if !t.config.AllowImport {
		return KeyInfo{}, fmt.Errorf("%w: Config.AllowImport is not set", ErrImport)
	}
	material, err := materialOf(key)
	if err != nil {
		return KeyInfo{}, err
	}
	id := newID(&options)
	u := &use{purpose: Import, key: &KeyInfo{Label: options.Label, ID: id, Algorithm: material.algorithm, Public: material.public}}
	var info KeyInfo
	err = t.change(ctx, u, func(ctx context.Context, s *session) (err error) {
		info, err = t.store(s, material, &options, id)
		if ctx.Err() != nil {
			material.wipe() // the call was abandoned, and is the last to use it
		}
		return err
	})
	if ctx.Err() == nil {
		material.wipe()
	}
	if err != nil {
		return KeyInfo{}, err
	}
	return info, nil
}

// A material is a key to be imported.
type material struct {
	algorithm           Algorithm
	seed, expanded, pub []byte
	public              crypto.PublicKey
}

func (m *material) wipe() {
	clear(m.seed)
	clear(m.expanded)
}

func materialOf(key any) (m material, err error) {
	switch k := key.(type) {
	case *mldsa.PrivateKey:
		if k == nil || k.PublicKey() == nil || k.ExpandedBytes() == nil {
			break
		}
		for _, a := range []Algorithm{MLDSA44, MLDSA65, MLDSA87} {
			if parametersOf(a) == k.PublicKey().Parameters() {
				m.algorithm = a
			}
		}
		m.seed, m.expanded, m.pub, m.public = k.Bytes(), k.ExpandedBytes(), k.PublicKey().Bytes(), k.PublicKey()
	case *mlkem.DecapsulationKey512:
		m = kemMaterial(MLKEM512, k)
	case *mlkem.DecapsulationKey768:
		m = kemMaterial(MLKEM768, k)
	case *mlkem.DecapsulationKey1024:
		m = kemMaterial(MLKEM1024, k)
	default:
		return m, fmt.Errorf("%w: %T can't be imported", ErrKeyType, key)
	}
	if m.expanded == nil {
		return m, fmt.Errorf("%w: a %T without a key", ErrKeyType, key)
	}
	return m, nil
}

func kemMaterial(a Algorithm, k interface {
	crypto.Decapsulator
	Bytes() []byte
	ExpandedBytes() []byte
}) (m material) {
	if m.expanded = k.ExpandedBytes(); m.expanded == nil {
		return m
	}
	m.algorithm, m.seed = a, k.Bytes()
	m.public = k.Encapsulator()
	m.pub = k.Encapsulator().Bytes()
	return m
}

func (t *Token) store(s *session, key material, options *GenerateOptions, id []byte) (KeyInfo, error) {
	if err := t.unused(s, id); err != nil {
		return KeyInfo{}, err
	}
	m := t.module.cryptoki
	kind := t.numbers.typeOf(key.algorithm)
	public, private := t.templates(key.algorithm, options, id)
	common := []attribute{{ckaKeyType, ulong(kind.kind)}, {t.numbers.ParameterSet, ulong(kind.set)}}
	public = append(append(public, common...), attribute{ckaClass, ulong(ckoPublicKey)}, attribute{ckaValue, key.pub})
	private = append(append(private, common...), attribute{ckaClass, ulong(ckoPrivateKey)})

	var forms [][]attribute
	add := func(form ...attribute) {
		full := append(private[:len(private):len(private)], form...)
		if !options.NoRestriction && !t.unrestricted.Load() {
			forms = append(forms, t.restrict(full, key.algorithm))
		}
		forms = append(forms, full)
	}
	if key.seed != nil {
		add(attribute{t.numbers.Seed, key.seed})
		add(attribute{t.numbers.Seed, key.seed}, attribute{ckaValue, key.expanded})
	}
	add(attribute{ckaValue, key.expanded})

	var handle uint
	var err error
	for _, form := range forms {
		if handle, err = m.Create(s.handle, form); !templateError(err) && code(err) != ckrGeneralError {
			break
		}
	}
	if err != nil {
		return KeyInfo{}, err
	}
	pub, err := m.Create(s.handle, public)
	var info KeyInfo
	if err == nil {
		info, err = t.accept(s, handle, key.algorithm)
	}
	if err == nil {
		err = t.proveImported(s, handle, &info, key.public)
	}
	return info, t.undo(s, err, handle, pub)
}

// proveImported has an imported key show that it is the key that was given.
func (t *Token) proveImported(s *session, handle uint, info *KeyInfo, public crypto.PublicKey) error {
	if !samePublic(public, info.Public) {
		return fmt.Errorf("%w: the public key of an imported key is another one", ErrFaulty)
	}
	if info.Algorithm.IsMLKEM() {
		d := &Decapsulator{privateKey: privateKey{core: t.core, info: *info}}
		return d.proveDecapsulation(s, handle)
	}
	signer := &Signer{privateKey: privateKey{core: t.core, info: *info}}
	return signer.proveSigning(s, handle)
}

// Delete deletes a private key, and the public key of the same id and type. confirm must be its CKA_ID,
// or it is ErrConfirm and nothing is deleted. Other errors match ErrKeyNotFound or ErrAmbiguous, or
// are those of the token.
func (t *Token) Delete(ctx context.Context, key Key, confirm []byte) error {
	info, err := t.one(ctx, key) // a policy may be about attributes that key doesn't have
	if err != nil {
		return err
	}
	if len(confirm) == 0 || !bytes.Equal(info.ID, confirm) {
		return fmt.Errorf("%w: the id of %s is %x", ErrConfirm, key, info.ID)
	}
	return t.change(ctx, &use{purpose: Delete, key: &info}, func(ctx context.Context, s *session) error {
		found, err := t.findOne(ctx, s, info.Key())
		if err != nil {
			return err
		}
		m := t.module.cryptoki
		if err := m.Destroy(s.handle, found.handle); err != nil {
			return err
		}
		pair := Key{ID: found.info.ID}
		handles, err := m.Find(s.handle, pair.template(ckoPublicKey), mostObjects)
		if err != nil {
			return err
		}
		for _, handle := range handles {
			o := object{cryptoki: m, session: s.handle, handle: handle}
			if t.algorithm(&o) != found.info.Algorithm {
				continue
			}
			if err := m.Destroy(s.handle, handle); err != nil {
				return err
			}
		}
		return nil
	})
}
