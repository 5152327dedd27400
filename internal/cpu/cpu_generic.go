//go:build (!amd64 && !arm64) || purego

package cpu

type feature = int

var levels = []level{{name: "generic"}}

func hasFeature(feature) bool { return false }

func preferred(best int) int { return best }

// slows reports whether a level slows down other code on this processor.
func slows(string) bool { return false }

func apply() {}
