package main

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/a64"
	"github.com/pqlane/pqlane/internal/asm/interval"
)

// A packing is one of FIPS 204's: width bits a coefficient, of base − c, or of c if base is
// zero; unpacking shifts by factor bits.
type packing struct {
	name     string
	width    int
	base     int64
	top      int64 // the largest number that is packed
	factor   int
	packOnly bool
	checked  bool // unpacking reports whether no number exceeds top
}

var packings = []packing{
	{name: "T1", width: 10, top: 1<<10 - 1, factor: 13},
	{name: "T0", width: 13, base: 1 << 12, top: 1<<13 - 1},
	{name: "Eta2", width: 3, base: 2, top: 4, checked: true},
	{name: "Eta4", width: 4, base: 4, top: 8, checked: true},
	{name: "Z17", width: 18, base: 1 << 17, top: 1<<18 - 1},
	{name: "Z19", width: 20, base: 1 << 19, top: 1<<20 - 1},
	{name: "W1Of88", width: 6, top: 43, packOnly: true},
	{name: "W1Of32", width: 4, top: 15, packOnly: true},
}

// coefficients is the interval of what is packed.
func (k packing) coefficients() interval.Interval {
	if k.base == 0 {
		return interval.Interval{Min: 0, Max: k.top}
	}
	return interval.Interval{Min: k.base - k.top, Max: k.base}
}

// unpacked is the interval of what is unpacked of any bytes.
func (k packing) unpacked() interval.Interval {
	switch {
	case k.base == 0:
		return least
	case k.checked:
		return interval.Interval{Min: k.base + 1 - 1<<k.width, Max: k.base}
	}
	return upTo(k.base)
}

// A place is a byte of one of several registers.
type place struct{ register, byte int }

// nowhere is beyond every table of TBL, which makes a zero of it.
const nowhere = 0xff

// indices returns what TBL needs to bring 16 places together, and the first and the number of the
// registers among which they are.
func indices(places []place) (words []uint32, first, count int) {
	last := 0
	first = 1 << 10
	for _, p := range places {
		if p.register >= 0 {
			first, last = min(first, p.register), max(last, p.register)
		}
	}
	words = make([]uint32, 4)
	for i := range 16 {
		index := nowhere
		if i < len(places) && places[i].register >= 0 {
			index = 16*(places[i].register-first) + places[i].byte
		}
		words[i/4] |= uint32(index) << (8 * (i % 4))
	}
	return words, first, last - first + 1
}

// A lookup is a TBL with its index in a register.
type lookup struct {
	index        a64.V
	first, count int
}

func (l lookup) from(f *a64.Func, d a64.V, table []a64.V) {
	f.VTBL(d.B16(), table[l.first:l.first+l.count], l.index.B16())
}

// lookups loads the indices of each of all.
func (file *conversion) lookups(f *a64.Func, name string, all [][]place) []lookup {
	var words []uint32
	ls := make([]lookup, len(all))
	for i, places := range all {
		w, first, count := indices(places)
		words = append(words, w...)
		ls[i] = lookup{f.V(), first, count}
	}
	vs := make([]a64.V, len(ls))
	for i, l := range ls {
		vs[i] = l.index
	}
	loadTable(f, file.constant(name, words), vs)
	return ls
}

// pack gathers four coefficients, which a load that takes elements in turn brings into the same
// lane of four registers, in the words of that lane, and then the bytes of all lanes.
func (file *conversion) pack(k packing) {
	f := file.Func("pack"+k.name+"NEON", "func(dst *byte, p *[256]int32)")
	dst, p := pointer(f, "dst"), pointer(f, "p")
	var base a64.Vec
	if k.base != 0 {
		base = broadcast(f, k.base)
	}
	words := (4*k.width + 31) / 32 // of a lane
	loads := 2                     // of 16 coefficients each, in a pass
	if words == 3 {
		loads = 1
	}
	size := 2 * k.width * loads // of a pass

	// The registers from which bytes are gathered, and where those of a pass are.
	sources := words * loads
	if k.width == 13 {
		sources = 2 * loads
	}
	at := func(i int) place {
		switch k.width {
		case 3: // 3 bytes of each half
			return place{i / 6, i/3%2*8 + i%3}
		case 13:
			return place{i / 13, i % 13}
		}
		group := k.width / 2
		return place{i/(4*group)*words + i%group/4, i/group%4*4 + i%group%4}
	}
	var chunks [][]place
	for i := 0; i < size; {
		count := 16
		for i+count > size {
			count /= 2
		}
		chunks = append(chunks, fill(count, func(j int) place { return at(i + j) }))
		i += count
	}
	ls := file.lookups(f, "pack"+k.name, chunks)
	upper := f.Vs(1) // shifts that bring the upper half down by 12 bits
	if k.width == 13 {
		loadTable(f, file.constant("upperBy12", []uint32{0, 0, 1<<32 - 12, 1<<32 - 1}), upper)
	}

	f.Loop(n/16/loads, func() {
		table := f.Table(words*(loads-1) + 4)
		gathered := table
		if k.width == 13 {
			gathered = f.Table(sources)
		}
		for load := range loads {
			// What is gathered of one load stays, and the next begins after it.
			v := table[words*load : words*load+4]
			f.LD4(p.Post(64), vecs(v)...)
			for _, c := range v {
				f.Assume(c.S4(), k.coefficients())
				if k.base != 0 {
					f.VSUB(c.S4(), base, c.S4())
				}
				f.Require(c.S4(), interval.Interval{Min: 0, Max: k.top})
			}
			k.join(f, v)
			switch k.width {
			case 3:
				t := f.V()
				f.VUSHR(t.D2(), v[0].D2(), 32)
				f.VSLI(v[0].D2(), t.D2(), 12)
				f.Free(t)
			case 13:
				for half, z := range gathered[2*load : 2*load+2] {
					if half == 0 {
						f.VZIP1(z.S4(), v[0].S4(), v[1].S4())
					} else {
						f.VZIP2(z.S4(), v[0].S4(), v[1].S4())
					}
					t := f.V()
					f.VEXT(t.B16(), z.B16(), z.B16(), 8)
					f.VSLI(z.D2(), t.D2(), 52)
					f.VUSHL(z.D2(), z.D2(), upper[0].D2())
					f.Free(t)
				}
			}
		}
		ys := f.Vs(len(ls))
		for i, l := range ls {
			l.from(f, ys[i], gathered)
		}
		offset := size
		for i := len(ls) - 1; i >= 0; i-- {
			offset -= len(chunks[i])
			m := dst.At(offset)
			if i == 0 {
				m = dst.Post(size)
			}
			switch len(chunks[i]) {
			case 16:
				f.STR(ys[i], m)
			case 8:
				f.STRD(ys[i], m)
			case 4:
				f.STRS(ys[i], m)
			default:
				panic(fmt.Sprintf("a chunk of %d bytes", len(chunks[i])))
			}
		}
		f.Free(ys, table)
		if k.width == 13 {
			f.Free(gathered)
		}
	})
	f.RET()
}

// join makes words of four coefficients' bits, the first in v[0] and so on: each coefficient
// is used up before the register of its number is needed.
func (k packing) join(f *a64.Func, v []a64.V) {
	for j := 1; j < 4; j++ {
		word, bit := j*k.width/32, j*k.width%32
		f.VSLI(v[word].S4(), v[j].S4(), bit)
		if bit+k.width > 32 {
			f.VUSHR(v[word+1].S4(), v[j].S4(), 32-bit)
		}
	}
}

// unpack takes 32 numbers at a time: it brings the bytes of each into its lane, and shifts and
// masks.
func (file *conversion) unpack(k packing) {
	signature := "func(p *[256]int32, src *byte)"
	if k.checked {
		signature += " bool"
	}
	f := file.Func("unpack"+k.name+"NEON", signature)
	p, src := pointer(f, "p"), pointer(f, "src")

	// Registers are loaded from every 16 bytes on, and one from the last 16: nothing is read
	// beyond.
	size := 4 * k.width
	var offsets []int
	for o := 0; o+16 <= size; o += 16 {
		offsets = append(offsets, o)
	}
	if size%16 != 0 {
		offsets = append(offsets, max(size-16, 0))
	}
	var places [][]place
	var shifts [][]uint32
	for v := range 8 {
		bit := 4 * v * k.width
		first, last := bit/8, (bit+4*k.width-1)/8
		// The registers that hold the bytes of these four numbers: one, or two of 32 bytes.
		register := -1
		for i, o := range offsets {
			if o <= first && last < o+16 {
				register = i
			}
		}
		if register < 0 {
			register = first / 16
			if offsets[register+1] != offsets[register]+16 {
				panic("numbers between registers")
			}
		}
		var ps []place
		var ss []uint32
		for j := range 4 {
			b := bit + j*k.width
			for i := range 4 {
				at := b/8 + i - offsets[register]
				if i < (b%8+k.width+7)/8 {
					ps = append(ps, place{register + at/16, at % 16})
				} else {
					ps = append(ps, place{register: -1})
				}
			}
			ss = append(ss, uint32(k.factor-b%8))
		}
		places = append(places, ps)
		shifts = append(shifts, ss)
	}
	ls := file.lookups(f, "unpack"+k.name, places)
	// The shifts of every other register are the same.
	by := f.Vs(2)
	loadTable(f, file.constant("shifts"+k.name, append(append([]uint32{}, shifts[0]...), shifts[1]...)), by)
	mask := broadcast(f, (1<<k.width-1)<<k.factor)
	var base a64.Vec
	if k.base != 0 {
		base = broadcast(f, k.base)
	}
	var least []a64.V
	if k.checked {
		least = f.Vs(2)
		for _, v := range least {
			f.VMOV(v, base.V)
			f.Forget(v)
		}
	}
	data := f.Table(len(offsets))
	f.Loop(n/32, func() {
		if size < 16 {
			f.LDRD(data[0], src.Post(8))
			f.LD1Lane(src.Post(size-8), data[0].S(2))
		} else {
			for i := len(offsets) - 1; i > 0; i-- {
				f.LDR(data[i], src.At(offsets[i]))
			}
			f.LDR(data[0], src.Post(size))
		}
		for half := range 2 {
			ys := f.Table(4)
			for i, y := range ys {
				ls[4*half+i].from(f, y, data)
			}
			for i, y := range ys {
				f.VUSHL(y.S4(), y.S4(), by[i%2].S4())
				f.VAND(y.B16(), y.B16(), mask.V.B16())
				f.Assume(y.S4(), interval.Interval{Min: 0, Max: (1<<k.width - 1) << k.factor})
				if k.base != 0 {
					f.VSUB(y.S4(), base, y.S4())
				}
				f.Require(y.S4(), k.unpacked())
				if k.checked {
					f.VSMIN(least[i%2].S4(), least[i%2].S4(), y.S4())
				}
			}
			f.ST1(p.Post(64), vecs(ys)...)
			f.Free(ys)
		}
	})
	if k.checked {
		result := f.X()
		f.VSMIN(least[0].S4(), least[0].S4(), least[1].S4())
		f.VSMINV(least[0], least[0].S4())
		f.UMOV(result, least[0].S(0))
		f.CMPW(result, int(k.base-k.top))
		f.CSET(result, "GE")
		f.Result("ret", result)
	}
	f.RET()
}
