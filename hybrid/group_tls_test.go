package hybrid

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
)

// The tests of this file exchange keys with crypto/tls: as much of TLS 1.3 with
// TLS_AES_128_GCM_SHA256 as it takes to send and to read the first encrypted record, which
// a wrong secret makes unreadable.

// tlsGroups are those that crypto/tls has too.
var tlsGroups = []Group{X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, X25519, P256}

const (
	recordAlert       = 21
	recordHandshake   = 22
	recordApplication = 23

	extensionKeyShare = 51
)

func readRecord(t *testing.T, r io.Reader) (typ byte, record []byte) {
	header := make([]byte, 5)
	_, err := io.ReadFull(r, header)
	require.NoError(t, err)
	body := make([]byte, binary.BigEndian.Uint16(header[3:]))
	_, err = io.ReadFull(r, body)
	require.NoError(t, err)
	return header[0], append(header, body...)
}

func writeRecord(t *testing.T, w io.Writer, typ byte, body []byte) {
	record := binary.BigEndian.AppendUint16([]byte{typ, 3, 3}, uint16(len(body)))
	_, err := w.Write(append(record, body...))
	require.NoError(t, err)
}

// keyShare returns the share in the key_share extension of a hello, of which it is the only
// one.
func keyShare(t *testing.T, hello []byte, isClient bool, g Group) []byte {
	s := cryptobyte.String(hello[4+2+32:])
	var skipped, extensions cryptobyte.String
	require.True(t, s.ReadUint8LengthPrefixed(&skipped))
	if isClient {
		require.True(t, s.ReadUint16LengthPrefixed(&skipped) && s.ReadUint8LengthPrefixed(&skipped))
	} else {
		require.True(t, s.Skip(3))
	}
	require.True(t, s.ReadUint16LengthPrefixed(&extensions))
	for !extensions.Empty() {
		var typ, id uint16
		var body, share cryptobyte.String
		require.True(t, extensions.ReadUint16(&typ) && extensions.ReadUint16LengthPrefixed(&body))
		if typ != extensionKeyShare {
			continue
		}
		if isClient {
			require.True(t, body.ReadUint16LengthPrefixed(&body))
		}
		for !body.Empty() {
			require.True(t, body.ReadUint16(&id) && body.ReadUint16LengthPrefixed(&share))
			if id == g.ID() {
				return share
			}
		}
	}
	require.Fail(t, "no share of the group")
	return nil
}

// newHello returns a ClientHello or ServerHello with the share.
func newHello(isClient bool, sessionID []byte, g Group, share []byte) []byte {
	var b cryptobyte.Builder
	random := make([]byte, 32)
	rand.Read(random)
	typ := byte(2)
	if isClient {
		typ = 1
	}
	b.AddUint8(typ)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint16(0x0303)
		b.AddBytes(random)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(sessionID) })
		extension := func(b *cryptobyte.Builder, typ uint16, f func(b *cryptobyte.Builder)) {
			b.AddUint16(typ)
			b.AddUint16LengthPrefixed(f)
		}
		entry := func(b *cryptobyte.Builder) {
			b.AddUint16(g.ID())
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(share) })
		}
		if !isClient {
			b.AddUint16(tls.TLS_AES_128_GCM_SHA256)
			b.AddUint8(0)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				extension(b, 43, func(b *cryptobyte.Builder) { b.AddUint16(tls.VersionTLS13) })
				extension(b, extensionKeyShare, entry)
			})
			return
		}
		list := func(v uint16) func(b *cryptobyte.Builder) {
			return func(b *cryptobyte.Builder) {
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddUint16(v) })
			}
		}
		list(tls.TLS_AES_128_GCM_SHA256)(b)
		b.AddBytes([]byte{1, 0})
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			extension(b, 43, func(b *cryptobyte.Builder) { b.AddBytes([]byte{2, 3, 4}) })
			extension(b, 10, list(g.ID()))
			extension(b, 13, list(uint16(tls.ECDSAWithP256AndSHA256)))
			extension(b, extensionKeyShare, func(b *cryptobyte.Builder) { b.AddUint16LengthPrefixed(entry) })
		})
	})
	return b.BytesOrPanic()
}

// serverRecords returns the protection of the server's handshake records and its first
// nonce (RFC 8446, Sections 5.2, 7.1 and 7.3).
func serverRecords(t *testing.T, secret []byte, hellos ...[]byte) (aead cipher.AEAD, nonce []byte) {
	expand := func(secret []byte, label string, context []byte, n int) []byte {
		label = "tls13 " + label
		info := binary.BigEndian.AppendUint16(nil, uint16(n))
		info = append(append(info, byte(len(label))), label...)
		info = append(append(info, byte(len(context))), context...)
		out, err := hkdf.Expand(sha256.New, secret, string(info), n)
		require.NoError(t, err)
		return out
	}
	extract := func(secret, salt []byte) []byte {
		out, err := hkdf.Extract(sha256.New, secret, salt)
		require.NoError(t, err)
		return out
	}
	empty, transcript := sha256.Sum256(nil), sha256.Sum256(bytes.Join(hellos, nil))
	derived := expand(extract(make([]byte, 32), nil), "derived", empty[:], 32)
	traffic := expand(extract(secret, derived), "s hs traffic", transcript[:], 32)
	block, err := aes.NewCipher(expand(traffic, "key", nil, 16))
	require.NoError(t, err)
	aead, err = cipher.NewGCM(block)
	require.NoError(t, err)
	return aead, expand(traffic, "iv", nil, 12)
}

func tlsCertificate(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func pipe(t *testing.T) (ours, theirs net.Conn) {
	ours, theirs = net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	require.NoError(t, ours.SetDeadline(time.Now().Add(time.Minute)))
	return ours, theirs
}

// TestClientOfCryptoTLSServer reads a server's first encrypted record.
func TestClientOfCryptoTLSServer(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{tlsCertificate(t)}}
	for _, g := range tlsGroups {
		t.Run(g.String(), func(t *testing.T) {
			config := config.Clone()
			config.CurvePreferences = []tls.CurveID{tls.CurveID(g)}
			ours, theirs := pipe(t)
			go tls.Server(theirs, config).Handshake()

			e, share, err := g.GenerateShare()
			require.NoError(t, err)
			clientHello := newHello(true, nil, g, share)
			writeRecord(t, ours, recordHandshake, clientHello)
			typ, serverHello := readRecord(t, ours)
			require.EqualValues(t, recordHandshake, typ)
			secret, err := e.Finish(keyShare(t, serverHello[5:], false, g))
			require.NoError(t, err)

			typ, record := readRecord(t, ours)
			if typ == 20 { // change_cipher_spec of the middlebox mode
				typ, record = readRecord(t, ours)
			}
			require.EqualValues(t, recordApplication, typ)
			aead, nonce := serverRecords(t, secret, clientHello, serverHello[5:])
			message, err := aead.Open(nil, nonce, record[5:], record[:5])
			require.NoError(t, err)
			assert.EqualValues(t, 8, message[0], "EncryptedExtensions")
			assert.EqualValues(t, recordHandshake, message[len(message)-1])
		})
	}
}

// TestServerOfCryptoTLSClient sends a client an encrypted alert, which it understands.
func TestServerOfCryptoTLSClient(t *testing.T) {
	for _, g := range tlsGroups {
		t.Run(g.String(), func(t *testing.T) {
			ours, theirs := pipe(t)
			result := make(chan error, 1)
			go func() {
				result <- tls.Client(theirs, &tls.Config{
					InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.CurveID(g)},
				}).Handshake()
			}()

			_, record := readRecord(t, ours)
			clientHello := record[5:]
			share, secret, err := g.Accept(keyShare(t, clientHello, true, g))
			require.NoError(t, err)
			sessionID := clientHello[4+2+32+1:][:clientHello[4+2+32]]
			serverHello := newHello(false, sessionID, g, share)
			writeRecord(t, ours, recordHandshake, serverHello)

			const decryptError = 51
			alert := []byte{2, decryptError, recordAlert}
			aead, nonce := serverRecords(t, secret, clientHello, serverHello)
			header := binary.BigEndian.AppendUint16([]byte{recordApplication, 3, 3}, uint16(len(alert)+aead.Overhead()))
			go io.Copy(io.Discard, ours) // the client may send change_cipher_spec first
			_, err = ours.Write(aead.Seal(header, nonce, alert, header))
			require.NoError(t, err)
			require.EqualError(t, <-result, "remote error: tls: error decrypting message")
		})
	}
}
