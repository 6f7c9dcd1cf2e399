// Package ops are the things that people do to a vault, as the terminal
// interface offers them. Each is one operation of the vault or the broker, and
// returns what was done in words, the command line that does the same, and,
// where there is one, the way back.
package ops

import (
	"context"
	"strings"
)

// A Line is a command line that does the same as an action: aivault and its
// arguments. It never holds the value of a secret.
type Line []string

// String is the line as a shell reads it.
func (l Line) String() string {
	words := make([]string, len(l))
	for i, w := range l {
		words[i] = quote(w)
	}
	return strings.Join(words, " ")
}

// quote returns a word for a POSIX shell.
func quote(w string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%+=:,./_-", r)
	}
	if w != "" && strings.IndexFunc(w, func(r rune) bool { return !safe(r) }) < 0 {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// Done is what an operation did.
type Done struct {
	Text  string // what and where, for people: "attached RISK_TOKEN to web-shop/payments"
	Lines []Line // the command lines that do the same, in their order; none: nothing changed
	Undo  *Undo  // nil: it cannot be taken back
}

// An Undo takes an operation back.
type Undo struct {
	Text string // what it takes back: "attach RISK_TOKEN to web-shop/payments"
	// Run fails with fault.Conflict where somebody changed since what it would
	// take back. The Undo of what it did does it again.
	Run func(ctx context.Context) (Done, error)
}
