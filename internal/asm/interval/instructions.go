package interval

import "math/bits"

// An elementwise instruction computes every lane from the lanes at the same place of its
// sources.
type elementwise struct {
	size  int // of a lane, in bytes, or 0: of the smallest lanes that the sources have
	reads func(x Interval, size int) Interval
	f     func(size int, x []Interval) Interval // of the sources in Intel's order
	fits  fit
	parts int // if not 0, how many lanes of a source make one of the result; f gets each
}

// A fit says which results are as they should be.
type fit int

const (
	always    fit = iota // all: the result fits whatever the sources are
	condition            // 0 and 1: in a mask as they are, in a vector negated
	asSigned             // those that fit in the signed type
	sum                  // so too; others are right modulo the type, and the rule holds for them
	shifted              // as of a sum, but the result may fit in the unsigned type as well
)

// elementwises are the instructions by opcode.
var elementwises = map[string]elementwise{
	"VPADDW":   {size: 2, reads: signed, f: ofTwo(Interval.Add), fits: sum},
	"VPADDD":   {size: 4, reads: signed, f: ofTwo(Interval.Add), fits: sum},
	"VPSUBW":   {size: 2, reads: signed, f: ofTwo(Interval.Sub), fits: sum},
	"VPSUBD":   {size: 4, reads: signed, f: ofTwo(Interval.Sub), fits: sum},
	"VPMULLW":  {size: 2, reads: signed, f: ofTwo(Interval.Mul), fits: sum},
	"VPMULLD":  {size: 4, reads: signed, f: ofTwo(Interval.Mul), fits: sum},
	"VPABSW":   {size: 2, reads: signed, f: ofOne(absolute), fits: asSigned},
	"VPABSD":   {size: 4, reads: signed, f: ofOne(absolute), fits: asSigned},
	"VPSIGND":  {size: 4, reads: signed, f: ofTwo(sign), fits: asSigned},
	"VPMADDWD": {size: 4, reads: signed, f: pairs, fits: asSigned, parts: 2},
	"VPMADDUBSW": {size: 2, reads: raw, f: func(_ int, x []Interval) Interval {
		return pairs(2, []Interval{unsigned(x[0], 1), unsigned(x[1], 1), signed(x[2], 1), signed(x[3], 1)})
	}, fits: asSigned, parts: 2},

	"VPMULHW":   {size: 2, reads: signed, f: high(0, 16)},
	"VPMULHUW":  {size: 2, reads: unsigned, f: high(0, 16)},
	"VPMULHRSW": {size: 2, reads: signed, f: high(1<<14, 15), fits: asSigned},

	"VPSLLW":  {size: 2, reads: unsigned, f: left, fits: shifted},
	"VPSLLD":  {size: 4, reads: unsigned, f: left, fits: shifted},
	"VPSLLVW": {size: 2, reads: unsigned, f: left, fits: shifted},
	"VPSLLVD": {size: 4, reads: unsigned, f: left, fits: shifted},
	"VPSRLW":  {size: 2, reads: unsigned, f: right},
	"VPSRLD":  {size: 4, reads: unsigned, f: right},
	"VPSRLVD": {size: 4, reads: unsigned, f: right},
	"VPSRAW":  {size: 2, reads: signed, f: right},
	"VPSRAD":  {size: 4, reads: signed, f: right},

	"VPMAXSW": {size: 2, reads: signed, f: ofTwo(larger)},
	"VPMAXUD": {size: 4, reads: unsigned, f: ofTwo(larger)},
	"VPMINUD": {size: 4, reads: unsigned, f: ofTwo(lesser)},

	"VPCMPGTW": {size: 2, reads: signed, f: ofTwo(greater), fits: condition},
	"VPCMPGTD": {size: 4, reads: signed, f: ofTwo(greater), fits: condition},
	"VPCMPEQW": {size: 2, reads: signed, f: ofTwo(equal), fits: condition},
	"VPCMPEQD": {size: 4, reads: signed, f: ofTwo(equal), fits: condition},
	"VPCMPW":   {size: 2, reads: signed, f: compare, fits: condition},
	"VPCMPUD":  {size: 4, reads: unsigned, f: compare, fits: condition},
	"VPMOVD2M": {size: 4, reads: signed, f: ofOne(func(x Interval) Interval { return greater(Exactly(0), x) }), fits: condition},

	"VPAND":   {reads: unsigned, f: ofTwo(and)},
	"VPANDD":  {reads: unsigned, f: ofTwo(and)},
	"VPANDN":  {reads: unsigned, f: andNot},
	"VPANDND": {reads: unsigned, f: andNot},
	"VPOR":    {reads: unsigned, f: ofTwo(or)},
	"VPORD":   {reads: unsigned, f: ofTwo(or)},
	"VPXOR":   {reads: unsigned, f: ofTwo(xor)},
	"VPXORD":  {reads: unsigned, f: ofTwo(xor)},
}

// raw leaves the reading to f.
func raw(x Interval, _ int) Interval { return x }

// pairs is the sum of the products of two pairs.
func pairs(_ int, x []Interval) Interval { return x[0].Mul(x[2]).Add(x[1].Mul(x[3])) }

// ofTwo and ofOne give the functions of two sources and of one the form of f.
func ofTwo(f func(x, y Interval) Interval) func(int, []Interval) Interval {
	return func(_ int, x []Interval) Interval { return f(x[0], x[1]) }
}

func ofOne(f func(x Interval) Interval) func(int, []Interval) Interval {
	return func(_ int, x []Interval) Interval { return f(x[0]) }
}

// holds is the interval of a condition.
func holds(always, never bool) Interval {
	switch {
	case always:
		return Exactly(1)
	case never:
		return Exactly(0)
	}
	return Interval{0, 1}
}

func greater(x, y Interval) Interval { return holds(x.Min > y.Max, x.Max <= y.Min) }
func equal(x, y Interval) Interval {
	return holds(x == y && x.Min == x.Max, x.Max < y.Min || x.Min > y.Max)
}

// compare is the comparison that the third source, a constant, selects.
func compare(_ int, x []Interval) Interval {
	not := func(c Interval) Interval { return Exactly(1).Sub(c) }
	switch x[2].Min {
	case 0:
		return equal(x[0], x[1])
	case 1:
		return greater(x[1], x[0])
	case 2:
		return not(greater(x[0], x[1]))
	case 4:
		return not(equal(x[0], x[1]))
	case 5:
		return not(greater(x[1], x[0]))
	case 6:
		return greater(x[0], x[1])
	}
	return Interval{0, 1}
}

func lesser(x, y Interval) Interval { return Interval{min(x.Min, y.Min), min(x.Max, y.Max)} }
func larger(x, y Interval) Interval { return Interval{max(x.Min, y.Min), max(x.Max, y.Max)} }

func absolute(x Interval) Interval {
	minus := Exactly(0).Sub(x)
	if x.Min <= 0 && x.Max >= 0 {
		return Interval{0, max(x.Max, minus.Max)}
	}
	return larger(x, minus)
}

// sign multiplies the first source by the sign of the second.
func sign(x, y Interval) Interval {
	signOf := func(y int64) int64 { return min(max(y, -1), 1) }
	return x.Mul(Interval{signOf(y.Min), signOf(y.Max)})
}

// high returns x·y, rounded as by adding before, without its low bits.
func high(before int64, low int) func(int, []Interval) Interval {
	return ofTwo(func(x, y Interval) Interval {
		p := x.Mul(y).Add(Exactly(before))
		return Interval{p.Min >> low, p.Max >> low}
	})
}

// left and right shift by the second source. What shifts by other than one number, or by more
// than the lane has bits, leave is somewhere between.
func left(size int, x []Interval) Interval {
	n := x[1]
	if n.Min < 0 || n.Min != n.Max || n.Max >= int64(8*size) {
		return Interval{0, 1 << 62}
	}
	return x[0].Mul(Exactly(1 << n.Min))
}

func right(size int, x []Interval) Interval {
	n := x[1]
	if n.Min < 0 || n.Min != n.Max || n.Max >= int64(8*size) {
		return x[0].Union(Exactly(0))
	}
	return Interval{x[0].Min >> n.Min, x[0].Max >> n.Min}
}

// The logic of numbers without sign. What is not exactly known is known by its length.
func and(x, y Interval) Interval {
	if x.Min == x.Max && y.Min == y.Max {
		return Exactly(x.Min & y.Min)
	}
	return Interval{0, min(x.Max, y.Max)}
}

func ones(x, y Interval) Interval {
	return Interval{0, 1<<bits.Len64(uint64(x.Max|y.Max)) - 1}
}

func or(x, y Interval) Interval {
	if x.Min == x.Max && y.Min == y.Max {
		return Exactly(x.Min | y.Min)
	}
	return Interval{max(x.Min, y.Min), ones(x, y).Max}
}

func xor(x, y Interval) Interval {
	if x.Min == x.Max && y.Min == y.Max {
		return Exactly(x.Min ^ y.Min)
	}
	return ones(x, y)
}

func andNot(size int, x []Interval) Interval {
	return and(Exactly(unsignedRange(size).Max).Sub(x[0]), x[1])
}
