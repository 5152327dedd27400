package pqcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
	"github.com/pqlane/pqlane/mlkem"
)

// An algorithm makes keys.
type algorithm struct {
	name     string
	generate func() (private crypto.PrivateKey, public crypto.PublicKey, err error)
}

func signatures() (list []algorithm) {
	for _, p := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
		list = append(list, signer(p.String(), func() (*mldsa.PrivateKey, error) { return mldsa.GenerateKey(p) }))
	}
	for _, a := range hybrid.SignatureAlgorithms() {
		list = append(list, signer(a.String(), func() (*hybrid.CompositePrivateKey, error) { return hybrid.GenerateCompositeKey(a) }))
	}
	// For links of mcpconn with Go 1.26, whose crypto/tls has no ML-DSA.
	return append(list, signer("ECDSA-P256", func() (*ecdsa.PrivateKey, error) {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}))
}

func kems() []algorithm {
	list := []algorithm{
		decapsulator("ML-KEM-512", mlkem.GenerateKey512),
		decapsulator("ML-KEM-768", mlkem.GenerateKey768),
		decapsulator("ML-KEM-1024", mlkem.GenerateKey1024),
		decapsulator("X-Wing", hybrid.GenerateXWingKey),
	}
	for _, a := range hybrid.KEMAlgorithms() {
		list = append(list, decapsulator(a.String(), func() (*hybrid.CompositeDecapsulationKey, error) {
			return hybrid.GenerateCompositeDecapsulationKey(a)
		}))
	}
	return list
}

func signer[S crypto.Signer](name string, generate func() (S, error)) algorithm {
	return algorithm{name, func() (crypto.PrivateKey, crypto.PublicKey, error) {
		key, err := generate()
		if err != nil {
			return nil, nil, err
		}
		return key, key.Public(), nil
	}}
}

func decapsulator[D crypto.Decapsulator](name string, generate func() (D, error)) algorithm {
	return algorithm{name, func() (crypto.PrivateKey, crypto.PublicKey, error) {
		key, err := generate()
		if err != nil {
			return nil, nil, err
		}
		return key, key.Encapsulator(), nil
	}}
}

func names(list []algorithm) (names []string) {
	for _, a := range list {
		names = append(names, a.name)
	}
	return names
}

func signatureNames() []string { return names(signatures()) }
func kemNames() []string       { return names(kems()) }

// named returns the algorithm with the given name, in upper or lower case.
func named(list []algorithm, name string) (algorithm, error) {
	for _, a := range list {
		if strings.EqualFold(a.name, name) {
			return a, nil
		}
	}
	return algorithm{}, fmt.Errorf("unknown algorithm %q, want one of %s", name, strings.Join(names(list), ", "))
}

// nameOf returns the name of a key's algorithm.
func nameOf(public crypto.PublicKey) string {
	switch public := public.(type) {
	case *mldsa.PublicKey:
		return public.Parameters().String()
	case *hybrid.CompositePublicKey:
		return public.Algorithm().String()
	case *ecdsa.PublicKey:
		return "ECDSA-P256"
	case *mlkem.EncapsulationKey512:
		return "ML-KEM-512"
	case *mlkem.EncapsulationKey768:
		return "ML-KEM-768"
	case *mlkem.EncapsulationKey1024:
		return "ML-KEM-1024"
	case *hybrid.XWingEncapsulationKey:
		return "X-Wing"
	case *hybrid.CompositeEncapsulationKey:
		return public.Algorithm().String()
	}
	return fmt.Sprintf("%T", public)
}
