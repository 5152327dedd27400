package main

import (
	"github.com/pqlane/pqlane/internal/asm/a64"
)

// startRows emits the kernel name that begins sponges in four neighbouring lanes, a row of
// which is two vector registers; rows are stride bytes apart.
func startRows(file *a64.File, name, signature string, stride int) {
	f := file.Func(name, signature)
	state, seed, words, tail, last := f.X(), f.X(), f.X(), f.X(), f.X()
	low, high, bit := f.V(), f.V(), f.V()
	f.ArgAt(state, 0)
	f.ArgAt(seed, 1)
	f.ArgAt(words, 2)
	f.ArgAt(tail, 3)
	f.ArgAt(last, 4)
	f.VMOVI(low.D2(), 0, 0)
	for w := range 25 {
		m := state.At(stride * w)
		if stride*w > 1008 { // the farthest that a pair reaches
			f.STR(low, m)
			f.STR(low, m.At(16))
		} else {
			f.STP(low, low, m)
		}
	}
	f.LSL(last, last, map[int]int{32: 5, 64: 6}[stride])
	f.ADD(last, last, state)
	f.Comment("The seed, the same in every lane.")
	tails := f.Label("tail")
	f.CBZ(words, tails)
	f.LoopOn(words, func() {
		f.LD1R(seed.Post(8), low.D2())
		f.STP(low, low, state.Post(stride))
	})
	f.Place(tails)
	f.LDP(low, high, tail.At(0))
	f.STP(low, high, state.At(0))
	f.Comment("The padding's last bit.")
	f.MOV(words, uint64(1)<<63)
	f.VDUPX(bit.D2(), words)
	f.LDP(low, high, last.At(0))
	f.VEOR(low.B16(), low.B16(), bit.B16())
	f.VEOR(high.B16(), high.B16(), bit.B16())
	f.STP(low, high, last.At(0))
	f.RET()
}
