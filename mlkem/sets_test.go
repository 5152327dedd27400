package mlkem

import (
	"encoding"
	"os"
	"regexp"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A set is a parameter set's functions without its types, so that one test serves all.
type set struct {
	*params
	generate        func() privateKey
	newPrivate      func(seed []byte) (privateKey, error)
	newFromExpanded func(dk []byte) (privateKey, error)
	newPublic       func(ek []byte) (publicKeyAPI, error)
	zeroPrivate     func() privateKey
	zeroPublic      func() publicKeyAPI
	nilPrivate      privateKey
	nilPublic       publicKeyAPI
}

// privateKey and publicKeyAPI are the methods that don't mention a set's types.
type privateKey interface {
	Generate() error
	Bytes() []byte
	ExpandedBytes() []byte
	Decapsulate(ciphertext []byte) ([]byte, error)
	DecapsulateInto(sharedKey *[SharedKeySize]byte, ciphertext []byte) error
	AppendEncapsulationKey(b []byte) ([]byte, error)
	Destroy()
	public() publicKeyAPI
}

type publicKeyAPI interface {
	encoding.BinaryAppender
	SetBytes(b []byte) error
	Bytes() []byte
	Encapsulate() (sharedKey, ciphertext []byte)
	into(sharedKey *[SharedKeySize]byte, ciphertext []byte) error
}

func (dk *DecapsulationKey512) public() publicKeyAPI  { return dk.EncapsulationKey() }
func (dk *DecapsulationKey768) public() publicKeyAPI  { return dk.EncapsulationKey() }
func (dk *DecapsulationKey1024) public() publicKeyAPI { return dk.EncapsulationKey() }

func (ek *EncapsulationKey512) into(k *[SharedKeySize]byte, c []byte) error {
	return ek.EncapsulateInto(k, (*[CiphertextSize512]byte)(c))
}
func (ek *EncapsulationKey768) into(k *[SharedKeySize]byte, c []byte) error {
	return ek.EncapsulateInto(k, (*[CiphertextSize768]byte)(c))
}
func (ek *EncapsulationKey1024) into(k *[SharedKeySize]byte, c []byte) error {
	return ek.EncapsulateInto(k, (*[CiphertextSize1024]byte)(c))
}

// makeSet adapts a set's constructors.
func makeSet[DK interface {
	*D
	privateKey
}, EK interface {
	*E
	publicKeyAPI
}, D, E any](
	p *params,
	generate func() (DK, error),
	newPrivate, newFromExpanded func([]byte) (DK, error),
	newPublic func([]byte) (EK, error),
) set {
	return set{
		params: p,
		generate: func() privateKey {
			dk, err := generate()
			if err != nil {
				panic(err)
			}
			return dk
		},
		newPrivate:      func(b []byte) (privateKey, error) { return newPrivate(b) },
		newFromExpanded: func(b []byte) (privateKey, error) { return newFromExpanded(b) },
		newPublic:       func(b []byte) (publicKeyAPI, error) { return newPublic(b) },
		zeroPrivate:     func() privateKey { return DK(new(D)) },
		zeroPublic:      func() publicKeyAPI { return EK(new(E)) },
		nilPrivate:      DK(nil),
		nilPublic:       EK(nil),
	}
}

var sets = []set{
	makeSet(&params512, GenerateKey512, NewDecapsulationKey512, NewDecapsulationKey512FromExpanded, NewEncapsulationKey512),
	makeSet(&params768, GenerateKey768, NewDecapsulationKey768, NewDecapsulationKey768FromExpanded, NewEncapsulationKey768),
	makeSet(&params1024, GenerateKey1024, NewDecapsulationKey1024, NewDecapsulationKey1024FromExpanded, NewEncapsulationKey1024),
}

// core returns the parts of dk, of any set.
func core(dk privateKey) (sk secretKey) {
	dk.(interface{ view(*secretKey) }).view(&sk)
	return sk
}

// onEverySet runs f for each parameter set on each backend.
func onEverySet(t *testing.T, f func(t *testing.T, s set)) {
	onEveryBackend(t, func(t *testing.T) {
		for _, s := range sets {
			t.Run(s.name, func(t *testing.T) { f(t, s) })
		}
	})
}

// TestSizes checks the sizes that are public against those that follow from the
// parameters (FIPS 203, Table 3).
func TestSizes(t *testing.T) {
	for i, want := range [][3]int{
		{EncapsulationKeySize512, ExpandedKeySize512, CiphertextSize512},
		{EncapsulationKeySize768, ExpandedKeySize768, CiphertextSize768},
		{EncapsulationKeySize1024, ExpandedKeySize1024, CiphertextSize1024},
	} {
		p := sets[i].params
		assert.Equal(t, want, [3]int{p.encapsulationKeySize(), p.expandedKeySize(), p.ciphertextSize()}, p.name)
	}
}

func TestKeyMemory(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(DecapsulationKey768{}), uintptr(10<<10))
}

// TestMemoryIsAligned: a vector that straddles two cache lines costs two accesses.
func TestMemoryIsAligned(t *testing.T) {
	aligned := func(name string, p unsafe.Pointer) {
		assert.Zero(t, uintptr(p)%64, name)
	}
	w := newScratch()
	defer w.release()
	aligned("polys", unsafe.Pointer(&w.polys))
	aligned("message", unsafe.Pointer(&w.message))
	aligned("ciphertext", unsafe.Pointer(&w.ciphertext))
	aligned("eight lanes", unsafe.Pointer(&w.wide))
	aligned("four lanes", unsafe.Pointer(&w.state))

	dk512, _ := GenerateKey512()
	dk768, _ := GenerateKey768()
	dk1024, _ := GenerateKey1024()
	for _, p := range []unsafe.Pointer{
		unsafe.Pointer(&dk512.s), unsafe.Pointer(&dk512.ek.a), unsafe.Pointer(&dk512.ek.t),
		unsafe.Pointer(&dk768.s), unsafe.Pointer(&dk768.ek.a), unsafe.Pointer(&dk768.ek.t),
		unsafe.Pointer(&dk1024.s), unsafe.Pointer(&dk1024.ek.a), unsafe.Pointer(&dk1024.ek.t),
	} {
		aligned("key", p)
	}
}

// TestKeysAreOverwrittenWhole makes keys in memory that is not clear, where package alloc
// puts them: nothing of what was there may be left.
func TestKeysAreOverwrittenWhole(t *testing.T) {
	seed := random(SeedSize)
	var clean, dirty DecapsulationKey768
	soil(&dirty)
	clean.setSeed(seed)
	dirty.setSeed(seed)
	assert.Equal(t, clean, dirty)

	encoded := clean.EncapsulationKey().Bytes()
	var cleanEK, dirtyEK EncapsulationKey768
	soil(&dirtyEK)
	dirtyEK.shared = false // as NewEncapsulationKey768 does
	require.NoError(t, cleanEK.setBytes("", encoded))
	require.NoError(t, dirtyEK.setBytes("", encoded))
	assert.Equal(t, cleanEK, dirtyEK)
}

// soil fills *p with a pattern.
func soil[T any](p *T) {
	b := unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
	for i := range b {
		b[i] = 0xaa
	}
}

// TestSetsDifferOnlyInNumbers holds the three files of public methods together: a change
// in one that the others lack fails.
func TestSetsDifferOnlyInNumbers(t *testing.T) {
	normal := func(name, n string) string {
		b, err := os.ReadFile("mlkem" + n + ".go")
		require.NoError(t, err)
		s := regexp.MustCompile(n).ReplaceAllString(string(b), "N")
		return regexp.MustCompile(`\[\d+\]kemring|about \d+ KB`).ReplaceAllString(s, "…")
	}
	want := normal("ML-KEM-768", "768")
	assert.Equal(t, want, normal("ML-KEM-512", "512"))
	assert.Equal(t, want, normal("ML-KEM-1024", "1024"))
}
