package broker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// A fixture is one world of testdata/scope-vectors.json with its cases.
type fixture struct {
	Name       string
	Capability string
	Provider   string
	Secrets    []struct {
		Key, Name, Scope, WS, Group string
		Attached                    [][2]string
		AttachedOnly                bool `json:"attached_only"`
	}
	Credentials []struct {
		ID, Provider, Secret, WS, Group string
		Auto                            bool
	}
	Bindings []struct {
		Capability, Secret, Scope, WS, Group, Consumer string
	}
	Cases []struct {
		Context struct{ WS, Group, Consumer, Credential string }
		Expect  struct {
			Credential, Secret string
			Error              fault.Code
		}
	}
}

// TestScopeVectors runs every worked case of scope resolution through Explain,
// and through Invoke with a real upstream, which sees the secret that it must.
func TestScopeVectors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/scope-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixtures []fixture
	if err := json.Unmarshal(data, &fixtures); err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, f := range fixtures {
		cases += len(f.Cases)
	}
	if cases != 82 {
		t.Errorf("%d cases, want 82", cases)
	}
	forEachStore(t, func(t *testing.T, r *rig) {
		for _, f := range fixtures {
			t.Run(f.Name, func(t *testing.T) { runFixture(t, r.fresh(t), f) })
		}
	})
}

func runFixture(t *testing.T, r *rig, f fixture) {
	keys := r.load(t, f)
	capability := f.Capability
	if capability == "" {
		capability = "acme/items"
	}
	for i, c := range f.Cases {
		name := fmt.Sprintf("case %d %+v", i, c.Context)
		in := vault.Context{Workspace: c.Context.WS, Group: c.Context.Group, Consumer: c.Context.Consumer}
		want := keys[c.Expect.Secret]

		l, err := r.broker.Explain(context.Background(), capability, in, c.Context.Credential)
		if err == nil {
			err = l.Err
		}
		if got := fault.CodeOf(err); got != c.Expect.Error {
			t.Errorf("%s: Explain: %q (%v), want %q", name, got, err, c.Expect.Error)
		}
		if err == nil && (l.Credential != c.Expect.Credential || l.Secret != want.id) {
			t.Errorf("%s: Explain: credential %s, secret %s; want %+v", name, l.Credential, l.SecretName, c.Expect)
		}

		requests := len(r.up.Requests())
		answer, err := r.broker.Invoke(context.Background(), broker.Call{Capability: capability, Context: in, Credential: c.Context.Credential})
		if got := fault.CodeOf(err); got != c.Expect.Error {
			t.Errorf("%s: Invoke: %q (%v), want %q", name, got, err, c.Expect.Error)
		}
		sent := r.up.Requests()[requests:]
		switch {
		case err != nil && len(sent) > 0:
			t.Errorf("%s: Invoke failed and reached the upstream", name)
		case err == nil && (answer.Credential != c.Expect.Credential || answer.Secret != want.name):
			t.Errorf("%s: Invoke: credential %s, secret %s; want %+v", name, answer.Credential, answer.Secret, c.Expect)
		case err == nil && (len(sent) != 1 || sent[0].Get("Authorization") != "Bearer "+want.value):
			t.Errorf("%s: the upstream did not get the secret %s", name, c.Expect.Secret)
		}
	}
}

// A stored secret is one that a test put into the vault.
type stored struct {
	id          vault.ID
	name, value string
}

// load puts a fixture into the vault, and returns its secrets by key.
func (r *rig) load(t testing.TB, f fixture) map[string]stored {
	t.Helper()
	keys := map[string]stored{}
	for _, s := range f.Secrets {
		name := s.Name
		if name == "" {
			name = "SECRET_" + s.Key
		}
		keys[s.Key] = r.put(t, name, mustScope(t, s.WS, s.Group), s.AttachedOnly)
		for _, g := range s.Attached {
			r.attach(t, keys[s.Key].id, g[0], g[1])
		}
	}
	if f.Capability == "" {
		r.capability(t, "acme/items", "api.acme.test")
	}
	for _, c := range f.Credentials {
		if c.Auto {
			continue // the registry makes it
		}
		n := broker.NewCredential{ID: c.ID, Provider: c.Provider, Secret: keys[c.Secret].id, Scope: mustScope(t, c.WS, c.Group)}
		if f.Capability == "" {
			n.Auth, n.Hosts = bearer(), []string{"api." + c.Provider + ".test"}
		}
		if _, err := r.broker.CreateCredential(context.Background(), n); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range f.Bindings {
		_, err := r.broker.Bind(context.Background(), broker.NewBinding{
			Capability: b.Capability, Secret: keys[b.Secret].id, Scope: mustScope(t, b.WS, b.Group), Consumer: b.Consumer,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return keys
}
