// Package measure times the contestants of a comparison in interleaved rounds.
//
// A round gives each contestant in turn a few calls, so that a change of clock
// frequency, a noisy neighbour or a garbage collection meets all of them alike and
// the ratio between two holds even where the times do not. In each round a
// contestant first makes single calls, each timed by itself, which give the tail
// (and warm its data after the others have run); then a batch of calls timed as a
// whole, which gives minimum, median and mean without the clock's own cost.
//
// Where the inputs decide what a call costs, as the messages of a signature do, a comparison
// may have all contestants take the same ones in order: see [Comparison].
package measure

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/pqlane/pqlane/internal/cpu"
)

const (
	// BatchTime is the length that a batch is calibrated to: long against the
	// clock's resolution, short against the scheduler's time slice.
	BatchTime = 64 * time.Microsecond

	// MinBatch is the least number of calls in a batch: the minimum over batches
	// of one call would be that of the luckiest call, and a fast contestant, with
	// more calls in a batch, would have none as lucky.
	MinBatch = 4

	// countingTime is what counting a contestant's allocations may take, three times over.
	countingTime = 20 * time.Millisecond

	// OrderedBatch is the number of calls in a round where inputs are taken in order.
	OrderedBatch = 16

	// WarmTime is how long a contestant makes calls that are not timed before those of
	// OrderedBatch: a processor takes about as long to give its vector units full power
	// after another contestant has left them idle.
	WarmTime = 100 * time.Microsecond

	// MinPasses is how often each input is timed at least where inputs are taken in order.
	MinPasses = 3

	// SingleMin is the shortest call that is worth timing by itself.
	SingleMin = time.Microsecond
)

// A Mode is a way to call a contestant and to take its statistics.
type Mode int

const (
	// Batched takes minimum, median and mean over batches, and p99 over single
	// calls (over batches, if a call is shorter than [SingleMin]).
	Batched Mode = iota

	// Single takes every statistic over single calls. It is for operations whose
	// cost depends on the input, where a batch's mean would hide the distribution.
	Single

	// Fresh is Single with each call on a goroutine of its own. The time is taken
	// on that goroutine and so includes the growth of its stack.
	Fresh

	// Whole is Fresh for a call that has goroutines of its own: its time is the processor
	// time of the whole process, and so has the collector's share, and no one else's.
	Whole
)

// A Contestant is one implementation's way to do an operation.
type Contestant struct {
	Op       string // the operation, as the table shows it
	Impl     string // the implementation
	Backend  string // the level of internal/cpu that it runs on; empty if it has none
	Baseline bool   // the others' ratios are to this one
	Mode     Mode

	// Together, if it is not 0, is the number of calls of mode Whole that are made at the
	// same time, on all processors. The time of each is what the process has taken from the
	// start of all to its end.
	Together int

	// Call does the operation once, on the input that i, which is not negative,
	// selects modulo their number.
	Call func(i int) error
}

// A Comparison is a set of contestants that run interleaved.
type Comparison struct {
	Group       string // the heading that it stands under
	Note        string // what a reader must know of the contestants, or ""
	Contestants []Contestant

	// Longer, if it is not 0, multiplies the time budget: for calls so long that it would
	// hold too few for a tail.
	Longer int

	// Inputs, if it is not 0, is a number of inputs, a multiple of [OrderedBatch], that every
	// contestant takes in order, in at least [MinPasses] whole passes. Statistics are then
	// over inputs, of the least time of each: they show how the inputs differ, and not how
	// often another process interfered. It is for modes Single and Fresh, and operations
	// whose cost depends so much on the input that chance would decide between contestants.
	Inputs int
}

// A Result is what was measured of one contestant. Times are nanoseconds a call.
type Result struct {
	Group   string `json:"group"`
	Op      string `json:"op"`
	Impl    string `json:"impl"`
	Backend string `json:"backend,omitempty"`

	Min    float64 `json:"min_ns"`
	Median float64 `json:"median_ns"`
	Mean   float64 `json:"mean_ns"`
	P99    float64 `json:"p99_ns"`
	P999   float64 `json:"p999_ns,omitempty"` // 0 if there are too few samples

	Cycles float64 `json:"cycles,omitempty"` // minimum over batches; 0 if not counted
	Allocs uint64  `json:"allocs"`
	Bytes  uint64  `json:"bytes"`

	Batch   int `json:"batch"`   // calls in a batch
	Batches int `json:"batches"` // batches timed; 0 if every statistic is over single calls
	Singles int `json:"singles"` // calls timed singly; 0 if p99 is over batches

	// Inputs that the statistics are over, of the least time of each; 0 if they are over calls.
	Inputs int `json:"inputs,omitempty"`

	Baseline    string  `json:"baseline,omitempty"`     // what the ratios are to
	Ratio       float64 `json:"ratio,omitempty"`        // baseline's minimum over this one's
	MedianRatio float64 `json:"median_ratio,omitempty"` // the same of the medians
	MeanRatio   float64 `json:"mean_ratio,omitempty"`   // and of the means
	P99Ratio    float64 `json:"p99_ratio,omitempty"`    // and of p99, if both are over single calls
}

// Run measures a comparison, giving each contestant about the time budget, or the least
// number of passes through the inputs if that takes longer. It returns the results in the
// contestants' order and the reason why cycles were not counted, if they were not.
func Run(c Comparison, budget time.Duration) (results []Result, noCycles error, err error) {
	budget *= time.Duration(max(c.Longer, 1))
	var cycles *counter
	switch {
	case c.together():
	case c.has(Fresh), c.has(Whole):
		// A goroutine that another core takes up would find its caches without the
		// contestant's data: that is the scheduler's cost, and not the call's.
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	case c.has(Batched):
		// The counter follows a thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if cycles, noCycles = openCounter(); noCycles == nil {
			defer cycles.close()
		}
	}

	runners := make([]*runner, len(c.Contestants))
	for i := range runners {
		runners[i] = &runner{Contestant: &c.Contestants[i], cycles: cycles, clock: clockCost(), random: uint64(i)}
		if err := runners[i].prepare(c.Inputs, budget); err != nil {
			return nil, nil, fmt.Errorf("%s %s (%s): %w", c.Group, runners[i].Op, runners[i].label(), err)
		}
	}
	runtime.GC()

	deadline := time.Now().Add(budget * time.Duration(len(runners)))
	pass := max(c.Inputs/OrderedBatch, 1) // in rounds
	least := 1
	if c.Inputs != 0 {
		least = MinPasses * pass
	}
	for round := 0; round < least || round%pass != 0 || time.Now().Before(deadline); round++ {
		for _, r := range runners {
			if err := r.round(); err != nil {
				return nil, nil, fmt.Errorf("%s %s (%s): %w", c.Group, r.Op, r.label(), err)
			}
		}
	}

	for _, r := range runners {
		results = append(results, r.result(c))
	}
	for i := range results {
		if b := c.baseline(c.Contestants[i].Op); b >= 0 {
			results[i].Baseline = results[b].Impl
			results[i].Ratio = results[b].Min / results[i].Min
			results[i].MedianRatio = results[b].Median / results[i].Median
			results[i].MeanRatio = results[b].Mean / results[i].Mean
			if results[b].Singles != 0 && results[i].Singles != 0 {
				results[i].P99Ratio = results[b].P99 / results[i].P99
			}
		}
	}
	return results, noCycles, nil
}

func (c Comparison) has(mode Mode) bool {
	for _, x := range c.Contestants {
		if x.Mode == mode {
			return true
		}
	}
	return false
}

func (c Comparison) together() bool {
	return slices.ContainsFunc(c.Contestants, func(x Contestant) bool { return x.Together != 0 })
}

// baseline returns the index of the contestant that op's ratios are to: the
// baseline that does op itself, or else (op is a form that the baseline lacks) the
// first baseline there is; -1 if there is none.
func (c Comparison) baseline(op string) int {
	first := -1
	for i, x := range c.Contestants {
		if !x.Baseline {
			continue
		}
		if x.Op == op {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

// A runner is a contestant and what has been measured of it.
type runner struct {
	*Contestant
	cycles *counter      // nil if they cannot be counted
	clock  time.Duration // what timing one call adds to it

	random        uint64
	inputs        int // that are taken in order, beginning with next; 0 if there is no order
	next          int
	batch         int
	timeSingles   bool
	batches       []float64 // ns a call, one per batch
	singles       []float64 // ns, one per call
	minCycles     float64   // a call, over batches
	allocs, bytes uint64
}

func (r *runner) label() string {
	if r.Backend != "" {
		return r.Impl + " " + r.Backend
	}
	return r.Impl
}

// use switches to the contestant's backend.
func (r *runner) use() (restore func()) {
	if r.Backend == "" {
		return func() {}
	}
	return cpu.Use(r.Backend)
}

// input selects the next call's input. The order is random and every contestant's
// its own: if two that share code took the same inputs in step, the branch
// predictor would learn an input's rejections from the one for the other.
func (r *runner) input() int {
	if r.inputs != 0 {
		i := r.next
		r.next = (i + 1) % r.inputs
		return i
	}
	r.random = r.random*6364136223846793005 + 1442695040888963407 // Knuth's MMIX generator
	return int(r.random >> 40)
}

// repeat makes n calls.
func (r *runner) repeat(n int) error {
	for range n {
		if err := r.Call(r.input()); err != nil {
			return err
		}
	}
	return nil
}

// prepare warms the contestant, calibrates the batch and counts allocations.
func (r *runner) prepare(inputs int, budget time.Duration) error {
	defer r.use()()
	var call time.Duration
	for n := 1; ; n *= 2 {
		best := time.Duration(1<<63 - 1)
		for range 5 {
			start := time.Now()
			if err := r.repeat(n); err != nil {
				return err
			}
			best = min(best, time.Since(start))
		}
		if best >= BatchTime/2 {
			call = max(best/time.Duration(n), 1)
			break
		}
	}
	r.batch = max(MinBatch, int(BatchTime/call))
	r.timeSingles = r.Mode != Batched || call >= SingleMin
	if inputs != 0 {
		r.batch = OrderedBatch
		defer func() { r.inputs = inputs }()
	}

	// The samples are allocated before the rounds, to leave the collector to the
	// contestants.
	rounds := int(budget/BatchTime) + 1
	r.batches = make([]float64, 0, rounds)
	if r.timeSingles {
		r.singles = make([]float64, 0, max(rounds*r.batch, MinPasses*inputs))
	}

	return r.countAllocations(uint64(min(max(MinBatch, countingTime/call), 64)))
}

// countAllocations counts what a call allocates: the least of a few counts over some calls,
// since the runtime allocates for itself now and then.
func (r *runner) countAllocations(calls uint64) error {
	for k := range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := r.repeat(int(calls)); err != nil {
			return err
		}
		runtime.ReadMemStats(&after)
		allocs := (after.Mallocs - before.Mallocs) / calls
		bytes := (after.TotalAlloc - before.TotalAlloc) / calls
		if k == 0 || bytes < r.bytes {
			r.allocs, r.bytes = allocs, bytes
		}
	}
	return nil
}

// round makes the contestant's calls of one round.
func (r *runner) round() error {
	defer r.use()()
	if r.Together != 0 {
		return r.together()
	}
	if r.inputs != 0 {
		for start := time.Now(); time.Since(start) < WarmTime; {
			if err := r.Call(r.next); err != nil {
				return err
			}
		}
	}
	if r.timeSingles {
		for range r.batch {
			d, err := r.single()
			if err != nil {
				return err
			}
			r.singles = append(r.singles, float64(max(d-r.clock, 0)))
		}
	}
	if r.Mode != Batched {
		return nil
	}
	before := r.cycles.read()
	start := time.Now()
	if err := r.repeat(r.batch); err != nil {
		return err
	}
	d := time.Since(start)
	spent := float64(r.cycles.read()-before) / float64(r.batch)
	r.batches = append(r.batches, float64(d)/float64(r.batch))
	if r.minCycles == 0 || spent < r.minCycles {
		r.minCycles = spent
	}
	return nil
}

// single times one call.
func (r *runner) single() (time.Duration, error) {
	i := r.input()
	switch r.Mode {
	case Fresh:
		return fresh(r.Call, i)
	case Whole:
		start := processorTime()
		_, err := fresh(r.Call, i)
		return processorTime() - start, err
	}
	start := time.Now()
	err := r.Call(i)
	return time.Since(start), err
}

// fresh times one call on a goroutine of its own.
func fresh(call func(int) error, i int) (d time.Duration, err error) {
	done := make(chan struct{})
	go func() {
		start := time.Now()
		err = call(i)
		d = time.Since(start)
		close(done)
	}()
	<-done
	return d, err
}

// together makes calls at the same time.
func (r *runner) together() error {
	times, errs := make([]time.Duration, r.Together), make([]error, r.Together)
	var calls sync.WaitGroup
	start := processorTime()
	for k := range r.Together {
		i := r.input()
		calls.Go(func() {
			errs[k] = r.Call(i)
			times[k] = processorTime() - start
		})
	}
	calls.Wait()
	for _, d := range times {
		r.singles = append(r.singles, float64(d))
	}
	return errors.Join(errs...)
}

func (r *runner) result(c Comparison) Result {
	singles := len(r.singles)
	if c.Inputs != 0 {
		r.singles = leastOfEach(r.singles, c.Inputs)
	}
	body, tail := r.batches, r.singles
	if r.Mode != Batched {
		body = r.singles
	}
	if !r.timeSingles {
		tail = r.batches
	}
	s, t := summarize(body), summarize(tail)
	return Result{
		Group: c.Group, Op: r.Op, Impl: r.Impl, Backend: r.Backend,
		Min: s.min, Median: s.median, Mean: s.mean, P99: t.p99, P999: t.p999,
		Cycles: r.minCycles, Allocs: r.allocs, Bytes: r.bytes,
		Batch: r.batch, Batches: len(r.batches), Singles: singles, Inputs: c.Inputs,
	}
}

// clockCost returns what the clock itself adds to the time of a single call.
func clockCost() time.Duration {
	best := time.Duration(1<<63 - 1)
	for range 1000 {
		start := time.Now()
		best = min(best, time.Since(start))
	}
	return best
}
