package measure

import "runtime"

// A Footprint is the memory that things take while they do nothing, in bytes each.
type Footprint struct {
	What  string  `json:"what"`
	Impl  string  `json:"impl"`
	Count int     `json:"count"` // of which it is the mean
	Heap  float64 `json:"heap"`  // live objects
	Stack float64 `json:"stack"` // of goroutines
}

// FootprintOf calls add, which makes count things and keeps them, and returns what each of them
// added to the memory in use.
func FootprintOf(what, impl string, count int, add func() error) (Footprint, error) {
	heap, stack := inUse()
	if err := add(); err != nil {
		return Footprint{}, err
	}
	moreHeap, moreStack := inUse()
	each := func(before, after uint64) float64 { return (float64(after) - float64(before)) / float64(count) }
	return Footprint{What: what, Impl: impl, Count: count, Heap: each(heap, moreHeap), Stack: each(stack, moreStack)}, nil
}

// inUse returns the live heap and the stacks. It collects more than once: each collection halves the
// stacks of which less than a quarter is used.
func inUse() (heap, stack uint64) {
	for range 6 {
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc, stats.StackInuse
}
