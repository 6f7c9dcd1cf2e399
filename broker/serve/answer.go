package serve

import (
	"context"
	"errors"

	"aivault/broker"
	"aivault/broker/internal/rpc"
	"aivault/keys/fault"
)

// answer does a request, and sends its reply. An error ends the connection.
func (c *connection) answer(req *request) error {
	s := c.server
	s.busy.Add(1)
	defer s.busy.Add(-1)
	defer c.working(-1)
	o := &outlet{c: c, ctx: req.ctx}
	reply, err := c.do(req, o)
	o.end()
	req.drop()
	if errors.Is(err, rpc.ErrProtocol) {
		return c.refuse(err)
	}
	c.mu.Lock()
	c.cancel, c.told = nil, nil // from here on the client may send the next one
	c.mu.Unlock()
	failed := c.out.Message(rpc.KindReply, reply, true)
	clear(reply)
	return errors.Join(err, failed)
}

// do has the method done that was asked for. Where it panics, its request fails
// and the connection ends; nothing is told of what the panic said.
func (c *connection) do(req *request, o *outlet) (reply []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errPanic()
			reply = req.method.Fail(err)
		}
	}()
	if !c.may(req.method) {
		return req.method.Fail(errOperator()), nil
	}
	c.server.backend.keeper.expire(req.ctx)
	var b rpc.Backend = c.server.backend
	if !c.peer.Operator {
		b = forAgents{b}
	}
	return req.method.Serve(req.ctx, b, req.args, o)
}

func errPanic() error {
	return fault.New(fault.Internal, "the daemon failed at this request, which is a bug in aivault").
		WithHint("`aivault audit` shows what it recorded of it")
}

// forAgents is a backend whose errors do not tell agents about the vault.
type forAgents struct{ rpc.Backend }

// Stream implements broker.Service.
func (b forAgents) Stream(ctx context.Context, call broker.Call, to broker.Sink) (*broker.Answer, error) {
	a, err := b.Backend.Stream(ctx, call, to)
	if a != nil {
		a.Unrecorded = inGeneral(a.Unrecorded)
	}
	return a, inGeneral(err)
}

// inGeneral is what an agent learns of an error: all that is about its call, and
// only the code where it is about the vault, which names files and slots.
func inGeneral(err error) error {
	switch code := fault.CodeOf(err); code {
	case fault.VaultLocked, fault.KeyUnavailable, fault.WrongKey,
		fault.VaultCorrupt, fault.VaultRollback, fault.VaultNewer, fault.AuditBroken, fault.AuditUnavailable,
		fault.IO, fault.DiskFull, fault.OutcomeUnknown, fault.VaultBusy, fault.Internal:
		return fault.New(code, "the vault cannot be used for calls now").WithHint("tell its owner, who can see why")
	}
	return err
}
