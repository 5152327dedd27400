package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pqlane/pqlane/hybrid"
	"github.com/pqlane/pqlane/mldsa"
)

// Composite signatures and KEMs of the drafts' test vectors. Rows of algorithms that package
// hybrid leaves out (brainpool curves, Ed448, X448) and those of ML-DSA and ML-KEM alone,
// which other sources have, are not run; their names are known, so that a row of another
// name is an error.

const (
	compositeSignatureFile = "composite-sigs/testvectors.json"
	compositeKEMFile       = "composite-kem/testvectors.json"
)

func compositeEntries() []entry {
	return []entry{
		{"LAMPS composite-sigs", compositeSignatureFile, compositeSignatures},
		{"LAMPS composite-kem", compositeKEMFile, compositeKEMs},
	}
}

// notComposed are the rows that are not run.
var notComposed = map[string]bool{
	"id-ML-DSA-44": true, "id-ML-DSA-65": true, "id-ML-DSA-87": true,
	"id-MLDSA65-ECDSA-brainpoolP256r1-SHA512": true,
	"id-MLDSA87-ECDSA-brainpoolP384r1-SHA512": true,
	"id-MLDSA87-Ed448-SHAKE256":               true,

	"id-alg-ml-kem-768": true, "id-alg-ml-kem-1024": true,
	"id-MLKEM768-ECDH-brainpoolP256r1-SHA3-256":  true,
	"id-MLKEM1024-ECDH-brainpoolP384r1-SHA3-256": true,
	"id-MLKEM1024-X448-SHA3-256":                 true,
}

// compositeRows reads the named file: its values in base64 of the given names, and each row
// of an algorithm among those named, which all have to be there. add is told the algorithm's
// index.
func compositeRows(fsys fs.FS, name string, values []string, algorithms []string, rowValues []string,
	add func(i int, file, row map[string][]byte),
) error {
	data, err := readFile(fsys, name)
	if err != nil {
		return err
	}
	var file fields
	if err := json.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	shared, err := file.base64(values)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	rows, err := file.objects("tests")
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	index := make(map[string]int) // of those to come
	for i, a := range algorithms {
		index["id-"+a] = i
	}
	for n, row := range rows {
		id, err := row.text("tcId")
		if err != nil {
			return fmt.Errorf("%s: test %d: %w", name, n, err)
		}
		i, ok := index[id]
		if !ok && !notComposed[id] {
			return fmt.Errorf("%s: test %d: unknown algorithm %q, or one of another test", name, n, id)
		}
		if !ok {
			continue
		}
		delete(index, id)
		in, err := row.base64(rowValues)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, id, err)
		}
		add(i, shared, in)
	}
	for _, a := range algorithms {
		if _, ok := index["id-"+a]; ok {
			return fmt.Errorf("%s: no test of %s", name, a)
		}
	}
	return nil
}

// base64 decodes several values in base64, which have to be there and not empty.
func (f fields) base64(names []string) (map[string][]byte, error) {
	in := make(map[string][]byte, len(names))
	for _, name := range names {
		var b []byte
		if err := f.read(name, &b); err != nil {
			return nil, err
		}
		if len(b) == 0 {
			return nil, fmt.Errorf("%s: %w", name, errEmpty)
		}
		in[name] = b
	}
	return in, nil
}

func compositeSignatures(fsys fs.FS, co *collector) error {
	co.file = compositeSignatureFile
	algorithms := hybrid.SignatureAlgorithms()
	var names []string
	for _, a := range algorithms {
		names = append(names, a.String())
	}
	return compositeRows(fsys, co.file, []string{"m", "ctx"}, names,
		[]string{"pk", "x5c", "sk", "sk_pkcs8", "s", "sWithContext"},
		func(i int, file, row map[string][]byte) {
			a := compositeSignature{algorithms[i], file["m"], &mldsa.Options{Context: string(file["ctx"])}}
			add := func(what string, run func() error) {
				co.add(a.String(), "composite signature", testCase{id: what, run: run})
			}
			add("signature", func() error { return a.verify(row["pk"], row["s"], nil, a.context) })
			add("signature, context", func() error { return a.verify(row["pk"], row["sWithContext"], a.context, nil) })
			add("certificate", func() error { return a.certificate(row["x5c"], row["pk"]) })
			add("private key", func() error {
				sk, err := hybrid.NewCompositePrivateKey(a.SignatureAlgorithm, row["sk"])
				if err != nil {
					return err
				}
				return a.private(sk, row)
			})
			add("private key, PKCS#8", func() error {
				sk, err := hybrid.ParseCompositePrivateKey(row["sk_pkcs8"])
				if err != nil {
					return err
				}
				return a.private(sk, row)
			})
		})
}

// A compositeSignature is an algorithm with what the file's signatures are of.
type compositeSignature struct {
	hybrid.SignatureAlgorithm
	message []byte
	context *mldsa.Options
}

// verify verifies a signature with the right context and with a wrong one.
func (a compositeSignature) verify(public, signature []byte, context, wrong *mldsa.Options) error {
	pk, err := hybrid.NewCompositePublicKey(a.SignatureAlgorithm, public)
	if err != nil {
		return err
	}
	if !bytes.Equal(pk.Bytes(), public) {
		return errRoundTrip
	}
	err = hybrid.VerifyComposite(pk, a.message, signature, context)
	if again := pk.Precompute().Verify(a.message, signature, context); again != err {
		return fmt.Errorf("%w: VerifyComposite: %v, but CompositeVerifier.Verify: %v", errInconsistent, err, again)
	}
	if err != nil {
		return err
	}
	if err := hybrid.VerifyComposite(pk, a.message, signature, wrong); !errors.Is(err, hybrid.ErrInvalidSignature) {
		return fmt.Errorf("with another context: %v", err)
	}
	return nil
}

// certificate checks a certificate of the public key that it is signed with.
func (a compositeSignature) certificate(der, public []byte) error {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	pk, err := hybrid.ParseCompositePublicKey(cert.RawSubjectPublicKeyInfo)
	if err != nil {
		return err
	}
	if pk.Algorithm() != a.SignatureAlgorithm {
		return fmt.Errorf("a key of %v", pk.Algorithm())
	}
	again, err := pk.MarshalPKIX()
	if err != nil {
		return err
	}
	if !bytes.Equal(again, cert.RawSubjectPublicKeyInfo) {
		return errRoundTrip
	}
	if !bytes.Equal(pk.Bytes(), public) {
		return errors.New("a key other than the test's")
	}
	return hybrid.VerifyComposite(pk, cert.RawTBSCertificate, cert.Signature, nil)
}

// private checks that sk is the row's, encodes as the row says, and signs.
func (a compositeSignature) private(sk *hybrid.CompositePrivateKey, row map[string][]byte) error {
	pkcs8, err := sk.MarshalPKCS8()
	if err != nil {
		return err
	}
	if err := compare(
		values{"pk": sk.PublicKey().Bytes(), "sk": sk.Bytes(), "sk_pkcs8": pkcs8},
		values{"pk": row["pk"], "sk": row["sk"], "sk_pkcs8": row["sk_pkcs8"]}); err != nil {
		return err
	}
	signature, err := sk.Sign(nil, a.message, a.context)
	if err != nil {
		return err
	}
	if err := a.verify(row["pk"], signature, a.context, nil); err != nil {
		return fmt.Errorf("%w: the signature: %w", errInconsistent, err)
	}
	return nil
}

func compositeKEMs(fsys fs.FS, co *collector) error {
	co.file = compositeKEMFile
	algorithms := hybrid.KEMAlgorithms()
	var names []string
	for _, a := range algorithms {
		names = append(names, a.String())
	}
	return compositeRows(fsys, co.file, []string{"cacert"}, names,
		[]string{"ek", "x5c", "dk", "dk_pkcs8", "c", "k"},
		func(i int, file, row map[string][]byte) {
			a := algorithms[i]
			add := func(what string, run func() error) {
				co.add(a.String(), "composite KEM", testCase{id: what, run: run})
			}
			add("decapsulation", func() error {
				dk, err := hybrid.NewCompositeDecapsulationKey(a, row["dk"])
				if err != nil {
					return err
				}
				return decapsulates(dk, row)
			})
			add("decapsulation, PKCS#8", func() error {
				dk, err := hybrid.ParseCompositeDecapsulationKey(row["dk_pkcs8"])
				if err != nil {
					return err
				}
				return decapsulates(dk, row)
			})
			add("certificate", func() error { return kemCertificate(a, file["cacert"], row) })
		})
}

// decapsulates checks that dk is the row's, encodes as the row says, and decapsulates the
// row's ciphertext and one of its own.
func decapsulates(dk *hybrid.CompositeDecapsulationKey, row map[string][]byte) error {
	pkcs8, err := dk.MarshalPKCS8()
	if err != nil {
		return err
	}
	sharedKey, err := dk.Decapsulate(row["c"])
	if err != nil {
		return err
	}
	ek, err := hybrid.NewCompositeEncapsulationKey(dk.Algorithm(), row["ek"])
	if err != nil {
		return err
	}
	fresh, ciphertext := ek.Encapsulate()
	again, err := dk.Decapsulate(ciphertext)
	if err != nil {
		return err
	}
	return compare(
		values{"ek": dk.EncapsulationKey().Bytes(), "dk": dk.Bytes(), "dk_pkcs8": pkcs8, "k": sharedKey, "fresh k": again},
		values{"ek": row["ek"], "dk": row["dk"], "dk_pkcs8": row["dk_pkcs8"], "k": row["k"], "fresh k": fresh})
}

// kemCertificate checks the certificate of the row's encapsulation key, which an ML-DSA-65
// key has signed.
func kemCertificate(a hybrid.KEMAlgorithm, ca []byte, row map[string][]byte) error {
	issuer, err := x509.ParseCertificate(ca)
	if err != nil {
		return fmt.Errorf("cacert: %w", err)
	}
	pk, err := mldsa.ParsePKIXPublicKey(issuer.RawSubjectPublicKeyInfo)
	if err != nil {
		return fmt.Errorf("cacert: %w", err)
	}
	cert, err := x509.ParseCertificate(row["x5c"])
	if err != nil {
		return err
	}
	if err := mldsa.Verify(pk, cert.RawTBSCertificate, cert.Signature, nil); err != nil {
		return err
	}
	ek, err := hybrid.ParseCompositeEncapsulationKey(cert.RawSubjectPublicKeyInfo)
	if err != nil {
		return err
	}
	if ek.Algorithm() != a {
		return fmt.Errorf("a key of %v", ek.Algorithm())
	}
	again, err := ek.MarshalPKIX()
	if err != nil {
		return err
	}
	return compare(values{"ek": ek.Bytes(), "PKIX": again},
		values{"ek": row["ek"], "PKIX": cert.RawSubjectPublicKeyInfo})
}
