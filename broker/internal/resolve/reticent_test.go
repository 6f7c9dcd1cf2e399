package resolve_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest/memstore"
	"aivault/broker/internal/resolve"
	"aivault/keys/fault"
	"aivault/vault"
)

// said is everything that an answer tells whoever asks.
func said(t *testing.T, s *memstore.Store, q resolve.Question) (text string, code fault.Code) {
	t.Helper()
	err := s.View(context.Background(), func(r vault.Reader) error {
		c, err := resolve.Resolve(r, q)
		text, code = fmt.Sprint(summarize(c, err), " ", err, " ", fault.HintOf(err)), fault.CodeOf(err)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text, code
}

// outOfSight deletes what a context has nothing to do with: what is for other
// scopes, and the secrets that then serve nothing in it.
func outOfSight(t *testing.T, s *memstore.Store, w world, c vault.Context) {
	t.Helper()
	ctx := context.Background()
	needed := map[vault.ID]bool{}
	var err error
	for _, cred := range w.credentials {
		if needed[cred.Secret] = needed[cred.Secret] || cred.Scope.Tier(c) > 0; cred.Scope.Tier(c) == 0 {
			_, err = s.DeleteCredential(ctx, cred.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range w.bindings {
		if needed[b.Secret] = needed[b.Secret] || b.Scope.Tier(c) > 0; b.Scope.Tier(c) == 0 {
			_, err = s.DeleteBinding(ctx, b.Capability, b.Scope, b.Consumer)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range w.secrets {
		sec := &w.secrets[i]
		if tier, _ := sec.SeenFrom(c); tier > 0 || needed[sec.ID] {
			continue
		}
		if _, err := s.DeleteSecret(ctx, sec.ID, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// unseen are the names of secrets that a context sees none of, but for those that
// the registry claims, which are no news.
func unseen(w world, c vault.Context) []string {
	names := map[string]bool{}
	for i := range w.secrets {
		sec := &w.secrets[i]
		tier, _ := sec.SeenFrom(c)
		names[sec.Name] = names[sec.Name] || tier > 0
	}
	maps.DeleteFunc(names, func(name string, seen bool) bool { return seen || !strings.HasPrefix(name, "FREE") })
	return slices.Collect(maps.Keys(names))
}

// checkReticent asks in every context of a world by chance, and again without
// what the context has nothing to do with.
func checkReticent(t *testing.T, seed uint64, seen map[fault.Code]int) {
	reg := newRegistry(t)
	for _, c := range contexts {
		if c.Validate() != nil {
			continue
		}
		rnd := rand.New(rand.NewPCG(seed, 1))
		s, w := build(t, rnd, reg)
		c.Consumer = pick(rnd, consumers)
		ask := func() (all []string) {
			for i := range 3 {
				for _, credential := range []string{"", "nope", "parcel", "parcel:ws:x", "parcel:group:w:b", "parcel:pair:group:x:a", "c0", "c1", "c2", "c3"} {
					q := question(reg, i, c, credential)
					q.Reticent = true
					text, code := said(t, s, q)
					seen[code]++
					all = append(all, fmt.Sprint(q.Capability, " with ", credential, ": ", text))
				}
			}
			return all
		}
		before := ask()
		for _, name := range unseen(w, c) {
			for _, text := range before {
				if strings.Contains(text, name) {
					t.Errorf("in %+v it tells of secret %s: %s", c, name, text)
				}
			}
		}
		outOfSight(t, s, w, c)
		if diff := cmp.Diff(ask(), before); diff != "" {
			t.Errorf("in %+v it tells what others have (-without +with):\n%s", c, diff)
		}
	}
}

// What a reticent answer tells does not depend on what the context does not see.
//
// Case 95.
func TestReticent(t *testing.T) {
	t.Parallel()
	seen := map[fault.Code]int{}
	for seed := range uint64(200) {
		checkReticent(t, seed, seen)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	want := []fault.Code{"", fault.CredentialAmbiguous, fault.CredentialNotFound, fault.PolicyViolation, fault.SecretNotAccessible}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(seen)), want); diff != "" {
		t.Errorf("the worlds lack an answer (-got +want):\n%s", diff)
	}
}
