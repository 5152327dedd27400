package hsm

import (
	"sync"
	"testing"
	"time"
)

// A faulty is a module whose functions a test makes fail, or wait.
type faulty struct {
	cryptoki
	mu       sync.Mutex
	fail     map[string][]uint // the codes of the next calls; 0 is a call of the module
	calls    map[string]int
	hold     chan struct{} // C_Sign and C_DecapsulateKey wait until it is closed
	open     int           // sessions
	mostOpen int           // 0: any number
	spoil    func(signature []byte) int
	after    func() // C_DecapsulateKey
}

// makeFaulty puts a faulty between a token and its module. It is to be done before the token is used.
func makeFaulty(t testing.TB, token *Token) *faulty {
	f := &faulty{cryptoki: token.module.cryptoki, fail: map[string][]uint{}, calls: map[string]int{}}
	token.module.cryptoki = f
	return f
}

// next returns what the next call of a function is to fail with.
func (f *faulty) next(function string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[function]++
	codes := f.fail[function]
	if len(codes) == 0 {
		return nil
	}
	f.fail[function] = codes[1:]
	if codes[0] == 0 {
		return nil
	}
	return &Error{function, codes[0]}
}

func (f *faulty) failing(function string, codes ...uint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[function] = codes
}

func (f *faulty) count(function string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[function]
}

func (f *faulty) sessions() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

func (f *faulty) OpenSession(slot uint, write bool) (uint, error) {
	if err := f.next("C_OpenSession"); err != nil {
		return 0, err
	}
	f.mu.Lock()
	if f.mostOpen > 0 && f.open >= f.mostOpen {
		f.mu.Unlock()
		return 0, &Error{"C_OpenSession", ckrSessionCount}
	}
	f.open++
	f.mu.Unlock()
	return f.cryptoki.OpenSession(slot, write)
}

func (f *faulty) CloseSession(session uint) error {
	err := f.cryptoki.CloseSession(session)
	f.mu.Lock()
	f.open--
	f.mu.Unlock()
	return err
}

func (f *faulty) SessionState(session uint) (uint, error) {
	if err := f.next("C_GetSessionInfo"); err != nil {
		return 0, err
	}
	return f.cryptoki.SessionState(session)
}

func (f *faulty) Login(session uint, pin []byte) error {
	if err := f.next("C_Login"); err != nil {
		return err
	}
	return f.cryptoki.Login(session, pin)
}

func (f *faulty) Find(session uint, template []attribute, most int) ([]uint, error) {
	if err := f.next("C_FindObjects"); err != nil {
		return nil, err
	}
	return f.cryptoki.Find(session, template, most)
}

func (f *faulty) Sign(session, key uint, m *mechanism, message, signature []byte) (int, error) {
	if err := f.next("C_Sign"); err != nil {
		return 0, err
	}
	f.wait()
	n, err := f.cryptoki.Sign(session, key, m, message, signature)
	if f.spoil != nil && err == nil {
		n = f.spoil(signature)
	}
	return n, err
}

func (f *faulty) Decapsulate(session, key, mechanism uint, withLength bool, ciphertext []byte, sharedKey *[32]byte) error {
	if err := f.next("C_DecapsulateKey"); err != nil {
		return err
	}
	f.wait()
	err := f.cryptoki.Decapsulate(session, key, mechanism, withLength, ciphertext, sharedKey)
	if f.after != nil {
		f.after()
	}
	return err
}

func (f *faulty) wait() {
	f.mu.Lock()
	hold := f.hold
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
}

// holding makes operations wait until the function that it returns is called.
func (f *faulty) holding() (release func()) {
	hold := make(chan struct{})
	f.mu.Lock()
	f.hold = hold
	f.mu.Unlock()
	return sync.OnceFunc(func() {
		f.mu.Lock()
		f.hold = nil
		f.mu.Unlock()
		close(hold)
	})
}

// eventually waits for what other goroutines do.
func eventually(t testing.TB, what func() bool, message string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !what(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never happened: %s", message)
		}
	}
}
