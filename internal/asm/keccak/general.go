package main

import (
	"fmt"

	"github.com/pqlane/pqlane/internal/asm/a64"
)

// delays says by how much the lanes in general registers are short of a rotation: a lane
// whose delay is n stands as L rotated right by n.
//
// The instructions of logic rotate their last operand, and their result is as late as the
// first. So ρ costs nothing: it adds to the delays (Becker and Kannwischer, «Hybrid
// scalar/vector implementations of Keccak and SPHINCS+ on AArch64», 2022, Section 3.1).
// Here every round begins with the same delays, so that the rounds can be a loop.
type delays struct {
	lanes [25]int // at the start of a round, by word
	d     [5]int  // of D[x]
	row   [5]int  // C[x] is as late as the lane in this row
	right [5]bool // D[x] is as late as rol(C[x+1], 1), and not as C[x-1]
}

// findDelays finds delays that a round reproduces. All lanes of column x become as late as
// D[x], to which they are added; χ leaves them so. D[x] is as late as C[x-1], or C[x+1] less
// one; C[x] as one of its lanes, which stood in another column before π: these choices lead
// from column to column, and must come back to one without a difference.
func findDelays() delays {
	rho := rhoOffsets()
	for choice := range 100000 {
		var d delays
		var from, step [5]int // D[x] is as late as D[from] and step more
		for x, rest := 0, choice; x < 5; x, rest = x+1, rest/10 {
			column := (x + 4) % 5
			if d.right[x] = rest%10 >= 5; d.right[x] {
				column = (x + 1) % 5
				step[x] = 1
			}
			source := piSource(lane{column, rest % 5})
			from[x] = source.x
			step[x] += rho[source.word()]
			// The two columns that ask for a parity must agree on its row.
			if d.row[column] != 0 && d.row[column] != rest%5+1 {
				from[x] = -1
				break
			}
			d.row[column] = rest%5 + 1
		}
		if !d.solve(from, step) {
			continue
		}
		for x := range d.row {
			d.row[x] = max(d.row[x]-1, 0)
		}
		for x := range 5 {
			for y := range 5 {
				source := piSource(lane{x, y})
				d.lanes[lane{x, y}.word()] = (d.d[source.x] + rho[source.word()]) % 64
			}
		}
		return d
	}
	panic("keccak: no delays come back after a round")
}

// solve finds d.d with d.d[x] = d.d[from[x]] + step[x] modulo 64.
func (d *delays) solve(from, step [5]int) bool {
	for _, f := range from {
		if f < 0 {
			return false
		}
	}
	known := [5]bool{true}
	d.d[0] = 0
	for range 5 {
		for x := range 5 {
			switch {
			case known[x] && !known[from[x]]:
				d.d[from[x]] = (d.d[x] - step[x] + 64) % 64
				known[from[x]] = true
			case known[from[x]] && !known[x]:
				d.d[x] = (d.d[from[x]] + step[x]) % 64
				known[x] = true
			}
		}
	}
	for x := range 5 {
		if !known[x] || (d.d[from[x]]+step[x]-d.d[x])%64 != 0 {
			return false
		}
	}
	return true
}

// A generalState is a state in general registers. There are 28: three more than lanes. Five
// parities and a column of D are wanted at once; and a row of χ can only go to its slots if
// one of these is empty at first. So four lanes of column 4, one for each row but row 0,
// wait on the stack until their rows come.
type generalState struct {
	f      *a64.Func
	delays delays
	slots  [25]a64.X
	t      [3]a64.X
	stack  a64.Mem // four lanes, in the order of waitingRows
	rc     a64.Mem // where the address of the next round constants is
}

// stackSize is what a generalState wants of the frame.
const stackSize = 40

// waitingRows lists the rows to which π brings lanes that wait, in the order in which they
// are worked on. The later ones do with fewer registers.
var waitingRows = [4]int{4, 1, 2, 3}

// waiting returns the lane of column 4 that π brings to row y.
func waiting(y int) lane {
	for from := range 4 {
		if (2*4+3*from)%5 == y {
			return lane{4, from}
		}
	}
	panic(fmt.Sprintf("keccak: no lane waits for row %d", y))
}

// newGeneralState takes all registers there are. The linker's R16 and R17 are safe without
// calls; the assembler's R27, as every offset fits into its instruction and addresses of constants
// are taken while no lane is in a register.
func newGeneralState(f *a64.Func, stack a64.Mem) *generalState {
	g := &generalState{f: f, delays: findDelays(), stack: stack, rc: stack.At(32)}
	for i := range g.slots {
		g.slots[i] = a64.X(i)
		if i >= 18 {
			g.slots[i]++ // R18 is the platform's
		}
	}
	g.t = [3]a64.X{26, a64.R27, a64.R30}
	return g
}

// address returns the register that has the state's address while loading and storing.
func (g *generalState) address() a64.X { return g.t[2] }

// load loads the lanes, stride bytes from one to the next.
func (g *generalState) load(stride int) {
	f := g.f
	g.each(stride, f.LDPX, f.LDRX)
	for i, x := range g.slots {
		if n := g.delays.lanes[i]; n != 0 {
			f.ROR(x, x, n)
		}
	}
}

func (g *generalState) store(stride int) {
	f := g.f
	for i, x := range g.slots {
		if n := g.delays.lanes[i]; n != 0 {
			f.ROR(x, x, 64-n)
		}
	}
	g.each(stride, f.STPX, f.STRX)
}

func (g *generalState) each(stride int, two func(a, b a64.X, m a64.Mem), one func(a a64.X, m a64.Mem)) {
	for i := 0; i < 25; i++ {
		m := g.address().At(stride * i)
		if stride == 8 && i < 24 {
			two(g.slots[i], g.slots[i+1], m)
			i++
		} else {
			one(g.slots[i], m)
		}
	}
}

// eor emits d = a ^ b, where a and b are late by na and nb; d is as late as a.
func (g *generalState) eor(d, a, b a64.X, na, nb int) {
	if n := (na - nb + 64) % 64; n != 0 {
		g.f.EOR(d, a, b.ROR(n))
	} else {
		g.f.EOR(d, a, b)
	}
}

// round emits round number number of a period and further periods.
func (g *generalState) round(number int) {
	f := g.f
	p := placements()[number%period]
	next := p.next()
	rho := rhoOffsets()
	at := func(l lane) a64.X { return g.slots[p.of(l)] }
	late := func(l lane) int { return g.delays.lanes[l.word()] }

	f.Comment("Round %d, general registers. θ: column parities.", number)
	var empty [4]a64.X // the slots of the lanes that wait
	for i, y := range waitingRows {
		empty[i] = at(waiting(y))
	}
	f.STPX(empty[0], empty[1], g.stack)
	f.STPX(empty[2], empty[3], g.stack.At(16))
	c := [5]a64.X{empty[0], empty[1], empty[2], empty[3], g.t[0]}
	cLate := [5]int{}
	for _, x := range []int{4, 0, 1, 2, 3} {
		// The row that decides how late the sum is comes first.
		order := []int{g.delays.row[x]}
		for y := range 5 {
			if y != order[0] {
				order = append(order, y)
			}
		}
		sum := c[x]
		cLate[x] = late(lane{x, order[0]})
		g.eor(sum, at(lane{x, order[0]}), at(lane{x, order[1]}), cLate[x], late(lane{x, order[1]}))
		for _, y := range order[2:] {
			g.eor(sum, sum, at(lane{x, y}), cLate[x], late(lane{x, y}))
		}
	}
	f.Comment("θ: D[x] = C[x-1] ^ rol(C[x+1], 1).")
	d := g.t[2]
	for x := range 5 {
		left, right := (x+4)%5, (x+1)%5
		dLate := cLate[left]
		if g.delays.right[x] {
			dLate = cLate[right] + 1
			g.eor(d, c[right], c[left], dLate, cLate[left])
		} else {
			g.eor(d, c[left], c[right], dLate, cLate[right]+1)
		}
		if dLate%64 != g.delays.d[x] {
			panic("keccak: D is not as late as it should be")
		}
		for y := range 5 {
			if l := (lane{x, y}); x < 4 || y == 4 {
				g.eor(at(l), d, at(l), dLate, late(l))
			}
		}
	}
	for i, y := range append([]int{0}, waitingRows[:]...) {
		f.Comment("Row %d: ρ, π and χ.", y)
		// Where the lane that has waited is now, and the registers that are free.
		arrive := func(into a64.X, i int) {
			g.eor(into, d, into, g.delays.d[4], late(waiting(waitingRows[i])))
		}
		var away a64.X
		var free []a64.X
		switch i {
		case 0:
			free = []a64.X{g.t[0], g.t[1], empty[0]}
		case 1:
			away, free = g.t[0], []a64.X{g.t[1], empty[1], empty[2]}
			f.LDPX(away, empty[3], g.stack)
			arrive(away, 0)
			arrive(empty[3], 1)
		case 2:
			away, free = empty[3], []a64.X{g.t[0], g.t[1], empty[2]}
		case 3:
			away, free = g.t[0], []a64.X{empty[3], d}
			f.LDPX(away, g.t[1], g.stack.At(16))
			arrive(away, 2)
			arrive(g.t[1], 3)
		case 4:
			away, free = g.t[1], []a64.X{g.t[0], d}
		}
		var places []a64.X
		for x := range 5 {
			places = append(places, g.slots[next.of(lane{x, y})])
		}
		if y > 0 {
			places = append(places, away)
		}
		places = append(places, free...)
		var b [5]int // how late each lane is
		for x := range 5 {
			source := piSource(lane{x, y})
			b[x] = (g.delays.d[source.x] + rho[source.word()]) % 64
			if at(source) != places[rowPlaces(y)[x]] {
				panic("keccak: a lane is not in its row's slot")
			}
		}
		for _, s := range chiSteps(y, len(free)) {
			x, x1, x2 := s.x, (s.x+1)%5, (s.x+2)%5
			if s.product {
				// As late as b[x+2].
				if n := (b[x2] - b[x1] + 64) % 64; n != 0 {
					f.BIC(places[s.to], places[s.from[0]], places[s.from[1]].ROR(n))
				} else {
					f.BIC(places[s.to], places[s.from[0]], places[s.from[1]])
				}
			} else {
				g.eor(places[s.to], places[s.from[0]], places[s.from[1]], b[x], b[x2])
			}
		}
		if y == 0 {
			first := at(lane{0, 0})
			f.LDRX(g.t[0], g.rc)
			f.LDRX(g.t[1], g.t[0].At(constantSize*number))
			g.eor(first, first, g.t[1], b[0], 0)
		}
	}
}

// advance moves on by n rounds and leaves the next round constant, which is zero after
// the last, in the register that it returns.
func (g *generalState) advance(n int) a64.X {
	f := g.f
	f.LDRX(g.t[0], g.rc)
	f.ADD(g.t[0], g.t[0], constantSize*n)
	f.STRX(g.t[0], g.rc)
	f.LDRX(g.t[1], g.t[0].At(0))
	return g.t[1]
}

// wipe clears the lanes on the stack.
func (g *generalState) wipe() {
	g.f.STPX(a64.ZR, a64.ZR, g.stack)
	g.f.STPX(a64.ZR, a64.ZR, g.stack.At(16))
}

// general emits the kernel name for one state in general registers, its lanes stride bytes
// from one to the next.
func general(file *a64.File, name, signature string, stride int, rc a64.Symbol) {
	f := file.Func(name, signature)
	g := newGeneralState(f, f.Frame(stackSize))
	f.Addr(g.t[0], rc)
	f.STRX(g.t[0], g.rc)
	f.ArgAt(g.address(), 0)
	g.load(stride)
	rounds := f.Label("rounds")
	f.Place(rounds)
	for i := range period {
		g.round(i)
	}
	f.CBNZ(g.advance(period), rounds)
	f.ArgAt(g.address(), 0)
	g.store(stride)
	g.wipe()
	f.RET()
}

// A chiStep computes lane x of a row: first the product NOT b[x+1] AND b[x+2], from b[x+2]
// and b[x+1], and then its sum with b[x], from b[x] and the product.
type chiStep struct {
	product bool
	x       int
	from    [2]place
	to      place
}

// chiSteps orders the steps of χ for row y so that every lane ends in the slot of its own
// column, and moves nothing. Places beyond the slots are the lane that has waited, but for
// row 0, and as many free registers as free says.
func chiSteps(y, free int) []chiStep {
	type content struct {
		kind byte // 0 none, 'b', a product 'p', or what is done 'o'
		x    int
	}
	places := make([]content, 5, 6+free)
	for x, at := range rowPlaces(y) {
		if places[at] = (content{'b', x}); y > 0 && at == 4 {
			places[at] = content{}
			places = append(places, content{'b', x})
		}
	}
	places = places[:len(places)+free]
	uses := [5]int{3, 3, 3, 3, 3} // of each b
	var products, sums [5]bool
	find := func(c content) place {
		for i, p := range places {
			if p == c {
				return place(i)
			}
		}
		panic(fmt.Sprintf("keccak: no %c%d", c.kind, c.x))
	}
	var steps []chiStep
	var search func() bool
	vacant := func(i place) bool {
		c := places[i]
		return c.kind == 0 || c.kind == 'b' && uses[c.x] == 0
	}
	search = func() bool {
		if len(steps) == 10 {
			return true
		}
		for x := range 5 {
			if !products[x] || sums[x] {
				continue
			}
			from := [2]place{find(content{'b', x}), find(content{'p', x})}
			uses[x]--
			saved := places[from[1]]
			places[from[1]] = content{}
			if vacant(place(x)) {
				restore := places[x]
				places[x] = content{'o', x}
				sums[x] = true
				steps = append(steps, chiStep{false, x, from, place(x)})
				if search() {
					return true
				}
				steps = steps[:len(steps)-1]
				sums[x] = false
				places[x] = restore
			}
			places[from[1]] = saved
			uses[x]++
		}
		for x := range 5 {
			if products[x] {
				continue
			}
			x1, x2 := (x+1)%5, (x+2)%5
			from := [2]place{find(content{'b', x2}), find(content{'b', x1})}
			uses[x1]--
			uses[x2]--
			for i := range places {
				if !vacant(place(i)) {
					continue
				}
				restore := places[i]
				places[i] = content{'p', x}
				products[x] = true
				steps = append(steps, chiStep{true, x, from, place(i)})
				if search() {
					return true
				}
				steps = steps[:len(steps)-1]
				products[x] = false
				places[i] = restore
			}
			uses[x1]++
			uses[x2]++
		}
		return false
	}
	if !search() {
		panic(fmt.Sprintf("keccak: no order of χ for row %d", y))
	}
	return steps
}
