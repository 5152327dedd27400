package mcpconn

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestStacksGrow: the compiler leaves room24KB and room12KB their frames.
func TestStacksGrow(t *testing.T) {
	const goroutines = 500
	for client, size := range map[bool]uint64{true: 32 << 10, false: 16 << 10} {
		var before, after runtime.MemStats
		grown, stop := make(chan struct{}), make(chan struct{})
		var all sync.WaitGroup
		runtime.GC() // frees the stacks of others that have ended
		runtime.GC()
		runtime.ReadMemStats(&before)
		for range goroutines {
			all.Go(func() {
				growStack(client)
				grown <- struct{}{}
				<-stop
			})
		}
		for range goroutines {
			<-grown
		}
		runtime.ReadMemStats(&after)
		close(stop)
		all.Wait()
		assert.Greater(t, int64(after.StackInuse-before.StackInuse), int64(goroutines*size/2), "client %t", client)
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { growStack(true); growStack(false) }))
}
