package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pqlane/pqlane/mcpconn"
)

// say writes a line to standard error: for people a prefix and the text, or an object of JSON
// with the text under a name.
func (o *options) say(name, prefix, text string) {
	if !o.json {
		fmt.Fprintf(o.stderr, "%s%s\n", prefix, text)
		return
	}
	b, err := json.Marshal(map[string]string{name: text})
	if err != nil {
		// A string marshals.
		panic(err)
	}
	fmt.Fprintf(o.stderr, "%s\n", b)
}

// report writes a State, for people or as JSON.
func (o *options) report(w io.Writer, s mcpconn.State) {
	if o.json {
		fmt.Fprintf(w, "%s\n", s.JSON())
		return
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(t, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	role, from := "server", "from"
	if s.Client {
		role, from = "client", "to"
	}
	fmt.Fprintf(&b, "%s's link %s %s, policy %s\n", role, from, or(s.RemoteAddr, "an unknown address"), s.Policy)
	if !s.Complete {
		line("FAILED", "%s: %s", or(string(s.Reason), "unknown reason"), s.Error)
		if s.Alert != "" {
			line("alert", "%s", s.Alert)
		}
	}
	if s.Offer != nil && !s.Complete {
		line("offered", "%s; groups %s; signatures %s", strings.Join(s.Offer.Versions, ", "),
			strings.Join(s.Offer.Groups, ", "), strings.Join(s.Offer.Signatures, ", "))
	}
	if s.Group != "" {
		hrr := ""
		if s.HelloRetryRequest {
			hrr = ", after a HelloRetryRequest"
		}
		line("chosen", "%s, %s, %s%s", s.Version, s.Group, s.Suite, hrr)
	}
	if s.ALPN != "" {
		line("protocol", "%s", s.ALPN)
	}
	key := func(name string, k *mcpconn.KeyInfo) {
		if k != nil {
			line(name, "%s, %s, until %s, chain of %s", k.Algorithm, k.Subject, k.NotAfter.Format(time.DateOnly), or(strings.Join(k.Chain, ", "), k.Signed))
			line("", "%s", k.Pin)
		}
	}
	key("peer", s.Peer)
	key("own", s.Local)
	if s.Complete {
		answer := func(name string, a mcpconn.Answer) {
			safe := "NOT quantum-safe"
			if a.QuantumSafe {
				safe = "quantum-safe"
			}
			line(name, "%s: %s", safe, a.Why)
		}
		answer("key exchange", s.KeyExchange)
		answer("authentication", s.Authentication)
		answer("chain", s.Chain)
	}
	if s.Fallback != "" {
		line("fallback", "%s", s.Fallback)
	}
	if s.Resumed {
		line("resumed", "authenticated %v ago", s.AuthenticationAge)
	}
	if s.Memory != "" {
		line("memory", "%s", s.Memory)
	}
	if s.Size.Sent != 0 || s.Size.Received != 0 {
		tax := ""
		if s.Complete {
			tax = fmt.Sprintf(", %d more than with classical algorithms", s.Size.Tax)
		}
		line("handshake", "%d bytes sent (%d segments), %d received (%d segments)%s",
			s.Size.Sent, s.Size.SentSegments, s.Size.Received, s.Size.ReceivedSegments, tax)
		line("time", "%v: %v computing, %v signing, %v waiting", round(s.Timing.Total), round(s.Timing.Own), round(s.Timing.Signing), round(s.Timing.Waiting))
	}
	t.Flush()
	io.WriteString(w, b.String())
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func round(d mcpconn.Duration) time.Duration { return time.Duration(d).Round(time.Microsecond) }
