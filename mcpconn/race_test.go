//go:build race

package mcpconn_test

const raceEnabled = true
