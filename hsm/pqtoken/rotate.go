package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pqlane/pqlane/hsm"
)

func rotate(in *invocation) func(context.Context) error {
	alg := in.flags.String("alg", "ML-DSA-65", "`algorithm` of the keys")
	at := in.flags.String("at", "", "`time` at which the successor's use begins: RFC 3339, or a duration from now (default now)")
	grace := in.flags.Duration("grace", 24*time.Hour, "how long the predecessor stays usable after that")
	folder := in.flags.String("publish", ".", "write the successor's public key to this `folder`, as LABEL-ID.pem")
	remove := in.flags.Bool("delete", false, "delete retired keys, not only disable them")
	resume := in.flags.Bool("resume", false, "make no successor; do what is due of the rotations that were begun")
	return func(ctx context.Context) error {
		a, err := algorithmByName(*alg)
		if err != nil {
			return err
		}
		if in.key.Label == "" {
			return errUsage("no -label")
		}
		begins, err := parseTime(*at)
		if err != nil {
			return err
		}
		r, err := in.token.NewRotator(ctx, hsm.RotatorConfig{
			Label: in.key.Label, Algorithm: a, Grace: *grace, Delete: *remove,
			Publish: func(_ context.Context, key hsm.KeyInfo) error { return in.publish(*folder, key) },
		})
		if err != nil {
			return err
		}
		if !*resume {
			key, err := r.Rotate(ctx, begins)
			if err != nil {
				return err
			}
			fmt.Fprintf(in.stdout, "successor  %x, from %s\n", key.ID, begins.UTC().Format(time.RFC3339))
		}
		next, err := r.Step(ctx)
		if err != nil {
			return err
		}
		if next.IsZero() {
			fmt.Fprintln(in.stdout, "done")
		} else {
			fmt.Fprintf(in.stdout, "next       rotate -resume at %s\n", next.UTC().Format(time.RFC3339))
		}
		return nil
	}
}

// parseTime returns a time that is given as such or as a duration from now.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Now(), nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return time.Now().Add(d), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, errUsage(fmt.Sprintf("-at %s is no time or duration", s))
	}
	return t, nil
}

// publish writes a public key to a folder. It may be there already.
func (in *invocation) publish(folder string, key hsm.KeyInfo) error {
	public, err := publicPEM(key.Public)
	if err != nil {
		return err
	}
	name := filepath.Join(folder, filepath.Base(key.Label)+"-"+hex.EncodeToString(key.ID)+".pem")
	switch err := in.writeNew(name, public); {
	case err == nil:
		fmt.Fprintf(in.stdout, "published  %s\n", name)
		return nil
	case !errors.Is(err, os.ErrExist):
		return err
	}
	if have, err := os.ReadFile(name); err != nil || !bytes.Equal(have, public) {
		return fmt.Errorf("%s is another key", name)
	}
	return nil
}
