package main

import (
	"errors"
	"fmt"

	"github.com/pqlane/pqlane/mldsa"
)

func acvpDSA(in fields) (dsa, error) {
	name, err := in.text("parameterSet")
	if err != nil {
		return dsa{}, err
	}
	return dsaNamed(name)
}

func acvpMLDSAKeyGen(in fields) (values, error) {
	d, err := acvpDSA(in)
	if err != nil {
		return nil, err
	}
	seed, err := in.bytes("seed")
	if err != nil {
		return nil, err
	}
	sk, err := d.fromSeed(seed)
	if err != nil {
		return nil, err
	}
	return values{"pk": sk.PublicKey().Bytes(), "sk": sk.ExpandedBytes()}, nil
}

func acvpMLDSASigGen(in fields) (values, error) {
	sk, err := acvpSigningKey(in)
	if err != nil {
		return nil, err
	}
	m, err := acvpMessage(in)
	if err != nil {
		return nil, err
	}
	deterministic, err := in.boolean("deterministic")
	if err != nil {
		return nil, err
	}
	var rnd []byte
	if !deterministic {
		if rnd, err = in.bytes("rnd"); err != nil {
			return nil, err
		}
	}
	signature, err := signMessage(sk, m, rnd)
	return values{"signature": signature}, err
}

func acvpMLDSASigVer(in fields) (values, error) {
	d, err := acvpDSA(in)
	if err != nil {
		return nil, err
	}
	b, err := in.inputs("pk", "signature")
	if err != nil {
		return nil, err
	}
	pk, err := d.publicKey(b["pk"])
	if err != nil {
		return nil, err
	}
	m, err := acvpMessage(in)
	if err != nil {
		return nil, err
	}
	err = verifyMessage(pk, m, b["signature"])
	if err != nil && (errors.Is(err, errInconsistent) || !errors.Is(err, mldsa.ErrInvalidSignature)) {
		return nil, err
	}
	return values{"testPassed": err == nil}, nil
}

// acvpSigningKey returns the private key of a case in the format that it has.
func acvpSigningKey(in fields) (*mldsa.PrivateKey, error) {
	d, err := acvpDSA(in)
	if err != nil {
		return nil, err
	}
	format, err := in.text("keyFormat")
	if err != nil {
		return nil, err
	}
	switch format {
	case "seed":
		seed, err := in.bytes("seed")
		if err != nil {
			return nil, err
		}
		return d.fromSeed(seed)
	case "", "expanded":
		sk, err := in.bytes("sk")
		if err != nil {
			return nil, err
		}
		return d.fromExpanded(sk)
	}
	return nil, fmt.Errorf("unknown keyFormat %q", format)
}

// acvpMessageForm returns the form of a case's message. Sets made before there was a
// signatureInterface have messages that are formatted already.
func acvpMessageForm(in fields) (messageForm, error) {
	signatureInterface, err := in.text("signatureInterface")
	if err != nil {
		return 0, err
	}
	switch signatureInterface {
	case "":
		return internalMessage, nil
	case "internal":
		externalMu, err := in.boolean("externalMu")
		if err == nil && externalMu {
			return externalMuMessage, nil
		}
		return internalMessage, err
	case "external":
		preHash, err := in.text("preHash")
		if err != nil {
			return 0, err
		}
		switch preHash {
		case "pure":
			return pureMessage, nil
		case "preHash":
			return preHashMessage, nil
		}
		return 0, fmt.Errorf("unknown preHash %q", preHash)
	}
	return 0, fmt.Errorf("unknown signatureInterface %q", signatureInterface)
}

func acvpMessage(in fields) (m message, err error) {
	if m.form, err = acvpMessageForm(in); err != nil {
		return m, err
	}
	body := "message"
	switch m.form {
	case externalMuMessage:
		body = "mu"
	case preHashMessage:
		name, err := in.text("hashAlg")
		if err != nil {
			return m, err
		}
		if m.hash, err = preHashNamed(name); err != nil {
			return m, err
		}
		fallthrough
	case pureMessage:
		if m.context, err = in.bytes("context"); err != nil {
			return m, err
		}
	}
	m.body, err = in.bytes(body)
	return m, err
}
