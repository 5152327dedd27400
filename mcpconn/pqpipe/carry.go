package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/pqlane/pqlane/mcpconn"
)

// serve takes links.
func serve(ctx context.Context, o *options) error {
	address, err := o.address()
	if err != nil {
		return err
	}
	cfg, err := o.config()
	if err != nil {
		return err
	}
	l, err := mcpconn.Listen(ctx, "tcp", address, cfg)
	if err != nil {
		return err
	}
	defer l.Close()
	fmt.Fprintf(o.stderr, "listening at %s\n", l.Addr())
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	if o.target == "" {
		link, err := l.AcceptConn()
		if err != nil {
			return ended(ctx, err)
		}
		l.Close()
		return carryStandard(ctx, link, o)
	}
	return each(ctx, o, l.AcceptConn, func(link *mcpconn.Conn) error {
		var d net.Dialer
		target, err := d.DialContext(ctx, "tcp", o.target)
		if err != nil {
			return errors.Join(err, link.Close())
		}
		return carry(ctx, link, target.(*net.TCPConn))
	})
}

// connect makes links.
func connect(ctx context.Context, o *options) error {
	address, err := o.address()
	if err != nil {
		return err
	}
	cfg, err := o.config()
	if err != nil {
		return err
	}
	if o.listen == "" {
		link, err := mcpconn.Dial(ctx, "tcp", address, cfg)
		if err != nil {
			return err
		}
		return carryStandard(ctx, link, o)
	}
	if cfg.ServerName == "" {
		if cfg.ServerName, _, err = net.SplitHostPort(address); err != nil {
			return fmt.Errorf("%w: %w", err, errUsage)
		}
	}
	if err := cfg.CheckClient(); err != nil {
		return err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	defer l.Close()
	fmt.Fprintf(o.stderr, "listening at %s\n", l.Addr())
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	return each(ctx, o, l.(*net.TCPListener).AcceptTCP, func(near *net.TCPConn) error {
		link, err := mcpconn.Dial(ctx, "tcp", address, cfg)
		if err != nil {
			return errors.Join(err, near.Close())
		}
		return carry(ctx, link, near)
	})
}

// ended returns nil in place of an error that is the end of ctx.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// each handles what accept returns, each in its own goroutine, until accept fails, and waits
// for them.
func each[C any](ctx context.Context, o *options, accept func() (C, error), handle func(C) error) error {
	var handlers sync.WaitGroup
	defer handlers.Wait()
	for {
		c, err := accept()
		if err != nil {
			return ended(ctx, err)
		}
		handlers.Go(func() {
			if err := handle(c); err != nil {
				fmt.Fprintf(o.stderr, "pqpipe: %v\n", err)
			}
		})
	}
}

// An end is one side of what is carried.
type end interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// carry copies both ways until both ends have sent all they have, one fails, or ctx ends, and
// closes both.
func carry(ctx context.Context, a, b end) error {
	stop := context.AfterFunc(ctx, func() { a.Close(); b.Close() })
	defer stop()
	results := make(chan error, 2)
	forward := func(to, from end) {
		_, err := io.Copy(to, from)
		if err == nil {
			err = to.CloseWrite()
		}
		results <- err
	}
	go forward(a, b)
	go forward(b, a)
	err := <-results
	if err != nil {
		a.Close()
		b.Close()
		<-results
		return ended(ctx, err)
	}
	err = <-results
	a.Close()
	b.Close()
	return ended(ctx, err)
}

// carryStandard carries standard input and output over a link. Reading standard input can't be
// stopped: when the peer has gone, what it would still say is not waited for.
func carryStandard(ctx context.Context, link *mcpconn.Conn, o *options) error {
	defer link.Close()
	stop := context.AfterFunc(ctx, func() { link.Close() })
	defer stop()
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(link, o.stdin)
		if err == nil {
			err = link.CloseWrite()
		}
		sent <- err
	}()
	if _, err := io.Copy(o.stdout, link); err != nil {
		return ended(ctx, err)
	}
	gone := make(chan struct{})
	go func() {
		// After the peer's last byte comes nothing but the end of its TCP connection.
		link.TLS().NetConn().Read(make([]byte, 1))
		close(gone)
	}()
	select {
	case err := <-sent:
		return ended(ctx, err)
	case <-gone:
		return nil
	}
}
