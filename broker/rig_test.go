package broker_test

import (
	"context"
	"net"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/memstore"
	"aivault/broker/brokertest/stage"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// A secretStore is a vault.Store into which tests put secrets: the real vault
// or the one in memory.
type secretStore interface {
	vault.Store
	CreateSecret(context.Context, vault.NewSecret) (vault.Secret, error)
	AttachGroup(context.Context, vault.ID, vault.GroupRef, vault.IfRevision) (vault.Secret, bool, error)
	DetachGroup(context.Context, vault.ID, vault.GroupRef, vault.IfRevision) (vault.Secret, bool, error)
	DeleteSecret(context.Context, vault.ID, vault.IfRevision) (vault.Removed, error)
}

// A rig is a broker between a vault and an upstream that answers for every
// host there is.
type rig struct {
	broker *broker.Broker
	store  secretStore
	up     *upstream.Server
	open   func(t testing.TB) secretStore
}

// forEachStore runs a test on the real vault and on the one in memory.
func forEachStore(t *testing.T, f func(t *testing.T, r *rig)) {
	for name, open := range map[string]func(testing.TB) secretStore{
		"memory": func(testing.TB) secretStore { return memstore.New(registry.Builtin()) },
		"vault":  func(t testing.TB) secretStore { return vaulttest.New(t, registry.Builtin()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, newRig(t, open))
		})
	}
}

// newMemoryRig returns a rig on a store in memory.
func newMemoryRig(t testing.TB) (*rig, *memstore.Store) {
	s := memstore.New(registry.Builtin())
	return newRig(t, func(testing.TB) secretStore { return s }), s
}

func newRig(t testing.TB, open func(testing.TB) secretStore) *rig {
	return (&rig{up: brokertest.New(t, hosts...), open: open}).fresh(t)
}

// hosts are the names that the upstream has a certificate for.
var hosts = []string{
	"api.acme.test", "api.beta.test", "api.openai.com", "api.anthropic.com", "api.github.com",
	"generativelanguage.googleapis.com", "api.twilio.com", "files.acme.test", "auth.acme.test", "slack.com",
}

// fresh returns a rig with a store of its own, on the same upstream.
func (r *rig) fresh(t testing.TB) *rig {
	t.Helper()
	out := &rig{store: r.open(t), up: r.up, open: r.open}
	out.broker = out.dialing(t, func() error { return nil })
	return out
}

// dialing returns a broker of its own on the store of the rig, which asks before
// it connects.
func (r *rig) dialing(t testing.TB, ask func() error) *broker.Broker {
	config := (&stage.Network{Upstream: r.up}).Config(r.store)
	dial := config.Dial
	config.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if err := ask(); err != nil {
			return nil, err
		}
		return dial(ctx, network, addr)
	}
	b := broker.New(config)
	t.Cleanup(b.Close)
	return b
}

// put stores a secret with a canary for a value.
func (r *rig) put(t testing.TB, name string, scope vault.Scope, attachedOnly bool) stored {
	t.Helper()
	value := brokertest.Canary(t)
	s, err := r.store.CreateSecret(context.Background(), vault.NewSecret{
		Name: name, Scope: scope, AttachedOnly: attachedOnly, Value: opaque.New([]byte(value)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return stored{s.ID, name, value}
}

func (r *rig) attach(t testing.TB, id vault.ID, ws, group string) {
	t.Helper()
	if _, _, err := r.store.AttachGroup(context.Background(), id, vault.GroupRef{Workspace: ws, Group: group}, 0); err != nil {
		t.Fatal(err)
	}
}

// capability makes a capability for GET and POST under /v1/items of a host.
func (r *rig) capability(t testing.TB, id, host string) {
	t.Helper()
	_, err := r.broker.CreateCapability(context.Background(), broker.NewCapability{
		ID: id, Hosts: []string{host}, Methods: []string{"GET", "POST"}, Paths: []string{"/v1/items"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// credential makes a credential of acme, with the secret as a bearer token.
func (r *rig) credential(t testing.TB, id string, secret vault.ID, scope vault.Scope) {
	t.Helper()
	_, err := r.broker.CreateCredential(context.Background(), broker.NewCredential{
		ID: id, Provider: "acme", Secret: secret, Scope: scope, Auth: bearer(), Hosts: []string{"api.acme.test"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// acme makes the usual world: one global secret, its credential, a capability.
func (r *rig) acme(t testing.TB) stored {
	t.Helper()
	s := r.put(t, "ACME_TOKEN", vault.GlobalScope(), false)
	r.capability(t, "acme/items", "api.acme.test")
	r.credential(t, "acme-main", s.id, vault.GlobalScope())
	return s
}

// events returns the audit log, oldest first.
func (r *rig) events(t testing.TB) []vault.Event {
	t.Helper()
	return stage.Events(t, r.store)
}

// last returns the last event of the audit log.
func (r *rig) last(t testing.TB) vault.Event {
	t.Helper()
	events := r.events(t)
	if len(events) == 0 {
		t.Fatal("the audit log is empty")
	}
	return events[len(events)-1]
}

// invoke calls a capability in a context.
func (r *rig) invoke(capability string, in vault.Context) (*broker.Answer, error) {
	return r.broker.Invoke(context.Background(), broker.Call{Capability: capability, Context: in, Method: "GET"})
}

// sees checks which secret a call in a context sends upstream: its value, or
// none with the code of an error.
func (r *rig) sees(t testing.TB, in vault.Context, want stored, code fault.Code) {
	t.Helper()
	before := len(r.up.Requests())
	_, err := r.invoke("acme/items", in)
	sent := r.up.Requests()[before:]
	switch {
	case fault.CodeOf(err) != code:
		t.Errorf("in %+v: %q (%v), want %q", in, fault.CodeOf(err), err, code)
	case err != nil && len(sent) > 0:
		t.Errorf("in %+v: a call that was refused reached the upstream", in)
	case err == nil && (len(sent) != 1 || sent[0].Get("Authorization") != "Bearer "+want.value):
		t.Errorf("in %+v: the upstream did not get %s", in, want.name)
	}
}

func bearer() *vault.Auth { return stage.Bearer() }

func mustScope(t testing.TB, workspace, group string) vault.Scope {
	t.Helper()
	s, err := vault.NewScope(workspace, group)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func vaultValue(s string) vault.Value { return opaque.New([]byte(s)) }
