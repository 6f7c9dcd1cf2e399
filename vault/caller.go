package vault

import (
	"context"
	"os"
)

// A Caller is who acts on the vault, as the audit log names them. What it says
// was proven by somebody else, as by the kernel at a socket: the vault believes
// it.
type Caller struct {
	Actor string // empty: [Options].Actor, or agent
	UID   int    // of the user
	PID   int    // of the process
	Agent bool   // another user than the vault's owner, who may only make calls
}

// agentActor is the actor of an agent that no other name was given.
const agentActor = "agent"

// callerKey is the key of a Caller in a context.
type callerKey struct{}

// WithCaller returns a context under which c acts: events of what is done with
// it name c. Without one it is this process that acts, and its actor
// [Options].Actor.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller who acts under a context; false if none was named.
func CallerOf(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}

// callerOf returns who acts under a context.
func (l *Local) callerOf(ctx context.Context) Caller {
	c, ok := CallerOf(ctx)
	switch {
	case !ok:
		return Caller{Actor: l.opts.Actor, UID: os.Getuid(), PID: os.Getpid()}
	case c.Actor == "" && c.Agent:
		c.Actor = agentActor
	case c.Actor == "":
		c.Actor = l.opts.Actor
	}
	return c
}

// name has an event name the caller.
func (c *Caller) name(e *Event) { e.Actor, e.UID, e.PID = c.Actor, c.UID, c.PID }
