package mcpconn

import (
	"crypto/tls"
	"fmt"
	"sync"

	"golang.org/x/crypto/cryptobyte"
)

// maxHello bounds what is kept of a peer's first message to report it. crypto/tls takes 65,536.
const maxHello = 1 << 16

// usualHello is room for hellos with a share of ML-KEM-768.
const usualHello = 2048

// hellos has such rooms, from handshakes that have ended.
var hellos = sync.Pool{New: func() any { return new([usualHello]byte) }}

// A helloReader puts the first handshake message of one direction together from its records,
// for the report: crypto/tls does not tell what was offered if it fails before, and never
// the sizes.
type helloReader struct {
	records recordReader
	message []byte
	room    *[usualHello]byte // where message begins
	size    int               // in bytes, with record headers
	done    bool
}

const (
	recordHeader      = 5
	handshakeHeader   = 4
	shareHeader       = 4
	recordAlert       = 21
	recordHandshake   = 22
	typeClientHello   = 1
	typeServerHello   = 2
	extServerName     = 0
	extGroups         = 10
	extSignatures     = 13
	extALPN           = 16
	extPSK            = 41
	extVersions       = 43
	extKeyShare       = 51
	maxRecordFragment = 1<<14 + 256

	alertProtocolVersion = 70
)

// A recordReader finds the ends of records in a stream.
type recordReader struct {
	header [recordHeader]byte
	seen   int // bytes of the current record, with its header
}

// whole reports whether the current record is complete.
func (r *recordReader) whole() bool {
	return r.seen >= recordHeader && r.seen == recordHeader+recordLength(r.header[:])
}

// next takes the next bytes of the stream, up to the end of a record. It returns how many they
// are, and those of them that belong to the record's header.
func (r *recordReader) next(b []byte) (n, header int) {
	if r.whole() {
		r.seen = 0
	}
	if r.seen < recordHeader {
		header = copy(r.header[r.seen:], b)
		r.seen += header
	}
	n = header
	if r.seen >= recordHeader {
		rest := min(recordHeader+recordLength(r.header[:])-r.seen, len(b)-n)
		r.seen += rest
		n += rest
	}
	return n, header
}

// recordLength returns the length that a record's header gives, without the header's own.
func recordLength(header []byte) int { return int(header[3])<<8 | int(header[4]) }

// lastRecord returns the size of the last of some records, with its header.
func lastRecord(b []byte) int {
	for len(b) >= recordHeader {
		n := recordHeader + recordLength(b)
		if n >= len(b) {
			break
		}
		b = b[n:]
	}
	return len(b)
}

// feed takes the next bytes of the stream, in any pieces.
func (r *helloReader) feed(b []byte) {
	for len(b) > 0 && !r.done {
		n, header := r.records.next(b)
		if header > 0 && r.records.seen >= recordHeader && !r.begin() {
			return
		}
		r.message = append(r.message, b[header:n]...)
		b = b[n:]
		if r.records.whole() {
			r.complete()
		}
	}
}

// begin takes the header of a record, and reports whether it can be one of a hello.
func (r *helloReader) begin() bool {
	n := recordLength(r.records.header[:])
	if r.records.header[0] != recordHandshake || n > maxRecordFragment || len(r.message)+n > maxHello {
		r.stop()
		return false
	}
	if r.room == nil {
		r.room = hellos.Get().(*[usualHello]byte)
		r.message = r.room[:0]
	}
	r.size += recordHeader + n
	return true
}

// release gives up the message, of which nothing more will be asked.
func (r *helloReader) release() {
	if r.room != nil {
		hellos.Put(r.room)
		r.message, r.room = nil, nil
	}
}

// complete looks, at the end of a record, whether the message is there.
func (r *helloReader) complete() {
	if len(r.message) < handshakeHeader {
		return
	}
	want := handshakeHeader + int(r.message[1])<<16 + int(r.message[2])<<8 + int(r.message[3])
	if len(r.message) >= want {
		r.message = r.message[:want]
		r.done = true
	}
}

func (r *helloReader) stop() {
	r.release()
	*r = helloReader{done: true}
}

// A clientHello is what a hello offers.
type clientHello struct {
	versions   []uint16
	groups     []tls.CurveID
	shares     []tls.CurveID
	signatures []tls.SignatureScheme
	serverName string
	alpn       []string
	resumption bool
	size       int // with record headers
	shareSize  int // of all key shares, with their headers
}

// parseClientHello reads a hello (RFC 8446, Section 4.1.2), as far as it is one.
func (r *helloReader) parseClientHello() *clientHello {
	extensions, ok := r.extensions(typeClientHello)
	if !ok {
		return nil
	}
	h := &clientHello{size: r.size}
	for !extensions.Empty() {
		var kind uint16
		var body, list cryptobyte.String
		if !extensions.ReadUint16(&kind) || !extensions.ReadUint16LengthPrefixed(&body) {
			break
		}
		switch kind {
		case extServerName:
			var nameType uint8
			var name cryptobyte.String
			if body.ReadUint16LengthPrefixed(&list) && list.ReadUint8(&nameType) && nameType == 0 && list.ReadUint16LengthPrefixed(&name) {
				h.serverName = string(name)
			}
		case extGroups:
			body.ReadUint16LengthPrefixed(&list)
			h.groups = make([]tls.CurveID, 0, len(list)/2)
			for id := uint16(0); list.ReadUint16(&id); {
				h.groups = append(h.groups, tls.CurveID(id))
			}
		case extSignatures:
			body.ReadUint16LengthPrefixed(&list)
			h.signatures = make([]tls.SignatureScheme, 0, len(list)/2)
			for id := uint16(0); list.ReadUint16(&id); {
				h.signatures = append(h.signatures, tls.SignatureScheme(id))
			}
		case extALPN:
			body.ReadUint16LengthPrefixed(&list)
			for name := (cryptobyte.String)(nil); list.ReadUint8LengthPrefixed(&name); {
				h.alpn = append(h.alpn, string(name))
			}
		case extVersions:
			body.ReadUint8LengthPrefixed(&list)
			for v := uint16(0); list.ReadUint16(&v); {
				h.versions = append(h.versions, v)
			}
		case extKeyShare:
			body.ReadUint16LengthPrefixed(&list)
			var id uint16
			var share cryptobyte.String
			for list.ReadUint16(&id) && list.ReadUint16LengthPrefixed(&share) {
				h.shares = append(h.shares, tls.CurveID(id))
				h.shareSize += shareHeader + len(share)
			}
		case extPSK:
			h.resumption = true
		}
	}
	if h.versions == nil {
		// Before TLS 1.3 the version is in the hello itself.
		h.versions = []uint16{uint16(r.message[handshakeHeader])<<8 | uint16(r.message[handshakeHeader+1])}
	}
	return h
}

// A serverHello is what a server has chosen.
type serverHello struct {
	version uint16
	group   tls.CurveID // 0 if there is none
}

// parseServerHello reads a ServerHello or HelloRetryRequest (RFC 8446, Section 4.1.3).
func (r *helloReader) parseServerHello() *serverHello {
	extensions, ok := r.extensions(typeServerHello)
	if !ok {
		return nil
	}
	h := &serverHello{version: uint16(r.message[handshakeHeader])<<8 | uint16(r.message[handshakeHeader+1])}
	for !extensions.Empty() {
		var kind, value uint16
		var body cryptobyte.String
		if !extensions.ReadUint16(&kind) || !extensions.ReadUint16LengthPrefixed(&body) {
			break
		}
		switch {
		case kind == extVersions && body.ReadUint16(&value):
			h.version = value
		case kind == extKeyShare && body.ReadUint16(&value):
			h.group = tls.CurveID(value)
		}
	}
	return h
}

// extensions returns the extensions of the message, if it has the given type.
func (r *helloReader) extensions(kind uint8) (extensions cryptobyte.String, ok bool) {
	if !r.done || len(r.message) < handshakeHeader+2 || r.message[0] != kind {
		return nil, false
	}
	s := cryptobyte.String(r.message[handshakeHeader:])
	var skipped cryptobyte.String
	if !s.Skip(2+32) || !s.ReadUint8LengthPrefixed(&skipped) { // version, random, session
		return nil, false
	}
	if kind == typeClientHello {
		ok = s.ReadUint16LengthPrefixed(&skipped) && s.ReadUint8LengthPrefixed(&skipped)
	} else {
		ok = s.Skip(2 + 1)
	}
	if !ok {
		return nil, false
	}
	if !s.Empty() && !s.ReadUint16LengthPrefixed(&extensions) {
		return nil, false
	}
	return extensions, true
}

// offer returns the hello for a report.
func (h *clientHello) offer() *Offer {
	if h == nil {
		return nil
	}
	o := &Offer{ServerName: h.serverName, ALPN: h.alpn, Resumption: h.resumption,
		HelloSize: h.size, HelloSegments: (h.size + segmentSize - 1) / segmentSize}
	for _, v := range h.versions {
		o.Versions = append(o.Versions, versionName(v))
	}
	o.Groups, o.Shares = groupNames(h.groups), groupNames(h.shares)
	for _, s := range h.signatures {
		o.Signatures = append(o.Signatures, signatureName(s))
	}
	return o
}

func isGREASE(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

func versionName(v uint16) string {
	if isGREASE(v) {
		return "GREASE"
	}
	return tls.VersionName(v)
}

func groupNames(groups []tls.CurveID) (names []string) {
	for _, g := range groups {
		names = append(names, groupName(g))
	}
	return names
}

// groupName names a key exchange as IANA does, but the curves of NIST as NIST does.
func groupName(g tls.CurveID) string {
	switch g {
	case tls.X25519MLKEM768:
		return "X25519MLKEM768"
	case tls.SecP256r1MLKEM768:
		return "SecP256r1MLKEM768"
	case tls.SecP384r1MLKEM1024:
		return "SecP384r1MLKEM1024"
	case tls.X25519:
		return "X25519"
	case tls.CurveP256:
		return "P-256"
	case tls.CurveP384:
		return "P-384"
	case tls.CurveP521:
		return "P-521"
	case groupMLKEM512:
		return "ML-KEM-512"
	case groupMLKEM768:
		return "ML-KEM-768"
	case groupMLKEM1024:
		return "ML-KEM-1024"
	}
	if isGREASE(uint16(g)) {
		return "GREASE"
	}
	return fmt.Sprintf("0x%04X", uint16(g))
}

// signatureName names a signature scheme; Go 1.26 does not know those of ML-DSA.
func signatureName(s tls.SignatureScheme) string {
	switch s {
	case 0x0904:
		return "ML-DSA-44"
	case 0x0905:
		return "ML-DSA-65"
	case 0x0906:
		return "ML-DSA-87"
	}
	if isGREASE(uint16(s)) {
		return "GREASE"
	}
	return s.String()
}
