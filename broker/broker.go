// Package broker makes calls for code that nobody trusts, with keys that nobody
// sees.
//
// A caller names a capability and states its context. The broker finds the
// credential for that context, judges the request against what the capability
// allows, writes the intent into the audit log, and only then asks the vault
// for the one secret that is needed. It adds the authentication, sends the
// request once, and hands back an answer in which the secret does not occur.
//
//	context - grant - shape - capability - credential - policy - intent - value - send - clean - outcome
//
// The access token of an OAuth account is renewed before it is sent, if it has
// run out, or once more after it was refused; what comes of that goes into the
// vault. An answer that streams is cleaned piece by piece.
//
// All up to the intent happens in one transaction of the vault, so that a
// secret which was detached, deleted or rotated a moment ago is judged as it is
// now. A refusal there has decrypted nothing, resolved no name and connected to
// nobody; it is recorded like a call.
//
// Whoever is another user than the vault's owner (an agent) calls only in contexts
// that were granted to it, which is checked before anything is looked up. What
// such a caller is told depends on nothing that its context does not see.
//
// Which credential serves which context is package resolve's to say, what a
// request may look like package policy's, how a secret is put into it package
// auth's, how its tokens are had package oauth's, and how it travels package
// wire's. What must not come back is for packages fields and redact to find. The
// providers that aivault knows are in package registry; those that an operator
// defined are in the vault, and each decision takes them as they are there then.
package broker

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"aivault/broker/internal/wire"
	"aivault/broker/registry"
	"aivault/vault"
)

// Config says what a broker works with.
type Config struct {
	Store    vault.Store
	Registry *registry.Registry
	Version  string           // of aivault, for the User-Agent
	Now      func() time.Time // nil: time.Now

	// For tests, which reach an upstream of their own under the name of a
	// provider's host. All nil: the system's resolver, network and roots.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	Roots   []byte // PEM
}

// A Broker implements [Service] in this process. It is safe for concurrent use.
type Broker struct {
	cfg   Config
	store vault.Store
	reg   *registry.Registry

	mu      sync.Mutex
	clients map[clientKey]*wire.Client // at most maxClients
	bufs    sync.Pool                  // of *[readSize]byte, for answers
	last    atomic.Pointer[providers]  // of the last look that found any of the vault's own
}

var _ Service = (*Broker)(nil)

// New returns a broker. Close it after use.
func New(cfg Config) *Broker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Broker{
		cfg: cfg, store: cfg.Store, reg: cfg.Registry, clients: map[clientKey]*wire.Client{},
		bufs: sync.Pool{New: func() any { return new([readSize]byte) }},
	}
}

// Close closes the connections that no call uses. The broker can be used again.
func (b *Broker) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropClients(func(clientKey) bool { return true })
}
