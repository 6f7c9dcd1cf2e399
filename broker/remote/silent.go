package remote

import (
	"context"
	"errors"
	"fmt"
	"os"

	"aivault/broker/internal/rpc"
	"aivault/keys/fault"
)

// A silence is the error of a daemon that listens and says nothing, as one that
// is stopped does: the system takes connections in its place.
type silence struct {
	error
	pid int
}

func (s silence) Unwrap() error { return s.error }

// errSilent ends the time that a daemon has for its first word.
var errSilent = errors.New("the daemon says nothing")

// silent returns the error of a daemon that does not answer; its process is 0
// where the system does not tell.
func silent(pid int) error {
	who := ""
	if pid > 0 {
		who = fmt.Sprintf(" (process %d)", pid)
	}
	return silence{fault.New(fault.Timeout, "the daemon does not answer%s", who).
		WithHint("`aivault restart` ends it, and starts another"), pid}
}

// Silent reports whether an error tells that a daemon listens and does not
// answer, and of which process it is; 0 if that is not known.
func Silent(err error) (pid int, ok bool) {
	s, ok := errors.AsType[silence](err)
	return s.pid, ok
}

// gone is the error of a daemon that does not say hello.
func (x *conn) gone(ctx context.Context, err error) error {
	switch {
	case context.Cause(ctx) == errSilent, ctx.Err() == nil && errors.Is(err, os.ErrDeadlineExceeded):
		return silent(x.pid)
	case ctx.Err() != nil:
		return fault.New(fault.CodeOf(ctx.Err()), "the daemon did not answer in time")
	}
	return fault.Wrap(fault.IO, cause(err), "the daemon went away").WithHint("try again")
}

// look sees whether a daemon from which nothing has come for a while still
// answers others: one that works for long does, and is waited for.
func (c *Client) look(ctx context.Context) error {
	x, _, err := c.dial(ctx, rpc.WishCall)
	if err == nil {
		x.close()
	}
	if _, ok := Silent(err); ok {
		return err
	}
	return nil // it answers, or leaves, or the caller does: the connection tells
}
