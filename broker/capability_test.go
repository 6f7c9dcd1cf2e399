package broker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

func TestCreateCapabilityRefuses(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.acme(t)
	tests := []struct {
		name   string
		change func(*broker.NewCapability)
		want   fault.Code
	}{
		{"no id", func(n *broker.NewCapability) { n.ID = "" }, fault.InvalidRequest},
		{"an id without provider", func(n *broker.NewCapability) { n.ID = "things" }, fault.InvalidRequest},
		{"an id with a colon", func(n *broker.NewCapability) { n.ID = "acme:things/x" }, fault.InvalidRequest},
		{"an id that is taken", func(n *broker.NewCapability) { n.ID = "acme/items" }, fault.AlreadyExists},
		{"a built-in id", func(n *broker.NewCapability) { n.ID = "openai/models" }, fault.AlreadyExists},
		{"an id that reads as a known provider's", func(n *broker.NewCapability) { n.ID, n.Provider = "openai/mine", "acme" }, fault.InvalidRequest},
		{"a provider in upper case", func(n *broker.NewCapability) { n.ID = "Acme/things" }, fault.InvalidRequest},
		{"no method", func(n *broker.NewCapability) { n.Methods = nil }, fault.InvalidRequest},
		{"a method that is none", func(n *broker.NewCapability) { n.Methods = []string{"G T"} }, fault.InvalidRequest},
		{"CONNECT", func(n *broker.NewCapability) { n.Methods = []string{"connect"} }, fault.PolicyViolation},
		{"no path", func(n *broker.NewCapability) { n.Paths = nil }, fault.InvalidRequest},
		{"3.1/17 an empty path", func(n *broker.NewCapability) { n.Paths = []string{""} }, fault.InvalidRequest},
		{"3.1/17 a relative path", func(n *broker.NewCapability) { n.Paths = []string{"v1"} }, fault.InvalidRequest},
		{"a path that has two readings", func(n *broker.NewCapability) { n.Paths = []string{"/v1/../v2"} }, fault.InvalidRequest},
		{"no host", func(n *broker.NewCapability) { n.Hosts = nil }, fault.InvalidRequest},
		{"W10 two hosts", func(n *broker.NewCapability) { n.Hosts = []string{"a.acme.test", "b.acme.test"} }, fault.InvalidRequest},
		{"41 localhost", func(n *broker.NewCapability) { n.Hosts = []string{"localhost"} }, fault.PolicyViolation},
		{"41 an address", func(n *broker.NewCapability) { n.Hosts = []string{"127.0.0.1:8443"} }, fault.PolicyViolation},
		{"46 a URL", func(n *broker.NewCapability) { n.Hosts = []string{"https://api.acme.test/"} }, fault.InvalidRequest},
		{"48 a wildcard", func(n *broker.NewCapability) { n.Hosts = []string{"*.acme.test"} }, fault.InvalidRequest},
		{"an unknown credential", func(n *broker.NewCapability) { n.FromCred = "nope" }, fault.CredentialNotFound},
		{"a credential of another provider", func(n *broker.NewCapability) { n.FromCred, n.Provider = "acme-main", "beta" }, fault.InvalidRequest},
		{"a header that never passes", func(n *broker.NewCapability) { n.AllowHeads = []string{"Host"} }, fault.PolicyViolation},
		{"a header that is none", func(n *broker.NewCapability) { n.AllowHeads = []string{"a b"} }, fault.InvalidRequest},
	}
	for _, tt := range tests {
		n := broker.NewCapability{ID: "acme/things", Hosts: []string{"api.acme.test"}, Methods: []string{"GET"}, Paths: []string{"/v1/things"}}
		tt.change(&n)
		_, err := r.broker.CreateCapability(context.Background(), n)
		if got := fault.CodeOf(err); got != tt.want {
			t.Errorf("%s: %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestCreateCapability(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		r.acme(t)
		got, err := r.broker.CreateCapability(context.Background(), broker.NewCapability{
			ID: "acme/things", FromCred: "acme-main", Methods: []string{"get", "GET", "post"},
			Paths: []string{"/v1/things", "/v1/things"}, AllowHeads: []string{"x-one"},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := broker.Capability{ID: "acme/things", Provider: "acme", Allow: vault.Allow{
			Hosts: []string{"api.acme.test"}, Methods: []string{"GET", "POST"}, Paths: []string{"/v1/things"}, Headers: []string{"X-One"},
		}}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
		call := broker.Call{Capability: "acme/things", Method: "GET", Headers: []broker.Header{{Name: "X-Two", Value: "2"}}}
		if _, err := r.broker.Invoke(context.Background(), call); fault.CodeOf(err) != fault.PolicyViolation {
			t.Errorf("a header that the capability does not list: %v", err)
		}
		call.Headers[0].Name = "x-one"
		if _, err := r.broker.Invoke(context.Background(), call); err != nil {
			t.Error(err)
		}
		for _, want := range []bool{true, false} {
			if removed, err := r.broker.DeleteCapability(context.Background(), "acme/things"); removed.Capability != want || err != nil {
				t.Errorf("DeleteCapability = %v, %v", removed, err)
			}
		}
		if removed, err := r.broker.DeleteCapability(context.Background(), "openai/models"); removed.Capability || err != nil {
			t.Errorf("a built-in one was deleted: %v, %v", removed, err)
		}
		if _, err := r.invoke("acme/things", nowhere); fault.CodeOf(err) != fault.CapabilityNotFound {
			t.Errorf("after deleting: %v", err)
		}
	})
}

// W25: a capability of an operator's may put together anew what the registry
// lists of a provider. It brings a pinned secret to no other path or host.
func TestWideningARegistryProvider(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		s := r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
		make := func(id, host, path string) {
			t.Helper()
			n := broker.NewCapability{ID: id, Methods: []string{"GET"}, Paths: []string{path}}
			if host != "" {
				n.Hosts = []string{host}
			}
			if _, err := r.broker.CreateCapability(context.Background(), n); err != nil {
				t.Fatal(err)
			}
		}
		make("openai/one-model", "", "/v1/models/gpt-5")
		r.sendsTo(t, "openai/one-model", nowhere, s)
		make("openai/new-thing", "", "/v1/new-thing")
		make("openai/everything", "", "/")
		for _, call := range []broker.Call{{Capability: "openai/new-thing"}, {Capability: "openai/everything", Path: "/v1/new-thing"}} {
			if _, err := r.broker.Invoke(context.Background(), call); fault.CodeOf(err) != fault.PolicyViolation {
				t.Errorf("%s: %v", call.Capability, err)
			}
		}
		if l, err := r.broker.Explain(context.Background(), "openai/new-thing", nowhere, ""); err != nil || fault.CodeOf(l.Err) != fault.PolicyViolation {
			t.Errorf("explain: %+v, %v", l, err)
		}
		if l, err := r.broker.Explain(context.Background(), "openai/one-model", nowhere, ""); err != nil || l.Err != nil {
			t.Errorf("explain: %+v, %v", l, err)
		}
		if _, err := r.broker.Invoke(context.Background(), broker.Call{Capability: "openai/everything", Path: "/v1/models"}); err != nil {
			t.Errorf("a path of the registry's through a wider capability: %v", err)
		}
		_, err := r.broker.CreateCapability(context.Background(), broker.NewCapability{
			ID: "acme/disguised", Provider: "openai", Methods: []string{"GET"}, Paths: []string{"/"},
		})
		if fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("an id that reads as another provider's: %v", err)
		}
		make("openai/elsewhere", "api.acme.test", "/v1/new-thing")
		if _, err := r.invoke("openai/elsewhere", nowhere); fault.CodeOf(err) != fault.CredentialNotFound {
			t.Errorf("to another host: %v", err)
		}
		if _, err := r.broker.Invoke(context.Background(), broker.Call{Capability: "openai/elsewhere", Credential: "openai"}); fault.CodeOf(err) != fault.SecretNotAccessible {
			t.Errorf("to another host, by name: %v", err)
		}
		if _, err := r.broker.Bind(context.Background(), broker.NewBinding{Capability: "openai/elsewhere", Secret: s.id, Scope: vault.GlobalScope()}); err != nil {
			t.Fatal(err)
		}
		free := r.put(t, "FREE", vault.GlobalScope(), false)
		_, err = r.broker.CreateCredential(context.Background(), broker.NewCredential{
			ID: "lender", Provider: "openai", Secret: free.id, Scope: vault.GlobalScope(), Auth: bearer(), Hosts: []string{"api.acme.test"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.invoke("openai/elsewhere", nowhere); fault.CodeOf(err) != fault.PolicyViolation {
			t.Errorf("to another host, by a binding and a lender: %v", err)
		}
		// Explain knows what calls are refused: for the host, for half a segment.
		make("openai/models-elsewhere", "api.acme.test", "/v1/models")
		make("openai/models-old", "", "/v1/models-old")
		for _, id := range []string{"openai/models-elsewhere", "openai/models-old"} {
			if _, err := r.broker.Bind(context.Background(), broker.NewBinding{Capability: id, Secret: s.id, Scope: vault.GlobalScope()}); err != nil {
				t.Fatal(err)
			}
			if _, err := r.invoke(id, nowhere); fault.CodeOf(err) != fault.PolicyViolation {
				t.Errorf("%s: %v", id, err)
			}
			if l, err := r.broker.Explain(context.Background(), id, nowhere, ""); err != nil || fault.CodeOf(l.Err) != fault.PolicyViolation {
				t.Errorf("explain %s: %+v, %v", id, l, err)
			}
		}
	})
}

func TestListCapabilities(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		r.acme(t)
		r.capability(t, "beta/items", "api.beta.test")
		r.put(t, "OPENAI_API_KEY", mustScope(t, "w", ""), false)
		list, err := r.broker.Capabilities(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(list, func(a, b broker.Capability) int { return strings.Compare(a.ID, b.ID) }) {
			t.Error("not sorted by id")
		}
		got := map[string][2]bool{}
		for _, c := range list {
			switch c.ID {
			case "acme/items", "beta/items", "openai/models", "anthropic/models", "slack/chat-post", "slack/chat":
				got[c.ID] = [2]bool{c.Builtin, c.Ready}
			}
			if len(c.Allow.Hosts) == 0 || len(c.Allow.Methods) == 0 || len(c.Allow.Paths) == 0 {
				t.Errorf("%s allows %+v", c.ID, c.Allow)
			}
		}
		for id, want := range map[string][2]bool{"acme/items": {false, true}, "beta/items": {false, false}, "openai/models": {true, true}, "anthropic/models": {true, false}} {
			if got[id] != want {
				t.Errorf("%s: built in and ready %v, want %v", id, got[id], want)
			}
		}
	})
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.acme(t)
	d, err := r.broker.Describe(context.Background(), "acme/items")
	if err != nil {
		t.Fatal(err)
	}
	if d.Method != "" || d.Path != "/v1/items" || !d.Ready || d.Builtin || d.ProviderName != "acme" {
		t.Errorf("%+v", d)
	}
	if d, err = r.broker.Describe(context.Background(), "anthropic/models"); err != nil {
		t.Fatal(err)
	}
	if d.Method != "GET" || d.Path != "/v1/models" || d.Ready || !d.Builtin || d.ProviderName != "Anthropic" || d.DocsURL == "" {
		t.Errorf("%+v", d)
	}
	if diff := cmp.Diff(d.SecretNames, [][]string{{"ANTHROPIC_API_KEY"}}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(d.Headers, []broker.Header{{Name: "anthropic-version", Value: "2023-06-01"}}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	if d, err = r.broker.Describe(context.Background(), "twilio/api"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.SecretNames, [][]string{{"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"}}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	if _, err := r.broker.Describe(context.Background(), "acme/nope"); fault.CodeOf(err) != fault.CapabilityNotFound {
		t.Errorf("%v", err)
	}
}

// What is taken for opaque by its paths is marked so in the registry, where
// nothing is guessed.
func TestOpaqueIsMarked(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	list, err := r.broker.Capabilities(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for i, c := range list {
		id := fmt.Sprintf("acme/%d", i)
		n := broker.NewCapability{ID: id, Hosts: []string{"api.acme.test"}, Methods: c.Allow.Methods, Paths: c.Allow.Paths}
		if _, err := r.broker.CreateCapability(context.Background(), n); err != nil {
			t.Fatal(err)
		}
		guessed, err := r.broker.Describe(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		said, err := r.broker.Describe(context.Background(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if said.OpaqueBody {
			marked++
		}
		if guessed.OpaqueBody && !said.OpaqueBody {
			t.Errorf("%s has opaque bodies, and its file does not say so", c.ID)
		}
	}
	if marked == 0 {
		t.Error("nothing is marked")
	}
}
