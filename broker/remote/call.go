package remote

import (
	"context"
	"errors"

	"aivault/broker"
	"aivault/broker/internal/rpc"
	"aivault/keys/fault"
	"aivault/vault"
)

// Invoke implements broker.Service. The answer is put together here.
func (c *Client) Invoke(ctx context.Context, call broker.Call) (*broker.Answer, error) {
	body := []byte{}
	answer, err := have(ctx, c, c.table.Invoke, call, &listener{
		begin: func(*broker.Answer) error { return nil },
		data:  func(p []byte) error { body = append(body, p...); return nil },
	})
	switch {
	case answer == nil && err == nil:
		return nil, stranger(rpc.ErrProtocol)
	case err == nil, answer != nil && fault.CodeOf(err) == fault.ResponseTooLarge:
		answer.Body = body
		return answer, err
	}
	return nil, err
}

// Stream implements broker.Service.
func (c *Client) Stream(ctx context.Context, call broker.Call, to broker.Sink) (*broker.Answer, error) {
	on := &listener{begin: to.Begin, data: func(p []byte) error { _, err := to.Write(p); return err }}
	watcher, watched := to.(broker.Watcher)
	if watched {
		on.stage = watcher.Stage
	}
	answer, err := have(ctx, c, c.table.Stream, rpc.Two[broker.Call, bool]{A: call, B: watched}, on)
	switch _, known := errors.AsType[*fault.Error](on.err); {
	case known:
		return answer, on.err
	case on.err != nil:
		return answer, fault.Wrap(fault.Canceled, on.err, "the answer is not taken any more")
	case answer == nil && err == nil:
		return nil, stranger(rpc.ErrProtocol)
	}
	return answer, err
}

// Login implements broker.Service. The daemon listens for the owner's consent,
// which this process asks for.
func (c *Client) Login(ctx context.Context, l broker.Login) (vault.Secret, error) {
	return have(ctx, c, c.table.Login, l, &listener{show: l.Open})
}
