package registry_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/registry"
	"aivault/keys/fault"
)

func TestBuiltin(t *testing.T) {
	reg := registry.Builtin()
	want := []string{
		"anthropic", "gemini", "github", "linear", "notion", "openai",
		"openrouter", "resend", "sendgrid", "slack", "stripe", "trello",
		"twilio",
	}
	if diff := cmp.Diff(reg.Providers(), want); diff != "" {
		t.Errorf("providers (-got +want)\n%s", diff)
	}
	for _, id := range want {
		p, ok := reg.Provider(id)
		if !ok || p.ID != id {
			t.Fatalf("Provider(%q) = %v, %t", id, p, ok)
		}
		if again, _ := reg.Provider(id); again != p {
			t.Errorf("%s is decoded again", id)
		}
	}
	for _, p := range decodeFiles(t) {
		got, _ := reg.Provider(p.ID)
		if diff := cmp.Diff(got, p); diff != "" {
			t.Errorf("%s differs from its file (-got +want)\n%s", p.ID, diff)
		}
	}
	for _, id := range []string{"", "acme", "OpenAI", "openai ", "../registry", "openai.json", "providers/openai"} {
		if _, ok := reg.Provider(id); ok {
			t.Errorf("there is a provider %q", id)
		}
	}
}

func TestClaim(t *testing.T) {
	reg := registry.Builtin()
	for name, want := range map[string]string{
		"OPENAI_API_KEY": "openai", "ANTHROPIC_API_KEY": "anthropic", "GITHUB_TOKEN": "github", "GH_TOKEN": "github",
		"STRIPE_API_KEY": "stripe", "STRIPE_SECRET_KEY": "stripe", "SLACK_BOT_TOKEN": "slack", "SLACK_USER_TOKEN": "slack",
		"GEMINI_API_KEY": "gemini", "GOOGLE_API_KEY": "gemini", "NOTION_TOKEN": "notion", "NOTION_API_KEY": "notion",
		"LINEAR_API_KEY": "linear", "LINEAR_ACCESS_TOKEN": "linear", "RESEND_API_KEY": "resend",
		"TWILIO_ACCOUNT_SID": "twilio", "TWILIO_AUTH_TOKEN": "twilio", "SENDGRID_API_KEY": "sendgrid",
		"TRELLO_API_KEY": "trello", "TRELLO_TOKEN": "trello",
		"OPENROUTER_API_KEY": "openrouter", "OPENROUTER_PROVISIONING_KEY": "openrouter",
		"openai_api_key": "", " OPENAI_API_KEY": "", "OPENAI_API_KEY2": "", "": "",
	} {
		if got, ok := reg.Claim(name); got != want || ok != (want != "") {
			t.Errorf("Claim(%q) = %q, %t; want %q", name, got, ok, want)
		}
	}
}

func TestCapability(t *testing.T) {
	reg := registry.Builtin()
	c, p, ok := reg.Capability("openai/chat-completions")
	if !ok || c.ID != "openai/chat-completions" || p.ID != "openai" {
		t.Fatalf("got %v, %v, %t", c, p, ok)
	}
	if diff := cmp.Diff(c.Hosts, []string{"api.openai.com"}); diff != "" {
		t.Errorf("hosts (-got +want)\n%s", diff)
	}
	for _, id := range []string{"", "openai", "openai/", "openai/none", "acme/items", "/chat-completions", "openai/chat-completions/x"} {
		if _, _, ok := reg.Capability(id); ok {
			t.Errorf("there is a capability %q", id)
		}
	}
}

// TestAuth states how each claimed name authenticates, as getting one wrong
// shows only at the service.
func TestAuth(t *testing.T) {
	bearer := "header Authorization=Bearer {{secret}}"
	want := map[string]string{
		"openai OPENAI_API_KEY":                                   bearer,
		"anthropic ANTHROPIC_API_KEY":                             "header x-api-key={{secret}}",
		"github GITHUB_TOKEN":                                     bearer,
		"github:gh-token GH_TOKEN":                                bearer,
		"stripe STRIPE_API_KEY":                                   bearer,
		"stripe:secret-key STRIPE_SECRET_KEY":                     bearer,
		"slack SLACK_BOT_TOKEN":                                   bearer,
		"slack:user-token SLACK_USER_TOKEN":                       bearer,
		"gemini GEMINI_API_KEY":                                   "header x-goog-api-key={{secret}}",
		"gemini:google-api-key GOOGLE_API_KEY":                    "header x-goog-api-key={{secret}}",
		"notion NOTION_TOKEN":                                     bearer,
		"notion:api-key NOTION_API_KEY":                           bearer,
		"linear LINEAR_API_KEY":                                   "header Authorization={{secret}}",
		"linear:access-token LINEAR_ACCESS_TOKEN":                 bearer,
		"resend RESEND_API_KEY":                                   bearer,
		"sendgrid SENDGRID_API_KEY":                               bearer,
		"openrouter OPENROUTER_API_KEY":                           bearer,
		"openrouter:provisioning-key OPENROUTER_PROVISIONING_KEY": bearer,
		"trello TRELLO_API_KEY TRELLO_TOKEN":                      "multi-query key={{key}} token={{token}}",
		"twilio TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN":             "basic username={{username}} password={{password}}",
	}
	got := map[string]string{}
	reg := registry.Builtin()
	for _, id := range reg.Providers() {
		p, _ := reg.Provider(id)
		for _, c := range p.Credentials {
			key := id
			if c.ID != "" {
				key += ":" + c.ID
			}
			for _, slot := range c.Secrets {
				key += " " + slot.Name
			}
			got[key] = c.Auth.Kind
			for _, param := range c.Auth.Params {
				got[key] += " " + param.Name + "=" + param.Value
			}
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}

// TestPreference: a secret that cannot do something does not stand in the way
// of one that can.
func TestPreference(t *testing.T) {
	reg := registry.Builtin()
	for id, want := range map[string][]string{
		"slack/search":                {"user-token"},
		"slack/chat":                  {"", "user-token"},
		"openrouter/api-keys":         {"provisioning-key"},
		"openrouter/chat-completions": {""},
		"github/repos":                {"", "gh-token"},
	} {
		_, p, ok := reg.Capability(id)
		if !ok {
			t.Fatalf("there is no %s", id)
		}
		var got []string
		for _, c := range p.Credentials {
			if c.Carries(id) {
				got = append(got, c.ID)
			}
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s (-got +want)\n%s", id, diff)
		}
	}
}

func TestConcurrent(t *testing.T) {
	reg := registry.Builtin()
	got := make([]*registry.Provider, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = reg.Provider("github") })
	}
	wg.Wait()
	for _, p := range got {
		if p == nil || p != got[0] {
			t.Fatal("concurrent callers got different values")
		}
	}
}

func TestNew(t *testing.T) {
	provider := func(id, secret, capability string) *registry.Provider {
		return &registry.Provider{
			ID: id, Hosts: []string{"127.0.0.1:8443"},
			Credentials:  []registry.Credential{{Secrets: []registry.SecretSlot{{Placeholder: "secret", Name: secret}}}},
			Capabilities: []registry.Capability{{ID: capability}},
		}
	}
	reg, err := registry.New(provider("b", "B_KEY", "b/items"), provider("a", "A_KEY", "a/items"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reg.Providers(), []string{"a", "b"}); diff != "" {
		t.Errorf("providers (-got +want)\n%s", diff)
	}
	if id, ok := reg.Claim("A_KEY"); id != "a" || !ok {
		t.Errorf("Claim = %q, %t", id, ok)
	}
	if _, p, ok := reg.Capability("b/items"); !ok || p.ID != "b" {
		t.Errorf("Capability = %v, %t", p, ok)
	}
	if _, ok := reg.Provider("openai"); ok {
		t.Error("it has a built-in provider too")
	}
	if _, ok := reg.Claim("OPENAI_API_KEY"); ok {
		t.Error("it claims a built-in name too")
	}
	for name, list := range map[string][]*registry.Provider{
		"same id":            {provider("a", "A_KEY", "a/x"), provider("a", "B_KEY", "a/x")},
		"same claim":         {provider("a", "KEY", "a/x"), provider("b", "KEY", "b/x")},
		"foreign capability": {provider("a", "KEY", "b/x")},
	} {
		if _, err := registry.New(list...); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if empty, err := registry.New(); err != nil || len(empty.Providers()) != 0 {
		t.Errorf("a registry of none has %v (%v)", empty.Providers(), err)
	}
}

func BenchmarkClaim(b *testing.B) {
	reg := registry.Builtin()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := reg.Claim("STRIPE_SECRET_KEY"); !ok {
			b.Fatal("not claimed")
		}
	}
}

// What the first use of a provider costs a process.
func BenchmarkFirstProvider(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := registry.Builtin().Provider("openai"); !ok {
			b.Fatal("no such provider")
		}
	}
}

func BenchmarkCapability(b *testing.B) {
	reg := registry.Builtin()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := reg.Capability("openai/videos"); !ok {
			b.Fatal("no such capability")
		}
	}
}
