package hsm

// A URI is a PKCS #11 URI (RFC 7512). It prints without its PIN.
type URI struct {
	Module                             string // module-path
	Token, Serial, Manufacturer, Model string
	Slot                               *uint  // slot-id
	Object                             string // CKA_LABEL
	ID                                 []byte
	PIN                                PIN // from pin-value or pin-source
}

// ParseURI parses a PKCS #11 URI. Its attributes are module-path, token, serial, slot-id, object, id,
// type=private, pin-source (a file's path or file: URL) and pin-value. Errors match ErrURI, and have no value of the URI's.
func ParseURI(s string) (*URI, error) { return nil, ErrURI }

// Config returns what the URI says of a token.
func (u *URI) Config() Config { return Config{} }

// Key returns what the URI says of a key.
func (u *URI) Key() Key { return Key{} }
