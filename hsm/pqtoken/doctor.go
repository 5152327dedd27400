package main

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pqlane/pqlane/hsm"
	"github.com/pqlane/pqlane/mldsa"
)

// doctorLabel is that of the keys that doctor makes, and deletes.
const doctorLabel = "pqtoken doctor"

var errDoctor = errors.New("not all that the token claims works")

func doctor(in *invocation) func(context.Context) error {
	return func(ctx context.Context) error {
		c := in.token.Capabilities()
		d := &examination{token: in.token, claims: c, table: tabwriter.NewWriter(in.stdout, 0, 0, 2, ' ', 0)}
		fmt.Fprintln(d.table, "ALGORITHM\tOPERATION\tRESULT\tTIME")
		for _, a := range hsm.Algorithms() {
			d.algorithm(ctx, a, slices.Contains(c.Generate, a), slices.Contains(c.Algorithms, a))
		}
		if err := d.table.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(in.stdout, "%d operations work, %d fail, %d are not claimed\n", d.works, d.fails, d.absent)
		if d.fails > 0 {
			return errDoctor
		}
		return ctx.Err()
	}
}

// An examination tries operations and keeps score.
type examination struct {
	token                *hsm.Token
	claims               hsm.Capabilities
	table                *tabwriter.Writer
	works, fails, absent int
}

// try adds a row for an operation.
func (d *examination) try(a hsm.Algorithm, operation string, f func() error) bool {
	start := time.Now()
	err := f()
	elapsed := time.Since(start).Round(10 * time.Microsecond)
	if err != nil {
		d.fails++
		fmt.Fprintf(d.table, "%s\t%s\tFAILS: %s\t%v\n", a, operation, oneLine(err), elapsed)
		return false
	}
	d.works++
	fmt.Fprintf(d.table, "%s\t%s\tworks\t%v\n", a, operation, elapsed)
	return true
}

func (d *examination) notClaimed(a hsm.Algorithm, operation string) {
	d.absent++
	fmt.Fprintf(d.table, "%s\t%s\tnot claimed\t\n", a, operation)
}

func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "hsm: ")), " ")
}

// algorithm tries what the token claims of an algorithm, with a key that it makes and deletes.
func (d *examination) algorithm(ctx context.Context, a hsm.Algorithm, generates, uses bool) {
	if !generates {
		d.notClaimed(a, "generate")
		return
	}
	var key hsm.KeyInfo
	made := d.try(a, "generate", func() (err error) {
		key, err = d.token.Generate(ctx, a, hsm.GenerateOptions{Label: doctorLabel})
		return err
	})
	if !made {
		return
	}
	defer d.try(a, "delete", func() error {
		// The key must go even if the examination is interrupted.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return d.token.Delete(ctx, key.Key(), key.ID)
	})
	switch {
	case !uses:
		d.notClaimed(a, "use")
	case a.IsMLKEM():
		d.decapsulate(ctx, a, key)
	default:
		d.sign(ctx, a, key)
	}
}

func (d *examination) decapsulate(ctx context.Context, a hsm.Algorithm, key hsm.KeyInfo) {
	var dk *hsm.Decapsulator
	if !d.try(a, "open", func() (err error) {
		dk, err = d.token.Decapsulator(ctx, key.Key())
		return err
	}) {
		return
	}
	same := func(ciphertext, want []byte) (bool, error) {
		got, err := dk.DecapsulateContext(ctx, ciphertext)
		return bytes.Equal(got, want), err
	}
	shared, ciphertext := dk.Encapsulator().Encapsulate()
	d.try(a, "decapsulate", func() error {
		if ok, err := same(ciphertext, shared); err != nil || !ok {
			return errors.Join(err, errors.New("another shared key"))
		}
		return nil
	})
	d.try(a, "implicit rejection", func() error {
		damaged := bytes.Clone(ciphertext)
		damaged[0] ^= 1
		if ok, err := same(damaged, shared); err != nil || ok {
			return errors.Join(err, errors.New("a damaged ciphertext gives the shared key"))
		}
		return nil
	})
}

func (d *examination) sign(ctx context.Context, a hsm.Algorithm, key hsm.KeyInfo) {
	var signer *hsm.Signer
	if !d.try(a, "open", func() (err error) {
		signer, err = d.token.Signer(ctx, key.Key())
		return err
	}) {
		return
	}
	message := []byte("pqtoken doctor signs this.")
	signed := func(opts crypto.SignerOpts, contextString string) error {
		signature, err := signer.SignContext(ctx, message, opts)
		if err != nil {
			return err
		}
		return verified(signer.Public(), message, signature, &mldsa.Options{Context: contextString})
	}
	if !a.IsMLDSA() {
		d.try(a, "sign", func() error { return signed(classicalOptions(signer.Public()), "") })
		return
	}
	long := strings.Repeat("c", 255)
	d.try(a, "sign hedged", func() error { return signed(&hsm.SignOptions{}, "") })
	d.try(a, "sign with a context", func() error { return signed(&hsm.SignOptions{Context: long}, long) })
	d.try(a, "sign deterministic", func() error { return signed(&hsm.SignOptions{Hedge: hsm.Deterministic}, "") })
	d.try(a, "signatures are hedged", func() error {
		one, err := signer.SignContext(ctx, message, &hsm.SignOptions{})
		if err != nil {
			return err
		}
		two, err := signer.SignContext(ctx, message, &hsm.SignOptions{})
		if err == nil && bytes.Equal(one, two) {
			err = errors.New("two hedged signatures are equal")
		}
		return err
	})
	if !d.claims.PreHash && len(d.claims.TokenHash) == 0 {
		d.notClaimed(a, "HashML-DSA")
	}
	for h := mldsa.SHA224; h <= mldsa.SHAKE256; h++ {
		if !d.claims.PreHash && !slices.Contains(d.claims.TokenHash, h.String()) {
			continue
		}
		d.try(a, "HashML-DSA with "+h.String(), func() error {
			_, err := signer.SignContext(ctx, message, &hsm.SignOptions{PreHash: h})
			return err
		})
	}
	if !d.claims.Mu {
		d.notClaimed(a, "external μ")
	}
}
