package serve

import (
	"context"
	"time"

	"aivault/keys/fault"
)

// A budget bounds how much memory requests take that are long. Who waits for a
// large part of it is not passed by others who want little.
type budget struct {
	turn  chan struct{} // full while somebody waits
	units chan struct{} // full of those that are taken
}

// unit is what a budget counts, in bytes.
const unit = 1 << 20

// roomWait is how long a request waits for room.
const roomWait = 5 * time.Second

var errNoRoom = fault.New(fault.VaultBusy, "the daemon has too many long requests at once").WithHint("try again")

func newBudget(units int) *budget {
	return &budget{turn: make(chan struct{}, 1), units: make(chan struct{}, units)}
}

// take waits until there is room for so many bytes, no more than the budget has:
// not for long, as nobody sees meanwhile whether the client is still there.
func (b *budget) take(ctx context.Context, bytes int64) (release func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, roomWait, errNoRoom)
	defer cancel()
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	taken := 0
	release = func() {
		for range taken {
			<-b.units
		}
	}
	for ; int64(taken)*unit < bytes; taken++ {
		select {
		case b.units <- struct{}{}:
		case <-ctx.Done():
			release()
			return nil, context.Cause(ctx)
		}
	}
	return release, nil
}
