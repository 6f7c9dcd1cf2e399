package broker_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/broker/policy"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// boxes is a small provider of an operator's own.
const boxes = `{"id": "boxes", "name": "Boxes", "hosts": ["api.acme.test"],
  "headers": [{"name": "Boxes-Version", "value": "1"}],
  "credentials": [{"id": "", "secrets": [{"placeholder": "secret", "name": "BOXES_KEY"}],
    "auth": {"kind": "header", "params": [{"name": "X-Boxes", "value": "{{secret}}"}]}}],
  "capabilities": [{"id": "boxes/list", "description": "Boxes", "methods": ["GET"], "paths": ["/v1/boxes"], "example": "GET /v1/boxes"}]}`

// define adds a provider, and fails the test if that is refused otherwise than so.
func (r *rig) define(t *testing.T, definition string, want fault.Code) broker.ProviderChange {
	t.Helper()
	checked, err := r.broker.CheckProvider(context.Background(), []byte(definition))
	if fault.CodeOf(err) != want {
		t.Errorf("checked: %v, want %q", err, want)
	}
	change, err := r.broker.AddProvider(context.Background(), []byte(definition))
	if fault.CodeOf(err) != want || change.Same != checked.Same || change.Replaces != checked.Replaces {
		t.Errorf("added: %+v, %v, want %q", change, err, want)
	}
	return change
}

// A provider of one's own works as a built-in one does: a secret under its name is
// pinned, and is all that it takes to call.
func TestOwnProvider(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		r.up.Reply(200, nil, []byte("{}"))
		if c := r.define(t, boxes, ""); c.Same || c.Replaces || !c.Own || c.ID != "boxes" {
			t.Errorf("added: %+v", c)
		}
		if c := r.define(t, boxes, ""); !c.Same {
			t.Errorf("added again: %+v", c)
		}
		claim, err := r.broker.Claim(ctx, "BOXES_KEY", vault.GlobalScope())
		if err != nil || claim.Provider != "boxes" || claim.Credential != "boxes" || claim.Capabilities != 1 {
			t.Errorf("the claim is %+v, %v", claim, err)
		}
		s := r.put(t, "BOXES_KEY", vault.GlobalScope(), false)
		if _, err := r.invoke("boxes/list", vault.Context{}); err != nil {
			t.Fatal(err)
		}
		got := r.lastRequest(t, 1)
		if got.Host != "api.acme.test" || got.Get("X-Boxes") != s.value || got.Get("Boxes-Version") != "1" {
			t.Errorf("it went to %s and not as it should", got.Host)
		}
		d, err := r.broker.Describe(ctx, "boxes/list")
		if err != nil || !d.Ready || !d.Own || d.Slots[0] != (broker.Slot{Name: "BOXES_KEY", Placeholder: "secret"}) {
			t.Errorf("described: %+v, %v", d, err)
		}
		list, err := r.broker.Providers(ctx)
		i := slices.IndexFunc(list, func(p broker.Provider) bool { return p.ID == "boxes" })
		if err != nil || i < 0 || len(list) != len(registry.Builtin().Providers())+1 || !list[i].Own || list[i].Ready != 1 {
			t.Errorf("%d providers, %v", len(list), err)
		}
		// The pin holds: neither another provider nor another host gets the value.
		for _, n := range []broker.NewCredential{
			{ID: "mine", Provider: "acme", Secret: s.id, Scope: vault.GlobalScope(), Auth: bearer(), Hosts: []string{"api.acme.test"}},
			{ID: "mine", Provider: "boxes", Secret: s.id, Scope: vault.GlobalScope(), Hosts: []string{"api.beta.test"}},
		} {
			if _, err := r.broker.CreateCredential(ctx, n); fault.CodeOf(err) != fault.PolicyViolation {
				t.Errorf("%s at %s: %v", n.Provider, n.Hosts, err)
			}
		}
		_, err = r.broker.CreateCapability(ctx, broker.NewCapability{ID: "boxes/list", Hosts: []string{"api.acme.test"}, Methods: []string{"GET"}, Paths: []string{"/"}})
		if fault.CodeOf(err) != fault.AlreadyExists {
			t.Errorf("its capability was made to mean something else: %v", err)
		}
		r.capability(t, "boxes/more", "api.acme.test")
		if _, err := r.invoke("boxes/more", vault.Context{}); fault.CodeOf(err) != fault.PolicyViolation {
			t.Errorf("beyond what it lists: %v", err)
		}
		if _, err := r.broker.RemoveProvider(ctx, "boxes"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("removed while it is in use: %v", err)
		}
	})
}

// Another definition takes effect at the next call, and no host comes with it to
// which a pinned secret would go.
func TestOwnProviderReplaced(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		r.up.Reply(200, nil, []byte("{}"))
		two := strings.Replace(boxes, `["api.acme.test"]`, `["api.acme.test", "api.beta.test"]`, 1)
		r.define(t, two, "")
		r.put(t, "BOXES_KEY", vault.GlobalScope(), false)
		if _, err := r.invoke("boxes/list", vault.Context{}); err != nil {
			t.Fatal(err)
		}
		r.define(t, strings.Replace(boxes, "api.acme.test", "api.github.com", 1), fault.Conflict)
		if c := r.define(t, strings.Replace(boxes, "api.acme.test", "api.beta.test", 1), ""); !c.Replaces {
			t.Errorf("replaced: %+v", c)
		}
		if _, err := r.invoke("boxes/list", vault.Context{}); err != nil {
			t.Fatal(err)
		}
		if got := r.lastRequest(t, 2); got.Host != "api.beta.test" {
			t.Errorf("it went to %s", got.Host)
		}
		r.define(t, two, fault.Conflict)
		r.define(t, strings.Replace(strings.Replace(boxes, "api.acme.test", "api.beta.test", 1), "/v1/boxes", "/v2/boxes", 2), "")
		if _, err := r.broker.Invoke(context.Background(), broker.Call{Capability: "boxes/list", Method: "GET", Path: "/v1/boxes"}); fault.CodeOf(err) != fault.PolicyViolation {
			t.Errorf("what the definition before allowed: %v", err)
		}
	})
}

// Nothing that is known already is made to mean something else.
func TestOwnProviderShadowsNothing(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		r.define(t, strings.ReplaceAll(boxes, "boxes", "openai"), fault.AlreadyExists)
		r.define(t, strings.Replace(boxes, "BOXES_KEY", "GITHUB_TOKEN", 1), fault.Conflict)
		r.define(t, strings.Replace(boxes, `"boxes/list"`, `"github/repos"`, 1), fault.InvalidRequest)
		if _, err := r.broker.RemoveProvider(ctx, "openai"); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("a built-in one was removed: %v", err)
		}
		if gone, err := r.broker.RemoveProvider(ctx, "nobody"); gone || err != nil {
			t.Errorf("nobody was removed: %t, %v", gone, err)
		}
		r.capability(t, "boxes/list", "api.acme.test")
		r.define(t, boxes, fault.Conflict)
		if _, err := r.broker.DeleteCapability(ctx, "boxes/list"); err != nil {
			t.Fatal(err)
		}
		s := r.put(t, "MINE", vault.GlobalScope(), false)
		r.credential(t, "boxes", s.id, vault.GlobalScope())
		r.define(t, boxes, fault.Conflict)
		if _, err := r.broker.DeleteCredential(ctx, "boxes"); err != nil {
			t.Fatal(err)
		}
		r.define(t, boxes, "")
		r.define(t, strings.NewReplacer(`"id": "boxes"`, `"id": "crates"`, `"boxes/list"`, `"crates/list"`).Replace(boxes), fault.Conflict)
		if gone, err := r.broker.RemoveProvider(ctx, "boxes"); !gone || err != nil {
			t.Errorf("removed: %t, %v", gone, err)
		}
		if _, err := r.invoke("boxes/list", vault.Context{}); fault.CodeOf(err) != fault.CapabilityNotFound {
			t.Errorf("after it was removed: %v", err)
		}
	})
}

// A definition may come from anywhere. What would send a secret astray, go around
// the policy, or deceive who reads it, is refused.
func TestHostileDefinitions(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	for name, change := range map[string][]string{
		"no JSON":                    {boxes, "boxes"},
		"two objects":                {boxes, boxes + boxes},
		"an unknown key":             {`"name": "Boxes"`, `"name": "Boxes", "run": "sh"`},
		"a key twice":                {`"name": "Boxes"`, `"name": "Boxes", "name": "Crates"`},
		"a private host":             {"api.acme.test", "vault.internal"},
		"localhost":                  {"api.acme.test", "db.localhost"},
		"a metadata service":         {"api.acme.test", "metadata.google.internal"},
		"an address":                 {"api.acme.test", "10.0.0.1"},
		"a port":                     {"api.acme.test", "api.acme.test:8443"},
		"a host in upper case":       {"api.acme.test", "API.acme.test"},
		"everybody's hosts":          {"api.acme.test", "*.co.uk"},
		"everybody's pages":          {"api.acme.test", "*.github.io"},
		"all hosts":                  {"api.acme.test", "*.test"},
		"a header for the framing":   {"Boxes-Version", "Transfer-Encoding"},
		"a header for the host":      {"Boxes-Version", "Host"},
		"a header that authorizes":   {"Boxes-Version", "Authorization"},
		"a header for another path":  {"Boxes-Version", "X-Original-URL"},
		"a header of two":            {`"value": "1"`, `"value": "1\r\nHost: evil"`},
		"authentication as the host": {"X-Boxes", "Host"},
		"no way to authenticate":     {`"kind": "header"`, `"kind": "cookie"`},
		"a secret that goes nowhere": {"{{secret}}", "none"},
		"a method":                   {`"GET"`, `"CONNECT"`},
		"a path out of the API":      {`"/v1/boxes"]`, `"/v1/../admin"]`},
		"an escape in a path":        {`"/v1/boxes"]`, `"/v1/%2e%2e"]`},
		"a name that drives":         {`"name": "Boxes"`, `"name": "\u001b[2JBoxes"`},
		"a name that turns around":   {`"name": "Boxes"`, `"name": "Boxes \u202e"`},
		"a text that turns around":   {`"Boxes", "methods"`, "\"Boxes \u202e\", \"methods\""},
		"an example that drives":     {`"example": "GET /v1/boxes"`, `"example": "GET /v1/\u0007"`},
		"a long id":                  {"boxes", strings.Repeat("b", 65)},
		"a very long list":           {`"methods": ["GET"]`, `"methods": [` + strings.Repeat(`"GET",`, 1000) + `"PUT"]`},
		"more than it may have":      {`"name": "Boxes"`, `"name": "` + strings.Repeat("x", vault.MaxDefinition) + `"`},
	} {
		definition := strings.ReplaceAll(boxes, change[0], change[1])
		if definition == boxes {
			t.Fatalf("%s: nothing was changed", name)
		}
		change, err := r.broker.AddProvider(context.Background(), []byte(definition))
		switch code := fault.CodeOf(err); code {
		case fault.InvalidRequest, fault.PolicyViolation, fault.RequestTooLarge:
		default:
			t.Errorf("%s: added %+v, %v", name, change, err)
		}
	}
	list, err := r.broker.Providers(context.Background())
	if err != nil || len(list) != len(registry.Builtin().Providers()) {
		t.Errorf("%d providers, %v", len(list), err)
	}
}

// What holds for an operator's definition holds for the built-in ones: only that
// anybody can have a host under a tenant's pattern is for us to judge.
func TestBuiltinWouldDo(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	for _, id := range registry.Builtin().Providers() {
		p, _ := registry.Builtin().Provider(id)
		renamed := strings.NewReplacer(`"`+id+`/`, `"my-`+id+`/`, `"id": "`+id+`"`, `"id": "my-`+id+`"`)
		data := renamed.Replace(readProvider(t, id))
		for _, name := range p.Claims() {
			data = strings.ReplaceAll(data, `"`+name+`"`, `"MY_`+name+`"`)
		}
		if _, err := r.broker.CheckProvider(context.Background(), []byte(data)); err != nil && !strings.Contains(err.Error(), "anybody can have a host") {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// A call does not decode the providers anew, however many there are.
func BenchmarkOwnProviders(b *testing.B) {
	for _, n := range []int{0, 1, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r, _ := newMemoryRig(b)
			ctx := context.Background()
			for i := range n {
				name := fmt.Sprint("p", i)
				data := strings.NewReplacer("boxes", name, "BOXES", strings.ToUpper(name)).Replace(boxes)
				if _, err := r.broker.AddProvider(ctx, []byte(data)); err != nil {
					b.Fatal(err)
				}
			}
			r.acme(b)
			for b.Loop() {
				if _, err := r.broker.Preview(ctx, broker.Call{Capability: "acme/items", Method: "GET", Path: "/v1/items"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// readProvider returns the file of a built-in provider.
func readProvider(t *testing.T, id string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("registry", "providers", id+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Whatever is taken for a definition names no private host, and claims nothing
// that is built in.
func FuzzOwnDefinition(f *testing.F) {
	f.Add([]byte(boxes))
	f.Add([]byte(parcels))
	f.Add([]byte(strings.Replace(boxes, "api.acme.test", "127.0.0.1", 1)))
	f.Add([]byte(strings.Replace(boxes, "api.acme.test", "*.internal", 1)))
	r, _ := newMemoryRig(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		change, err := r.broker.CheckProvider(context.Background(), data)
		if err != nil {
			return
		}
		for _, h := range change.Hosts {
			if _, err := policy.ParseHost(strings.TrimPrefix(h, "*."), false); err != nil {
				t.Errorf("host %q: %v", h, err)
			}
		}
		for _, name := range change.SecretNames {
			if by, taken := registry.Builtin().Claim(name); taken {
				t.Errorf("%s belongs to %s", name, by)
			}
		}
	})
}
