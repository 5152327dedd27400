package measure

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/internal/cpu"
)

func TestSummarize(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64((i*37)%100 + 1) // 1 to 100, disordered
	}
	assert.Equal(t, summary{min: 1, median: 50.5, mean: 50.5, p99: 99}, summarize(hundred))
	assert.Equal(t, summary{min: 7, median: 7, mean: 7, p99: 7}, summarize([]float64{7}))
	assert.Equal(t, summary{min: 1, median: 2, mean: 4, p99: 9}, summarize([]float64{9, 1, 2}))
	assert.Equal(t, 100.0, summarize(append(hundred, 100)).p99, "the 100th of 101")
	many := make([]float64, 10_000)
	for i := range many {
		many[i] = float64(len(many) - i)
	}
	assert.Equal(t, summary{min: 1, median: 5000.5, mean: 5000.5, p99: 9900, p999: 9990}, summarize(many))
}

func TestLeastOfEach(t *testing.T) {
	assert.Equal(t, []float64{1, 4, 2}, leastOfEach([]float64{1, 7, 3, 5, 4, 9, 6, 8, 2}, 3))
	assert.Equal(t, []float64{3, 1}, leastOfEach([]float64{3, 1}, 2))
}

// spin takes about d of time.
func spin(d time.Duration) func(int) error {
	return func(int) error {
		for start := time.Now(); time.Since(start) < d; {
		}
		return nil
	}
}

func TestRunTimesAndRatios(t *testing.T) {
	const budget = 20 * time.Millisecond
	var sink []byte
	results, _, err := Run(Comparison{Group: "G", Contestants: []Contestant{
		{Op: "op", Impl: "slow", Baseline: true, Call: spin(40 * time.Microsecond)},
		{Op: "op", Impl: "fast", Call: spin(10 * time.Microsecond)},
		{Op: "op in place", Impl: "fast", Call: spin(5 * time.Microsecond)},
		{Op: "op", Impl: "allocates", Call: func(int) error { sink = make([]byte, 1024); return nil }},
		{Op: "op", Impl: "nothing", Call: func(int) error { return nil }},
	}}, budget)
	require.NoError(t, err)
	require.Len(t, results, 5)
	_ = sink
	slow, fast, inPlace, allocates, nothing := results[0], results[1], results[2], results[3], results[4]

	assert.InEpsilon(t, 40_000, slow.Min, 0.25)
	assert.InEpsilon(t, 10_000, fast.Min, 0.25)
	assert.InEpsilon(t, 4, fast.Ratio, 0.25)
	assert.Equal(t, slow.Median/fast.Median, fast.MedianRatio)
	assert.Equal(t, slow.Mean/fast.Mean, fast.MeanRatio)
	assert.Equal(t, slow.P99/fast.P99, fast.P99Ratio)
	assert.Zero(t, nothing.P99Ratio, "p99 of batches is not compared with that of calls")
	assert.InEpsilon(t, 8, inPlace.Ratio, 0.25, "a form that the baseline lacks is compared with its first form")
	assert.Equal(t, 1.0, slow.Ratio)
	assert.Equal(t, "slow", inPlace.Baseline)
	for _, r := range results[:3] {
		assert.LessOrEqual(t, r.Min, r.Median, r.Op)
		assert.Positive(t, r.P99, r.Op)
		assert.Positive(t, r.Batches)
		assert.Equal(t, r.Batches*r.Batch, r.Singles)
		assert.Zero(t, r.Allocs)
	}
	assert.EqualValues(t, 1, allocates.Allocs)
	assert.EqualValues(t, 1024, allocates.Bytes)
	assert.Zero(t, nothing.Singles, "a call of nanoseconds is not timed by itself")
}

func TestRunWithoutBaselineHasNoRatio(t *testing.T) {
	results, _, err := Run(Comparison{Contestants: []Contestant{
		{Op: "a", Call: spin(time.Microsecond)},
	}}, time.Millisecond)
	require.NoError(t, err)
	assert.Zero(t, results[0].Ratio)
	assert.Empty(t, results[0].Baseline)
}

func TestRatioIsToTheSameOperationFirst(t *testing.T) {
	c := Comparison{Contestants: []Contestant{
		{Op: "warm", Baseline: true}, {Op: "fresh"}, {Op: "fresh", Baseline: true},
	}}
	assert.Equal(t, 0, c.baseline("warm"))
	assert.Equal(t, 2, c.baseline("fresh"))
	assert.Equal(t, 0, c.baseline("in place"))
}

// grow uses a stack that a new goroutine does not have.
//
//go:noinline
func grow(n int) byte {
	var block [1024]byte
	block[n] = byte(n)
	if n == 0 {
		return block[0]
	}
	return grow(n-1) + block[n]
}

func TestFreshGoroutineIncludesStackGrowth(t *testing.T) {
	call := func(int) error { grow(60); return nil }
	results, _, err := Run(Comparison{Contestants: []Contestant{
		{Op: "warm", Mode: Single, Call: call},
		{Op: "fresh", Mode: Fresh, Call: call},
	}}, 20*time.Millisecond)
	require.NoError(t, err)
	assert.Greater(t, results[1].Min, 1.5*results[0].Min)
	assert.Zero(t, results[0].Batches)
	assert.Positive(t, results[0].Singles)
}

// TestWholeIsTheTimeOfAllGoroutines and of no one else: sleep takes none.
func TestWholeIsTheTimeOfAllGoroutines(t *testing.T) {
	start := time.Now()
	results, _, err := Run(Comparison{Longer: 20, Contestants: []Contestant{{Mode: Whole, Call: func(int) error {
		done := make(chan error)
		go func() { done <- spin(200 * time.Microsecond)(0) }()
		time.Sleep(2 * time.Millisecond)
		return <-done
	}}}}, 2*time.Millisecond)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(start), 40*time.Millisecond, "longer")
	assert.Greater(t, results[0].Median, 100e3)
	if runtime.GOOS == "linux" {
		assert.Less(t, results[0].Min, 1500e3)
	}
}

func TestTogether(t *testing.T) {
	const together = 8
	var running, most atomic.Int32
	results, _, err := Run(Comparison{Contestants: []Contestant{{Mode: Whole, Together: together, Call: func(int) error {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Millisecond)
		running.Add(-1)
		return nil
	}}}}, time.Microsecond)
	require.NoError(t, err)
	assert.EqualValues(t, together, most.Load())
	assert.Equal(t, together, results[0].Singles, "a round")

	boom := errors.New("boom")
	calls := atomic.Int32{}
	_, _, err = Run(Comparison{Contestants: []Contestant{{Mode: Whole, Together: together, Call: func(int) error {
		if calls.Add(1) > 300 {
			return boom
		}
		return spin(time.Microsecond)(0)
	}}}}, time.Second)
	assert.ErrorIs(t, err, boom)
}

func TestFootprint(t *testing.T) {
	var kept [][]byte
	stop := make(chan struct{})
	defer close(stop)
	const count = 1000
	f, err := FootprintOf("what", "impl", count, func() error {
		for range count {
			kept = append(kept, make([]byte, 4096))
			go func() { <-stop }()
		}
		return nil
	})
	require.NoError(t, err)
	assert.InDelta(t, 4096+24, f.Heap, 1000, "a block, its slice, a goroutine")
	assert.InDelta(t, 2048, f.Stack, 1000)
	runtime.KeepAlive(kept)
	boom := errors.New("boom")
	_, err = FootprintOf("", "", 1, func() error { return boom })
	assert.ErrorIs(t, err, boom)
}

// TestInputsInOrder: however fast a contestant is, it has had the inputs that the others have.
func TestInputsInOrder(t *testing.T) {
	const inputs = 2 * OrderedBatch
	var had [3][]int
	c := Comparison{Inputs: inputs}
	for i, d := range []time.Duration{0, 10 * time.Microsecond, 50 * time.Microsecond} {
		call := spin(d)
		c.Contestants = append(c.Contestants, Contestant{Mode: Mode(1 + i%2), Call: func(input int) error {
			had[i] = append(had[i], input)
			return call(input)
		}})
	}
	for _, budget := range []time.Duration{1, 100 * time.Millisecond} {
		results, _, err := Run(c, budget)
		require.NoError(t, err)
		n := results[0].Singles
		assert.Zero(t, n%inputs, "whole passes")
		assert.Equal(t, budget == 1, n == MinPasses*inputs)
		for i, r := range results {
			assert.Equal(t, n, r.Singles)
			assert.Equal(t, inputs, r.Inputs)
			// Calls before a round repeat its first input.
			order := slices.Compact(had[i])
			order = order[len(order)-n:]
			for j := range order {
				require.Equal(t, j%inputs, order[j])
			}
		}
	}
}

func TestRunSwitchesBackend(t *testing.T) {
	before := cpu.Backend()
	var c Comparison
	for _, name := range cpu.Available() {
		c.Contestants = append(c.Contestants, Contestant{Backend: name, Call: func(int) error {
			if cpu.Backend() != name {
				return errors.New("runs on " + cpu.Backend())
			}
			return spin(time.Microsecond)(0)
		}})
	}
	_, _, err := Run(c, time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, before, cpu.Backend())
}

func TestFailureStopsTheRun(t *testing.T) {
	boom := errors.New("boom")
	calls := 0
	_, _, err := Run(Comparison{Group: "G", Contestants: []Contestant{
		{Op: "op", Impl: "impl", Backend: "generic", Call: func(int) error {
			if calls++; calls > 300 {
				return boom
			}
			return spin(time.Microsecond)(0)
		}},
	}}, time.Second)
	assert.ErrorIs(t, err, boom)
	assert.EqualError(t, err, "G op (impl generic): boom")
}

// TestCycles compares the counter, where there is one, with the clock.
func TestCycles(t *testing.T) {
	results, noCycles, err := Run(Comparison{Contestants: []Contestant{
		{Op: "spin", Call: spin(20 * time.Microsecond)},
	}}, 5*time.Millisecond)
	require.NoError(t, err)
	if noCycles != nil {
		assert.Zero(t, results[0].Cycles)
		assert.NotEmpty(t, noCycles.Error())
		return
	}
	gigahertz := results[0].Cycles / results[0].Min
	assert.False(t, math.IsNaN(gigahertz))
	assert.Greater(t, gigahertz, 0.1)
	assert.Less(t, gigahertz, 10.0)
}
