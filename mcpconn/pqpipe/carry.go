package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pqlane/pqlane/mcpconn"
)

// serve takes links.
func serve(ctx context.Context, o *options) error {
	address, err := o.address()
	if err != nil {
		return err
	}
	if o.target != "" {
		if err := checkAddress(o.target); err != nil {
			return err
		}
	}
	cfg, err := o.config(true)
	if err != nil {
		return err
	}
	l, err := mcpconn.Listen(ctx, "tcp", address, cfg)
	if err != nil {
		return err
	}
	defer l.Close()
	o.say("listening", "listening at ", l.Addr().String())
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
		target, err := (&net.Dialer{Timeout: o.timeout}).DialContext(ctx, "tcp", o.target)
		if err != nil {
			cutLink(link)
			return err
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
	cfg, err := o.config(false)
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
	if err := checkAddress(o.listen); err != nil {
		return err
	}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(address)
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
	o.say("listening", "listening at ", l.Addr().String())
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	return each(ctx, o, l.(*net.TCPListener).AcceptTCP, func(near *net.TCPConn) error {
		link, err := mcpconn.Dial(ctx, "tcp", address, cfg)
		if err != nil {
			cutTCP(near)
			return err
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

// each handles what accept returns, each in its own goroutine, until accept fails for good, and
// waits for them.
func each[C any](ctx context.Context, o *options, accept func() (C, error), handle func(C) error) error {
	var handlers sync.WaitGroup
	defer handlers.Wait()
	for {
		c, err := accept()
		var temporary interface{ Temporary() bool }
		switch {
		case err == nil:
		case ctx.Err() == nil && errors.As(err, &temporary) && temporary.Temporary():
			// Out of descriptors, for example: there will be some again.
			o.say("error", "pqpipe: ", err.Error())
			time.Sleep(100 * time.Millisecond)
			continue
		default:
			return ended(ctx, err)
		}
		handlers.Go(func() {
			if err := handle(c); err != nil {
				o.say("error", "pqpipe: ", err.Error())
			}
		})
	}
}

// carry copies both ways until both ends have sent all they have, one fails, or ctx ends. In the
// latter cases the other end is to notice that what it got is not all.
func carry(ctx context.Context, link *mcpconn.Conn, near *net.TCPConn) error {
	cut := func() { cutLink(link); cutTCP(near) }
	stop := context.AfterFunc(ctx, cut)
	defer stop()
	results := make(chan error, 2)
	forward := func(to interface {
		io.Writer
		CloseWrite() error
	}, from io.Reader) {
		_, err := io.Copy(to, from)
		if err == nil {
			err = to.CloseWrite()
		}
		results <- err
	}
	go forward(link, near)
	go forward(near, link)
	for range 2 {
		if err := <-results; err != nil {
			cut()
			return ended(ctx, err)
		}
	}
	link.Close()
	near.Close()
	return nil
}

// cutLink ends a link without saying that it is at its end, so that the peer does not take what
// it got for all.
func cutLink(link *mcpconn.Conn) {
	link.NetConn().Close()
	link.Close()
}

// cutTCP is cutLink for a connection of TCP, which is reset.
func cutTCP(conn *net.TCPConn) {
	conn.SetLinger(0)
	conn.Close()
}

// errInterrupted is that ctx ended before what is carried had.
var errInterrupted = errors.New("interrupted")

// carryStandard carries standard input and output over a link. Reading standard input can't be
// stopped: when the peer has gone, what it would still say is not waited for.
func carryStandard(ctx context.Context, link *mcpconn.Conn, o *options) error {
	defer cutLink(link)
	stop := context.AfterFunc(ctx, func() { cutLink(link) })
	defer stop()
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(link, o.stdin)
		if err == nil {
			err = link.CloseWrite()
		}
		sent <- err
		if err != nil {
			cutLink(link)
		}
	}()
	_, err := io.Copy(o.stdout, link)
	if err == nil {
		gone := make(chan struct{})
		go func() {
			// After the peer's last byte comes nothing but the end of its TCP connection.
			link.NetConn().Read(make([]byte, 1))
			close(gone)
		}()
		select {
		case err = <-sent:
		case <-gone:
		}
	} else {
		select {
		case sendErr := <-sent:
			if sendErr != nil {
				err = sendErr // and cut the link
			}
		default:
		}
	}
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	}
	link.Close()
	return nil
}
