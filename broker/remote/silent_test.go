package remote_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/internal/rpc"
	"aivault/broker/remote"
	"aivault/keys/fault"
	"aivault/vault"
)

// mute is a daemon that answers so many hellos, and nothing else.
func mute(t *testing.T, hellos int) remote.Options {
	t.Helper()
	dir, err := os.MkdirTemp("", "rpc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			if hellos--; hellos >= 0 {
				h := rpc.Hello{Table: rpc.NewTable().Fingerprint, Version: "test", Operator: true, Kept: true}
				_ = rpc.NewWriter(conn, time.Second).Frame(rpc.KindHello, h.Encode(), true)
			}
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	return remote.Options{Socket: socket, Version: "test", OwnerUID: os.Getuid(), Patience: 50 * time.Millisecond}
}

// A daemon that listens and says nothing, as one that is stopped, is told from
// one that is not there, with its process.
func TestSilentDaemon(t *testing.T) {
	t.Parallel()
	opts := mute(t, 0)
	_, err := remote.Dial(t.Context(), opts)
	if pid, silent := remote.Silent(err); fault.CodeOf(err) != fault.Timeout || !silent || pid != os.Getpid() || remote.IsAbsent(err) {
		t.Errorf("%v: process %d, %t", err, pid, silent)
	}
	if _, silent := remote.Silent(remote.Stop(t.Context(), opts)); !silent {
		t.Error("to stop it is no better")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := remote.Dial(ended, opts); fault.CodeOf(err) != fault.Canceled {
		t.Errorf("who does not wait is told %v", err)
	}
}

// One that falls silent while it is asked keeps nobody waiting: what it would
// have changed is unknown, and what it would have read can be asked for again.
func TestFallsSilent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ask  func(*remote.Client) error
		want fault.Code
	}{
		"a read":  {func(c *remote.Client) error { _, err := c.Status(t.Context()); return err }, fault.Timeout},
		"a write": {func(c *remote.Client) error { _, err := c.RemoveSlot(t.Context(), vault.ID{1}); return err }, fault.OutcomeUnknown},
		"a call":  {func(c *remote.Client) error { _, err := c.Invoke(t.Context(), broker.Call{}); return err }, fault.OutcomeUnknown},
	} {
		c, err := remote.Dial(t.Context(), mute(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := test.ask(c); fault.CodeOf(err) != test.want {
			t.Errorf("%s: %v", name, err)
		}
		if c.Kept() {
			t.Errorf("%s: it still counts as one that keeps a key", name)
		}
	}
}

// One that works for long, and answers others meanwhile, is waited for.
func TestWaitsForSlowDaemon(t *testing.T) {
	t.Parallel()
	opts := mute(t, 1000)
	opts.Patience = time.Second // the machine may be busy
	c, err := remote.Dial(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
	defer cancel()
	if _, err := c.Status(ctx); ctx.Err() == nil {
		t.Errorf("it was given up: %v", err)
	}
}
