package mcpconn_test

import (
	"context"
	"net"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pqlane/pqlane/mcpconn"
	"github.com/pqlane/pqlane/mcpconn/mcpconntest"
)

// BenchmarkIdle shows the memory of 10,000 idle connections: live heap and stacks for
// each end, with that of the pipe between them. Run it with -benchtime 1x.
func BenchmarkIdle(b *testing.B) {
	const connections = 10_000
	w := newWorld(b, mcpconntest.ECDSA)
	live := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc + stats.StackInuse
	}
	for range b.N {
		client, server := w.client(), w.server()
		b.StopTimer()
		conns := make([]net.Conn, 0, 2*connections)
		before := live()
		b.StartTimer()
		for range connections {
			x, y := net.Pipe()
			s, err := mcpconn.Server(y, server)
			require.NoError(b, err)
			c, err := mcpconn.Client(x, client)
			require.NoError(b, err)
			done := make(chan error, 1)
			go func() {
				err := s.HandshakeContext(context.Background())
				if err == nil {
					_, err = s.Write([]byte{1})
				}
				done <- err
			}()
			_, err = c.Read(make([]byte, 1)) // the tickets too
			require.NoError(b, err)
			require.NoError(b, <-done)
			conns = append(conns, c, s)
		}
		b.StopTimer()
		b.ReportMetric(float64(live()-before)/(2*connections), "B/connection")
		runtime.KeepAlive(conns)
		b.StartTimer()
	}
}
