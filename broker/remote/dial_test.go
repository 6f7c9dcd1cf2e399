package remote_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aivault/broker/internal/rpc"
	"aivault/broker/remote"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault"
)

// A daemon of another version, of another user, that is none or not there, is
// told from one that can be used, and gets nothing of what was to be sent.
func TestDial(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	other := r.options()
	other.OwnerUID++
	absent := r.options()
	absent.Socket = filepath.Join(t.TempDir(), "s")
	for name, test := range map[string]struct {
		opts remote.Options
		want fault.Code
	}{
		"another user's": {other, fault.PolicyViolation},
		"none":           {absent, fault.IO},
		"newer":          {fake(t, func(b []byte) []byte { return (&rpc.Hello{Table: rpc.Fingerprint{1}, Version: "9"}).Encode() }), fault.Conflict},
		"an echo":        {fake(t, func(b []byte) []byte { return b }), fault.IO},
	} {
		if _, err := remote.Dial(t.Context(), test.opts); fault.CodeOf(err) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	newer := fake(t, func(b []byte) []byte { return (&rpc.Hello{Table: rpc.Fingerprint{1}, Version: "9"}).Encode() })
	if _, err := remote.Dial(t.Context(), newer); fault.HintOf(err) != "aivault restart" {
		t.Errorf("the hint is %q", fault.HintOf(err))
	}
	if err := remote.Stop(t.Context(), newer); err != nil {
		t.Errorf("a newer one does not stop: %v", err)
	}
	anybody := other
	anybody.OwnerUID = -1
	if c, err := remote.Dial(t.Context(), anybody); err != nil {
		t.Errorf("anybody's: %v", err)
	} else {
		c.Close()
	}
}

// fake returns the options for what answers hellos in its own way.
func fake(t *testing.T, answer func([]byte) []byte) remote.Options {
	return remote.Options{Connect: func(context.Context) (net.Conn, error) {
		a, b := net.Pipe()
		t.Cleanup(func() { _, _ = a.Close(), b.Close() })
		go func() {
			if _, payload, err := rpc.NewReader(b, time.Minute).Next(0); err == nil {
				_ = rpc.NewWriter(b, time.Minute).Frame(rpc.KindHello, answer(payload), true)
			}
		}()
		return a, nil
	}}
}

// A daemon that does not answer is not waited for, for long.
func TestDialSilence(t *testing.T) {
	t.Parallel()
	silent := remote.Options{Connect: func(context.Context) (net.Conn, error) {
		a, b := net.Pipe()
		t.Cleanup(func() { _, _ = a.Close(), b.Close() })
		go func() { _, _, _ = rpc.NewReader(b, time.Minute).Next(0) }()
		return a, nil
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := remote.Dial(ctx, silent); fault.CodeOf(err) != fault.Timeout {
		t.Errorf("%v", err)
	}
}

// A client whose daemon was replaced meanwhile goes on with the next one: its
// idle connections are looked at before they are used.
func TestIdleConnectionsThatEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	r.acme(t)
	opts := r.options()
	var made []net.Conn
	opts.Connect = func(ctx context.Context) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", r.socket)
		made = append(made, conn)
		return conn, err
	}
	c, err := remote.Dial(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = made[0].(*net.UnixConn).CloseWrite() // upon which the daemon closes it
	time.Sleep(50 * time.Millisecond)
	if _, err := c.DeleteCredential(t.Context(), "nobody"); err != nil {
		t.Errorf("%v", err)
	}
	if len(made) != 2 {
		t.Errorf("%d connections were made", len(made))
	}
}

// A client without a vault of its own, as another user has, makes calls and has
// nothing else.
func TestAgent(t *testing.T) {
	t.Parallel()
	r := newRig(t, agent)
	r.acme(t)
	in := vault.Context{Workspace: "w1"}
	if _, _, err := r.vault.Grant(t.Context(), agent.UID, in); err != nil {
		t.Fatal(err)
	}
	c, err := remote.Dial(t.Context(), remote.Options{Socket: r.socket, Version: "test", OwnerUID: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	call := items()
	call.Context = in
	if a, err := c.Invoke(t.Context(), call); err != nil || a.Status != 200 {
		t.Errorf("%+v, %v", a, err)
	}
	ctx := t.Context()
	for name, ask := range map[string]func() error{
		"State":      func() error { _, err := c.State(ctx); return err },
		"Init":       func() error { _, err := c.Init(ctx, keys.Config{}); return err },
		"AddSlot":    func() error { _, err := c.AddSlot(ctx, keys.Config{}); return err },
		"Backup":     func() error { _, err := c.Backup(ctx, "x", false); return err },
		"Compare":    func() error { _, err := c.Compare(ctx, "x"); return err },
		"Restore":    func() error { _, err := c.Restore(ctx, "x", vault.RestoreOptions{}); return err },
		"Salvage":    func() error { _, err := c.Salvage(ctx, "x"); return err },
		"Status":     func() error { _, err := c.Status(ctx); return err },
		"Describe":   func() error { _, err := c.Describe(ctx, "acme/items"); return err },
		"Stop":       func() error { return c.Stop(ctx) },
		"an unknown": func() error { _, err := c.FindSecret(ctx, "x"); return err },
	} {
		if err := ask(); fault.CodeOf(err) != fault.OperatorAuthRequired {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat("x"); err == nil {
		t.Error("a file was written")
	}
}
