//go:build !race

package mlkem

const raceEnabled = false
