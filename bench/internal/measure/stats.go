package measure

import (
	"math"
	"slices"
)

// leastOfEach returns the least sample of each input, of which they are whole passes.
func leastOfEach(samples []float64, inputs int) []float64 {
	least := samples[:inputs]
	for i, x := range samples {
		least[i%inputs] = min(least[i%inputs], x)
	}
	return least
}

type summary struct{ min, median, mean, p99, p999 float64 }

// summarize sorts the samples, of which there is at least one. The median of an
// even number is the mean of the middle two; p99 is the nearest rank, that is the
// smallest sample which at least 99 % do not exceed; so is p999, which is 0 if it would
// stand for less than ten samples.
func summarize(samples []float64) summary {
	slices.Sort(samples)
	n := len(samples)
	var sum float64
	for _, x := range samples {
		sum += x
	}
	rank := func(share float64) float64 { return samples[int(math.Ceil(share*float64(n)))-1] }
	out := summary{
		min:    samples[0],
		median: (samples[(n-1)/2] + samples[n/2]) / 2,
		mean:   sum / float64(n),
		p99:    rank(0.99),
	}
	if n >= 10_000 {
		out.p999 = rank(0.999)
	}
	return out
}
