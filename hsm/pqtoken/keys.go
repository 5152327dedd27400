package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/pqlane/pqlane/hsm"
)

func info(in *invocation) func(context.Context) error {
	return func(ctx context.Context) error {
		t, err := in.token.Info(ctx)
		if err != nil {
			return err
		}
		c := in.token.Capabilities()
		w := tabwriter.NewWriter(in.stdout, 0, 0, 2, ' ', 0)
		row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
		row("module", "%s, interface %s", t.Module, version(c.Interface))
		row("token", "%q in slot %d, serial %q", t.Label, t.Slot, t.Serial)
		row("made by", "%s, model %s, hardware %s, firmware %s", t.Manufacturer, t.Model, version(t.Hardware), version(t.Firmware))
		row("PIN", "%s", pinState(t))
		row("sessions", "%d of %s", t.Sessions, count(t.MaxSessions))
		row("uses", "%s", algorithms(c.Algorithms))
		row("generates", "%s", algorithms(c.Generate))
		row("HashML-DSA", "%s", preHash(c))
		row("external μ", "%s", yes(c.Mu))
		return w.Flush()
	}
}

func version(v hsm.Version) string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

func pinState(t hsm.TokenInfo) string {
	switch {
	case t.PINLocked:
		return "locked"
	case t.PINFinalTry:
		return "the next wrong one locks the token"
	case t.PINCountLow:
		return "a wrong one was tried"
	case !t.LoginRequired:
		return "not required"
	}
	return "required"
}

func count(n uint) string {
	if n == 0 {
		return "an unknown number, or any"
	}
	return fmt.Sprint(n)
}

func algorithms(list []hsm.Algorithm) string {
	if len(list) == 0 {
		return "none that are known here"
	}
	var names []string
	for _, a := range list {
		names = append(names, a.String())
	}
	return strings.Join(names, ", ")
}

func preHash(c hsm.Capabilities) string {
	var parts []string
	if c.PreHash {
		parts = append(parts, "of digests")
	}
	if len(c.TokenHash) > 0 {
		parts = append(parts, "with "+strings.Join(c.TokenHash, ", "))
	}
	if parts == nil {
		return "no"
	}
	return strings.Join(parts, "; ")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func list(in *invocation) func(context.Context) error {
	return func(ctx context.Context) error {
		keys, err := in.token.Keys(ctx, in.key)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(in.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ALGORITHM\tLABEL\tID\tATTRIBUTES")
		for _, k := range keys {
			fmt.Fprintf(w, "%s\t%q\t%x\t%s\n", k.Algorithm, k.Label, k.ID, attributes(&k))
		}
		return w.Flush()
	}
}

func attributes(k *hsm.KeyInfo) string {
	var names []string
	for _, a := range []struct {
		has  bool
		name string
	}{
		{k.Sign, "sign"}, {k.Decapsulate, "decapsulate"}, {k.Sensitive, "sensitive"}, {!k.Sensitive, "NOT SENSITIVE"},
		{k.Extractable, "EXTRACTABLE"}, {k.Local, "local"}, {k.AlwaysSensitive, "always sensitive"},
		{k.NeverExtractable, "never extractable"}, {k.Public == nil, "no public key"},
	} {
		if a.has {
			names = append(names, a.name)
		}
	}
	return strings.Join(names, ", ")
}

func generate(in *invocation) func(context.Context) error {
	alg := in.flags.String("alg", "ML-DSA-65", "`algorithm`")
	out := in.flags.String("out", "-", "write the public key to this `file`, in PEM")
	return func(ctx context.Context) error {
		a, err := algorithmByName(*alg)
		if err != nil {
			return err
		}
		if in.key.Label == "" {
			return errUsage("no -label")
		}
		key, err := in.token.Generate(ctx, a, hsm.GenerateOptions{Label: in.key.Label, ID: in.key.ID})
		if err != nil {
			return err
		}
		public, err := publicPEM(key.Public)
		if err != nil {
			return err
		}
		if *out != "-" {
			fmt.Fprintf(in.stdout, "%s, label %q, id %s\n", key.Algorithm, key.Label, hex.EncodeToString(key.ID))
		}
		return in.writeNew(*out, public)
	}
}
