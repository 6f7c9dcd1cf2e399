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

// note is what an event says of a capability that is made, or was removed.
func (c *Capability) note(verb string) string {
	return fmt.Sprintf("%s; %s %s %s; sha256 %s %s", c.Provider, verb, shortList(c.Allow.Methods), shortList(c.Allow.Paths), verb, c.Digest())
}

// Digest returns the SHA-256, in hexadecimal, of where and how a credential
// sends its secret, whatever its id and whenever it was made. The events of its
// making and its removal name it.
func (c *Credential) Digest() string {
	same := *c
	same.ID, same.CreatedAt = "", time.Time{}
	return seal.Digest(encodeCredential(&same))
}

// note is what an event says of a credential that is made, or was removed.
func (c *Credential) note(verb string) string {
	return fmt.Sprintf("%s; %s %s; sha256 %s %s", c.Provider, verb, c.Auth.Kind, verb, c.Digest())
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
