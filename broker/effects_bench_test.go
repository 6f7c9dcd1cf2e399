package broker_test

import (
	"context"
	"fmt"
	"testing"

	"aivault/broker"
	"aivault/broker/registry"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// BenchmarkLook is what the terminal interface asks at a move of the cursor, at
// a key stroke in a name and at a mark in a list of groups, each in a real vault
// that it opens for that, with as many other secrets.
func BenchmarkLook(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{10, 10_000} {
		r := newRig(b, func(t testing.TB) secretStore { return vaulttest.New(t, registry.Builtin()) })
		key := r.put(b, "STRIPE_API_KEY", vault.GlobalScope(), false)
		for start := 0; start < n; start += 2_000 {
			var entries []vault.ImportEntry
			for i := range min(2_000, n-start) {
				entries = append(entries, vault.ImportEntry{Name: fmt.Sprint("KEY_", i), Value: opaque.New([]byte("made-up"))})
			}
			scope := vault.Scope{Level: vault.Workspace, Workspace: fmt.Sprint("w", start)}
			if _, err := r.store.(*vault.Local).ImportSecrets(ctx, scope, entries, false); err != nil {
				b.Fatal(err)
			}
		}
		share := func(groups int) (c broker.Change) {
			for i := range groups {
				c.Share = append(c.Share, vault.Sharing{Secret: key.id, Group: vault.GroupRef{Workspace: "w", Group: fmt.Sprint("g", i)}})
			}
			return c
		}
		effects := func(c broker.Change) func() error {
			return func() error { _, err := r.broker.Effects(ctx, c); return err }
		}
		for _, look := range []struct {
			name string
			ask  func() error
		}{
			{"uses", func() error { _, err := r.broker.Uses(ctx, key.id); return err }},
			{"claim", func() error { _, err := r.broker.Claim(ctx, "STRIPE_API_KEY", mustScope(b, "w", "a")); return err }},
			{"effects/1 group", effects(share(1))},
			{"effects/20 groups", effects(share(20))},
			{"effects/delete", effects(broker.Change{Delete: []vault.ID{key.id}})},
		} {
			b.Run(fmt.Sprintf("secrets=%d/%s", n, look.name), func(b *testing.B) {
				for b.Loop() {
					if err := look.ask(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
