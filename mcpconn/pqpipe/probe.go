package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mldsa"
)

// An offered is what a server takes, asked one thing at a time. Nobody is authenticated by
// that: it is what the network says.
type offered struct {
	Versions []string `json:"versions"`
	Groups   []string `json:"groups"`

	// Keys are the algorithms of the certificates that it shows, leaf first.
	Keys []string `json:"keys"`

	// ClientCertificate says that it asks for one.
	ClientCertificate bool `json:"client_certificate"`

	ALPN []string `json:"alpn,omitempty"`
}

// probedGroups are all that crypto/tls can ask for.
var probedGroups = []struct {
	name string // as in a State
	id   tls.CurveID
}{
	{"X25519MLKEM768", tls.X25519MLKEM768},
	{"SecP256r1MLKEM768", tls.SecP256r1MLKEM768},
	{"SecP384r1MLKEM1024", tls.SecP384r1MLKEM1024},
	{"X25519", tls.X25519},
	{"P-256", tls.CurveP256},
	{"P-384", tls.CurveP384},
	{"P-521", tls.CurveP521},
}

var probedProtocols = []string{"h2", "http/1.1"}

// probe shows what a server offers, and how a link to it is.
func probe(ctx context.Context, o *options) error {
	address, err := o.address()
	if err != nil {
		return err
	}
	if o.trust == "" && !o.pinsAlone {
		o.trust = "system"
	}
	cfg, err := o.config(false)
	if err != nil {
		return err
	}
	name := o.name
	if name == "" {
		name, _, _ = net.SplitHostPort(address)
	}
	offer, err := o.ask(ctx, address, name, cfg)
	if err != nil {
		return err
	}
	var state mcpconn.State
	cfg.Observer = func(s mcpconn.State, err error) { state = s } // within Dial
	link, err := mcpconn.Dial(ctx, "tcp", address, cfg)
	if err == nil {
		if offer.ClientCertificate {
			err = refusal(link, o.timeout)
		}
		link.Close()
	}
	refused := ""
	if err != nil && state.Complete {
		refused = err.Error()
	}
	if o.json {
		b, marshalErr := json.MarshalIndent(struct {
			Address string        `json:"address"`
			Offers  *offered      `json:"offers"`
			State   mcpconn.State `json:"state"`
			Refused string        `json:"refused,omitempty"` // after the handshake
		}{address, offer, state, refused}, "", "  ")
		fmt.Fprintf(o.stdout, "%s\n", b)
		return errors.Join(err, marshalErr)
	}
	fmt.Fprintf(o.stdout, "%s offers\n", address)
	for _, line := range []struct {
		name   string
		values []string
	}{{"versions", offer.Versions}, {"groups", offer.Groups}, {"keys", offer.Keys}, {"protocols", offer.ALPN}} {
		fmt.Fprintf(o.stdout, "  %-10s %s\n", line.name, or(strings.Join(line.values, ", "), "none"))
	}
	if offer.ClientCertificate {
		fmt.Fprintf(o.stdout, "  and asks for a client's certificate\n")
	}
	fmt.Fprintln(o.stdout)
	o.report(o.stdout, state)
	if refused != "" {
		fmt.Fprintf(o.stdout, "  REFUSED by the server, after its own part of the handshake: %s\n", refused)
	}
	return err
}

// refusal returns why a server refuses a link, which in TLS 1.3 it does after the client's
// handshake, if it says so soon: its view of a client's certificate takes a round trip.
func refusal(link *mcpconn.Conn, timeout time.Duration) error {
	patience := max(250*time.Millisecond, 3*time.Duration(link.State().Timing.Total))
	link.SetReadDeadline(time.Now().Add(min(patience, timeout)))
	if _, err := link.Read(make([]byte, 1)); mcpconn.ReasonOf(err) == mcpconn.ReasonProtocol {
		return err
	}
	return nil
}

// An answer is what a server answered to one hello.
type answer struct {
	state   tls.ConnectionState
	asked   bool // for a client's certificate
	settled bool // on version and parameters, whatever came after
}

// ask finds out what a server takes, by handshakes that each offer one thing, all at the same
// time: one that is not answered, as where a middlebox drops what it does not know, holds up no
// other. The server must be there; each of the handshakes may fail.
func (o *options) ask(ctx context.Context, address, name string, cfg *mcpconn.Config) (*offered, error) {
	conn, err := (&net.Dialer{Timeout: o.timeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	conn.Close()
	var handshakes sync.WaitGroup
	ask := func(change func(*tls.Config)) *answer {
		a := &answer{}
		c := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			a.asked, a.settled = true, true
			return &tls.Certificate{}, nil
		}
		c.VerifyConnection = func(state tls.ConnectionState) error {
			a.state, a.settled = state, true
			return nil
		}
		change(c)
		handshakes.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, o.timeout)
			defer cancel()
			if conn, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", address); err == nil {
				conn.Close()
			}
		})
		return a
	}
	old := ask(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 })
	var groups, protocols []*answer
	for _, group := range probedGroups {
		groups = append(groups, ask(func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{group.id} }))
	}
	names := append(slices.Clone(probedProtocols), cfg.ALPN...)
	slices.Sort(names)
	names = slices.Compact(names)
	for _, protocol := range names {
		protocols = append(protocols, ask(func(c *tls.Config) { c.MinVersion, c.NextProtos = tls.VersionTLS12, []string{protocol} }))
	}
	handshakes.Wait()

	offer := &offered{Versions: []string{}, Groups: []string{}, Keys: []string{}}
	note := func(a *answer) bool {
		if !a.settled {
			return false
		}
		offer.ClientCertificate = offer.ClientCertificate || a.asked
		if len(offer.Keys) == 0 {
			for _, cert := range a.state.PeerCertificates {
				offer.Keys = append(offer.Keys, keyName(cert))
			}
		}
		return true
	}
	for i, a := range groups {
		if note(a) {
			offer.Groups = append(offer.Groups, probedGroups[i].name)
		}
	}
	if len(offer.Groups) > 0 {
		offer.Versions = append(offer.Versions, tls.VersionName(tls.VersionTLS13))
	}
	if note(old) {
		offer.Versions = append(offer.Versions, tls.VersionName(tls.VersionTLS12))
	}
	for i, a := range protocols {
		if note(a) && a.state.NegotiatedProtocol == names[i] {
			offer.ALPN = append(offer.ALPN, names[i])
		}
	}
	return offer, ctx.Err()
}

// keyName names the algorithm of a certificate's key.
func keyName(cert *x509.Certificate) string {
	key, err := hybrid.PublicKeyOf(cert)
	if err != nil {
		return "unknown"
	}
	switch key := key.(type) {
	case *mldsa.PublicKey:
		return key.Parameters().String()
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	}
	return cert.PublicKeyAlgorithm.String()
}
