//go:build unix

// Package proxy makes PKCS #11 modules that pass what they are asked to another module, and
// have faults that no token has on demand: a function's n-th call fails, hangs or is late, its
// output is damaged, sessions end, the interface is an older one. Tests change the faults while they run.
package proxy

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

//go:embed module/proxy.c
var source []byte

// An Action is what a fault does.
type Action uint64

const (
	Before  Action = iota // return Code without asking the module; with Code 0, only delay
	After                 // ask the module, then return Code for its success
	Hang                  // wait for Release; then as Before
	Corrupt               // flip a bit of the output
	Shorten               // report the output as one byte shorter
	Reset                 // close all of the token's sessions, as its reset does, then return Code
)

// A Fault is what is wrong with a function.
type Fault struct {
	Skip   int // calls that have no fault
	Count  int // calls that have it, counted from the first; 0: all
	Period int // every Period-th of them only
	Action Action
	Code   uint // CK_RV
	Delay  time.Duration
}

// An Interface is the newest interface that the module says it has.
type Interface uint64

const (
	Interface32   Interface = iota // the module's own
	Interface30                    // 3.0, whatever is asked for
	InterfaceNull                  // 3.2 without its functions
	InterfaceNone                  // none: C_GetInterface fails
)

// These mirror the C source's types.
type fault struct{ calls, from, count, period, action, code, delay uint64 }

type control struct {
	iface, dead, flags, maxSessions, sessions, objects, release, hanging uint64
	faults                                                               [128]fault
}

// A Proxy is a module that has been made. Its methods can be called concurrently.
type Proxy struct {
	Path string // of the module

	control   *control
	mapped    []byte
	functions map[string]int
}

// New compiles a proxy of a module into a folder.
func New(module, folder string) (*Proxy, error) {
	p := &Proxy{Path: filepath.Join(folder, "proxy.so"), functions: functions()}
	file := filepath.Join(folder, "control")
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := int(unsafe.Sizeof(control{}))
	if err := f.Truncate(int64(size)); err != nil {
		return nil, err
	}
	p.mapped, err = unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	p.control = (*control)(unsafe.Pointer(&p.mapped[0]))
	c := filepath.Join(folder, "proxy.c")
	if err := os.WriteFile(c, source, 0o600); err != nil {
		return nil, err
	}
	out, err := exec.Command("gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Wno-cast-function-type", "-Werror", "-shared", "-fPIC",
		"-DMODULE="+strconv.Quote(module), "-DCONTROL="+strconv.Quote(file), "-o", p.Path, c, "-ldl").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("proxy: gcc: %w\n%s", err, out)
	}
	return p, nil
}

// functions returns the index of each function that the source wraps.
func functions() map[string]int {
	all := map[string]int{}
	for _, m := range regexp.MustCompile(`X\((C_\w+), \d\)`).FindAllSubmatch(source, -1) {
		all[string(m[1])] = len(all)
	}
	return all
}

func (p *Proxy) fault(function string) *fault {
	i, ok := p.functions[function]
	if !ok {
		panic(errors.New("proxy: no function " + function))
	}
	return &p.control.faults[i]
}

// Set gives a function a fault instead of the one that it had. Calls are counted from now on.
func (p *Proxy) Set(function string, f Fault) {
	c := p.fault(function)
	atomic.StoreUint64(&c.from, 0)
	if f.Action == Hang {
		atomic.StoreUint64(&p.control.release, 0)
	}
	atomic.StoreUint64(&c.count, uint64(f.Count))
	atomic.StoreUint64(&c.period, uint64(f.Period))
	atomic.StoreUint64(&c.action, uint64(f.Action))
	atomic.StoreUint64(&c.code, uint64(f.Code))
	atomic.StoreUint64(&c.delay, uint64(f.Delay.Microseconds()))
	atomic.StoreUint64(&c.from, atomic.LoadUint64(&c.calls)+uint64(f.Skip)+1)
}

// Clear takes all faults away, and releases what hangs.
func (p *Proxy) Clear() {
	for i := range p.control.faults {
		atomic.StoreUint64(&p.control.faults[i].from, 0)
	}
	p.SetDead(0)
	p.SetFlags(0)
	p.SetMaxSessions(0)
	p.SetInterface(Interface32)
	p.Release()
}

// Calls returns how often a function has been called.
func (p *Proxy) Calls(function string) int { return int(atomic.LoadUint64(&p.fault(function).calls)) }

// SetDead makes all functions but C_Initialize and C_Finalize return a code; 0 ends that.
func (p *Proxy) SetDead(code uint) { atomic.StoreUint64(&p.control.dead, uint64(code)) }

// SetFlags adds flags to those of CK_TOKEN_INFO.
func (p *Proxy) SetFlags(flags uint) { atomic.StoreUint64(&p.control.flags, uint64(flags)) }

// SetMaxSessions makes C_OpenSession return CKR_SESSION_COUNT when so many are open; 0 ends that.
func (p *Proxy) SetMaxSessions(n int) { atomic.StoreUint64(&p.control.maxSessions, uint64(n)) }

// SetInterface chooses the interface that C_GetInterface returns next.
func (p *Proxy) SetInterface(i Interface) { atomic.StoreUint64(&p.control.iface, uint64(i)) }

// Release lets all that hang go on.
func (p *Proxy) Release() { atomic.StoreUint64(&p.control.release, 1) }

// Hanging returns how many calls hang.
func (p *Proxy) Hanging() int { return int(atomic.LoadUint64(&p.control.hanging)) }

// Sessions returns how many sessions are open that were opened through the proxy.
func (p *Proxy) Sessions() int { return int(atomic.LoadUint64(&p.control.sessions)) }

// Objects returns how many of the objects exist that C_DecapsulateKey made, and C_DestroyObject was not asked to destroy.
func (p *Proxy) Objects() int { return int(atomic.LoadUint64(&p.control.objects)) }
