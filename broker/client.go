package broker

import (
	"crypto/sha256"
	"net/netip"

	"aivault/broker/internal/resolve"
	"aivault/broker/internal/wire"
	"aivault/broker/policy"
	"aivault/vault"
)

// maxClients bounds the clients that a broker keeps. One that keeps more
// contexts busy makes them anew, at the price of a handshake.
const maxClients = 256

// A clientKey tells calls apart that must not share a connection: those of
// another lender or another secret, and those that trust other certificates or
// reach other networks than before the credential was made again.
type clientKey struct {
	lender  string
	secret  vault.ID
	private bool
	caCert  [sha256.Size]byte
}

// client returns the client for a choice.
func (b *Broker) client(c *resolve.Choice) *wire.Client {
	key := clientKey{c.Lender, c.Parts[0].Secret.ID, c.AllowPrivate, sha256.Sum256(c.CACert)}
	b.mu.Lock()
	defer b.mu.Unlock()
	if made, ok := b.clients[key]; ok {
		return made
	}
	roots := c.CACert
	if len(roots) == 0 {
		roots = b.cfg.Roots
	}
	private := c.AllowPrivate
	made := wire.New(wire.Config{
		Version: b.cfg.Version,
		CACert:  roots,
		Check:   func(addr netip.Addr) error { return policy.CheckAddr(addr, private) },
		Resolve: b.cfg.Resolve,
		Dial:    b.cfg.Dial,
	})
	if len(b.clients) >= maxClients {
		b.dropClients()
	}
	b.clients[key] = made
	return made
}

// dropClients forgets all clients. Calls that are under way end undisturbed.
func (b *Broker) dropClients() {
	for _, c := range b.clients {
		c.Close()
	}
	clear(b.clients)
}
