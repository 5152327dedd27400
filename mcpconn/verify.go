package mcpconn

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// maxVerifiedChains bounds the verified chains that a Config keeps, of 3 to 14 KB for each certificate
// below the trust anchor.
const maxVerifiedChains = 1024

// A chainKey is the hash of all that the verification of a chain depends on but time.
type chainKey [sha256.Size]byte

func newChainKey(certs []*x509.Certificate, generation uint64, name string, usage x509.ExtKeyUsage) (key chainKey) {
	h := sha256.New()
	var b [8]byte
	field := func(n uint64) { h.Write(binary.BigEndian.AppendUint64(b[:0], n)) }
	field(generation)
	field(uint64(usage))
	field(uint64(len(name)))
	h.Write([]byte(name))
	for _, cert := range certs {
		field(uint64(len(cert.Raw)))
		h.Write(cert.Raw)
	}
	h.Sum(key[:0])
	return key
}

// A chain goes from the leaf to its trust anchor.
type chain []*x509.Certificate

// A verified peer is what the checks of its certificates found.
type verified struct {
	chain  chain // the leaf alone if no chain was checked
	pinned bool
	cached bool

	// What is to be kept if the peer proves to have its key: others know its chain too, and
	// could crowd the cache with it.
	key    chainKey
	chains []chain
}

// verifyPeer checks the certificates of a peer. usage is what they are for, name the server's.
func (cfg *Config) verifyPeer(certs []*x509.Certificate, rules *Rules, usage x509.ExtKeyUsage, name string) (v verified, err error) {
	if len(certs) > rules.MaxChain {
		return v, newError(ErrCertificate, "the peer sent %d certificates, want %d at most", len(certs), rules.MaxChain)
	}
	leaf, now := certs[0], cfg.now()
	if len(cfg.PinnedKeys) > 0 {
		if !slices.Contains(cfg.PinnedKeys, PinOf(leaf)) {
			return v, newError(ErrCertificate, "the key %v of %q is not pinned", PinOf(leaf), leaf.Subject)
		}
		v.pinned = true
		if cfg.PinsAlone != PinnedWithChain {
			v.chain = certs[:1]
			return v, cfg.verifyPinned(leaf, usage, name, now)
		}
	}
	if cfg.Trust == nil {
		return v, newError(ErrCertificate, "no trust in any authority")
	}
	v.key = newChainKey(certs, cfg.Trust.generation, name, usage)
	if v.chains, v.cached = cfg.state().chains.get(v.key); v.cached {
		if v.chain, err = cfg.chooseChain(v.chains, now); err == nil {
			return v, nil
		}
		// Another chain of these certificates may have come into date since.
		v.cached = false
	}
	if v.chains, err = cfg.verifyChain(certs, usage, name, now); err != nil {
		return v, err
	}
	v.chain, err = cfg.chooseChain(v.chains, now)
	return v, err
}

// verifyPinned checks of a leaf that is believed for its key what its certificate says.
func (cfg *Config) verifyPinned(leaf *x509.Certificate, usage x509.ExtKeyUsage, name string, now time.Time) error {
	if cfg.PinsAlone == PinnedKeyOnly {
		return nil
	}
	if err := verifyAlone(leaf, usage, name, now); err != nil {
		return wrapError(ErrCertificate, err, "pinned key")
	}
	return maySign(leaf)
}

// verifyAlone has crypto/x509 check what a leaf says, whoever signed it.
func verifyAlone(leaf *x509.Certificate, usage x509.ExtKeyUsage, name string, now time.Time) error {
	self := x509.NewCertPool()
	self.AddCert(leaf)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: self, DNSName: name, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

// maySign checks that the key of a leaf is for signatures (RFC 8446, Section 4.4.2.2), which
// neither crypto/tls nor crypto/x509 does.
func maySign(leaf *x509.Certificate) error {
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return newError(ErrCertificate, "the key of %q is not for digital signatures", leaf.Subject)
	}
	return nil
}

// verifyChain has crypto/x509 find the chains to trust anchors that are in date, where verifyDirect
// does not find the plainest.
func (cfg *Config) verifyChain(certs []*x509.Certificate, usage x509.ExtKeyUsage, name string, now time.Time) (chains []chain, err error) {
	if direct := cfg.Trust.verifyDirect(certs, usage, name, now); direct != nil {
		return []chain{direct}, nil
	}
	options := x509.VerifyOptions{
		Roots:       cfg.Trust.pool,
		DNSName:     name,
		CurrentTime: now,
		KeyUsages:   []x509.ExtKeyUsage{usage},
	}
	if len(certs) > 1 {
		options.Intermediates = x509.NewCertPool()
		for _, cert := range certs[1:] {
			options.Intermediates.AddCert(cert)
		}
	}
	found, err := certs[0].Verify(options)
	if err == nil {
		err = maySign(certs[0])
	}
	if err != nil {
		return nil, wrapError(ErrCertificate, err, "")
	}
	for _, c := range found {
		chains = append(chains, c)
	}
	return chains, nil
}

// chooseChain returns the best of verified chains that are in date and not revoked. This is what
// is checked at each use of a chain that was verified before.
func (cfg *Config) chooseChain(chains []chain, now time.Time) (best chain, err error) {
	revoked := cfg.Trust.lists.Load()
	for _, chain := range chains {
		problem := inDate(chain, now)
		if problem == nil {
			problem = revoked.check(chain, now)
		}
		switch {
		case problem != nil:
			err = problem
		case best == nil, !chainSafe(best) && chainSafe(chain):
			best = chain
		}
	}
	switch {
	case best != nil:
		return best, nil
	case err == nil:
		err = newError(ErrCertificate, "no chain")
	}
	return nil, err
}

func inDate(chain chain, now time.Time) error {
	for _, cert := range chain {
		if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
			return wrapError(ErrCertificate, x509.CertificateInvalidError{Cert: cert, Reason: x509.Expired},
				"%q is valid from %v to %v", cert.Subject, cert.NotBefore, cert.NotAfter)
		}
	}
	return nil
}

// chainSafe is chainAnswer without the words.
func chainSafe(chain chain) bool {
	for _, cert := range chain[:len(chain)-1] {
		if !isMLDSASigned(cert) {
			return false
		}
	}
	return true
}

// chainAnswer says whether a chain withstands a forger with a quantum computer: every key that
// signs a certificate of it must be of ML-DSA.
func chainAnswer(chain chain) Answer {
	for i, cert := range chain[:len(chain)-1] {
		if !isMLDSASigned(cert) {
			return Answer{false, fmt.Sprintf("%q is signed with %s by %q", cert.Subject.String(), signedWith(cert), chain[i+1].Subject.String())}
		}
	}
	switch len(chain) {
	case 1:
		return Answer{true, "the certificate is itself a trust anchor"}
	case 2:
		return Answer{true, fmt.Sprintf("it is signed with %s by %q", signedWith(chain[0]), chain[1].Subject.String())}
	}
	return Answer{true, fmt.Sprintf("all %d signatures are ML-DSA, up to %q", len(chain)-1, chain[len(chain)-1].Subject.String())}
}

var mldsaSignatures = map[string]bool{"ML-DSA-44": true, "ML-DSA-65": true, "ML-DSA-87": true}

func isMLDSASigned(cert *x509.Certificate) bool { return mldsaSignatures[signedWith(cert)] }

// keyAlgorithm names the algorithm of a certificate's key.
func keyAlgorithm(cert *x509.Certificate) string {
	switch key := cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return keyOID(cert)
}

// keyInfo describes a certificate and its key.
func keyInfo(cert *x509.Certificate) KeyInfo {
	k := KeyInfo{
		Algorithm: keyAlgorithm(cert),
		Signed:    signedWith(cert),
		Subject:   cert.Subject.String(),
		Issuer:    cert.Issuer.String(),
		NotAfter:  cert.NotAfter,
		Pin:       PinOf(cert),
	}
	for _, uri := range cert.URIs {
		k.Names = append(k.Names, uri.String())
	}
	k.Names = append(k.Names, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		k.Names = append(k.Names, ip.String())
	}
	return k
}

func isMLDSAKey(k KeyInfo) bool { return mldsaSignatures[k.Algorithm] }
