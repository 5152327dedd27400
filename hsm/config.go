package hsm

import (
	"log/slog"
)

// A Config names a token and says how to use it. It can be copied.
type Config struct {
	// Module is the path of the PKCS #11 module, a shared library.
	Module string

	// Token (its label), Serial, Manufacturer, Model and Slot choose the token. Those that are
	// set must all agree, with one token only.
	Token, Serial, Manufacturer, Model string
	Slot                               *uint

	// PIN is the user's. The zero PIN opens the token without a login, which shows
	// public objects only.
	PIN PIN

	// AllowFinalTry lets Open try the PIN even if the token says that the next wrong one locks it.
	AllowFinalTry bool

	// MaxSessions bounds the sessions that operations use at a time; 0 means 8. One more is
	// open for the login.
	MaxSessions int

	// Mechanisms has the numbers of mechanisms, key types and attributes; the zero value is PKCS #11 3.2's.
	Mechanisms Mechanisms

	// VerifyAfterSign has every signature verified before it is returned.
	VerifyAfterSign bool

	// Strict demands of every private key that is used that it was generated in the token and never left it:
	// CKA_LOCAL, CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE. NSS reports none of its keys as local.
	Strict bool

	// AllowImport allows Token.Import.
	AllowImport bool

	// Logger receives recoveries and discarded sessions; nil logs nothing.
	Logger *slog.Logger
}

const defaultSessions = 8

func (c *Config) maxSessions() int {
	if c.MaxSessions <= 0 {
		return defaultSessions
	}
	return c.MaxSessions
}
