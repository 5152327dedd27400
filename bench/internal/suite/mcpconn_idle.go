package suite

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/pqlane/pqlane/bench/internal/measure"
	"github.com/pqlane/pqlane/mcpconn"
)

// IdleLinks is the number of links whose memory is measured.
const IdleLinks = 10_000

// Idle measures the memory of links after a full handshake and a byte each way, of which both
// ends wait in Read, beside that of crypto/tls and that of the pipe beneath.
func Idle(links int) ([]measure.Footprint, error) {
	var out []measure.Footprint
	add := func(what, impl string, make func(x, y net.Conn) (c, s net.Conn, err error)) error {
		f, err := idle(what, impl, links, make)
		out = append(out, f)
		return err
	}
	for _, algorithm := range linkAlgorithms() {
		b, err := newLinkBench(algorithm)
		if err != nil {
			return nil, fmt.Errorf("links of %s: %w", algorithm, err)
		}
		what := "end of a link, mutual " + algorithm
		err = add(what, "pqlane", func(x, y net.Conn) (c, s net.Conn, err error) {
			cc, err := mcpconn.Client(x, b.knownClient)
			if err != nil {
				return nil, nil, err
			}
			sc, err := mcpconn.Server(y, b.knownServer)
			return cc, sc, err
		})
		if err != nil {
			return nil, err
		}
		err = add(what, "crypto/tls", func(x, y net.Conn) (c, s net.Conn, err error) {
			return tls.Client(x, b.plainClient), tls.Server(y, b.plainServer), nil
		})
		if err != nil {
			return nil, err
		}
	}
	err := add("end of a pipe", "net.Pipe", func(x, y net.Conn) (c, s net.Conn, err error) { return x, y, nil })
	return out, err
}

func idle(what, impl string, links int, make func(x, y net.Conn) (c, s net.Conn, err error)) (measure.Footprint, error) {
	pipes := [][2]net.Conn{}
	var waiting sync.WaitGroup
	defer func() {
		for _, p := range pipes {
			p[0].Close()
			p[1].Close()
		}
		waiting.Wait()
	}()
	wait := func(c net.Conn) {
		var b [1]byte
		c.Read(b[:])
	}
	return measure.FootprintOf(what, impl, 2*links, func() error {
		for range links {
			x, y := net.Pipe()
			pipes = append(pipes, [2]net.Conn{x, y})
			c, s, err := make(x, y)
			if err != nil {
				return err
			}
			up := newResult(func() error {
				var b [1]byte
				if _, err := io.ReadFull(s, b[:]); err != nil {
					return err
				}
				_, err := s.Write(b[:])
				return err
			})
			var b [1]byte
			_, err = c.Write(b[:])
			if err == nil {
				_, err = c.Read(b[:])
			}
			if err != nil {
				x.Close()
			}
			if err := errors.Join(err, <-up); err != nil {
				return err
			}
			waiting.Go(func() { wait(c) })
			waiting.Go(func() { wait(s) })
		}
		return nil
	})
}
