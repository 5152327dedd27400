package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/pqlane/pqlane/mcpconn"
)

// options are the flags of all commands, and what they read and write.
type options struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	args           []string

	cert, key, trust, memory   string
	name, listen, target, alpn string
	pins                       []mcpconn.Pin
	pinsAlone, anonymous, json bool
	quiet                      bool
	clear                      string
	clearDamage                bool
	policy                     mcpconn.Policy
	maxAge, timeout            time.Duration
}

// linkFlags are those that say what a link must be.
func (o *options) linkFlags(flags *flag.FlagSet) {
	flags.StringVar(&o.cert, "cert", "", "our certificate chain, a PEM `file`")
	flags.StringVar(&o.key, "key", "", "its private key, a PEM `file` (default that of -cert)")
	flags.StringVar(&o.trust, "trust", "", "authorities for the peer and their revocation lists: PEM `files`, separated by commas, or \"system\"")
	flags.Func("pin", "the peer's `key`, as a report shows it: sha256/... (may be repeated)", func(s string) error {
		pin, err := mcpconn.ParsePin(s)
		o.pins = append(o.pins, pin)
		return err
	})
	flags.BoolVar(&o.pinsAlone, "pins-alone", false, "take a pinned key whoever certified it, for self-signed peers")
	o.policy = mcpconn.Hybrid2026
	var policies []string
	for _, p := range mcpconn.Policies() {
		policies = append(policies, string(p))
	}
	flags.Func("policy", fmt.Sprintf("`name` of the policy: %s (default %s)", strings.Join(policies, ", "), o.policy), func(s string) error {
		o.policy = mcpconn.Policy(s)
		_, err := o.policy.Rules()
		return err
	})
	flags.StringVar(&o.memory, "memory", "", "remember the strength of peers in this `file`, and refuse less")
	flags.StringVar(&o.alpn, "alpn", "", "application `protocols`, separated by commas")
	duration(flags, &o.timeout, "timeout", 10*time.Second, "longest `duration` of a handshake (default 10s)")
	flags.BoolVar(&o.json, "json", false, "report as JSON")
}

// carryFlags are those of commands that carry something.
func (o *options) carryFlags(flags *flag.FlagSet) {
	o.linkFlags(flags)
	duration(flags, &o.maxAge, "max-age", 0, "close links whose authentication gets older than this `duration`, as 8h")
	flags.BoolVar(&o.quiet, "quiet", false, "report only links that fail")
}

// duration defines a flag of a time above zero.
func duration(flags *flag.FlagSet, d *time.Duration, name string, value time.Duration, usage string) {
	*d = value
	flags.Func(name, usage, func(s string) (err error) {
		if *d, err = time.ParseDuration(s); err == nil && *d <= 0 {
			err = errors.New("want more than 0")
		}
		return err
	})
}

func (o *options) serveFlags(flags *flag.FlagSet) {
	o.carryFlags(flags)
	flags.StringVar(&o.target, "target", "", "carry each link to this TCP `address`, in place of standard input and output")
	flags.BoolVar(&o.anonymous, "anonymous", false, "take clients without a certificate")
}

func (o *options) connectFlags(flags *flag.FlagSet) {
	o.carryFlags(flags)
	flags.StringVar(&o.name, "name", "", "`name` that the server must have (default HOST)")
	flags.StringVar(&o.listen, "listen", "", "carry each TCP connection to this `address`, in place of standard input and output")
}

func (o *options) probeFlags(flags *flag.FlagSet) {
	o.linkFlags(flags)
	flags.StringVar(&o.name, "name", "", "`name` that the server must have (default HOST)")
}

func (o *options) demoFlags(flags *flag.FlagSet) {
	flags.BoolVar(&o.json, "json", false, "report as JSON")
}

// address returns the one argument, which is HOST:PORT.
func (o *options) address() (string, error) {
	if len(o.args) != 1 {
		return "", fmt.Errorf("%d arguments, want one address: %w", len(o.args), errUsage)
	}
	return o.args[0], checkAddress(o.args[0])
}

// checkAddress refuses an address without a port.
func checkAddress(address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("%w: %w", err, errUsage)
	}
	return nil
}

// config returns what the flags say of links.
func (o *options) config(server bool) (*mcpconn.Config, error) {
	switch {
	case o.cert == "" && o.key != "":
		return nil, fmt.Errorf("-key without -cert: %w", errUsage)
	case o.pinsAlone && o.pins == nil:
		return nil, fmt.Errorf("-pins-alone without -pin: %w", errUsage)
	case server && o.cert == "":
		return nil, fmt.Errorf("a server has a certificate, want -cert: %w", errUsage)
	case server && o.trust == "" && !o.pinsAlone && !o.anonymous:
		return nil, fmt.Errorf("no client is believed, want -trust, or -pin and -pins-alone, or -anonymous: %w", errUsage)
	case !server && o.trust == "" && !o.pinsAlone:
		return nil, fmt.Errorf("no server is believed, want -trust, or -pin and -pins-alone: %w", errUsage)
	}
	cfg := &mcpconn.Config{
		PinnedKeys: o.pins, AnonymousClients: o.anonymous, Policy: o.policy, ServerName: o.name,
		MaxAge: o.maxAge, HandshakeTimeout: o.timeout, Observer: o.observe,
	}
	if o.pinsAlone {
		cfg.PinsAlone = mcpconn.PinnedWithoutChain
	}
	if o.alpn != "" {
		cfg.ALPN = strings.Split(o.alpn, ",")
	}
	var err error
	if o.cert != "" {
		key := o.key
		if key == "" {
			key = o.cert
		}
		if cfg.Identity, err = mcpconn.LoadIdentity(o.cert, key); err != nil {
			return nil, err
		}
	}
	switch o.trust {
	case "":
	case "system":
		cfg.Trust = mcpconn.SystemTrust()
	default:
		if cfg.Trust, err = mcpconn.LoadTrust(strings.Split(o.trust, ",")...); err != nil {
			return nil, err
		}
	}
	if o.memory != "" {
		if cfg.Memory, err = mcpconn.OpenMemory(o.memory); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

// observe reports a link to standard error.
func (o *options) observe(state mcpconn.State, err error) {
	if o.quiet && err == nil {
		return
	}
	o.report(o.stderr, state)
}
