package mcpconn

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// measure notes what is known only while the handshake ends.
func (h *handshake) measure() {
	h.total, h.ended = time.Since(h.began), h.cfg.now()
	if h.conn.wire != nil {
		recorder := h.conn.wire.recorder.Load()
		h.hello = recorder.hello()
		h.size, h.waiting = recorder.result()
		if said := recorder.choice(); said != nil && h.chosen.version == 0 {
			h.chosen.version, h.chosen.group = said.version, said.group
		}
	}
}

// report makes the State of a handshake that has ended, with err if it failed. It is made when it is asked
// for: the words cost more than a few percent of a handshake.
func (h *handshake) report(cs tls.ConnectionState, err error) *State {
	total, hello := h.total, h.hello
	s := &State{
		Client:     h.client,
		Time:       h.ended.Add(-total),
		LocalAddr:  addrText(h.conn.LocalAddr()),
		RemoteAddr: addrText(h.conn.RemoteAddr()),
		ServerName: h.serverName,
		Policy:     h.policy,
		Complete:   err == nil,
		Memory:     h.memoryNote,
	}
	if s.Policy == "" {
		s.Policy = h.cfg.policyName()
	}
	signing := time.Duration(h.signing.Load())
	s.Timing = Timing{Total: Duration(total), Signing: Duration(signing), Own: Duration(total - signing)}
	if h.conn.wire != nil {
		s.Size = h.size
		s.Timing.Waiting = Duration(h.waiting)
		s.Timing.Own = Duration(max(0, total-signing-h.waiting))
	}
	s.Offer = hello.offer()
	var e *Error
	if err != nil {
		e = classify(err)
		s.Reason, s.Error = e.Reason(), e.Error()
		s.Alert = alertText(e)
		no := Answer{false, "the handshake failed"}
		s.KeyExchange, s.Authentication, s.Chain = no, no, no
	}
	if h.shown {
		local := h.identity.Key()
		s.Local = &local
	}
	if len(h.peer.chain) > 0 {
		s.Peer = peerInfo(h.peer.chain)
		s.ChainCached = h.peer.cached
	}
	if h.chosen.version != 0 {
		s.Version = versionName(h.chosen.version)
	}
	if h.chosen.suite != 0 {
		s.Suite = tls.CipherSuiteName(h.chosen.suite)
	}
	if h.chosen.group != 0 {
		s.Group, s.KEM = groupName(h.chosen.group), kemOf(h.chosen.group)
	}
	s.ALPN, s.HelloRetryRequest, s.Resumed = h.chosen.alpn, h.chosen.retried, h.chosen.resumed
	if err != nil {
		return s
	}
	if s.Resumed {
		s.AuthenticationAge = Duration(h.ended.Sub(h.authenticated))
	}
	s.KeyExchange = exchangeAnswer(cs.CurveID)
	s.Authentication, s.Chain = h.peerAnswers(s.Peer)
	s.Fallback = h.fallback(cs, hello)
	h.addTax(s, cs)
	return s
}

func peerInfo(c chain) *KeyInfo {
	k := keyInfo(c[0])
	for _, cert := range c[:max(1, len(c)-1)] {
		k.Chain = append(k.Chain, signedWith(cert))
	}
	return &k
}

func exchangeAnswer(g tls.CurveID) Answer {
	if kem := kemOf(g); kem != "" {
		return Answer{true, fmt.Sprintf("%s has %s", groupName(g), kem)}
	}
	return Answer{false, groupName(g) + " is classical alone: who records the connection reads it with a quantum computer"}
}

// peerAnswers says whether a forger with a quantum computer could pass for the peer.
func (h *handshake) peerAnswers(peer *KeyInfo) (authentication, certification Answer) {
	if peer == nil {
		no := Answer{false, "the client is anonymous"}
		return no, no
	}
	authentication = Answer{false, "the peer signs with " + peer.Algorithm + ", which is classical"}
	if isMLDSAKey(*peer) {
		authentication = Answer{true, "the peer signs with " + peer.Algorithm}
	}
	if h.peer.pinned {
		return authentication, Answer{true, "the peer's key is pinned"}
	}
	return authentication, chainAnswer(h.peer.chain)
}

// fallback says what is weaker than the policy prefers.
func (h *handshake) fallback(cs tls.ConnectionState, hello *clientHello) string {
	if isPostQuantum(cs.CurveID) {
		return ""
	}
	other := "server"
	if !h.client {
		other = "client"
	}
	if hello != nil && h.client && slices.ContainsFunc(hello.groups, isPostQuantum) {
		return fmt.Sprintf("classical key exchange: the %s took none of the post-quantum ones that were offered", other)
	}
	return fmt.Sprintf("classical key exchange: the %s has no post-quantum one", other)
}

// Sizes in bytes of a handshake with X25519 and ECDSA P-256, and of a HelloRetryRequest.
const (
	classicalShare     = 32
	classicalKey       = 91 // SubjectPublicKeyInfo
	classicalSignature = 71 // most often, in DER
	retrySize          = recordHeader + handshakeHeader + 2 + 32 + 1 + 32 + 2 + 1 + 2 + 6 + 6
)

// addTax estimates what the same handshake would have cost with classical algorithms.
func (h *handshake) addTax(s *State, cs tls.ConnectionState) {
	if h.conn.wire == nil {
		return
	}
	client, server := exchangeExcess(h.hello, cs)
	var local, peer []*x509.Certificate
	if s.Local != nil {
		local = h.identity.chain
	}
	if !cs.DidResume {
		peer = cs.PeerCertificates
	}
	size := &s.Size
	if h.client {
		size.ClassicalSent = size.Sent - client - authenticationExcess(local)
		size.ClassicalReceived = size.Received - server - authenticationExcess(peer)
	} else {
		size.ClassicalSent = size.Sent - server - authenticationExcess(local)
		size.ClassicalReceived = size.Received - client - authenticationExcess(peer)
	}
	size.Tax = size.Sent + size.Received - size.ClassicalSent - size.ClassicalReceived
}

// exchangeExcess returns what the hellos of both sides have above those that offer X25519 alone.
func exchangeExcess(hello *clientHello, cs tls.ConnectionState) (client, server int) {
	client, server = shareExcess(cs.CurveID)
	if hello == nil {
		return client, server
	}
	offered := 0
	for _, g := range hello.groups {
		if g != tls.X25519 {
			offered += 2
		}
	}
	for _, s := range hello.signatures {
		if mldsaSignatures[signatureName(s)] {
			offered += 2
		}
	}
	if cs.HelloRetryRequest {
		// The first hello is for nothing, the second has the share that was asked for.
		return hello.size + client + offered, retrySize + server
	}
	return hello.shareSize - (shareHeader + classicalShare) + offered, server
}

// shareExcess returns what the shares of a key exchange have above those of X25519.
func shareExcess(g tls.CurveID) (client, server int) {
	switch g {
	case tls.X25519MLKEM768:
		return mlkem.EncapsulationKeySize768, mlkem.CiphertextSize768
	case tls.SecP256r1MLKEM768:
		return mlkem.EncapsulationKeySize768 + 65 - classicalShare, mlkem.CiphertextSize768 + 65 - classicalShare
	case tls.SecP384r1MLKEM1024:
		return mlkem.EncapsulationKeySize1024 + 97 - classicalShare, mlkem.CiphertextSize1024 + 97 - classicalShare
	case tls.CurveP256:
		return 65 - classicalShare, 65 - classicalShare
	case tls.CurveP384:
		return 97 - classicalShare, 97 - classicalShare
	}
	return 0, 0
}

// authenticationExcess returns what certificates and the leaf's signature have above those of ECDSA
// P-256, where they are of ML-DSA.
func authenticationExcess(certs []*x509.Certificate) (n int) {
	for i, cert := range certs {
		if mldsaSignatures[keyAlgorithm(cert)] {
			n += len(cert.RawSubjectPublicKeyInfo) - classicalKey
		}
		if isMLDSASigned(cert) {
			n += len(cert.Signature) - classicalSignature
		}
		if i > 0 {
			continue
		}
		switch keyAlgorithm(cert) {
		case "ML-DSA-44":
			n += mldsa.MLDSA44SignatureSize - classicalSignature
		case "ML-DSA-65":
			n += mldsa.MLDSA65SignatureSize - classicalSignature
		case "ML-DSA-87":
			n += mldsa.MLDSA87SignatureSize - classicalSignature
		}
	}
	return n
}
