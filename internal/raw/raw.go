//go:build cgo && !windows

// Package raw calls a PKCS #11 module with nothing between, for measurements of what package hsm
// costs. It joins a module that the process has loaded and initialised, and its login.
package raw

/*
#cgo linux LDFLAGS: -ldl
#cgo noescape raw_sign
#cgo noescape raw_decapsulate
#include <dlfcn.h>
#include <stdlib.h>

typedef unsigned long ulong_t;
typedef struct { ulong_t type; void *value; ulong_t length; } attribute_t;
typedef struct { ulong_t mechanism; void *parameter; ulong_t length; } mechanism_t;
typedef struct { char *name; void *functions; ulong_t flags; } interface_t;
typedef struct { unsigned char version[2]; void *function[]; } functions_t;
typedef struct { functions_t *base, *kem; } raw_module;

static int raw_open(const char *path, raw_module *m) {
	void *handle = dlopen(path, RTLD_LAZY);
	if (handle == NULL)
		return 0;
	ulong_t (*list)(functions_t **) = dlsym(handle, "C_GetFunctionList");
	ulong_t (*get)(char *, void *, interface_t **, ulong_t) = dlsym(handle, "C_GetInterface");
	interface_t *found = NULL;
	unsigned char version[2] = {3, 2};
	if (list == NULL || get == NULL || list(&m->base) != 0 || get("PKCS 11", version, &found, 0) != 0)
		return 0;
	m->kem = found->functions;
	return 1;
}

static ulong_t raw_session(raw_module *m, ulong_t slot, ulong_t *session) {
	ulong_t (*open)(ulong_t, ulong_t, void *, void *, ulong_t *) = m->base->function[12];
	return open(slot, 4, NULL, NULL, session);
}

static ulong_t raw_close(raw_module *m, ulong_t session) {
	ulong_t (*close)(ulong_t) = m->base->function[13];
	return close(session);
}

static ulong_t raw_find(raw_module *m, ulong_t session, void *id, ulong_t length, ulong_t *key) {
	ulong_t (*init)(ulong_t, attribute_t *, ulong_t) = m->base->function[26];
	ulong_t (*find)(ulong_t, ulong_t *, ulong_t, ulong_t *) = m->base->function[27];
	ulong_t (*final)(ulong_t) = m->base->function[28];
	ulong_t class = 3, n = 0;
	attribute_t template[] = {{0, &class, sizeof class}, {0x102, id, length}};
	ulong_t rv = init(session, template, 2);
	if (rv == 0 && (rv = find(session, key, 1, &n)) == 0 && (rv = final(session)) == 0 && n != 1)
		rv = 0x82;
	return rv;
}

static ulong_t raw_sign(raw_module *m, ulong_t session, ulong_t key, void *message, ulong_t length, void *signature, ulong_t size) {
	ulong_t (*init)(ulong_t, mechanism_t *, ulong_t) = m->base->function[42];
	ulong_t (*sign)(ulong_t, void *, ulong_t, void *, ulong_t *) = m->base->function[43];
	struct { ulong_t hedge; void *context; ulong_t length; } parameter = {1, NULL, 0};
	mechanism_t mechanism = {0x1d, &parameter, sizeof parameter};
	ulong_t rv = init(session, &mechanism, key);
	return rv != 0 ? rv : sign(session, message, length, signature, &size);
}

static ulong_t raw_decapsulate(raw_module *m, ulong_t session, ulong_t key, void *ciphertext, ulong_t length, void *shared) {
	ulong_t (*decapsulate)(ulong_t, mechanism_t *, ulong_t, attribute_t *, ulong_t, void *, ulong_t, ulong_t *) = m->kem->function[93];
	ulong_t (*get)(ulong_t, ulong_t, attribute_t *, ulong_t) = m->base->function[24];
	ulong_t (*destroy)(ulong_t, ulong_t) = m->base->function[22];
	ulong_t class = 4, type = 0x10, size = 32, object = 0;
	unsigned char yes = 1, no = 0;
	attribute_t template[] = {
		{0x000, &class, sizeof class}, {0x100, &type, sizeof type}, {0x001, &no, 1},
		{0x103, &no, 1}, {0x162, &yes, 1}, {0x161, &size, sizeof size},
	};
	mechanism_t mechanism = {0x17, NULL, 0};
	ulong_t rv = decapsulate(session, &mechanism, key, template, 6, ciphertext, length, &object);
	if (rv != 0)
		return rv;
	attribute_t value = {0x011, shared, 32};
	rv = get(session, object, &value, 1);
	ulong_t destroyed = destroy(session, object);
	return rv != 0 ? rv : destroyed;
}
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// A Module is a module that has been loaded and initialised.
type Module struct{ c *C.raw_module }

// A Session is a session and a private key.
type Session struct {
	c            *C.raw_module
	session, key C.ulong_t
}

// Open returns the module at path.
func Open(path string) (*Module, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	m := &Module{(*C.raw_module)(C.calloc(1, C.sizeof_raw_module))}
	if C.raw_open(name, m.c) == 0 {
		return nil, fmt.Errorf("raw: %s can't be used", path)
	}
	return m, nil
}

func result(rv C.ulong_t) error {
	if rv != 0 {
		return fmt.Errorf("raw: %#x", uint(rv))
	}
	return nil
}

// Session opens a session and finds the private key with an id.
func (m *Module) Session(slot uint, id []byte) (*Session, error) {
	s := &Session{c: m.c}
	if err := result(C.raw_session(m.c, C.ulong_t(slot), &s.session)); err != nil {
		return nil, err
	}
	return s, result(C.raw_find(m.c, s.session, unsafe.Pointer(&id[0]), C.ulong_t(len(id)), &s.key))
}

// Close closes the session.
func (s *Session) Close() error { return result(C.raw_close(s.c, s.session)) }

// Sign makes a hedged ML-DSA signature, without a context, of the length of signature.
func (s *Session) Sign(message, signature []byte) error {
	return result(C.raw_sign(s.c, s.session, s.key, unsafe.Pointer(&message[0]), C.ulong_t(len(message)),
		unsafe.Pointer(&signature[0]), C.ulong_t(len(signature))))
}

// Decapsulate decapsulates with ML-KEM, and reads and destroys the object that the token makes.
func (s *Session) Decapsulate(ciphertext []byte, sharedKey *[32]byte) error {
	return result(C.raw_decapsulate(s.c, s.session, s.key, unsafe.Pointer(&ciphertext[0]), C.ulong_t(len(ciphertext)),
		unsafe.Pointer(sharedKey)))
}
