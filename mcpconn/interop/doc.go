// Package interop has the tests of mcpconn with the official Go SDK of the Model Context
// Protocol, in a module of its own, so that nobody else needs the SDK.
package interop
