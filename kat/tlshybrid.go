package main

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	stdhash "hash"
	"io/fs"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/hybrid/hybridtest"
)

const (
	tlsComposedFile = "tls-hybrid/composed.json"
	tlsS2NFile      = "tls-hybrid/s2n_hybrid_shared_secret.json"
)

func tlsHybridEntries() []entry {
	return []entry{
		{"composed", tlsComposedFile, tlsComposed},
		{"s2n-tls", tlsS2NFile, tlsS2N},
	}
}

// groupNamed returns the group with the registry's name for it.
func groupNamed(name string) (hybrid.Group, error) {
	for _, g := range hybrid.Groups() {
		if g.String() == name {
			return g, nil
		}
	}
	return 0, fmt.Errorf("unknown group %q", name)
}

// classicalCurves are the curves of the groups that the files have.
var classicalCurves = map[hybrid.Group]ecdh.Curve{
	hybrid.X25519MLKEM768:     ecdh.X25519(),
	hybrid.SecP256r1MLKEM768:  ecdh.P256(),
	hybrid.SecP384r1MLKEM1024: ecdh.P384(),
}

// groupTests reads the objects of the named list, each of which names a group with two
// parts, and calls add for each.
func groupTests(fsys fs.FS, co *collector, list string, add func(g hybrid.Group, t fields) error) error {
	data, err := readFile(fsys, co.file)
	if err != nil {
		return err
	}
	var file fields
	if err := json.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("%s: %w", co.file, err)
	}
	tests, err := file.objects(list)
	if err != nil {
		return fmt.Errorf("%s: %w", co.file, err)
	}
	for i, t := range tests {
		name, err := t.text("group")
		if err != nil {
			return fmt.Errorf("%s: test %d: %w", co.file, i, err)
		}
		g, err := groupNamed(name)
		if err == nil && classicalCurves[g] == nil {
			err = fmt.Errorf("%v is no hybrid group", g)
		}
		if err == nil {
			err = add(g, t)
		}
		if err != nil {
			return fmt.Errorf("%s: test %d: %w", co.file, i, err)
		}
	}
	return nil
}

// tlsComposed loads whole exchanges: both keys and the randomness, both shares and the
// secret.
func tlsComposed(fsys fs.FS, co *collector) error {
	co.file = tlsComposedFile
	n := 0
	return groupTests(fsys, co, "tests", func(g hybrid.Group, t fields) error {
		in, err := t.inputs("mlkem_d", "mlkem_z", "mlkem_m", "client_ec_private", "server_ec_private",
			"client_share", "server_share", "shared_secret")
		if err != nil {
			return err
		}
		n++
		co.add(g.String(), "key exchange", testCase{id: fmt.Sprintf("test %d", n), run: func() error {
			clientKey, err := classicalCurves[g].NewPrivateKey(in["client_ec_private"])
			if err != nil {
				return err
			}
			serverKey, err := classicalCurves[g].NewPrivateKey(in["server_ec_private"])
			if err != nil {
				return err
			}
			e, clientShare, err := hybridtest.GenerateShare(g, clientKey, append(bytes.Clone(in["mlkem_d"]), in["mlkem_z"]...))
			if err != nil {
				return err
			}
			serverShare, serverSecret, err := hybridtest.Accept(g, in["client_share"], serverKey, in["mlkem_m"])
			if err != nil {
				return err
			}
			clientSecret, err := e.Finish(in["server_share"])
			if err != nil {
				return err
			}
			return compare(
				values{"client share": clientShare, "server share": serverShare, "client's secret": clientSecret, "server's secret": serverSecret},
				values{"client share": in["client_share"], "server share": in["server_share"], "client's secret": in["shared_secret"], "server's secret": in["shared_secret"]})
		}})
		return nil
	})
}

// A tlsSuite is a cipher suite of TLS 1.3, as far as the key schedule goes.
type tlsSuite struct {
	name string
	hash func() stdhash.Hash
}

var tlsSuites = []tlsSuite{
	{"TLS_AES_128_GCM_SHA256", sha256.New},
	{"TLS_AES_256_GCM_SHA384", sha512.New384},
}

// tlsS2N loads exchanges of which the keys on the curve and the ML-KEM shared key are
// known. A case is one group with one suite, whose traffic secrets follow from the secret.
func tlsS2N(fsys fs.FS, co *collector) error {
	co.file = tlsS2NFile
	return groupTests(fsys, co, "groups", func(g hybrid.Group, t fields) error {
		id, err := t.integer("codepoint")
		if err != nil {
			return err
		}
		if id != int(g.ID()) {
			return fmt.Errorf("%v has number %#04x, here %#04x", g, g.ID(), id)
		}
		clientKey, err := t.privateKey("client_ecc_private_key_pem")
		if err != nil {
			return err
		}
		serverKey, err := t.privateKey("server_ecc_private_key_pem")
		if err != nil {
			return err
		}
		in, err := t.inputs("mlkem_shared_secret", "hybrid_secret")
		if err != nil {
			return err
		}
		for _, suite := range tlsSuites {
			var secrets fields
			if err := t.read(suite.name, &secrets); err != nil {
				return err
			}
			traffic, err := secrets.inputs("client_handshake_traffic_secret", "server_handshake_traffic_secret")
			if err != nil {
				return fmt.Errorf("%s: %w", suite.name, err)
			}
			co.add(g.String(), "secret", testCase{id: suite.name, run: func() error {
				asServer, err := s2nSecret(g, serverKey, clientKey, in["mlkem_shared_secret"])
				if err != nil {
					return err
				}
				asClient, err := s2nSecret(g, clientKey, serverKey, in["mlkem_shared_secret"])
				if err != nil {
					return err
				}
				clientTraffic, err := suite.trafficSecret(asServer, "c hs traffic")
				if err != nil {
					return err
				}
				serverTraffic, err := suite.trafficSecret(asServer, "s hs traffic")
				if err != nil {
					return err
				}
				return compare(
					values{"secret": asServer, "client's": asClient, "client traffic": clientTraffic, "server traffic": serverTraffic},
					values{"secret": in["hybrid_secret"], "client's": in["hybrid_secret"],
						"client traffic": traffic["client_handshake_traffic_secret"],
						"server traffic": traffic["server_handshake_traffic_secret"]})
			}})
		}
		return nil
	})
}

// privateKey returns the named key on a curve, in PEM, which may follow its parameters.
func (f fields) privateKey(name string) (*ecdh.PrivateKey, error) {
	text, err := f.text(name)
	if err != nil {
		return nil, err
	}
	for rest := []byte(text); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			return nil, fmt.Errorf("%s: no private key", name)
		}
		switch block.Type {
		case "PRIVATE KEY":
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			private, ok := key.(*ecdh.PrivateKey)
			if !ok {
				return nil, fmt.Errorf("%s: a %T", name, key)
			}
			return private, nil
		case "EC PRIVATE KEY":
			key, err := x509.ParseECPrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return key.ECDH()
		}
	}
}

// s2nSecret returns the secret of the side that has own, with an ML-KEM key of no account.
func s2nSecret(g hybrid.Group, own, peer *ecdh.PrivateKey, mlkemSecret []byte) ([]byte, error) {
	e, share, err := hybridtest.GenerateShare(g, peer, make([]byte, 64))
	if err != nil {
		return nil, err
	}
	e.Destroy()
	_, secret, err := hybridtest.AcceptSharedKey(g, share, own, mlkemSecret)
	return secret, err
}

// trafficSecret returns the handshake traffic secret with the given label for a transcript
// that is the vectors' literal text (RFC 8446, Section 7.1, without a PSK).
func (s tlsSuite) trafficSecret(secret []byte, label string) ([]byte, error) {
	zeros := make([]byte, s.hash().Size())
	early, err := hkdf.Extract(s.hash, zeros, nil)
	if err != nil {
		return nil, err
	}
	derived, err := s.deriveSecret(early, "derived", "")
	if err != nil {
		return nil, err
	}
	handshake, err := hkdf.Extract(s.hash, secret, derived)
	if err != nil {
		return nil, err
	}
	return s.deriveSecret(handshake, label, "client_hello || server_hello")
}

// deriveSecret is Derive-Secret (RFC 8446, Section 7.1).
func (s tlsSuite) deriveSecret(secret []byte, label, transcript string) ([]byte, error) {
	h := s.hash()
	h.Write([]byte(transcript))
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(h.Size()))
	info = append(append(info, byte(len(label))), label...)
	info = h.Sum(append(info, byte(h.Size())))
	return hkdf.Expand(s.hash, secret, string(info), h.Size())
}

// errAccepted is an input that should have been refused.
var errAccepted = errors.New("accepted, but invalid")
