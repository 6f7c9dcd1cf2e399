// Package brokertest helps to test what a broker promises: it starts scripted
// upstreams (see package upstream, which is also for programs that are no
// tests), makes up secrets, and looks for them where they must not be.
package brokertest

import (
	"testing"

	"aivault/broker/brokertest/upstream"
)

// New starts an upstream for the given host names, as [upstream.Start] does,
// which lives as long as the test.
func New(t testing.TB, names ...string) *upstream.Server {
	t.Helper()
	return NewWith(t, upstream.Options{Names: names})
}

// NewWith starts an upstream that lives as long as the test.
func NewWith(t testing.TB, o upstream.Options) *upstream.Server {
	t.Helper()
	s, err := upstream.StartWith(o)
	if err != nil {
		t.Fatalf("starting an upstream: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}
