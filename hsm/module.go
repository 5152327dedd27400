package hsm

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

// A cryptoki is a loaded module. Errors of its functions are of type *Error.
type cryptoki interface {
	Initialize() error
	Finalize() error
	Unload()

	Interface() Version // the newest, of whose function list every pointer that this package uses is there
	HasDecapsulate() bool

	Slots() ([]uint, error) // with a token
	TokenInfo(slot uint) (TokenInfo, error)
	Mechanisms(slot uint) ([]uint, error)
	MechanismInfo(slot, mechanism uint) (mechanismInfo, error)

	OpenSession(slot uint, write bool) (uint, error)
	CloseSession(session uint) error
	SessionState(session uint) (uint, error)
	Login(session uint, pin []byte) error

	Find(session uint, template []attribute, most int) ([]uint, error)
	Attribute(session, object, kind uint) ([]byte, error)
	SetAttribute(session, object uint, a attribute) error
	Create(session uint, template []attribute) (uint, error)
	Destroy(session, object uint) error
	GeneratePair(session, mechanism uint, public, private []attribute) (publicKey, privateKey uint, err error)

	// Sign does C_SignInit and C_Sign into signature, and returns how long it is.
	Sign(session, key uint, m *mechanism, message, signature []byte) (int, error)

	// Decapsulate does C_DecapsulateKey into a session object, reads its value and destroys it.
	// withLength puts CKA_VALUE_LEN in its template.
	Decapsulate(session, key, mechanism uint, withLength bool, ciphertext []byte, sharedKey *[32]byte) error
}

// An attribute is a CK_ATTRIBUTE.
type attribute struct {
	kind  uint
	value []byte
}

type mechanismInfo struct{ minKeySize, maxKeySize, flags uint }

// A mechanism is a CK_MECHANISM of signing.
type mechanism struct {
	number    uint
	parameter parameter
	a, b, c   uint   // see parameter
	context   string // of ML-DSA
}

// A parameter is the type of a mechanism's parameter.
type parameter uint8

const (
	noParameter     parameter = iota
	signContext               // CK_SIGN_ADDITIONAL_CONTEXT: a is the hedge
	hashSignContext           // CK_HASH_SIGN_ADDITIONAL_CONTEXT: a is the hedge, b the hash
	pssParameter              // CK_RSA_PKCS_PSS_PARAMS: a is the hash, b the mask generation function, c the salt's length
)

// A module is a module that is in use, shared by the tokens that are open in it.
type module struct {
	path, key string
	users     int // under modules.Mutex

	lock     sync.Mutex // of loading and initialising
	cryptoki cryptoki   // nil: not loaded
	ours     bool       // C_Initialize was done here, and C_Finalize is ours

	// generation counts the times that C_Initialize was done again. Handles of sessions from before may be
	// those of other sessions now.
	generation atomic.Uint64
}

// modules has the modules in use, by path.
var modules = struct {
	sync.Mutex
	byPath map[string]*module
}{byPath: map[string]*module{}}

// useModule loads and initialises a module, or joins those who use it. Each call is to be
// followed by a release.
func useModule(path string) (*module, error) {
	key := path
	if strings.ContainsRune(path, '/') {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			key = real
		}
	}
	modules.Lock()
	m := modules.byPath[key]
	if m == nil {
		m = &module{path: path, key: key}
		modules.byPath[key] = m
	}
	m.users++
	modules.Unlock()
	if err := m.load(); err != nil {
		m.release()
		return nil, err
	}
	return m, nil
}

func (m *module) load() error {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.cryptoki != nil {
		return nil
	}
	c, err := loadModule(m.path)
	if err != nil {
		return err
	}
	err = c.Initialize()
	if code(err) == ckrCryptokiAlreadyInitialized {
		err = nil
	} else {
		m.ours = true
	}
	if err != nil {
		m.ours = false
		c.Unload()
		return err
	}
	m.cryptoki = c
	return nil
}

// reinitialize does C_Initialize again, after the module has said that it is not initialised.
func (m *module) reinitialize() error {
	m.lock.Lock()
	defer m.lock.Unlock()
	err := m.cryptoki.Initialize()
	if code(err) == ckrCryptokiAlreadyInitialized {
		return nil
	}
	if err == nil {
		m.ours = true
		m.generation.Add(1)
	}
	return err
}

// closeSession closes a session, unless it went with its generation.
func (m *module) closeSession(handle uint, generation uint64) {
	if m.generation.Load() == generation {
		m.cryptoki.CloseSession(handle)
	}
}

// release undoes one use.
func (m *module) release() {
	m.lock.Lock()
	defer m.lock.Unlock()
	modules.Lock()
	m.users--
	last := m.users == 0
	modules.Unlock()
	if !last || m.cryptoki == nil {
		m.forget()
		return
	}
	if m.ours {
		m.cryptoki.Finalize()
	}
	m.cryptoki.Unload()
	m.cryptoki, m.ours = nil, false
	m.forget()
}

// forget removes m from the modules if nobody uses it or has begun to while it was unloaded.
func (m *module) forget() {
	modules.Lock()
	if m.users == 0 && modules.byPath[m.key] == m {
		delete(modules.byPath, m.key)
	}
	modules.Unlock()
}

// code returns the CK_RV in err, or 0.
func code(err error) uint {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return 0
}
