package remote

import (
	"context"
	"encoding/binary"
	"errors"

	"aivault/broker"
	"aivault/broker/internal/rpc"
	"aivault/keys/fault"
)

// A listener takes what comes before a reply. What it does not take does not
// come.
type listener struct {
	begin    func(*broker.Answer) error
	data     func([]byte) error // valid during the call
	stage    func(broker.Stage)
	progress func(done, total int)
	show     func(url string) error

	// err is the first of begin or data, upon which the request was canceled.
	err error
}

// ask has the daemon do what takes no longer than the vault does.
func ask[A, R any](ctx context.Context, c *Client, m *rpc.Method[A, R], args A) (r R, err error) {
	select {
	case c.short <- struct{}{}:
		defer func() { <-c.short }()
	case <-ctx.Done():
		return r, unwanted(ctx)
	}
	return have(ctx, c, m, args, &listener{})
}

// unwanted is the error of what was not asked, as its caller does not wait.
func unwanted(ctx context.Context) error {
	return fault.New(fault.CodeOf(ctx.Err()), "the daemon was not asked, as the time was over before its turn")
}

// have has the daemon do something, and listens meanwhile. An error may come
// together with a result.
func have[A, R any](ctx context.Context, c *Client, m *rpc.Method[A, R], args A, on *listener) (r R, err error) {
	if ctx.Err() != nil {
		return r, unwanted(ctx)
	}
	request, err := m.Request(args)
	if err != nil {
		return r, err
	}
	defer clear(request)
	x, err := c.take(ctx)
	if err != nil {
		c.kept.Store(false) // it is gone
		return r, err
	}
	defer c.put(x)
	done, err := x.send(ctx, request)
	defer done()
	if err != nil {
		x.spent = true
		return r, c.notSent(ctx, x, err)
	}
	reply, err := c.listen(ctx, x, on)
	if err != nil {
		x.spent = true
		c.kept.Store(false)
		return r, lost(ctx, m.Class(), err)
	}
	defer clear(reply)
	r, said, err := m.Result(reply)
	if err != nil {
		x.spent = true
		return r, lost(ctx, m.Class(), err)
	}
	c.noteReply(said)
	return r, said
}

// notSent is the error of a request that the daemon did not get: where it said
// why, that.
func (c *Client) notSent(ctx context.Context, x *conn, err error) error {
	if ctx.Err() != nil {
		return unwanted(ctx)
	}
	if kind, payload, err := x.in.Next(afterCancel); err == nil && kind == rpc.KindRefusal {
		return x.refused(c.table, payload)
	}
	return fault.Wrap(fault.IO, cause(err), "the daemon went away before it was asked").WithHint("try again")
}

// lost is the error of a request whose reply does not come. It is never sent
// again: whether it was done only the vault knows.
func lost(ctx context.Context, class rpc.Class, err error) error {
	how := "went away"
	if _, quiet := Silent(err); quiet {
		if class == rpc.Reads {
			return err
		}
		how = "stopped answering"
	} else if said, ok := errors.AsType[*fault.Error](err); ok {
		return said
	}
	switch {
	case class == rpc.Calls:
		return fault.New(fault.OutcomeUnknown, "the daemon %s while the call was under way; whether it was made is in the audit log", how).
			WithHint("look before you repeat it: `aivault audit`")
	case class == rpc.Writes:
		return fault.New(fault.OutcomeUnknown, "the daemon %s while it changed the vault; whether it did is in the audit log", how).
			WithHint("look before you repeat it: `aivault audit`")
	case ctx.Err() != nil:
		return fault.New(fault.CodeOf(ctx.Err()), "the daemon did not answer in time")
	}
	return fault.New(fault.IO, "the daemon went away before it answered").WithHint("try again")
}

// listen reads what comes up to the reply, which the caller clears. Where nothing
// comes, it sees now and then whether the daemon is still there.
func (c *Client) listen(ctx context.Context, x *conn, on *listener) ([]byte, error) {
	table := c.table
	for patience := c.opts.Patience; ; {
		kind, payload, err := x.in.Next(patience)
		if errors.Is(err, rpc.ErrQuiet) {
			err, patience = c.look(ctx), min(2*patience, maxPatience)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		switch kind {
		case rpc.KindReply:
			return x.in.Message(payload, rpc.MaxReply)
		case rpc.KindRefusal:
			return nil, x.refused(table, payload)
		case rpc.KindAsk:
			err = x.show(table, on, payload)
		case rpc.KindBegin, rpc.KindData:
			err = x.take(table, on, kind, payload)
		case rpc.KindStage:
			if on.stage == nil {
				return nil, rpc.ErrProtocol
			}
			on.stage(broker.Stage(payload))
		case rpc.KindProgress:
			if on.progress == nil || len(payload) != 16 {
				return nil, rpc.ErrProtocol
			}
			on.progress(int(binary.BigEndian.Uint64(payload)), int(binary.BigEndian.Uint64(payload[8:])))
		default:
			err = rpc.ErrProtocol
		}
		if err != nil {
			return nil, err
		}
	}
}

// take hands over a piece of an answer. Where the caller does not take it, the
// daemon is told to stop, and what still comes is dropped.
func (x *conn) take(table *rpc.Table, on *listener, kind rpc.Kind, payload []byte) error {
	var err error
	switch {
	case kind == rpc.KindBegin && on.begin != nil:
		b, malformed := x.in.Message(payload, rpc.MaxBegin)
		if malformed != nil {
			return malformed
		}
		a, malformed := table.DecodeAnswer(b)
		if malformed != nil {
			return malformed
		}
		err = on.begin(a)
	case kind == rpc.KindData && on.data != nil && on.err == nil:
		err = on.data(payload)
	case kind == rpc.KindData && on.data != nil:
	default:
		return rpc.ErrProtocol
	}
	if err != nil && on.err == nil {
		on.err = err
		x.spent = true
		x.cancel()
	}
	return nil
}

// show shows an address to the user, and tells the daemon what came of it.
func (x *conn) show(table *rpc.Table, on *listener, payload []byte) error {
	b, err := x.in.Message(payload, rpc.MaxAsk)
	if err != nil {
		return err
	}
	if on.show == nil {
		return rpc.ErrProtocol
	}
	return x.out.Message(rpc.KindTold, table.EncodeError(on.show(string(b))), true)
}
