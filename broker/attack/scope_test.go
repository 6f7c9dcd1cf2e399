package attack_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// putAt stores a secret in a scope, with a credential in another one that is
// called as the secret is.
func (w *world) putAt(t *testing.T, name string, in, credentialIn vault.Scope) stored {
	t.Helper()
	s := w.putNew(t, vault.NewSecret{Name: name, Scope: in})
	_, err := w.broker.CreateCredential(context.Background(), broker.NewCredential{
		ID: name, Provider: "api", Secret: s.id, Scope: credentialIn, Auth: param("header", "x-key"), Hosts: []string{host},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// putNew stores a secret of a random value.
func (w *world) putNew(t *testing.T, n vault.NewSecret) stored {
	t.Helper()
	value := brokertest.Canary(t)
	w.canaries = append(w.canaries, value)
	n.Value = opaque.New([]byte(value))
	s, err := w.vault.CreateSecret(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	return stored{s.ID, value}
}

func scopeOf(t *testing.T, workspace, group string) vault.Scope {
	t.Helper()
	s, err := vault.NewScope(workspace, group)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// in is the base call in a context.
func in(workspace, group string) broker.Call {
	call := get(prefix)
	call.Context = vault.Context{Workspace: workspace, Group: group}
	return call
}

// gets checks which secret a call sends: none if s is zero, with the code.
func (w *world) gets(t *testing.T, call broker.Call, s stored, code fault.Code) {
	t.Helper()
	if code != "" {
		w.deny(t, call, code)
		return
	}
	w.carries = headerOf("X-Key", s.value)
	w.allow(t, call)
}

// TestCase096Precedence has a secret in each of the eight sets of scopes, with
// credentials as wide as can be, and as narrow.
func TestCase096Precedence(t *testing.T) {
	t.Parallel()
	up := brokertest.New(t, host)
	for _, wide := range []bool{true, false} {
		for set := range 8 {
			w := bareWorld(t, up)
			w.capability(t, broker.NewCapability{})
			scopes := []vault.Scope{vault.GlobalScope(), scopeOf(t, "w", ""), scopeOf(t, "w", "a")}
			secrets := make([]stored, 3)
			for i, scope := range scopes {
				if set>>i&1 == 0 {
					continue
				}
				at := scope
				if wide {
					at = vault.GlobalScope()
				}
				secrets[i] = w.putAt(t, fmt.Sprint("S", i), scope, at)
			}
			for _, test := range []struct {
				call  broker.Call
				reach int // the narrowest scope that covers it
			}{{in("w", "a"), 2}, {in("w", "b"), 1}, {in("w", ""), 1}, {in("", ""), 0}, {in("x", "a"), 0}, {in("x", ""), 0}} {
				want, code := stored{}, fault.CredentialNotFound
				for i := range test.reach + 1 {
					if secrets[i].value != "" {
						want, code = secrets[i], ""
					}
				}
				w.gets(t, test.call, want, code)
			}
		}
	}
}

// What is equally good is an error that names both, never a pick.
func TestCase096Ties(t *testing.T) {
	t.Parallel()
	w := bareWorld(t, brokertest.New(t, host))
	w.capability(t, broker.NewCapability{})
	for i, scope := range []vault.Scope{vault.GlobalScope(), scopeOf(t, "w", ""), scopeOf(t, "w", "a")} {
		one := w.putAt(t, fmt.Sprint("one-", i), scope, vault.GlobalScope())
		call := in(scope.Workspace, scope.Group)
		w.gets(t, call, one, "")
		w.putAt(t, fmt.Sprint("two-", i), scope, scope)
		w.gets(t, call, stored{}, fault.CredentialAmbiguous)
		_, err := w.broker.Invoke(context.Background(), call)
		if text := fmt.Sprint(err); !strings.Contains(text, fmt.Sprint("one-", i)) || !strings.Contains(text, fmt.Sprint("two-", i)) {
			t.Errorf("in %s: the error is %q", scope, text)
		}
		call.Credential = fmt.Sprint("one-", i)
		w.gets(t, call, one, "")
	}
}

// A context that says nothing, or something like another, is none of the
// others: it never means all.
func TestCase097NoContextIsNotAll(t *testing.T) {
	t.Parallel()
	w := bareWorld(t, brokertest.New(t, host))
	w.capability(t, broker.NewCapability{})
	group := w.putAt(t, "G", scopeOf(t, "w", "a"), vault.GlobalScope())
	w.gets(t, in("w", "a"), group, "")
	for _, c := range [][2]string{{"", ""}, {"w", ""}, {"w", "b"}, {"x", "a"}, {"W", "a"}, {"w", "A"}, {"wa", ""}, {"w-a", ""}, {"a", "w"}, {"global", ""}} {
		call := in(c[0], c[1])
		w.gets(t, call, stored{}, fault.CredentialNotFound)
		call.Credential = "G"
		w.gets(t, call, stored{}, fault.SecretNotAccessible)
	}
	for _, c := range [][2]string{{"", "a"}, {"w:a", ""}, {"*", "*"}, {"w", "*"}, {"%", "a"}, {"w", "?"}, {" w", "a"}, {"w\x00", "a"}, {"w\n", "a"}, {"w", "a\x1b[m"}, {strings.Repeat("w", 10_000), "a"}, {"\xff", "a"}} {
		w.gets(t, in(c[0], c[1]), stored{}, fault.InvalidRequest)
	}
}

// A wide credential is no way round the scope of its secret, and what a secret
// is at the moment of its use is what counts.
func TestCase098AtUse(t *testing.T) {
	t.Parallel()
	w := bareWorld(t, brokertest.New(t, host))
	w.capability(t, broker.NewCapability{})
	ctx := context.Background()
	group := w.putAt(t, "G", scopeOf(t, "w", "a"), vault.GlobalScope())
	w.gets(t, in("w", "a"), group, "")
	w.gets(t, in("w", "b"), stored{}, fault.CredentialNotFound)
	if _, err := w.vault.DeleteSecret(ctx, group.id, 0); err != nil {
		t.Fatal(err)
	}
	w.gets(t, in("w", "a"), stored{}, fault.CredentialNotFound)

	shared := w.putNew(t, vault.NewSecret{Name: "SHARED", Scope: vault.GlobalScope(), AttachedOnly: true})
	n := broker.NewCredential{ID: "shared", Secret: shared.id, Auth: param("header", "x-key")}
	if _, err := w.tryCredential(n); err != nil {
		t.Fatal(err)
	}
	to := vault.GroupRef{Workspace: "w", Group: "a"}
	w.gets(t, in("w", "a"), stored{}, fault.CredentialNotFound)
	for range 2 {
		if _, _, err := w.vault.AttachGroup(ctx, shared.id, to, 0); err != nil {
			t.Fatal(err)
		}
		w.gets(t, in("w", "a"), shared, "")
		w.gets(t, in("w", "b"), stored{}, fault.CredentialNotFound)
		if _, _, err := w.vault.DetachGroup(ctx, shared.id, to, 0); err != nil {
			t.Fatal(err)
		}
		w.gets(t, in("w", "a"), stored{}, fault.CredentialNotFound)
	}
}

// Whoever makes the credential anew that lends to a binding, for a host of the
// same name in a private network and with an authority of their own, does not
// get the secret that is bound.
func TestCase098AnotherLender(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	bound := w.put(t, "BOUND")
	if _, err := w.broker.Bind(ctx, broker.NewBinding{Capability: capability, Secret: bound.id, Scope: vault.GlobalScope()}); err != nil {
		t.Fatal(err)
	}
	w.carries = bearerOf(bound)
	w.allow(t, get(prefix))
	mine := w.put(t, "MINE")
	w.instead(t, broker.NewCredential{Secret: mine.id, AllowPrivate: true, CACert: w.up.CAPEM(), Proof: proof(mine)})
	w.deny(t, get(prefix), fault.PolicyViolation)
	w.instead(t, broker.NewCredential{Secret: mine.id, Proof: proof(mine)})
	w.carries = bearerOf(bound)
	w.allow(t, get(prefix))
}

// While calls are made, a secret is revoked: none is granted after that.
func TestCase098RevokedWhileCallsRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	since := w.mark(t)
	var wg sync.WaitGroup
	begun := make(chan struct{}, 8)
	for range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				_, err := w.broker.Invoke(context.Background(), get(prefix))
				if n == 2 {
					begun <- struct{}{}
				}
				if err != nil {
					if code := fault.CodeOf(err); code != fault.CredentialNotFound {
						t.Errorf("a call ended with %s", code)
					}
					return
				}
			}
		})
	}
	for range 8 {
		<-begun
	}
	if _, err := w.vault.DeleteSecret(context.Background(), w.secret.id, 0); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	r := result{since: since}
	granted, revoked := 0, false
	for _, e := range w.eventsSince(t, &r) {
		switch e.Kind {
		case vault.KindSecretDelete:
			revoked = true
		case vault.KindInvokeIntent:
			granted++
			if revoked {
				t.Errorf("a call was granted after the secret was revoked: %+v", e)
			}
		}
	}
	if sent := len(w.up.Requests()); !revoked || granted < 8*2 || sent != granted {
		t.Errorf("%d calls were granted, and %d sent; revoked: %t", granted, sent, revoked)
	}
}

// eventsSince returns what is new in the audit log, of however many calls.
func (w *world) eventsSince(t *testing.T, r *result) []vault.Event {
	t.Helper()
	var events []vault.Event
	for _, e := range stage.Events(t, w.vault) {
		if _, known := r.since.events[e.Seq]; !known {
			events = append(events, e)
		}
	}
	w.scan(t, "the audit log", events)
	return events
}

// A secret that is revoked while its token is renewed is not used any more.
func TestCase098RevokedDuringARenewal(t *testing.T) {
	t.Parallel()
	w, i := newOAuthWorld(t)
	i.Answer(func(http.ResponseWriter, string) bool {
		if _, err := w.vault.DeleteSecret(context.Background(), w.secret.id, 0); err != nil {
			t.Error(err)
		}
		return false
	})
	r := w.invoke(t, get(prefix))
	last := r.events[len(r.events)-1]
	if fault.CodeOf(r.err) != fault.SecretNotFound || last.Kind != vault.KindInvokeOutcome || last.Code != fault.SecretNotFound || len(i.Calls()) != 1 {
		t.Errorf("%d token requests, error %v, recorded as %+v", len(i.Calls()), r.err, last)
	}
	for _, r := range w.up.Requests() {
		if r.Host == host {
			t.Error("the API was called")
		}
	}
	w.deny(t, get(prefix), fault.CredentialNotFound)
}
