package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/pqlane/pqlane/mcpconn"
)

func (o *options) memoryFlags(flags *flag.FlagSet) {
	flags.StringVar(&o.clear, "clear", "", "forget what this `peer` has shown, as listed: it may be weaker from now on")
	flags.BoolVar(&o.clearDamage, "clear-damage", false, "rely on a memory that was damaged as it is")
	flags.BoolVar(&o.json, "json", false, "list as JSON")
}

// memory lists what a memory's file has, which other processes may be using, after changing it as an
// operator asks.
func memory(_ context.Context, o *options) error {
	if len(o.args) != 1 {
		return fmt.Errorf("%d arguments, want one file: %w", len(o.args), errUsage)
	}
	if _, err := os.Stat(o.args[0]); err != nil {
		return err // OpenMemory would make one.
	}
	m, err := mcpconn.OpenMemory(o.args[0])
	if err != nil {
		return err
	}
	if o.clear != "" {
		if _, ok := m.Strength(o.clear); !ok {
			return fmt.Errorf("%s does not remember %q", o.args[0], o.clear)
		}
		if err := m.Clear(o.clear); err != nil {
			return err
		}
	}
	if o.clearDamage {
		if err := m.ClearDamage(); err != nil {
			return err
		}
	}
	peers := map[string]mcpconn.Strength{}
	for _, peer := range m.Peers() {
		if s, ok := m.Strength(peer); ok {
			peers[peer] = s
		}
	}
	if o.json {
		err = json.NewEncoder(o.stdout).Encode(peers)
	} else {
		err = o.listMemory(peers)
	}
	if err != nil {
		return err
	}
	return m.Damage()
}

// listMemory writes what peers have shown, for people.
func (o *options) listMemory(peers map[string]mcpconn.Strength) error {
	t := tabwriter.NewWriter(o.stdout, 0, 0, 2, ' ', 0)
	safe := map[bool]string{true: "quantum-safe", false: "classical"}
	fmt.Fprintln(t, "PEER\tKEY EXCHANGE\tAUTHENTICATION\tCHAIN\tSINCE")
	for _, name := range slices.Sorted(maps.Keys(peers)) {
		s := peers[name]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", name, safe[s.Exchange], safe[s.Authentication], safe[s.Chain], s.Since.Format("2006-01-02 15:04"))
	}
	return t.Flush()
}
