package vault

import (
	"fmt"
	"strings"
	"time"

	"aivault/vault/internal/codec"
	"aivault/vault/internal/seal"
)

// Digest returns the SHA-256, in hexadecimal, of what a capability admits,
// whatever its id and whenever it was made. The events of its making and its
// removal name it.
func (c *Capability) Digest() string {
	var w codec.Writer
	w.Text(c.Provider)
	for _, names := range [][]string{c.Allow.Hosts, c.Allow.Methods, c.Allow.Paths, c.Allow.Headers} {
		codec.List(&w, names, w.Text)
	}
	return seal.Digest(w.Bytes())
}

// note is what the events of a capability say of it.
func (c *Capability) note() string {
	return fmt.Sprintf("%s %s for %s; sha256 %s", shortList(c.Allow.Methods), shortList(c.Allow.Paths), c.Provider, c.Digest())
}

// Digest returns the SHA-256, in hexadecimal, of where and how a credential
// sends its secret, whatever its id and whenever it was made. The events of its
// making and its removal name it.
func (c *Credential) Digest() string {
	same := *c
	same.ID, same.CreatedAt = "", time.Time{}
	return seal.Digest(encodeCredential(&same))
}

// note is what the events of a credential say of it.
func (c *Credential) note() string {
	return fmt.Sprintf("%s for %s; sha256 %s", c.Auth.Kind, c.Provider, c.Digest())
}

// shortList shows names, as far as an event has room.
func shortList(names []string) string {
	text := strings.Join(names, ",")
	if len(text) > maxShort {
		text = strings.ToValidUTF8(text[:maxShort], "") + "..."
	}
	return text
}

// maxShort is how many bytes shortList shows.
const maxShort = 200
