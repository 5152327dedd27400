package interval

import "slices"

// A content is what is known of a vector register, of a mask, or of memory, from its
// first byte on. Lanes are of any of the sizes that instructions see them in; reading them in
// another size joins or splits their intervals. An interval holds integers that are congruent
// to the lane modulo its number of values, so that both readings, with and without sign, are
// at hand.
type content struct {
	size  int // of a lane, in bytes
	lanes []Interval
}

// signedRange returns the interval of the signed type of size bytes, and unsignedRange that of the
// unsigned one, of at most four.
func signedRange(size int) Interval { return Interval{-1 << (8*size - 1), 1<<(8*size-1) - 1} }

func unsignedRange(size int) Interval { return Interval{0, 1<<(8*size) - 1} }

// signed returns x as the signed type reads it, and unsigned as the unsigned one does: x
// moved by a multiple of the number of values if all of it then fits, or else everything.
func signed(x Interval, size int) Interval { return moved(x, signedRange(size), size) }

func unsigned(x Interval, size int) Interval { return moved(x, unsignedRange(size), size) }

func moved(x, to Interval, size int) Interval {
	if x.In(to) || size == 8 {
		return x
	}
	by := Exactly((x.Min - to.Min) >> (8 * size) << (8 * size))
	if y := x.Sub(by); y.In(to) {
		return y
	}
	return to
}

// unknown returns count bytes of which nothing is known.
func unknown(count int) content { return filled(1, count, signedRange(1)) }

// filled returns lanes of size bytes, up to count bytes, all within x.
func filled(size, count int, x Interval) content {
	lanes := make([]Interval, count/size)
	for i := range lanes {
		lanes[i] = x
	}
	return content{size, lanes}
}

// exact reports whether every lane is known.
func (c content) exact() bool {
	for _, l := range c.lanes {
		if l.Min != l.Max {
			return false
		}
	}
	return true
}

// in returns the lanes as lanes of size bytes.
func (c content) in(size int) []Interval {
	lanes := c.lanes
	for s := c.size; s < size; s *= 2 {
		joined := make([]Interval, len(lanes)/2)
		for i := range joined {
			high := signed(lanes[2*i+1], s)
			if s < 4 && high == signedRange(s) {
				high = unsigned(lanes[2*i+1], s)
			}
			joined[i] = high.Mul(Exactly(1 << (8 * s))).Add(unsigned(lanes[2*i], s))
		}
		lanes = joined
	}
	for s := c.size; s > size; s /= 2 {
		half := s / 2
		split := make([]Interval, 0, 2*len(lanes))
		for _, l := range lanes {
			if !l.In(signedRange(s)) {
				l = unsigned(l, s)
			}
			high := Interval{l.Min >> (8 * half), l.Max >> (8 * half)}
			low := signedRange(half)
			if high.Min == high.Max {
				low = l.Sub(high.Mul(Exactly(1 << (8 * half))))
			}
			split = append(split, low, high)
		}
		lanes = split
	}
	return lanes
}

// at returns count bytes made of units of size bytes, which from takes from those of c.
func (c content) at(size, count int, from func(i int) int) content {
	lane := min(size, c.size)
	lanes, per := c.in(lane), size/lane
	r := content{size: lane}
	for i := range count / size {
		r.lanes = append(r.lanes, lanes[per*from(i):per*(from(i)+1)]...)
	}
	return r
}

// then returns c followed by d.
func (c content) then(d content) content {
	if len(c.lanes) == 0 {
		return d
	}
	size := min(c.size, d.size)
	return content{size, append(slices.Clone(c.in(size)), d.in(size)...)}
}

// lookup returns, for each of the lanes of order, the lane of c that it names, modulo their
// number; or zero, where it has the bit zero.
func (c content) lookup(order content, size int, zero int64) content {
	lanes, names := c.in(size), order.in(size)
	r := content{size, make([]Interval, len(names))}
	for i, name := range names {
		name = unsigned(name, size)
		if zero != 0 && name.Min >= zero {
			continue
		}
		r.lanes[i] = lanes[name.Min&int64(len(lanes)-1)]
		for n := name.Min; n <= min(name.Max, name.Min+int64(len(lanes))); n++ {
			r.lanes[i] = r.lanes[i].Union(lanes[n&int64(len(lanes)-1)])
		}
		if zero != 0 && name.Max >= zero {
			r.lanes[i] = r.lanes[i].Union(Exactly(0))
		}
	}
	return r
}

// first returns the first count bytes: those beyond what was written are zero.
func (c content) first(count int) content {
	if c.size > count {
		c = content{count, c.in(count)}
	}
	lanes := slices.Clone(c.lanes)
	for len(lanes) < count/c.size {
		lanes = append(lanes, Exactly(0))
	}
	return content{c.size, lanes[:count/c.size]}
}

// union returns what is known if either c or d holds.
func (c content) union(d content) content {
	size := min(c.size, d.size)
	bytes := max(c.size*len(c.lanes), d.size*len(d.lanes))
	a, b := c.first(bytes).in(size), d.first(bytes).in(size)
	lanes := make([]Interval, len(a))
	for i := range a {
		lanes[i] = a[i].Union(b[i])
	}
	return content{size, lanes}
}

// same reports whether c and d are one content, not merely equal ones.
func (c content) same(d content) bool {
	return c.size == d.size && len(c.lanes) == len(d.lanes) && len(c.lanes) > 0 && &c.lanes[0] == &d.lanes[0]
}
