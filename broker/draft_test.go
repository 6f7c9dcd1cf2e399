package broker_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// What is checked is what is then made, or refused in the same way.
func TestCheckCredential(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		all := vault.GlobalScope()
		free := r.put(t, "FREE", all, false)
		used := r.put(t, "USED", all, false)
		r.credential(t, "acme-used", used.id, all)
		r.capability(t, "acme/items", "api.acme.test")
		r.put(t, "OPENAI_API_KEY", all, false)
		r.put(t, "OPENAI_API_KEY", mustScope(t, "w", ""), false)
		if removed, err := r.broker.DeleteCredential(ctx, "openai:ws:w"); !removed || err != nil {
			t.Fatal(removed, err)
		}
		for name, tt := range map[string]struct {
			n     broker.NewCredential
			proof bool
			some  string // a capability that it carries
		}{
			"the first": {broker.NewCredential{ID: "acme", Provider: "acme", Secret: free.id, Scope: all, Auth: bearer(), Hosts: []string{"API.acme.test"}}, false, "acme/items"},
			"a further host": {broker.NewCredential{
				ID: "beta", Provider: "beta", Secret: used.id, Scope: all, Auth: bearer(), Hosts: []string{"api.beta.test"}, Proof: vaultValue(used.value),
			}, true, ""},
			"the same host":     {broker.NewCredential{ID: "acme-2", Provider: "acme", Secret: used.id, Scope: mustScope(t, "w", "a"), Auth: bearer(), Hosts: []string{"api.acme.test"}}, false, "acme/items"},
			"a disabled one":    {broker.NewCredential{ID: "openai:ws:w"}, false, "openai/models"},
			"one that is there": {broker.NewCredential{ID: "openai"}, false, ""},
			"a taken id":        {broker.NewCredential{ID: "acme-used", Provider: "acme", Secret: used.id, Scope: all, Auth: bearer(), Hosts: []string{"api.acme.test"}}, false, ""},
			"no host":           {broker.NewCredential{ID: "none", Provider: "acme", Secret: used.id, Scope: all, Auth: bearer()}, false, ""},
			"a reserved id":     {broker.NewCredential{ID: "acme:x", Provider: "acme", Secret: used.id, Scope: all, Auth: bearer()}, false, ""},
		} {
			got, err := r.broker.CheckCredential(ctx, tt.n)
			again, errAgain := r.broker.CheckCredential(ctx, tt.n)
			if diff := cmp.Diff(got, again); diff != "" || fault.CodeOf(err) != fault.CodeOf(errAgain) {
				t.Errorf("%s: checking changed something:\n%s", name, diff)
			}
			if got.Proof != tt.proof {
				t.Errorf("%s: proof %v, want %v", name, got.Proof, tt.proof)
			}
			if tt.some != "" && !slices.Contains(got.Carries, tt.some) {
				t.Errorf("%s: carries %q, want %s among it", name, got.Carries, tt.some)
			}
			made, refusal := r.broker.CreateCredential(ctx, tt.n)
			if fault.CodeOf(err) != fault.CodeOf(refusal) {
				t.Errorf("%s: checked %v, made %v", name, err, refusal)
			}
			if err == nil {
				rest := cmpopts.IgnoreFields(vault.Credential{}, "CreatedAt", "Revision")
				if diff := cmp.Diff(got.Credential, made, rest); diff != "" {
					t.Errorf("%s (-checked +made):\n%s", name, diff)
				}
			}
		}
	})
}

func TestCheckCapability(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		r.acme(t)
		for name, n := range map[string]broker.NewCapability{
			"one":               {ID: "acme/new", FromCred: "acme-main", Methods: []string{"get"}, Paths: []string{"/v1"}},
			"one without a key": {ID: "beta/new", Hosts: []string{"api.beta.test"}, Methods: []string{"GET"}, Paths: []string{"/v1"}},
			"a built-in one":    {ID: "openai/models", Hosts: []string{"api.openai.com"}, Methods: []string{"GET"}, Paths: []string{"/v1"}},
			"a taken id":        {ID: "acme/items", FromCred: "acme-main", Methods: []string{"GET"}, Paths: []string{"/v1"}},
			"no path":           {ID: "acme/no-path", FromCred: "acme-main", Methods: []string{"GET"}},
			"no credential":     {ID: "acme/none", FromCred: "none", Methods: []string{"GET"}, Paths: []string{"/v1"}},
		} {
			got, err := r.broker.CheckCapability(ctx, n)
			made, refusal := r.broker.CreateCapability(ctx, n)
			if fault.CodeOf(err) != fault.CodeOf(refusal) {
				t.Errorf("%s: checked %v, made %v", name, err, refusal)
			}
			if ready := n.FromCred == "acme-main"; err == nil && got.Ready != ready {
				t.Errorf("%s: ready %v", name, got.Ready)
			}
			if diff := cmp.Diff(got, made, cmpopts.IgnoreFields(broker.Capability{}, "Ready")); diff != "" {
				t.Errorf("%s (-checked +made):\n%s", name, diff)
			}
		}
	})
}

// Accounts are the credentials, and besides what the registry would make.
func TestAccounts(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		r.acme(t)
		r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
		r.put(t, "OPENAI_API_KEY", mustScope(t, "w", "a"), false)
		r.put(t, "TRELLO_API_KEY", vault.GlobalScope(), false)
		if _, err := r.broker.DeleteCredential(ctx, "openai:group:w:a"); err != nil {
			t.Fatal(err)
		}
		list, err := r.broker.Accounts(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var works []broker.Credential
		state := map[string][]string{}
		for _, a := range list {
			if a.Works() {
				works = append(works, a.Credential)
			}
			state[a.ID] = append(slices.Clone(a.Names), a.Missing...)
			if a.Disabled {
				state[a.ID] = append(state[a.ID], "disabled")
			}
		}
		want := map[string][]string{
			"acme-main": {"ACME_TOKEN"}, "openai": {"OPENAI_API_KEY"},
			"openai:group:w:a": {"OPENAI_API_KEY", "disabled"}, "trello": {"TRELLO_API_KEY", "TRELLO_TOKEN"},
		}
		if diff := cmp.Diff(state, want); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
		creds, err := r.broker.Credentials(ctx)
		if diff := cmp.Diff(works, creds); diff != "" || err != nil {
			t.Errorf("those that work are not the credentials (-works +credentials), %v:\n%s", err, diff)
		}
	})
}
