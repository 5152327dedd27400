// Package nss has the soft token of NSS for tests: .ci/nss unpacks it, NSS_MODULE names another.
//
// A test binary calls [Main] from its TestMain; its tests then open [Module] with the
// token [Token] and [PIN]. The token is a database in a folder of the process, which is new and empty.
package nss

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const (
	Token = "NSS Certificate DB" // the label of the token with private keys
	PIN   = "correct horse 2"
)

// missing says why there is no module.
var missing = "nss.Main was not called"

var module string

// Main runs the tests of m with a token of their own, and exits.
func Main(m *testing.M) {
	folder, err := os.MkdirTemp("", "nss")
	if err != nil {
		panic(err)
	}
	module, missing = find()
	if missing == "" && hasCgo {
		os.Setenv("NSS_LIB_PARAMS", fmt.Sprintf("configdir='sql:%s' certPrefix='' keyPrefix='' secmod='' flags= ", folder))
		if err := setUp(module); err != nil {
			module, missing = "", fmt.Sprintf("%s: %v", module, err)
		}
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// find returns the path of the module, or why there is none.
func find() (path, missing string) {
	if path := os.Getenv("NSS_MODULE"); path != "" {
		return path, ""
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", err.Error()
	}
	for {
		found, _ := filepath.Glob(filepath.Join(folder, "build/nss/files/usr/lib/*/libsoftokn3.so"))
		if len(found) > 0 {
			return found[0], ""
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", "no token: run .ci/nss, or set NSS_MODULE to the path of libsoftokn3.so of NSS 3.131 or newer"
		}
		folder = parent
	}
}

// Module returns the path of NSS's module. Without one the test is skipped, or fails if KAT_REQUIRE is 1.
func Module(t testing.TB) string {
	t.Helper()
	if !hasCgo {
		t.Skip("built without cgo, which PKCS #11 needs")
	}
	if missing != "" {
		if os.Getenv("KAT_REQUIRE") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return module
}
