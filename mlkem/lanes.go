package mlkem

import (
	"github.com/pqlane/pqlane/internal/keccak"
	"github.com/pqlane/pqlane/internal/kemring"
)

// lanes shares the four lanes of the permutation among the three kinds of work of an
// operation: the hash whose blocks follow one another (H(ek) or J(z ‖ c)), the noise
// polynomials and the polynomials of Â. A lane that has nothing to do takes the hash,
// if it waits, else the next noise polynomial, else the next of Â, row by row; an
// operation states its work in the fields below and calls step until it is done.
//
// Which lane does what, and when, depends on ρ through the rejections of SampleNTT, and
// on nothing secret.
type lanes struct {
	keccak.Scheduler
	tasks [keccak.Lanes]task
	tail  [keccak.Lanes]uint64 // of the messages that fill starts
	*params

	// noise polynomials PRF_η(noiseSeed, i), with η₁ for i < k and noiseEta2 above.
	noiseSeed []byte
	noise     []kemring.Poly
	noiseEta2 int
	noiseNext int
	noiseDone int
	prf       *[keccak.Lanes][192]byte // streams with η = 3, which take two blocks

	// a is filled with Â, expanded from rho; rowDone counts a row's finished polynomials.
	rho     *[32]byte
	a       []kemring.Poly
	aNext   int
	row     int // of aNext
	column  int
	rowDone [maxK]int

	// hash is absorbed as far as hashReady says; the first 32 bytes of output are left
	// in digest.
	hash       []byte
	hashReady  int
	hashRate   int
	hashDomain byte
	hashLane   int // 1 more than the lane that has it
	digest     [32]byte
}

type task struct {
	kind  taskKind
	index int // of the polynomial
	row   int // of a polynomial of Â
	n     int // coefficients of Â, or blocks of noise, so far
}

type taskKind uint8

const (
	idle taskKind = iota
	hashing
	samplingNoise
	samplingMatrix
)

// fill gives work to the idle lanes and returns how many lanes have work.
func (l *lanes) fill() (busy int) {
	if l.hashLane != 0 {
		l.SetReady(l.hashLane-1, l.hashReady)
	}
	var noise, matrix uint // lanes that begin one
	for lane := range l.tasks {
		t := &l.tasks[lane]
		if t.kind == idle {
			switch {
			case l.hashReady > 0 && l.hashLane == 0:
				*t = task{kind: hashing}
				l.hashLane = lane + 1
				l.Absorb(lane, l.hashRate, l.hashDomain, l.hash, l.hashReady)
			case l.noiseNext < len(l.noise):
				*t = task{kind: samplingNoise, index: l.noiseNext}
				l.tail[lane] = uint64(l.noiseNext) | keccak.DomainSHAKE<<8
				noise |= 1 << lane
				l.noiseNext++
			case l.aNext < len(l.a):
				*t = task{kind: samplingMatrix, index: l.aNext, row: l.row}
				l.tail[lane] = uint64(l.column) | uint64(l.row)<<8 | keccak.DomainSHAKE<<16
				matrix |= 1 << lane
				l.aNext++
				if l.column++; l.column == l.k {
					l.row, l.column = l.row+1, 0
				}
			default:
				continue
			}
		}
		busy++
	}
	if noise != 0 {
		l.Start(noise, keccak.RateSHAKE256, l.noiseSeed, &l.tail)
	}
	if matrix != 0 {
		l.Start(matrix, keccak.RateSHAKE128, l.rho[:], &l.tail)
	}
	return busy
}

// wide reports whether sampleWide pays: if registers are wide enough, there are seven
// polynomials at least, which would keep the lanes for two steps, and a stream takes one
// block. It is not for operations in which a chain of hashes leaves lanes empty.
func (l *lanes) wide() bool {
	return keccak.Wide() && len(l.noise) >= 7 && l.eta1 == 2
}

// sampleWide samples up to eight noise polynomials at once, outside the lanes.
func (l *lanes) sampleWide(s *keccak.State8) {
	n := min(len(l.noise), len(s[0]))
	s.Start(keccak.RateSHAKE256, l.noiseSeed, &eightNonces)
	s.Permute(1<<8 - 1)
	for i := range n {
		kemring.CBD2Wide(&l.noise[i], s, i)
	}
	clear(s[:])
	l.noiseNext, l.noiseDone = n, n
}

// eightNonces are the bytes that follow the seed of the first eight noise polynomials.
var eightNonces = func() (tail [8]uint64) {
	for i := range tail {
		tail[i] = uint64(i) | keccak.DomainSHAKE<<8
	}
	return tail
}()

// step advances every lane by a permutation and takes what the lanes have made. It
// returns false when there was nothing left to do.
func (l *lanes) step() bool {
	switch busy := l.fill(); {
	case busy == 0:
		return false
	case busy == 1 && l.hashing() && l.hashReady == len(l.hash):
		// Only the hash is left, and all of its message is there.
		l.Finish(l.hashLane - 1)
	default:
		l.Step()
	}
	for lane := range l.tasks {
		t := &l.tasks[lane]
		done := false
		switch t.kind {
		case samplingMatrix:
			t.n = kemring.SampleNTT(&l.a[t.index], t.n, &l.State, lane)
			if done = t.n == kemring.N; done {
				l.rowDone[t.row&(maxK-1)]++
			}
		case samplingNoise:
			if done = l.takeNoise(lane, t); done {
				l.noiseDone++
			}
		case hashing:
			if done = l.Ready(lane); done {
				l.Read(lane, l.digest[:])
			}
		}
		if done {
			t.kind = idle
			l.Release(lane)
		}
	}
	return true
}

// hashing reports whether a lane absorbs the hash.
func (l *lanes) hashing() bool {
	return l.hashLane != 0 && l.tasks[l.hashLane-1].kind == hashing
}

// takeNoise turns the block of a noise stream into its polynomial and reports whether
// that is complete.
func (l *lanes) takeNoise(lane int, t *task) bool {
	eta := l.noiseEta2
	if t.index < l.k {
		eta = l.eta1
	}
	if eta == 2 {
		kemring.CBD2(&l.noise[t.index], &l.State, lane)
		return true
	}
	b := &l.prf[lane]
	if t.n == 0 {
		l.Read(lane, b[:keccak.RateSHAKE256])
		t.n = 1
		return false
	}
	l.Read(lane, b[keccak.RateSHAKE256:])
	kemring.CBD3(&l.noise[t.index], b)
	return true
}
