package hsm

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A session belongs to one operation at a time.
type session struct {
	handle uint
	epoch  uint64
	made   uint64 // the module's generation
	write  bool
}

// A call is an operation on its way through the pool.
type call struct {
	core  *core
	ctx   context.Context
	guard guard
	use   *use
	write bool
	f     func(context.Context, *session) error
	err   error
	state atomic.Int32 // running, ended or abandoned
	done  chan struct{}
	start func() // c.run, made once
}

const (
	running = iota
	ended
	abandoned
)

var calls = sync.Pool{New: func() any {
	c := &call{done: make(chan struct{}, 1)}
	c.start = c.run
	return c
}}

// do runs f with a session of its own, in which objects may be changed if write is set, and once more
// after a recovery. If ctx ends, do returns at once; f goes on, and so must not touch what belongs to
// the caller, nor may the caller look at what f writes.
func (c *core) do(ctx context.Context, g guard, u *use, write bool, f func(context.Context, *session) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	c.waiting++
	c.live++
	c.mu.Unlock()

	select {
	case c.slots <- struct{}{}:
	default:
		select {
		case c.slots <- struct{}{}:
		case <-ctx.Done():
			c.leave(1, 1)
			return context.Cause(ctx)
		}
	}
	if ctx.Done() == nil {
		err := c.run(ctx, g, u, write, f)
		<-c.slots
		c.leave(1, 1)
		return err
	}

	call := calls.Get().(*call)
	call.core, call.ctx, call.guard, call.use, call.write, call.f = c, ctx, g, u, write, f
	call.state.Store(running)
	go call.start()
	select {
	case <-call.done:
	case <-ctx.Done():
		if call.state.CompareAndSwap(running, abandoned) {
			c.leave(1, 0)
			return context.Cause(ctx)
		}
		<-call.done
	}
	err := call.err
	call.core, call.ctx, call.guard, call.use, call.f, call.err = nil, nil, nil, nil, nil, nil
	calls.Put(call)
	c.leave(1, 1)
	return err
}

func (c *call) run() {
	core := c.core
	c.err = core.run(c.ctx, c.guard, c.use, c.write, c.f)
	<-core.slots
	if c.state.CompareAndSwap(running, ended) {
		c.done <- struct{}{}
		return
	}
	core.leave(0, 1)
}

// leave counts operations that have ended.
func (c *core) leave(waiting, live int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting -= waiting
	c.live -= live
	if !c.closed {
		return
	}
	if c.waiting == 0 {
		c.ended.Broadcast()
	}
	if c.live == 0 && c.waiting == 0 {
		c.closeSessions() // Close waits for this, or has gone before an abandoned call
	}
}

// run does f, and again, once, after a recovery from what the token has lost.
func (c *core) run(ctx context.Context, g guard, u *use, write bool, f func(context.Context, *session) error) error {
	for again := false; ; again = true {
		s, epoch, err := c.take(ctx, write)
		if err == nil {
			err = f(ctx, s)
		}
		recoverable := err != nil && !again && ctx.Err() == nil && c.recoverable(s, err)
		if s != nil {
			c.give(s, err != nil || ctx.Err() != nil)
		}
		if !recoverable {
			return err
		}
		failed := c.recover(ctx, epoch)
		c.logRecovery(ctx, err, failed)
		if g != nil {
			g.recovered(ctx, u, err, failed)
		}
		if failed != nil {
			return fmt.Errorf("%w; recovery failed: %w", err, failed)
		}
	}
}

// Waiting for a session that the token doesn't have: how often it is asked, and how long at most if the
// sessions that it has are all of other programs.
const (
	firstWait   = 5 * time.Millisecond
	longestWait = 250 * time.Millisecond
)

var giveUpAfter = 30 * time.Second // tests set it

// take returns a session of the epoch, which it returns even if it fails.
func (c *core) take(ctx context.Context, write bool) (*session, uint64, error) {
	wait, begun := firstWait, time.Time{}
	for {
		c.mu.Lock()
		epoch, made := c.epoch, c.made
		if made != c.module.generation.Load() { // another token's recovery has initialised the module
			c.mu.Unlock()
			return nil, epoch, &Error{"C_OpenSession", ckrSessionHandleInvalid}
		}
		n := len(c.idle)
		if n > 0 && !write {
			s := c.idle[n-1]
			c.idle = c.idle[:n-1]
			c.mu.Unlock()
			return s, epoch, nil
		}
		c.open++
		c.mu.Unlock()
		handle, err := c.module.cryptoki.OpenSession(uint(c.slot.Load()), write)
		if err == nil {
			return &session{handle, epoch, made, write}, epoch, nil
		}
		c.mu.Lock()
		c.open--
		alone := c.open == 0
		var spare *session
		if n := len(c.idle); n > 0 && write {
			spare = c.idle[n-1]
			c.idle = c.idle[:n-1]
		}
		c.mu.Unlock()
		if spare != nil {
			c.give(spare, true)
		}
		if code(err) != ckrSessionCount {
			return nil, epoch, err
		}
		if spare != nil {
			continue
		}
		if begun.IsZero() {
			begun = time.Now()
		} else if alone && time.Since(begun) > giveUpAfter {
			return nil, epoch, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-c.returned:
		case <-timer.C:
			wait = min(2*wait, longestWait)
		case <-ctx.Done():
			timer.Stop()
			return nil, epoch, context.Cause(ctx)
		}
		timer.Stop()
	}
}

// give returns a session to the pool, or closes it.
func (c *core) give(s *session, discard bool) {
	c.mu.Lock()
	keep := !discard && !s.write && s.epoch == c.epoch
	if keep {
		c.idle = append(c.idle, s)
	}
	c.mu.Unlock()
	if !keep {
		c.module.closeSession(s.handle, s.made)
		c.mu.Lock()
		c.open--
		c.mu.Unlock()
	}
	select {
	case c.returned <- struct{}{}:
	default:
	}
}
