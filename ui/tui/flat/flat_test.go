//go:build unix

package flat_test

import (
	"testing"
	"time"
)

// A conversation is what somebody types.
type conversation struct {
	lines  []string
	hidden func(w *world) []string // what is typed where it does not show
	before func(w *world)          // what is there; nil: furnish
}

func TestMain(m *testing.M) {
	time.Local = time.UTC
	m.Run()
}

// Checklist 27.
func TestConversations(t *testing.T) {
	t.Parallel()
	for name, c := range conversations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.before == nil {
				w.furnish()
			} else {
				c.before(w)
			}
			if c.hidden != nil {
				w.hidden = c.hidden(w)
			}
			w.check(w.talk(c.lines...))
			w.golden()
		})
	}
}

func typed(words ...string) func(*world) []string {
	return func(w *world) []string {
		var out []string
		for _, word := range words {
			if word == "VALUE" {
				word = w.word
			}
			out = append(out, word)
		}
		return out
	}
}
