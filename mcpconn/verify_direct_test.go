package mcpconn

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/hybrid"
)

// trustIn is NewTrust on versions of Go that have no ML-DSA too.
func trustIn(t *testing.T, roots ...*x509.Certificate) *Trust {
	trust := &Trust{pool: x509.NewCertPool()}
	trust.lists.Store(&revocations{})
	for _, root := range roots {
		key, err := hybrid.PublicKeyOf(root)
		require.NoError(t, err)
		trust.pool.AddCert(root)
		trust.addAnchor(root, key)
	}
	return trust
}

// TestDirectChains: what is verified without crypto/x509 is what crypto/x509 verifies too, and no more than
// the plainest chains.
func TestDirectChains(t *testing.T) {
	const server = x509.ExtKeyUsageServerAuth
	now := time.Now()
	root := newAuthority(t, "ML-DSA-44")
	// rootOf has the name of root, rootWith its key too.
	rootOf := func(key crypto.Signer, change func(*x509.Certificate)) *authority {
		c := template(func(c *x509.Certificate) {
			c.Subject = root.cert.Subject
			c.IsCA, c.BasicConstraintsValid = true, true
			c.KeyUsage = x509.KeyUsageCertSign
			change(c)
		})
		return &authority{cert: issue(t, c, c, publicOf(key), key), key: key}
	}
	rootWith := func(change func(*x509.Certificate)) *authority { return rootOf(root.key, change) }
	leafOf := func(a *authority, change func(*x509.Certificate)) *x509.Certificate {
		certs, _ := a.chain(t, "ECDSA", serverName, change)
		return certs[0]
	}
	extension := func(critical bool, arcs ...int) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier(arcs), Critical: critical, Value: []byte{5, 0}}}
		}
	}
	leaf := leafOf(root, nil)
	tampered := bytes.Clone(leaf.Raw)
	tampered[len(tampered)-1] ^= 1
	forged, err := x509.ParseCertificate(tampered)
	require.NoError(t, err)
	impostor := newAuthority(t, "ML-DSA-44")
	stronger := rootOf(newKey(t, "ML-DSA-65"), func(*x509.Certificate) {})
	classical := newAuthority(t, "ECDSA")
	sub := root.sub(t, "ML-DSA-44")
	subLeaf := leafOf(sub, nil)
	mldsaLeaf, _ := root.chain(t, "ML-DSA-87", serverName, nil)
	self := template(func(c *x509.Certificate) { c.Subject = root.cert.Subject; c.DNSNames = []string{serverName} })
	selfIssued := issue(t, self, root.cert, publicOf(root.key), root.key)

	for name, c := range map[string]struct {
		certs  []*x509.Certificate
		roots  []*x509.Certificate
		usage  x509.ExtKeyUsage
		name   string
		at     time.Time
		direct bool
		valid  bool // to crypto/x509
	}{
		"plain":                             {direct: true, valid: true},
		"a leaf of ML-DSA":                  {certs: mldsaLeaf, direct: true, valid: true},
		"a client":                          {usage: x509.ExtKeyUsageClientAuth, name: "-", direct: true, valid: true},
		"an IP address":                     {name: "127.0.0.1", direct: true, valid: true},
		"another name":                      {name: "other.example"},
		"a usage that the leaf has not":     {usage: x509.ExtKeyUsageCodeSigning},
		"before the leaf and the root":      {at: now.Add(-2 * time.Hour)},
		"after the leaf and the root":       {at: now.Add(48 * time.Hour)},
		"a root that has expired":           {roots: []*x509.Certificate{rootWith(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }).cert}},
		"a root of tomorrow":                {roots: []*x509.Certificate{rootWith(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) }).cert}},
		"a changed signature":               {certs: []*x509.Certificate{forged}},
		"another key of the root's name":    {certs: []*x509.Certificate{leafOf(impostor, nil)}},
		"another algorithm":                 {certs: []*x509.Certificate{leafOf(stronger, nil)}},
		"an unknown root":                   {certs: []*x509.Certificate{leafOf(classical, nil)}},
		"a classical root":                  {certs: []*x509.Certificate{leafOf(classical, nil)}, roots: []*x509.Certificate{classical.cert}, valid: true},
		"another root too":                  {roots: []*x509.Certificate{classical.cert, root.cert}, direct: true, valid: true},
		"the root twice":                    {roots: []*x509.Certificate{root.cert, root.cert}, direct: true, valid: true},
		"two roots of one name":             {roots: []*x509.Certificate{root.cert, impostor.cert}, valid: true},
		"three roots of one name":           {roots: []*x509.Certificate{root.cert, impostor.cert, root.cert}, valid: true},
		"an intermediate":                   {certs: []*x509.Certificate{subLeaf, sub.cert}, valid: true},
		"an intermediate that is missing":   {certs: []*x509.Certificate{subLeaf}},
		"an intermediate that is an anchor": {certs: []*x509.Certificate{subLeaf}, roots: []*x509.Certificate{sub.cert}, direct: true, valid: true},
		"more certificates":                 {certs: []*x509.Certificate{leaf, sub.cert}, valid: true},
		"a leaf that is an anchor":          {roots: []*x509.Certificate{root.cert, leaf}, valid: true},
		"a leaf of the root's name and key": {certs: []*x509.Certificate{selfIssued}, valid: true},
		"no path below the root":            {roots: []*x509.Certificate{rootWith(func(c *x509.Certificate) { c.MaxPathLenZero = true }).cert}, direct: true, valid: true},
		"a root that is no authority":       {roots: []*x509.Certificate{rootWith(func(c *x509.Certificate) { c.IsCA = false }).cert}},
		"a root without basic constraints":  {roots: []*x509.Certificate{rootWith(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false }).cert}},
		"a root that signs no certificates": {roots: []*x509.Certificate{rootWith(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }).cert}},
		"a root without key usage":          {roots: []*x509.Certificate{rootWith(func(c *x509.Certificate) { c.KeyUsage = 0 }).cert}, valid: true},
		"a root for other names":            {roots: []*x509.Certificate{rootWith(func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"other.example"} }).cert}},
		"a root for this name":              {roots: []*x509.Certificate{rootWith(func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example"} }).cert}, valid: true},
		"a root for other usages": {roots: []*x509.Certificate{rootWith(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		}).cert}},
		"a root with an unknown extension":    {roots: []*x509.Certificate{rootWith(extension(false, 1, 3, 6, 1, 4, 1, 55555)).cert}, valid: true},
		"a root with a critical one":          {roots: []*x509.Certificate{rootWith(extension(true, 1, 3, 6, 1, 4, 1, 55555)).cert}},
		"a leaf with an unknown extension":    {certs: []*x509.Certificate{leafOf(root, extension(false, 2, 5, 29, 200))}, valid: true},
		"a leaf with a critical one":          {certs: []*x509.Certificate{leafOf(root, extension(true, 2, 5, 29, 200))}},
		"a leaf with a critical one like SAN": {certs: []*x509.Certificate{leafOf(root, extension(true, 2, 5, 30, 17))}},
		"a leaf that wants policies": {certs: []*x509.Certificate{leafOf(root, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 36}, Critical: true, Value: []byte{0x30, 3, 0x80, 1, 0}}}
		})}},
		"a leaf that does not sign": {certs: []*x509.Certificate{leafOf(root, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })}, valid: true},
		"a leaf without usages":     {certs: []*x509.Certificate{leafOf(root, func(c *x509.Certificate) { c.KeyUsage, c.ExtKeyUsage = 0, nil })}, direct: true, valid: true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.certs == nil {
				c.certs = []*x509.Certificate{leaf}
			}
			if c.roots == nil {
				c.roots = []*x509.Certificate{root.cert}
			}
			if c.usage == x509.ExtKeyUsageAny {
				c.usage = server
			}
			switch c.name {
			case "":
				c.name = serverName
			case "-":
				c.name = ""
			}
			if c.at.IsZero() {
				c.at = now
			}
			trust := trustIn(t, c.roots...)
			got := trust.verifyDirect(c.certs, c.usage, c.name, c.at)
			assert.Equal(t, c.direct, got != nil)
			if got != nil {
				require.True(t, c.valid)
				assert.Len(t, got, 2)
				assert.Same(t, c.certs[0], got[0])
			}
			if !hasMLDSA {
				return
			}
			options := x509.VerifyOptions{Roots: trust.pool, DNSName: c.name, CurrentTime: c.at, KeyUsages: []x509.ExtKeyUsage{c.usage}}
			options.Intermediates = x509.NewCertPool()
			for _, cert := range c.certs[1:] {
				options.Intermediates.AddCert(cert)
			}
			chains, err := c.certs[0].Verify(options)
			assert.Equal(t, c.valid, err == nil, "%v", err)
			if got != nil {
				require.Len(t, chains, 1)
				require.Len(t, chains[0], 2)
				assert.True(t, chains[0][1].Equal(got[1]))
			}
		})
	}
	assert.Nil(t, SystemTrust().verifyDirect([]*x509.Certificate{leaf}, server, serverName, now))
}

// TestDirectChainsOfChangedBytes: no byte of a leaf may change.
func TestDirectChainsOfChangedBytes(t *testing.T) {
	root := newAuthority(t, "ML-DSA-44")
	certs, _ := root.chain(t, "ECDSA", serverName, nil)
	trust := trustIn(t, root.cert)
	verify := func(cert *x509.Certificate) chain {
		return trust.verifyDirect([]*x509.Certificate{cert}, x509.ExtKeyUsageServerAuth, serverName, time.Now())
	}
	require.NotNil(t, verify(certs[0]))
	parsed := 0
	for i := range certs[0].Raw {
		raw := bytes.Clone(certs[0].Raw)
		raw[i] ^= 1
		cert, err := x509.ParseCertificate(raw)
		if err != nil {
			continue
		}
		parsed++
		require.Nil(t, verify(cert), "byte %d", i)
	}
	assert.Greater(t, parsed, len(certs[0].Raw)/2)
}
