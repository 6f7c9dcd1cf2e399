package broker_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// describeUsed is a Used in words.
func describeUsed(u broker.Used) string {
	if u.Err != nil {
		return string(fault.CodeOf(u.Err))
	}
	out := fmt.Sprintf("%s (%s) by %s", u.Name, u.Scope, u.Credential)
	if u.Attached {
		out += ", attached"
	}
	return out
}

// describeEffects is what a change does, a line for each effect.
func describeEffects(effects []broker.Effect) []string {
	var out []string
	for _, e := range effects {
		in := strings.TrimSuffix(e.Context.Workspace+"/"+e.Context.Group, "/")
		if e.Context.Consumer != "" {
			in += " for " + e.Context.Consumer
		}
		out = append(out, fmt.Sprintf("%s: %s: %s -> %s", in, strings.Join(e.Capabilities, " "), describeUsed(e.Before), describeUsed(e.After)))
	}
	return out
}

// groupA and groupB are groups of workspace w.
var (
	groupA = vault.GroupRef{Workspace: "w", Group: "a"}
	groupB = vault.GroupRef{Workspace: "w", Group: "b"}
)

// openai is a line about all capabilities of a provider that needs one secret.
func openai(t *testing.T, r *rig, before, after string) string {
	list, err := r.broker.Capabilities(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range list {
		if c.Provider == "openai" && c.Allow.Hosts[0] == "api.openai.com" {
			ids = append(ids, c.ID)
		}
	}
	return before + strings.Join(ids, " ") + after
}

// Checklist 52.
func TestEffects(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		all := vault.GlobalScope()
		main := r.acme(t)
		own := r.put(t, "OWN", mustScope(t, "w", "a"), false)
		risk := r.put(t, "RISK", mustScope(t, "x", ""), false)
		r.credential(t, "acme-risk", risk.id, all)
		r.attach(t, risk.id, "w", "b")
		r.capability(t, "acme/other", "api.acme.test")
		bot := broker.NewBinding{Capability: "acme/other", Secret: main.id, Scope: mustScope(t, "w", "a"), Consumer: "bot"}
		if _, err := r.broker.Bind(ctx, bot); err != nil {
			t.Fatal(err)
		}
		key := r.put(t, "OPENAI_API_KEY", all, false)
		narrow := r.put(t, "OPENAI_API_KEY", mustScope(t, "w", "a"), false)
		models := broker.NewBinding{Capability: "openai/models", Secret: key.id, Scope: mustScope(t, "w", "a")}
		const (
			usual    = "ACME_TOKEN (global) by acme-main"
			attached = "RISK (workspace:x) by acme-risk, attached"
		)
		for name, tt := range map[string]struct {
			change broker.Change
			want   []string
		}{
			"nothing": {},
			// The bot has a binding there, which stands.
			"attach": {
				broker.Change{Share: []vault.Sharing{{Secret: risk.id, Group: groupA, Revision: 99}}},
				[]string{"w/a: acme/items acme/other: " + usual + " -> " + attached},
			},
			"attach what serves nobody":     {broker.Change{Share: []vault.Sharing{{Secret: own.id, Group: groupB}}}, nil},
			"attach what is there":          {broker.Change{Share: []vault.Sharing{{Secret: risk.id, Group: groupB}, {Secret: narrow.id, Group: groupA}}}, nil},
			"attach behind the group's own": {broker.Change{Share: []vault.Sharing{{Secret: key.id, Group: groupA}}}, nil},
			"detach": {
				broker.Change{Share: []vault.Sharing{{Secret: risk.id, Group: groupB, Detach: true}}},
				[]string{"w/b: acme/items acme/other: " + attached + " -> " + usual},
			},
			"attach and detach": {
				broker.Change{Share: []vault.Sharing{{Secret: risk.id, Group: groupA}, {Secret: risk.id, Group: groupA, Detach: true}}}, nil,
			},
			"delete what is attached": {
				broker.Change{Delete: []vault.ID{risk.id}},
				[]string{
					"w/b: acme/items acme/other: " + attached + " -> " + usual,
					"x: acme/items acme/other: RISK (workspace:x) by acme-risk -> " + usual,
				},
			},
			"delete what all use": {
				broker.Change{Delete: []vault.ID{main.id}},
				[]string{
					": acme/items acme/other: " + usual + " -> credential_not_found",
					"w/a for bot: acme/items acme/other: " + usual + " -> credential_not_found",
				},
			},
			"delete a credential": {
				broker.Change{DeleteCredentials: []string{"acme-main"}},
				[]string{
					": acme/items acme/other: " + usual + " -> credential_not_found",
					"w/a: acme/items acme/other: " + usual + " -> credential_not_found",
					// Another one lends to the bot's binding then.
					"w/a for bot: acme/other: " + usual + " -> ACME_TOKEN (global) by acme-risk",
				},
			},
			"delete the credential of what is attached": {
				broker.Change{DeleteCredentials: []string{"acme-risk"}},
				[]string{
					"w/b: acme/items acme/other: " + attached + " -> " + usual,
					"x: acme/items acme/other: RISK (workspace:x) by acme-risk -> " + usual,
				},
			},
			"disable a registry-made credential": {
				broker.Change{DeleteCredentials: []string{"openai:group:w:a"}},
				[]string{openai(t, r, "w/a: ", ": OPENAI_API_KEY (group:w:a) by openai:group:w:a -> OPENAI_API_KEY (global) by openai")},
			},
			"bind": {
				broker.Change{Bind: &models},
				[]string{"w/a: openai/models: OPENAI_API_KEY (group:w:a) by openai:group:w:a -> OPENAI_API_KEY (global) by openai:group:w:a"},
			},
			"unbind":                      {broker.Change{Unbind: &broker.BindingRef{Capability: "acme/other", Scope: mustScope(t, "w", "a"), Consumer: "bot"}}, nil},
			"unbind what is not bound":    {broker.Change{Unbind: &broker.BindingRef{Capability: "openai/models", Scope: all}}, nil},
			"unbind what nobody can call": {broker.Change{Unbind: &broker.BindingRef{Capability: "acme/none", Scope: all}}, nil},
			"delete what is not there then": {broker.Change{Share: []vault.Sharing{{Secret: risk.id, Group: groupA}}, Delete: []vault.ID{risk.id}}, []string{
				"w/b: acme/items acme/other: " + attached + " -> " + usual,
				"x: acme/items acme/other: RISK (workspace:x) by acme-risk -> " + usual,
			}},
		} {
			got, err := r.broker.Effects(ctx, tt.change)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if diff := cmp.Diff(describeEffects(got), tt.want); diff != "" {
				t.Errorf("%s (-got +want):\n%s", name, diff)
			}
		}
	})
}

// All capabilities that lose their credential are one effect, though the error
// of each names it.
func TestEffectsTogether(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	key := r.put(t, "OPENAI_API_KEY", mustScope(t, "w", ""), false)
	got, err := r.broker.Effects(context.Background(), broker.Change{Delete: []vault.ID{key.id}})
	if err != nil || len(got) != 1 || len(got[0].Capabilities) < 2 || got[0].Provider != "openai" || got[0].Context != inW {
		t.Fatalf("%q, %v", describeEffects(got), err)
	}
	if e := got[0]; e.Before.Secret != key.id || fault.CodeOf(e.After.Err) != fault.CredentialNotFound || e.After.Secret != (vault.ID{}) {
		t.Errorf("%+v", e)
	}
}

// What would be refused is refused, and nothing is changed either way.
func TestEffectsRefusals(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		r.acme(t)
		key := r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
		for name, tt := range map[string]struct {
			change broker.Change
			want   fault.Code
		}{
			"share no secret":    {broker.Change{Share: []vault.Sharing{{Secret: uuid.New(), Group: groupA}}}, fault.SecretNotFound},
			"share with nobody":  {broker.Change{Share: []vault.Sharing{{Secret: key.id}}}, fault.InvalidRequest},
			"share with a thing": {broker.Change{Share: []vault.Sharing{{Secret: key.id, Group: vault.GroupRef{Workspace: "w w", Group: "a"}}}}, fault.InvalidRequest},
			"delete no secret":   {broker.Change{Delete: []vault.ID{uuid.New()}}, fault.SecretNotFound},
			"delete it twice":    {broker.Change{Delete: []vault.ID{key.id, key.id}}, fault.SecretNotFound},
			"bind a pinned one":  {broker.Change{Bind: &broker.NewBinding{Capability: "acme/items", Secret: key.id, Scope: vault.GlobalScope()}}, fault.PolicyViolation},
			"bind to nothing":    {broker.Change{Bind: &broker.NewBinding{Capability: "acme/none", Secret: key.id, Scope: vault.GlobalScope()}}, fault.CapabilityNotFound},
			"bind nowhere":       {broker.Change{Bind: &broker.NewBinding{Capability: "acme/items", Secret: key.id}}, fault.InvalidRequest},
			"bind what is gone": {broker.Change{
				Delete: []vault.ID{key.id},
				Bind:   &broker.NewBinding{Capability: "openai/models", Secret: key.id, Scope: vault.GlobalScope()},
			}, fault.SecretNotFound},
			"delete no credential": {broker.Change{DeleteCredentials: []string{"none"}}, fault.CredentialNotFound},
			"unbind nowhere":       {broker.Change{Unbind: &broker.BindingRef{Capability: "acme/items"}}, fault.InvalidRequest},
		} {
			if got, err := r.broker.Effects(ctx, tt.change); fault.CodeOf(err) != tt.want || got != nil {
				t.Errorf("%s: %q, %v", name, describeEffects(got), err)
			}
		}
		if u, err := r.broker.Uses(ctx, key.id); err != nil || len(u.Credentials) != 1 || len(u.Bindings) != 0 {
			t.Errorf("afterwards the secret has %+v, %v", describeUses(u), err)
		}
	})
}
