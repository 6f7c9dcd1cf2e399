package broker

import (
	"crypto/sha256"
	"crypto/tls"
	"net/netip"

	"aivault/broker/internal/auth"
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
	version uint64 // of a secret that is shown in the handshake; else 0
}

// client returns the client for a call that was judged. One that shows a
// certificate is for that version of it alone, and holds its key.
func (b *Broker) client(p *plan, values auth.Values) (*wire.Client, error) {
	c := p.choice
	key := clientKey{lender: c.Lender, secret: c.Parts[0].Secret.ID, private: c.AllowPrivate, caCert: sha256.Sum256(c.CACert)}
	shower, shows := p.strategy.(auth.Certifier)
	if shows {
		key.version = c.Parts[0].Secret.Version
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if made, ok := b.clients[key]; ok {
		return made, nil
	}
	var cert *tls.Certificate
	if shows {
		var err error
		if cert, err = shower.Certificate(values); err != nil {
			return nil, err
		}
		b.dropClients(func(k clientKey) bool { return k.lender == key.lender && k.secret == key.secret })
	}
	made := b.newClient(c.AllowPrivate, c.CACert, cert)
	if len(b.clients) >= maxClients {
		b.dropClients(func(clientKey) bool { return true })
	}
	b.clients[key] = made
	return made, nil
}

// newClient returns a client for hosts that may be private or not, known by
// certificates of their own or the system's, which shows cert if that is not
// nil.
func (b *Broker) newClient(allowPrivate bool, caCert []byte, cert *tls.Certificate) *wire.Client {
	if len(caCert) == 0 {
		caCert = b.cfg.Roots
	}
	return wire.New(wire.Config{
		Version:     b.cfg.Version,
		CACert:      caCert,
		Certificate: cert,
		Check:       func(addr netip.Addr) error { return policy.CheckAddr(addr, allowPrivate) },
		Resolve:     b.cfg.Resolve,
		Dial:        b.cfg.Dial,
	})
}

// dropClients forgets clients. Calls that are under way end undisturbed.
func (b *Broker) dropClients(which func(clientKey) bool) {
	for key, c := range b.clients {
		if which(key) {
			c.Close()
			delete(b.clients, key)
		}
	}
}
