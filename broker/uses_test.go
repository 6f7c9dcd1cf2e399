package broker_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// describeUses is Uses in words.
func describeUses(u broker.Uses) []string {
	var out []string
	for _, c := range u.Credentials {
		out = append(out, fmt.Sprintf("credential %s auto=%t", c.ID, c.Auto))
	}
	for _, b := range u.Bindings {
		out = append(out, fmt.Sprintf("binding %s %s %q auto=%t", b.Capability, b.Scope, b.Consumer, b.Auto))
	}
	return append(out, u.Capabilities...)
}

func TestUses(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		s, other := r.acme(t), r.put(t, "OTHER", vault.GlobalScope(), false)
		r.capability(t, "acme/more", "api.acme.test")
		r.capability(t, "acme/elsewhere", "files.acme.test")
		r.credential(t, "acme-w", s.id, mustScope(t, "w", ""))
		r.credential(t, "acme-other", other.id, vault.GlobalScope())
		for _, b := range []broker.NewBinding{
			{Capability: "acme/items", Scope: mustScope(t, "w", "a"), Consumer: "bot"},
			{Capability: "acme/items", Scope: vault.GlobalScope()},
			{Capability: "acme/elsewhere", Scope: vault.GlobalScope()},
		} {
			b.Secret, b.Proof = s.id, vaultValue(s.value)
			if _, err := r.broker.Bind(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
		got, err := r.broker.Uses(ctx, s.id)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"credential acme-main auto=false", "credential acme-w auto=false",
			`binding acme/elsewhere global "" auto=false`, `binding acme/items global "" auto=false`, `binding acme/items group:w:a "bot" auto=false`,
			"acme/elsewhere", "acme/items", "acme/more",
		}
		if diff := cmp.Diff(describeUses(got), want); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
		got, err = r.broker.Uses(ctx, r.put(t, "LONE", vault.GlobalScope(), false).id)
		if diff := cmp.Diff(got, broker.Uses{}); diff != "" || err != nil {
			t.Errorf("a secret that nothing uses: %v (-got +want):\n%s", err, diff)
		}
		if _, err := r.broker.Uses(ctx, uuid.New()); fault.CodeOf(err) != fault.SecretNotFound {
			t.Errorf("a secret that is none: %v", err)
		}
	})
}

// What the registry makes of a secret is a use of it, once it is whole and
// unless it was deleted; what it makes of its namesake elsewhere is none.
func TestUsesOfARegistrySecret(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		first := r.put(t, "TWILIO_ACCOUNT_SID", vault.GlobalScope(), false)
		r.put(t, "TWILIO_ACCOUNT_SID", mustScope(t, "w", ""), false)
		r.put(t, "TWILIO_AUTH_TOKEN", mustScope(t, "w", ""), false)
		carried := func() int {
			u, err := r.broker.Uses(ctx, first.id)
			if err != nil {
				t.Fatal(err)
			}
			if len(u.Credentials) > 1 || len(u.Credentials) == 1 && u.Credentials[0].ID != "twilio" {
				t.Errorf("%+v", describeUses(u))
			}
			return len(u.Capabilities)
		}
		if n := carried(); n != 0 {
			t.Errorf("half of an account carries %d capabilities", n)
		}
		r.put(t, "TWILIO_AUTH_TOKEN", vault.GlobalScope(), false)
		if n := carried(); n == 0 {
			t.Error("a whole account carries nothing")
		}
		if ok, err := r.broker.DeleteCredential(ctx, "twilio"); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if n := carried(); n != 0 {
			t.Errorf("an account that was deleted carries %d capabilities", n)
		}
	})
}

// The cost of Uses is that of the secret's own: it is asked at each move of a
// cursor.
func TestUsesCost(t *testing.T) {
	t.Parallel()
	r, store := newMemoryRig(t)
	first := r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
	cost := func() int {
		before := store.Lookups()
		if _, err := r.broker.Uses(context.Background(), first.id); err != nil {
			t.Fatal(err)
		}
		return store.Lookups() - before
	}
	few := cost()
	for i := range 100 {
		r.put(t, "OPENAI_API_KEY", mustScope(t, fmt.Sprintf("w%d", i), ""), false)
	}
	if many := cost(); many != few {
		t.Errorf("%d lookups with one secret, %d with 101", few, many)
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		w, wa := mustScope(t, "w", ""), mustScope(t, "w", "a")
		r.put(t, "TWILIO_ACCOUNT_SID", w, false)
		r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
		r.put(t, "DB", vault.GlobalScope(), false)
		r.put(t, "DB", w, false)
		hidden := r.put(t, "HIDDEN", vault.GlobalScope(), true)
		r.attach(t, hidden.id, "w", "b")
		if _, err := r.store.CreateSecret(ctx, vault.NewSecret{Name: "LONG", Aliases: []string{"SHORT"}, Scope: w, Value: opaque.New([]byte("x"))}); err != nil {
			t.Fatal(err)
		}
		r.put(t, "ANTHROPIC_API_KEY", w, false)
		if _, err := r.broker.DeleteCredential(ctx, "anthropic:ws:w"); err != nil {
			t.Fatal(err)
		}
		openai := broker.Claim{Provider: "openai", ProviderName: "OpenAI", LooksLike: []string{"sk-"}}
		for name, tt := range map[string]struct {
			name  string
			scope vault.Scope
			want  broker.Claim
		}{
			"a name of nobody's":              {"MY_KEY", wa, broker.Claim{}},
			"claimed":                         {"OPENAI_API_KEY", w, withClaim(openai, "openai:ws:w", vault.GlobalScope())},
			"claimed, and typed so":           {"  OPENAI_API_KEY ", wa, withClaim(openai, "openai:group:w:a", vault.GlobalScope())},
			"half of an account":              {"TWILIO_AUTH_TOKEN", vault.GlobalScope(), broker.Claim{Provider: "twilio", ProviderName: "Twilio", Missing: []string{"TWILIO_ACCOUNT_SID"}}},
			"the other half":                  {"TWILIO_AUTH_TOKEN", w, broker.Claim{Provider: "twilio", ProviderName: "Twilio", Credential: "twilio:ws:w"}},
			"taken":                           {"DB", w, broker.Claim{Taken: true, Shadows: []vault.Scope{vault.GlobalScope()}}},
			"taken by an alias":               {"SHORT", w, broker.Claim{Taken: true}},
			"an alias elsewhere":              {"SHORT", wa, broker.Claim{}},
			"over two":                        {"DB", wa, broker.Claim{Shadows: []vault.Scope{w, vault.GlobalScope()}}},
			"not over what is not seen there": {"HIDDEN", wa, broker.Claim{}},
			"over what is attached":           {"HIDDEN", mustScope(t, "w", "b"), broker.Claim{Shadows: []vault.Scope{vault.GlobalScope()}}},
			"deleted before": {"ANTHROPIC_API_KEY", w, broker.Claim{
				Provider: "anthropic", ProviderName: "Anthropic", Credential: "anthropic:ws:w", Disabled: true, Taken: true, LooksLike: []string{"sk-ant-"},
			}},
		} {
			got, err := r.broker.Claim(ctx, tt.name, tt.scope)
			if err != nil {
				t.Fatal(err)
			}
			if (got.Capabilities > 0) != (got.Credential != "") {
				t.Errorf("%s: credential %q carries %d capabilities", name, got.Credential, got.Capabilities)
			}
			if diff := cmp.Diff(got, tt.want, cmpopts.IgnoreFields(broker.Claim{}, "Capabilities")); diff != "" {
				t.Errorf("%s (-got +want):\n%s", name, diff)
			}
		}
		for _, bad := range []string{"", " ", "A\x1bB", "A\u202eB", "\xff"} {
			if _, err := r.broker.Claim(ctx, bad, w); fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if _, err := r.broker.Claim(ctx, "A", vault.Scope{}); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("a scope that is none: %v", err)
		}
	})
}

func withClaim(c broker.Claim, credential string, shadows ...vault.Scope) broker.Claim {
	c.Credential, c.Shadows = credential, slices.Clone(shadows)
	return c
}

// What Claim says of a secret is what comes of it when it is stored.
func TestClaimIsWhatProvisionedSays(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		r.put(t, "SLACK_USER_TOKEN", mustScope(t, "w", ""), false)
		for _, name := range []string{"OPENAI_API_KEY", "TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID", "GH_TOKEN", "GITHUB_TOKEN", "SLACK_BOT_TOKEN", "SHOPIFY_ACCESS_TOKEN", "PLAIN"} {
			c, err := r.broker.Claim(ctx, name, mustScope(t, "w", ""))
			if err != nil {
				t.Fatal(err)
			}
			s, err := r.store.CreateSecret(ctx, vault.NewSecret{Name: name, Scope: mustScope(t, "w", ""), Value: opaque.New([]byte("made-up"))})
			if err != nil {
				t.Fatal(err)
			}
			p, err := r.broker.Provisioned(ctx, s)
			if err != nil {
				t.Fatal(err)
			}
			got := &broker.Provision{
				Provider: c.Provider, Credential: c.Credential, Capabilities: c.Capabilities, Missing: c.Missing, Disabled: c.Disabled,
				NeedsHost: c.NeedsHost, LooksLike: c.LooksLike,
			}
			if c.Provider == "" {
				got = nil
			}
			if diff := cmp.Diff(got, p); diff != "" {
				t.Errorf("%s (-claim +provisioned):\n%s", name, diff)
			}
		}
	})
}
