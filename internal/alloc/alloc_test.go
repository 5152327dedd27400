package alloc

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnclearedIsDistinctAlignedMemory(t *testing.T) {
	type large [8000]byte
	type words [13]uint64
	var all []*large
	for i := range 500 {
		p, w := Uncleared[large](), Uncleared[words]()
		require.Zero(t, uintptr(unsafe.Pointer(p))%64, "a large object starts on a cache line")
		require.Zero(t, uintptr(unsafe.Pointer(w))%8)
		for j := range p {
			p[j] = byte(i)
		}
		for j := range w {
			w[j] = 0xaaaaaaaaaaaaaaaa
		}
		all = append(all, p)
		if i%100 == 0 {
			runtime.GC()
		}
	}
	for i, p := range all {
		for j := range p {
			if p[j] != byte(i) {
				t.Fatalf("object %d has changed at %d", i, j)
			}
		}
	}
}

func TestUnclearedAllocatesOnce(t *testing.T) {
	var sink *[6000]byte
	assert.Equal(t, 1.0, testing.AllocsPerRun(100, func() { sink = Uncleared[[6000]byte]() }))
	runtime.KeepAlive(sink)
}
