//go:build cgo && !windows

package hsm

/*
#cgo linux LDFLAGS: -ldl
#cgo noescape pqlane_sign
#cgo noescape pqlane_decapsulate
#cgo noescape pqlane_login

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// Of PKCS #11 no more is declared than is called here. Every function is static: the
// binding's have plain names.
typedef unsigned long ulong_t;
typedef struct { unsigned char major, minor; } version_t;
typedef struct { ulong_t type; void *value; ulong_t length; } attribute_t;
typedef struct { ulong_t mechanism; void *parameter; ulong_t length; } mechanism_t;
typedef struct { char *name; void *functions; ulong_t flags; } interface_t;
typedef struct { version_t version; void *function[]; } functions_t;

// Places in the function lists: 68 functions of 2.40, then 24 of 3.0, then those of 3.2.
enum {
	at_login = 18, at_destroy_object = 22, at_get_attribute = 24, at_sign_init = 42, at_sign = 43,
	at_decapsulate = 68 + 24 + 1,
};

// Those of 2.40 that are called here, or by the binding for this package.
static const int needed[] = {0, 1, 4, 6, 7, 8, 12, 13, 15, 18, 20, 22, 24, 25, 26, 27, 28, 42, 43, 59};

typedef struct {
	void *handle;
	functions_t *v240, *v32; // v32 is NULL if there is none, or without C_DecapsulateKey
	version_t version;
} pqlane_module;

typedef struct { ulong_t rv, length; int step; } pqlane_result;

enum { ok_module, no_file, no_list, no_function };

static int pqlane_open(const char *path, pqlane_module *m, char **reason) {
	memset(m, 0, sizeof *m);
	dlerror();
	m->handle = dlopen(path, RTLD_LAZY);
	if (m->handle == NULL) {
		const char *why = dlerror();
		*reason = strdup(why ? why : "unknown reason");
		return no_file;
	}
	ulong_t (*list)(functions_t **) = (ulong_t (*)(functions_t **))dlsym(m->handle, "C_GetFunctionList");
	if (list == NULL) {
		const char *why = dlerror();
		*reason = strdup(why ? why : "no C_GetFunctionList");
		dlclose(m->handle);
		return no_list;
	}
	if (list(&m->v240) != 0 || m->v240 == NULL) {
		dlclose(m->handle);
		return no_function;
	}
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (m->v240->function[needed[i]] == NULL) {
			dlclose(m->handle);
			return no_function;
		}
	m->version = m->v240->version;
	ulong_t (*get)(char *, version_t *, interface_t **, ulong_t) =
		(ulong_t (*)(char *, version_t *, interface_t **, ulong_t))dlsym(m->handle, "C_GetInterface");
	if (get == NULL)
		return ok_module;
	interface_t *found = NULL;
	version_t asked = {3, 2};
	if (get("PKCS 11", &asked, &found, 0) != 0 || found == NULL || found->functions == NULL) {
		// Not 3.2, but perhaps 3.0 or 3.1; what is the newest is asked by no version.
		if (get("PKCS 11", NULL, &found, 0) != 0 || found == NULL || found->functions == NULL)
			return ok_module;
	}
	functions_t *f = found->functions;
	m->version = f->version;
	if (f->version.major > 3 || (f->version.major == 3 && f->version.minor >= 2))
		if (f->function[at_decapsulate] != NULL)
			m->v32 = f;
	return ok_module;
}

static void pqlane_close(pqlane_module *m) { dlclose(m->handle); }

static void wipe(void *p, size_t n) {
	volatile unsigned char *b = p;
	while (n--)
		*b++ = 0;
}

static ulong_t pqlane_login(pqlane_module *m, ulong_t session, void *pin, ulong_t length) {
	ulong_t (*login)(ulong_t, ulong_t, void *, ulong_t) = m->v240->function[at_login];
	return login(session, 1, pin, length);
}

// pqlane_sign does C_SignInit and C_Sign; step says which returned the code. The parameter is
// built here, so that C memory never holds a pointer to Go memory after the call.
static pqlane_result pqlane_sign(pqlane_module *m, ulong_t session, ulong_t key, ulong_t mechanism, int parameter, ulong_t a,
	ulong_t b, ulong_t c, const void *context, ulong_t context_length, void *message, ulong_t message_length, void *signature,
	ulong_t size) {
	struct { ulong_t hedge; const void *context; ulong_t length, hash; } additional = {a, context, context_length, b};
	struct { ulong_t hash, mgf, salt; } pss = {a, b, c};
	mechanism_t mech = {mechanism, NULL, 0};
	switch (parameter) {
	case 1:
		mech.parameter = &additional;
		mech.length = offsetof(__typeof__(additional), hash);
		break;
	case 2:
		mech.parameter = &additional;
		mech.length = sizeof additional;
		break;
	case 3:
		mech.parameter = &pss;
		mech.length = sizeof pss;
		break;
	}
	ulong_t (*init)(ulong_t, mechanism_t *, ulong_t) = m->v240->function[at_sign_init];
	ulong_t (*sign)(ulong_t, void *, ulong_t, void *, ulong_t *) = m->v240->function[at_sign];
	pqlane_result r = {0, size, 0};
	r.rv = init(session, &mech, key);
	if (r.rv == 0) {
		r.step = 1;
		r.rv = sign(session, message, message_length, signature, &r.length);
	}
	return r;
}

// pqlane_decapsulate does C_DecapsulateKey into a session object, reads its value of 32 bytes
// and destroys it; step says which function returned the code.
static pqlane_result pqlane_decapsulate(pqlane_module *m, ulong_t session, ulong_t key, ulong_t mechanism, int with_length,
	void *ciphertext, ulong_t length, void *shared) {
	ulong_t class = 4, type = 0x10, value_length = 32, object = 0;
	unsigned char yes = 1, no = 0;
	attribute_t template[] = {
		{0x000, &class, sizeof class}, {0x100, &type, sizeof type}, {0x001, &no, 1},
		{0x103, &no, 1}, {0x162, &yes, 1}, {0x161, &value_length, sizeof value_length},
	};
	mechanism_t mech = {mechanism, NULL, 0};
	ulong_t (*decapsulate)(ulong_t, mechanism_t *, ulong_t, attribute_t *, ulong_t, void *, ulong_t, ulong_t *) = m->v32->function[at_decapsulate];
	ulong_t (*get)(ulong_t, ulong_t, attribute_t *, ulong_t) = m->v240->function[at_get_attribute];
	ulong_t (*destroy)(ulong_t, ulong_t) = m->v240->function[at_destroy_object];
	pqlane_result r = {0, 0, 0};
	r.rv = decapsulate(session, &mech, key, template, with_length ? 6 : 5, ciphertext, length, &object);
	if (r.rv != 0)
		return r;
	unsigned char value[64];
	attribute_t a = {0x011, value, sizeof value};
	r.step = 1;
	r.rv = get(session, object, &a, 1);
	if (r.rv == 0) {
		r.length = a.length;
		if (a.length == 32)
			memcpy(shared, value, 32);
	}
	wipe(value, sizeof value);
	ulong_t destroyed = destroy(session, object);
	if (r.rv == 0 && destroyed != 0) {
		r.step = 2;
		r.rv = destroyed;
	}
	return r;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/miekg/pkcs11"
)

// A binding is a module through miekg/pkcs11, whose headers are those of version 2.40, and
// beside it the functions that it lacks, and those on secrets and hot paths.
type binding struct {
	c *C.pqlane_module
	*pkcs11.Ctx
}

func loadModule(path string) (cryptoki, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	c := (*C.pqlane_module)(C.calloc(1, C.sizeof_pqlane_module))
	var reason *C.char
	result := C.pqlane_open(name, c, &reason)
	if result == C.ok_module {
		if ctx := pkcs11.New(path); ctx != nil {
			return &binding{c, ctx}, nil
		}
		C.pqlane_close(c)
	}
	C.free(unsafe.Pointer(c))
	switch result {
	case C.no_file, C.no_list:
		defer C.free(unsafe.Pointer(reason))
		return nil, fmt.Errorf("%w: %s", ErrModule, C.GoString(reason))
	case C.no_function:
		return nil, fmt.Errorf("%w: %s: C_GetFunctionList fails, or its list has empty places", ErrModule, path)
	}
	return nil, fmt.Errorf("%w: %s", ErrModule, path)
}

func (b *binding) Unload() {
	b.Ctx.Destroy()
	C.pqlane_close(b.c)
	C.free(unsafe.Pointer(b.c))
	b.c = nil
}

// from returns err of the binding as one of ours.
func from(function string, err error) error {
	if err == nil {
		return nil
	}
	var e pkcs11.Error
	if errors.As(err, &e) {
		return &Error{Function: function, Code: uint(e)}
	}
	return fmt.Errorf("hsm: %s: %w", function, err)
}

func (b *binding) Initialize() error { return from("C_Initialize", b.Ctx.Initialize()) }
func (b *binding) Finalize() error   { return from("C_Finalize", b.Ctx.Finalize()) }

func (b *binding) Interface() Version {
	return Version{byte(b.c.version.major), byte(b.c.version.minor)}
}

func (b *binding) HasDecapsulate() bool { return b.c.v32 != nil }

func (b *binding) Slots() ([]uint, error) {
	slots, err := b.GetSlotList(true)
	return slots, from("C_GetSlotList", err)
}

func (b *binding) TokenInfo(slot uint) (TokenInfo, error) {
	i, err := b.GetTokenInfo(slot)
	if err != nil {
		return TokenInfo{}, from("C_GetTokenInfo", err)
	}
	known := func(n uint) uint {
		if n == ^uint(0) { // CK_UNAVAILABLE_INFORMATION
			return 0
		}
		return n
	}
	text := func(s string) string { return strings.TrimRight(s, " \x00") }
	return TokenInfo{
		Slot: slot, Label: text(i.Label), Manufacturer: text(i.ManufacturerID), Model: text(i.Model), Serial: text(i.SerialNumber),
		Hardware:      Version{i.HardwareVersion.Major, i.HardwareVersion.Minor},
		Firmware:      Version{i.FirmwareVersion.Major, i.FirmwareVersion.Minor},
		PINCountLow:   i.Flags&pkcs11.CKF_USER_PIN_COUNT_LOW != 0,
		PINFinalTry:   i.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0,
		PINLocked:     i.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0,
		LoginRequired: i.Flags&pkcs11.CKF_LOGIN_REQUIRED != 0,
		Sessions:      known(i.SessionCount), MaxSessions: known(i.MaxSessionCount),
	}, nil
}

func (b *binding) Mechanisms(slot uint) ([]uint, error) {
	list, err := b.GetMechanismList(slot)
	numbers := make([]uint, len(list))
	for i, m := range list {
		numbers[i] = m.Mechanism
	}
	return numbers, from("C_GetMechanismList", err)
}

func (b *binding) MechanismInfo(slot, mechanism uint) (mechanismInfo, error) {
	i, err := b.GetMechanismInfo(slot, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)})
	return mechanismInfo{i.MinKeySize, i.MaxKeySize, i.Flags}, from("C_GetMechanismInfo", err)
}

func (b *binding) OpenSession(slot uint, write bool) (uint, error) {
	flags := uint(pkcs11.CKF_SERIAL_SESSION)
	if write {
		flags |= pkcs11.CKF_RW_SESSION
	}
	s, err := b.Ctx.OpenSession(slot, flags)
	return uint(s), from("C_OpenSession", err)
}

func (b *binding) CloseSession(session uint) error {
	return from("C_CloseSession", b.Ctx.CloseSession(pkcs11.SessionHandle(session)))
}

func (b *binding) SessionState(session uint) (uint, error) {
	i, err := b.GetSessionInfo(pkcs11.SessionHandle(session))
	return i.State, from("C_GetSessionInfo", err)
}

func (b *binding) Login(session uint, pin []byte) error {
	// The binding would leave a copy of the PIN in memory that is freed.
	rv := C.pqlane_login(b.c, C.ulong_t(session), unsafe.Pointer(unsafe.SliceData(pin)), C.ulong_t(len(pin)))
	return result("C_Login", rv)
}

func result(function string, rv C.ulong_t) error {
	if rv == 0 {
		return nil
	}
	return &Error{Function: function, Code: uint(rv)}
}

func attributes(template []attribute) []*pkcs11.Attribute {
	list := make([]*pkcs11.Attribute, len(template))
	for i, a := range template {
		list[i] = &pkcs11.Attribute{Type: a.kind, Value: a.value}
	}
	return list
}

func (b *binding) Find(session uint, template []attribute, most int) ([]uint, error) {
	s := pkcs11.SessionHandle(session)
	if err := b.FindObjectsInit(s, attributes(template)); err != nil {
		return nil, from("C_FindObjectsInit", err)
	}
	var found []uint
	for len(found) < most {
		some, _, err := b.FindObjects(s, min(most-len(found), 64))
		if err != nil {
			return nil, from("C_FindObjects", err)
		}
		if len(some) == 0 {
			break
		}
		for _, o := range some {
			found = append(found, uint(o))
		}
	}
	return found, from("C_FindObjectsFinal", b.FindObjectsFinal(s))
}

func (b *binding) Attribute(session, object, kind uint) ([]byte, error) {
	list, err := b.GetAttributeValue(pkcs11.SessionHandle(session), pkcs11.ObjectHandle(object),
		[]*pkcs11.Attribute{{Type: kind}})
	if err != nil {
		return nil, from("C_GetAttributeValue", err)
	}
	return list[0].Value, nil
}

func (b *binding) SetAttribute(session, object uint, a attribute) error {
	return from("C_SetAttributeValue", b.SetAttributeValue(pkcs11.SessionHandle(session), pkcs11.ObjectHandle(object), attributes([]attribute{a})))
}

func (b *binding) Create(session uint, template []attribute) (uint, error) {
	o, err := b.CreateObject(pkcs11.SessionHandle(session), attributes(template))
	return uint(o), from("C_CreateObject", err)
}

func (b *binding) Destroy(session, object uint) error {
	return from("C_DestroyObject", b.DestroyObject(pkcs11.SessionHandle(session), pkcs11.ObjectHandle(object)))
}

func (b *binding) GeneratePair(session, mechanism uint, public, private []attribute) (uint, uint, error) {
	pub, priv, err := b.GenerateKeyPair(pkcs11.SessionHandle(session), []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)},
		attributes(public), attributes(private))
	return uint(pub), uint(priv), from("C_GenerateKeyPair", err)
}

var emptyMessage = []byte{0} // some modules refuse a null pointer of length 0

func (b *binding) Sign(session, key uint, m *mechanism, message, signature []byte) (int, error) {
	data := message
	if len(data) == 0 {
		data = emptyMessage
	}
	r := C.pqlane_sign(b.c, C.ulong_t(session), C.ulong_t(key), C.ulong_t(m.number), C.int(m.parameter),
		C.ulong_t(m.a), C.ulong_t(m.b), C.ulong_t(m.c),
		unsafe.Pointer(unsafe.StringData(m.context)), C.ulong_t(len(m.context)),
		unsafe.Pointer(&data[0]), C.ulong_t(len(message)), unsafe.Pointer(&signature[0]), C.ulong_t(len(signature)))
	if r.rv == 0 {
		return int(r.length), nil
	}
	if r.step == 0 {
		return 0, result("C_SignInit", r.rv)
	}
	return 0, result("C_Sign", r.rv)
}

func (b *binding) Decapsulate(session, key, mechanism uint, withLength bool, ciphertext []byte, sharedKey *[32]byte) error {
	var with C.int
	if withLength {
		with = 1
	}
	r := C.pqlane_decapsulate(b.c, C.ulong_t(session), C.ulong_t(key), C.ulong_t(mechanism), with,
		unsafe.Pointer(&ciphertext[0]), C.ulong_t(len(ciphertext)), unsafe.Pointer(sharedKey))
	if r.rv == 0 && r.length != 32 {
		return fmt.Errorf("%w: a shared key of %d bytes", ErrFaulty, r.length)
	}
	return result([...]string{"C_DecapsulateKey", "C_GetAttributeValue", "C_DestroyObject"}[r.step], r.rv)
}
