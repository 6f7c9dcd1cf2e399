package attack_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// as makes the world's calls those of an agent.
func (w *world) as(uid int) { w.agent = &vault.Caller{UID: uid, PID: 4242, Agent: true} }

// grant gives a user a context.
func (w *world) grant(t *testing.T, uid int, workspace, group string) {
	t.Helper()
	if _, _, err := w.vault.Grant(context.Background(), uid, vault.Context{Workspace: workspace, Group: group}); err != nil {
		t.Fatal(err)
	}
}

// newAgentWorld is a world with a secret for each of two groups of a workspace,
// and an agent that was given the first.
func newAgentWorld(t *testing.T) (w *world, own, other stored) {
	t.Helper()
	w = bareWorld(t, brokertest.New(t, host))
	w.capability(t, broker.NewCapability{})
	own = w.putAt(t, "OWN", scopeOf(t, "w", "a"), scopeOf(t, "w", "a"))
	other = w.putAt(t, "OTHER", scopeOf(t, "w", "b"), scopeOf(t, "w", "b"))
	w.grant(t, 1001, "w", "a")
	w.as(1001)
	return w, own, other
}

// text is all that an agent is told of a call that is refused.
func (w *world) text(t *testing.T, call broker.Call) string {
	t.Helper()
	_, err := w.broker.Invoke(w.caller(), call)
	if err == nil {
		t.Errorf("%s: it was made", brief(call))
	}
	return fmt.Sprint(fault.CodeOf(err), ": ", err, "; ", fault.HintOf(err))
}

// probes are calls of all sorts: of what there is, of what there is not, and of
// what is no call.
func probes() map[string]func(*broker.Call) {
	return map[string]func(*broker.Call){
		"as it may be":          func(*broker.Call) {},
		"a built-in capability": func(c *broker.Call) { c.Capability = "openai/models" },
		"one that is not":       func(c *broker.Call) { c.Capability = "api/nothing" },
		"none":                  func(c *broker.Call) { c.Capability = "" },
		"what is no id":         func(c *broker.Call) { c.Capability = "../\x1b[m" },
		"a credential":          func(c *broker.Call) { c.Credential = "OTHER" },
		"one that is not there": func(c *broker.Call) { c.Credential = "nope" },
		"another method":        func(c *broker.Call) { c.Method = "DELETE" },
		"another path":          func(c *broker.Call) { c.Path = "/v1/../admin" },
		"a refused header":      func(c *broker.Call) { c.Headers = []broker.Header{{Name: "Host", Value: "evil.test"}} },
		"a body for a GET":      func(c *broker.Call) { c.Body = []byte("made-up-body") },
		"two bodies":            func(c *broker.Call) { c.Body, c.Parts = []byte("made-up-body"), []broker.Part{{}} },
		"from elsewhere":        func(c *broker.Call) { c.ClientIP = "192.0.2.1" },
		"a time before now":     func(c *broker.Call) { c.Timeout = -1 },
		"a consumer":            func(c *broker.Call) { c.Context.Consumer = "bot" },
	}
}

// Outside of what it was given an agent learns nothing: whatever it asks for, it
// is told the same.
func TestCase095NotGranted(t *testing.T) {
	t.Parallel()
	w, own, _ := newAgentWorld(t)
	w.gets(t, in("w", "a"), own, "")
	for _, at := range []struct {
		uid              int
		workspace, group string
		told             string
	}{
		{1001, "w", "b", "user 1001 may not call in workspace w, group b"},
		{1001, "w", "", "user 1001 may not call in workspace w"},
		{1001, "x", "a", "user 1001 may not call in workspace x, group a"},
		{1001, "", "", "user 1001 may not call outside of a workspace"},
		{1002, "w", "a", "user 1002 may not call in workspace w, group a"},
		{0, "w", "a", "user 0 may not call in workspace w, group a"},
		{-1, "w", "a", "user -1 may not call in workspace w, group a"},
	} {
		w.as(at.uid)
		want := ""
		for name, change := range probes() {
			call := in(at.workspace, at.group)
			change(&call)
			w.deny(t, call, fault.PolicyViolation)
			text := w.text(t, call)
			if want == "" {
				want = text
			}
			if text != want || !strings.Contains(text, ": "+at.told+"; ") || !strings.Contains(text, "aivault setup agent-access") {
				t.Errorf("%s: it is told %q, and otherwise %q", name, text, want)
			}
		}
		for _, e := range stage.Events(t, w.vault) {
			if e.Kind == vault.KindInvokeDenied && e.Workspace == at.workspace && e.Group == at.group && e.UID == at.uid && (e.Actor != "agent" || e.PID != 4242) {
				t.Errorf("recorded as by %s %d", e.Actor, e.PID)
			}
		}
	}
	w.agent = nil
	w.gets(t, in("w", "a"), own, "") // which is the owner's as ever
}

// What was taken back is refused with the next call.
func TestCase095TakenBack(t *testing.T) {
	t.Parallel()
	w, own, other := newAgentWorld(t)
	for range 2 {
		w.gets(t, in("w", "a"), own, "")
		if gone, err := w.vault.Revoke(context.Background(), 1001, vault.Context{Workspace: "w", Group: "a"}); !gone || err != nil {
			t.Fatal(gone, err)
		}
		w.gets(t, in("w", "a"), stored{}, fault.PolicyViolation)
		w.grant(t, 1001, "w", "b")
		w.gets(t, in("w", "b"), other, "")
		w.gets(t, in("w", "a"), stored{}, fault.PolicyViolation)
		w.grant(t, 1001, "w", "a")
	}
}

// In its own context, too, an agent is told nothing of what only others see: what
// is there for them is told as what is not there.
func TestCase095OtherScopes(t *testing.T) {
	t.Parallel()
	w, own, _ := newAgentWorld(t)
	w.putAt(t, "WIDE", scopeOf(t, "w", "b"), vault.GlobalScope()) // a credential that it sees, of a secret that it does not
	call := in("w", "a")
	call.Credential = "OWN"
	w.gets(t, call, own, "")
	want := ""
	for _, id := range []string{"nope", "OTHER", "WIDE"} {
		call.Credential = id
		w.gets(t, call, stored{}, fault.CredentialNotFound)
		text := strings.ReplaceAll(w.text(t, call), id, "ID")
		if want == "" {
			want = text
		}
		if text != want {
			t.Errorf("of %s it is told %q, and otherwise %q", id, text, want)
		}
	}
	if _, err := w.vault.DeleteSecret(context.Background(), own.id, 0); err != nil {
		t.Fatal(err)
	}
	text := w.text(t, in("w", "a"))
	for _, hidden := range []string{"OTHER", "WIDE", "group:w:b", "there are credentials"} {
		if strings.Contains(text, hidden) {
			t.Errorf("it is told %q", text)
		}
	}
	w.agent = nil
	if text := w.text(t, in("w", "a")); !strings.Contains(text, "group:w:b") {
		t.Errorf("the owner is not told where there are some: %q", text)
	}
	secret, err := w.vault.FindSecret(context.Background(), w.idOf(t, "OTHER"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.broker.Bind(context.Background(), broker.NewBinding{Capability: capability, Secret: secret.ID, Scope: scopeOf(t, "w", "a")}); err != nil {
		t.Fatal(err)
	}
	if text := w.text(t, in("w", "a")); !strings.Contains(text, "OTHER") {
		t.Errorf("the owner is not told what is bound: %q", text)
	}
	w.as(1001)
	w.gets(t, in("w", "a"), stored{}, fault.SecretNotAccessible)
	if text := w.text(t, in("w", "a")); strings.Contains(text, "OTHER") {
		t.Errorf("it is told %q", text)
	}
}

// idOf returns the id of the one secret of a name.
func (w *world) idOf(t *testing.T, name string) string {
	t.Helper()
	all, err := w.vault.Secrets(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Name == name {
			return s.ID.String()
		}
	}
	t.Fatalf("there is no secret %s", name)
	return ""
}

// Where the vault cannot be used an agent learns that, and neither where it is
// nor what would open it.
func TestCase095HowTheVaultIsKept(t *testing.T) {
	t.Parallel()
	up := brokertest.New(t, host)
	for name, test := range map[string]struct {
		spoil func(t *testing.T, w *world)
		code  fault.Code
	}{
		"its key is gone": {func(t *testing.T, w *world) {
			if err := os.Remove(filepath.Join(w.dir, "kek.key")); err != nil {
				t.Fatal(err)
			}
			w.vault.Close()
		}, fault.KeyUnavailable},
		"it is no vault any more": {func(t *testing.T, w *world) {
			if err := os.WriteFile(filepath.Join(w.dir, "vault.db"), []byte("made-up"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, fault.VaultCorrupt},
		"anybody may read it": {func(t *testing.T, w *world) {
			if err := os.Chmod(w.dir, 0o777); err != nil {
				t.Fatal(err)
			}
		}, fault.AuditUnavailable},
	} {
		w := &world{net: &stage.Network{Upstream: up}, up: up, dir: vaulttest.Dir(t)}
		w.vault = vault.New(vaultOptions(w.dir))
		t.Cleanup(w.vault.Close)
		w.connect(t, func(*broker.Config) {})
		if _, err := w.vault.Init(context.Background(), keys.Config{Kind: keys.KindFile, Path: filepath.Join(w.dir, "kek.key")}); err != nil {
			t.Fatal(err)
		}
		w.grant(t, 1001, "w", "a")
		test.spoil(t, w)
		if text := w.text(t, in("w", "a")); !strings.HasPrefix(text, string(test.code)) || !strings.Contains(text, w.dir) {
			t.Errorf("%s: the owner is told %q", name, text)
		}
		w.as(1001)
		want := string(test.code) + ": the vault cannot be used for this call now; try again; if it stays so, tell the owner of the vault, who can see why"
		for _, call := range []broker.Call{in("w", "a"), in("w", "b")} {
			if text := w.text(t, call); text != want {
				t.Errorf("%s: it is told %q", name, text)
			}
		}
		w.agent = nil
	}
}

// A grant is for one context: what is wider, narrower or written like it is none,
// nor is one without a workspace, and no consumer widens it.
func TestCase097NoGrantIsNotAll(t *testing.T) {
	t.Parallel()
	w := bareWorld(t, brokertest.New(t, host))
	w.capability(t, broker.NewCapability{})
	all := w.putAt(t, "ALL", vault.GlobalScope(), vault.GlobalScope()) // which every context sees
	w.grant(t, 1001, "w", "a")
	w.grant(t, 1002, "w", "")
	w.as(1001)
	call := in("w", "a")
	for _, consumer := range []string{"", "bot", "operator"} {
		call.Context.Consumer = consumer
		w.gets(t, call, all, "")
	}
	for _, c := range [][2]string{{"", ""}, {"w", ""}, {"w", "b"}, {"x", "a"}, {"W", "a"}, {"w", "A"}, {"wa", ""}, {"w-a", ""}, {"a", "w"}, {"global", ""}, {"w", "a-"}} {
		w.gets(t, in(c[0], c[1]), stored{}, fault.PolicyViolation)
	}
	for _, c := range [][2]string{{"", "a"}, {"w:a", ""}, {"*", "*"}, {"w", "*"}, {" w", "a"}, {"w\x00", "a"}, {"w", "a\n"}, {"\xff", "a"}} {
		w.gets(t, in(c[0], c[1]), stored{}, fault.InvalidRequest)
	}
	w.as(1002)
	w.gets(t, in("w", ""), all, "")
	w.gets(t, in("w", "a"), stored{}, fault.PolicyViolation)
	w.gets(t, in("", ""), stored{}, fault.PolicyViolation)
}
