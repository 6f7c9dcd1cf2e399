// Package stage puts a broker between a vault and an upstream of the test's own:
// a [Network] on which every host there is leads to that upstream, and which
// counts who asked for what.
package stage

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest/memstore"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/registry"
	"aivault/vault"
)

// PublicAddr is what a host resolves to, unless a test says otherwise. It is
// never dialled.
func PublicAddr() netip.Addr { return netip.AddrFrom4([4]byte{93, 184, 216, 34}) }

// A Network stands in for the network of a broker. Its fields are set before
// the broker is used.
type Network struct {
	Upstream *upstream.Server
	// Addrs, if not nil, answers instead of PublicAddr when a name is looked
	// up.
	Addrs func(host string) []netip.Addr

	mu      sync.Mutex
	lookups []string
	dials   []string
}

// Resolve is the resolver of the network.
func (n *Network) Resolve(_ context.Context, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lookups = append(n.lookups, host)
	if n.Addrs != nil {
		return n.Addrs(host), nil
	}
	return []netip.Addr{PublicAddr()}, nil
}

// Dial connects to the upstream, whatever address is dialled.
func (n *Network) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	n.mu.Lock()
	n.dials = append(n.dials, addr)
	n.mu.Unlock()
	return n.Upstream.Dial(ctx, network, addr)
}

// Lookups returns the names that were looked up, in order.
func (n *Network) Lookups() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.lookups)
}

// Dials returns the addresses that were dialled, with their ports, in order.
func (n *Network) Dials() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.dials)
}

// Config returns what a broker on this network is made from. It trusts the
// upstream's authority.
func (n *Network) Config(store vault.Store) broker.Config {
	return broker.Config{
		Store: store, Registry: registry.Builtin(), Version: "test", Roots: n.Upstream.CAPEM(),
		Resolve: n.Resolve, Dial: n.Dial,
	}
}

// Events returns the audit log of a store, oldest first and with every outcome
// that there is.
func Events(t testing.TB, store vault.Store) []vault.Event {
	t.Helper()
	if err := store.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	switch s := store.(type) {
	case *memstore.Store:
		return s.Events()
	case *vault.Local:
		events, err := s.Audit(context.Background(), vault.AuditQuery{Limit: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(events)
		return events
	}
	t.Fatalf("%T keeps no audit log", store)
	return nil
}

// Bearer sends a secret as most services want it.
func Bearer() *vault.Auth {
	return &vault.Auth{Kind: "header", Params: []vault.Param{{Name: "authorization", Value: "Bearer {{secret}}"}}}
}
