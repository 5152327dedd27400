// Package mcpconn gives the connections of a Model Context Protocol proxy: TLS 1.3 with a
// post-quantum key exchange by policy, both identities checked, a report that an auditor can
// keep, and nothing that an attacker in the middle can talk down.
//
// The state machine is crypto/tls's and path validation crypto/x509's, but for the one ML-DSA signature
// by which a trust anchor itself has certified a peer, which package mldsa verifies. This package
// adds what those leave to their user:
//
//   - A [Policy], named and dated, says which strength a connection must have. [Config.PolicyFor]
//     chooses one for each connection before its handshake.
//   - An [Identity] signs with keys of this module, of the standard library or of a token, and
//     [Trust] and pins say who is believed.
//   - A [Memory] remembers the strength that each peer has shown, and refuses less.
//   - A [State] reports what was offered, chosen and checked, what is quantum-safe about it and
//     why, what it cost, and the [Config.Observer] gets it for failed handshakes too.
//   - A [Listener] keeps slow and silent clients from holding up the others.
//
// A connection never falls back by itself: a dial that fails under a policy is not repeated
// under a weaker one.
//
// # Use
//
//	cfg := &mcpconn.Config{Identity: id, Trust: trust, ServerName: "tools.example"}
//	conn, err := mcpconn.Dial(ctx, "tcp", "tools.example:7443", cfg)
//	if err != nil {
//		return err // errors.Is(err, mcpconn.ErrPolicy), ErrCertificate, ErrRegression, ...
//	}
//	defer conn.Close()
//	log.Info("link", "state", conn.State())
//
// A Config holds what connections share, verified chains and sessions, and is meant to be used
// for many.
//
// # Resumption
//
// Where the policy allows it, a peer that was authenticated resumes its session: without
// certificates and signatures, but with a new key exchange. A session resumes under the same policy,
// identity of ours, [Trust] and server name alone; expiry, revocation, pins, policy and memory are
// checked again each time, and [Config.MaxAge] counts from the authentication itself.
//
// A server keeps its sessions in memory, at most 8,192 in a Config, and a client 1,024, of 400
// bytes each and the peer's certificates, 3 to 14 KB, which its connections share. A ticket,
// of 16 bytes, is the number of a session under a ticket key, and not the session itself,
// which with the client's ML-DSA certificates would make its next hello several segments longer.
// A key seals for six hours, or for 4,096 tickets, and opens for twelve hours at most; it is then
// forgotten with its sessions and their secrets, at the next handshake. A ticket of a key that is gone, after
// [Listener.Swap] or a restart too, means a full handshake. Servers of one name share no
// sessions.
//
// # What crypto/tls decides
//
// ML-DSA identities and trust anchors need Go 1.27, hybrid key exchange does not. Beyond that,
// some of a handshake can't be chosen here:
//
//   - The order of groups: [tls.Config.CurvePreferences] is a set (golang/go issue 69393). The order is
//     X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, then classical groups, and the
//     one share that is sent is of the first; a server asks for another of the offered by a
//     HelloRetryRequest. Where X25519 is offered too, under [Transition2026], its share is also sent.
//   - The signature algorithms of the hello: Go 1.27 always offers ML-DSA, which every policy
//     takes, and Go 1.26 never does (golang/go issue 81199, for middleboxes that do not bear it).
//     signature_algorithms_cert is sent without ML-DSA (golang/go issue 82536), so that OpenSSL
//     withholds a chain which an ML-DSA authority signed.
//   - The size of the hello (golang/go issue 80573). With one share of X25519MLKEM768, and neither
//     name nor ALPN, it has 1,417 bytes with its record header (1,411 on Go 1.26), and 10 more where
//     sessions may be resumed: with a name it is longer than the 1,428 bytes that a TCP segment carries
//     over IPv6 with timestamps, by 46 bytes with a name and ALPN of together 40. Of what
//     crypto/tls sends, 45 bytes are for older versions of TLS (golang/go issue 80575). No setting
//     makes it shorter; [Offer] has its size. What this package does is to send one share, and to
//     offer a session in 63 bytes.
//   - GREASE (RFC 8701): no value is sent that peers are to ignore, and nothing can be set to send
//     one (golang/go issue 75241, which asks for that of Encrypted Client Hello).
//   - A KEM or a group from outside of crypto/tls.
package mcpconn
