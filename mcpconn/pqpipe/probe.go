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
	"strings"
	"sync"

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

var probedGroups = []tls.CurveID{
	tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024, tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521,
}

var probedProtocols = []string{"h2", "http/1.1"}

// probe shows what a server offers, and how a link to it is.
func probe(ctx context.Context, o *options) error {
	address, err := o.address()
	if err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", err, errUsage)
	}
	if o.trust == "" && !o.pinsAlone {
		o.trust = "system"
	}
	cfg, err := o.config()
	if err != nil {
		return err
	}
	name := or(o.name, host)
	offer, err := o.ask(ctx, address, name, cfg)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var state mcpconn.State
	cfg.Observer = func(s mcpconn.State, err error) {
		mu.Lock()
		defer mu.Unlock()
		state = s
	}
	link, err := mcpconn.Dial(ctx, "tcp", address, cfg)
	if err == nil {
		state = link.State()
		link.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	if o.json {
		b, marshalErr := json.MarshalIndent(struct {
			Address string        `json:"address"`
			Offers  *offered      `json:"offers"`
			State   mcpconn.State `json:"state"`
		}{address, offer, state}, "", "  ")
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
	return err
}

// ask finds out what a server takes, by handshakes that each offer one thing. The first, which
// offers all, must reach the server; each of the others may fail.
func (o *options) ask(ctx context.Context, address, name string, cfg *mcpconn.Config) (*offered, error) {
	offer := &offered{}
	ask := func(change func(*tls.Config)) (tls.ConnectionState, error) {
		c := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			offer.ClientCertificate = true
			return &tls.Certificate{}, nil
		}
		change(c)
		ctx, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		conn, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", address)
		if err != nil {
			return tls.ConnectionState{}, err
		}
		defer conn.Close()
		return conn.(*tls.Conn).ConnectionState(), nil
	}
	conn, err := (&net.Dialer{Timeout: o.timeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	conn.Close()
	for _, version := range []uint16{tls.VersionTLS13, tls.VersionTLS12} {
		state, err := ask(func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version })
		if err != nil {
			continue
		}
		offer.Versions = append(offer.Versions, tls.VersionName(version))
		if offer.Keys == nil {
			for _, cert := range state.PeerCertificates {
				offer.Keys = append(offer.Keys, keyName(cert))
			}
		}
	}
	for _, group := range probedGroups {
		if _, err := ask(func(c *tls.Config) {
			c.MinVersion, c.CurvePreferences = tls.VersionTLS13, []tls.CurveID{group}
		}); err == nil {
			offer.Groups = append(offer.Groups, group.String())
		}
	}
	for _, protocol := range probedProtocols {
		state, err := ask(func(c *tls.Config) { c.NextProtos = []string{protocol} })
		if err == nil && state.NegotiatedProtocol == protocol {
			offer.ALPN = append(offer.ALPN, protocol)
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
		return fmt.Sprintf("RSA-%d", key.N.BitLen())
	}
	return cert.PublicKeyAlgorithm.String()
}
