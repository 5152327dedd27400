//go:build cgo && !windows

package nss

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"github.com/miekg/pkcs11"
)

const hasCgo = true

// setUp initialises the token. Libraries that are beside the module are loaded before it, because
// the loader looks for them in LD_LIBRARY_PATH as it was when the process started.
func setUp(module string) error {
	for _, name := range []string{"libnspr4.so", "libplc4.so", "libplds4.so", "libsqlite3.so.0", "libnssutil3.so"} {
		path := filepath.Join(filepath.Dir(module), name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		c := C.CString(path)
		defer C.free(unsafe.Pointer(c))
		if C.dlopen(c, C.RTLD_NOW|C.RTLD_GLOBAL) == nil {
			return errors.New(C.GoString(C.dlerror()))
		}
	}
	ctx := pkcs11.New(module)
	if ctx == nil {
		return errors.New("it can't be loaded")
	}
	defer ctx.Destroy()
	if err := ctx.Initialize(); err != nil {
		return err
	}
	defer ctx.Finalize()
	slots, err := ctx.GetSlotList(true)
	if err != nil {
		return err
	}
	for _, slot := range slots {
		info, err := ctx.GetTokenInfo(slot)
		if err != nil || info.Label != Token {
			continue
		}
		session, err := ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		if err != nil {
			return err
		}
		if err := ctx.Login(session, pkcs11.CKU_SO, ""); err != nil {
			return err
		}
		return ctx.InitPIN(session, PIN)
	}
	return fmt.Errorf("no token %q", Token)
}
