package main

import (
	"encoding/base64"
	"encoding/pem"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keyFolder copies the key files and CMS examples of a folder of vectors.
func keyFolder(t *testing.T) fstest.MapFS {
	fsys := make(fstest.MapFS)
	from := os.DirFS(folder(t))
	for _, dir := range []string{"x509", "cms"} {
		files, err := fs.ReadDir(from, dir)
		require.NoError(t, err)
		for _, f := range files {
			data, err := fs.ReadFile(from, dir+"/"+f.Name())
			require.NoError(t, err)
			fsys[dir+"/"+f.Name()] = &fstest.MapFile{Data: data}
		}
	}
	return fsys
}

func keyEntries() []entry { return append(x509Entries(), cmsEntries()...) }

// notRun are files that no case is made of: a message with content encrypted by AES, and a
// certificate whose issuer is not among the files.
var notRun = []string{"cms/kem-ML-KEM-512.cms", "cms/kem-ML-KEM-512.pem"}

// TestChangedKeyFilesFail changes the last byte of each file, and requires that the cases
// of that file fail, or that it is not loaded.
func TestChangedKeyFilesFail(t *testing.T) {
	original := keyFolder(t)
	var v vectors
	v.load(original, keyEntries())
	require.Empty(t, v.errs)
	require.Empty(t, v.missing)
	require.NotEmpty(t, v.sets)
	for name, file := range original {
		block, _ := pem.Decode(file.Data)
		if block == nil || strings.HasPrefix(name, "x509/bad-") || slices.Contains(notRun, name) {
			continue
		}
		fsys := make(fstest.MapFS)
		for n, f := range original {
			fsys[n] = f
		}
		// The last byte of a message is of its signature, like that of a certificate.
		block.Bytes[len(block.Bytes)-1] ^= 1
		fsys[name] = &fstest.MapFile{Data: pem.EncodeToMemory(block)}
		var v vectors
		v.load(fsys, keyEntries())
		failed := len(v.errs)
		for _, s := range v.sets {
			if s.file == name {
				failed += len(s.run(full).failures)
			}
		}
		if block.Type == "PUBLIC KEY" { // it is compared with what the other files hold
			for _, s := range v.sets {
				failed += len(s.run(full).failures)
			}
		}
		assert.NotZero(t, failed, name)
	}
}

// TestSoundKeyIsNoBadKey: a key that is not inconsistent fails the case that says so, as
// does one that is refused for another reason.
func TestSoundKeyIsNoBadKey(t *testing.T) {
	for _, data := range []string{"x509/ML-DSA-44-both.priv", "x509/ML-KEM-512-both.priv"} {
		fsys := keyFolder(t)
		fsys["x509/bad-ML-DSA-44-1.priv"] = fsys[data]
		var v vectors
		v.load(fsys, keyEntries())
		failures := 0
		for _, s := range v.sets {
			if s.function == "PKCS#8 inconsistent key" {
				failures += len(s.run(full).failures)
			}
		}
		assert.Equal(t, 1, failures, data)
	}
}

func TestMalformedKeyFilesAreNamed(t *testing.T) {
	for _, c := range []struct{ file, content, want string }{
		{"x509/ML-DSA-44.pub", "no PEM", "x509/ML-DSA-44.pub: not one PEM block of type PUBLIC KEY"},
		{"x509/ML-DSA-44-seed.priv", pemOf("PUBLIC KEY"), "x509/ML-DSA-44-seed.priv: not one PEM block of type PRIVATE KEY"},
		{"x509/bad-ML-KEM-512-4.priv", pemOf("PRIVATE KEY") + pemOf("PRIVATE KEY"), "x509/bad-ML-KEM-512-4.priv: not one PEM block"},
		{"x509/ML-KEM-512.crt", "", "x509/ML-KEM-512.crt: not one PEM block of type CERTIFICATE"},
		{"cms/kem-ciphertext.txt", "0g", "cms/kem-ciphertext.txt: encoding/hex"},
		{"cms/mldsa44-signed-attrs.pem", pemOf("CMS"), "cms/mldsa44-signed-attrs.pem: not a SignedData message"},
	} {
		fsys := keyFolder(t)
		fsys[c.file] = &fstest.MapFile{Data: []byte(c.content)}
		var v vectors
		v.load(fsys, keyEntries())
		if assert.NotEmpty(t, v.errs, c.file) {
			assert.Contains(t, v.errs[0].Error(), c.want)
		}
	}
}

func pemOf(blockType string) string {
	return "-----BEGIN " + blockType + "-----\n" + base64.StdEncoding.EncodeToString([]byte{0x30, 0}) + "\n-----END " + blockType + "-----\n"
}
