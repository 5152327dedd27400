// Pqcert makes post-quantum certificates: a test PKI, or new ones with the names of existing
// certificates and requests.
//
// Usage:
//
//	pqcert [-dir DIR] [-alg NAME] [-host LIST] [-kem NAME] [-days N] [FILE...]
//
// Without files it makes a server's and a client's certificate and key (server.crt,
// server.key, client.crt, client.key), and with -kem a certificate for encryption (kem.crt,
// kem.key), signed by a root (root.crt, root.key) that it makes too if the folder has none:
//
//	$ go run ./hybrid/pqcert -dir pki -host example.com,192.0.2.1
//	pki/root.crt    ML-DSA-65, CN=pqcert root, until 2036-11-19
//	pki/server.crt  ML-DSA-65, CN=example.com, until 2027-11-21
//	pki/client.crt  ML-DSA-65, CN=client, until 2027-11-21
//
// With files, which are certificates or certificate requests in PEM or DER, it makes for
// each a certificate with the same subject, alternative names and extended key usage, so
// that a service holds two chains while its peers move from one to the other:
//
//	$ go run ./hybrid/pqcert -dir pki -alg MLDSA65-ECDSA-P256-SHA512 /etc/ssl/www.crt
//	pki/www.crt  MLDSA65-ECDSA-P256-SHA512, CN=www.example.com, until 2027-11-21
//
// Their keys are new, since one that an old algorithm protects is as weak as that. A
// certificate that is for encryption alone gets a key for -kem. A request that is signed with
// ML-DSA or a composite key gets a certificate for that key. The signature of a request is
// checked; that of a certificate is its issuer's, and not.
//
// The one classical algorithm, ECDSA-P256, is for links of mcpconn with Go 1.26, which have a
// post-quantum key exchange and no ML-DSA.
//
// Private keys are written as PKCS #8, unencrypted, readable by the owner alone. No file is
// overwritten. The root is for tests: it revokes nothing, and signs whatever it is given.
package main

import (
	"os"

	"github.com/pqlane/pqlane/internal/pqcert"
)

func main() { os.Exit(pqcert.Run(os.Args[1:], os.Stdout, os.Stderr)) }
