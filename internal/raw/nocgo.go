//go:build !cgo || windows

// Package raw is empty without cgo.
package raw
