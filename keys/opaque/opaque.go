// Package opaque holds bytes that must not be printed: keys, and the values of
// secrets.
//
// A [Bytes] is backed by a function, so that no verb of package fmt, no JSON
// or text encoder, no logger and no reflection-based dumper reaches what it
// holds: printed anywhere, at any depth, it shows [redacted] or, in an
// unexported field, an address. The one way in is [Bytes.Reveal], which is
// easily found by a search.
package opaque

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"

	"aivault/keys/locked"
)

// redacted is what a Bytes shows of itself.
const redacted = "[redacted]"

// Bytes holds bytes that must not be printed. The nil Bytes holds none.
type Bytes func() []byte

// New returns a Bytes that holds b. It takes ownership: the caller must
// neither keep nor change b.
func New(b []byte) Bytes { return func() []byte { return b } }

// NewKey returns a Bytes that holds a key in locked memory, if it is no longer
// than locked.Size. b is wiped. Clear gives the memory back, and must not run
// beside another method.
func NewKey(b []byte) Bytes { return locked.New(b).Bytes }

// Clone returns a Bytes with a copy of b, which the caller may then clear.
func Clone(b []byte) Bytes { return New(append(make([]byte, 0, len(b)), b...)) }

// Reveal returns the bytes themselves, not a copy. They are valid until Clear.
func (b Bytes) Reveal() []byte {
	if b == nil {
		return nil
	}
	return b()
}

// Len returns the number of bytes held.
func (b Bytes) Len() int { return len(b.Reveal()) }

// Clear overwrites the bytes with zeros. Copies that others made, such as the
// header of a request that was sent, are beyond its reach.
func (b Bytes) Clear() { locked.Wipe(b.Reveal()) }

// Equal reports, in time that depends on the lengths only, whether both hold
// the same bytes.
func (b Bytes) Equal(other Bytes) bool {
	return subtle.ConstantTimeCompare(b.Reveal(), other.Reveal()) == 1
}

// Format implements fmt.Formatter: whatever the verb, nothing is shown.
func (b Bytes) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String implements fmt.Stringer.
func (b Bytes) String() string { return redacted }

// MarshalText implements encoding.TextMarshaler, and so covers JSON.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (b Bytes) LogValue() slog.Value { return slog.StringValue(redacted) }
