package vault

import (
	"context"

	"aivault/vault/internal/store"
)

// A State stands for what a vault holds at a moment. Two that are equal are of
// the same content: one taken before something was read, and an equal one
// taken later, say that it still is so. The zero State is that of no vault.
type State struct{ file store.State }

// State implements Vault.
func (l *Local) State(ctx context.Context) (State, error) {
	if err := ctx.Err(); err != nil {
		return State{}, err
	}
	s, err := l.db.State()
	if err != nil {
		return State{}, l.explain(err, "looking at")
	}
	return State{s}, nil
}
