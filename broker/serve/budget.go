package serve

import "context"

// A budget bounds how much memory requests take that are long. Who waits for a
// large part of it is not passed by others who want little.
type budget struct {
	turn  chan struct{} // full while somebody waits
	units chan struct{} // full of those that are taken
}

// unit is what a budget counts, in bytes.
const unit = 1 << 20

func newBudget(units int) *budget {
	return &budget{turn: make(chan struct{}, 1), units: make(chan struct{}, units)}
}

// take waits until there is room for so many bytes, no more than the budget has.
func (b *budget) take(ctx context.Context, bytes int64) (release func(), err error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
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
			return nil, ctx.Err()
		}
	}
	return release, nil
}
