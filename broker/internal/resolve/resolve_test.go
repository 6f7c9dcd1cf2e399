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
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// parcel is a registry provider of all kinds: a primary secret, an alternate
// for one capability only, and a pair.
func parcel() *registry.Provider {
	header := registry.Auth{Kind: "header", Params: []registry.Param{{Name: "authorization", Value: "Bearer {{secret}}"}}}
	return &registry.Provider{
		ID: "parcel", Name: "Parcel", Hosts: []string{"api.parcel.test", "files.parcel.test"},
		Credentials: []registry.Credential{
			{Secrets: []registry.SecretSlot{{Placeholder: "secret", Name: "PARCEL_KEY"}}, Auth: header},
			{ID: "alt", Secrets: []registry.SecretSlot{{Placeholder: "secret", Name: "PARCEL_ALT"}}, Auth: header, Capabilities: []string{"parcel/items"}},
			{ID: "pair", Secrets: []registry.SecretSlot{{Placeholder: "username", Name: "PARCEL_SID"}, {Placeholder: "password", Name: "PARCEL_TOKEN"}}, Auth: registry.Auth{
				Kind: "basic", Params: []registry.Param{{Name: "username", Value: "{{username}}"}, {Name: "password", Value: "{{password}}"}},
			}},
		},
		Capabilities: []registry.Capability{
			{ID: "parcel/items", Hosts: []string{"api.parcel.test"}, Methods: []string{"GET"}, Paths: []string{"/v1/items"}},
			{ID: "parcel/labels", Hosts: []string{"api.parcel.test"}, Methods: []string{"GET"}, Paths: []string{"/v1/labels"}},
		},
	}
}

func newRegistry(t testing.TB) *registry.Registry {
	t.Helper()
	reg, err := registry.New(parcel())
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

var (
	scopes = []vault.Scope{
		vault.GlobalScope(),
		{Level: vault.Workspace, Workspace: "w"},
		{Level: vault.Workspace, Workspace: "x"},
		vault.GroupRef{Workspace: "w", Group: "a"}.Scope(), vault.GroupRef{Workspace: "w", Group: "b"}.Scope(), vault.GroupRef{Workspace: "x", Group: "a"}.Scope(),
	}
	groups      = []vault.GroupRef{{Workspace: "w", Group: "a"}, {Workspace: "w", Group: "b"}, {Workspace: "x", Group: "a"}}
	secretNames = []string{"PARCEL_KEY", "PARCEL_ALT", "PARCEL_SID", "PARCEL_TOKEN", "FREE_ONE", "FREE_TWO", "FREE_THREE"}
	contexts    = []vault.Context{{}, {Workspace: "w"}, {Workspace: "x"}, {Workspace: "w", Group: "a"}, {Workspace: "w", Group: "b"}, {Workspace: "x", Group: "a"}, {Group: "a"}, {Workspace: "other", Group: "a"}}
	consumers   = []string{"", "", "bot", "cron"}
)

// question returns the question for one of the three capabilities.
func question(reg *registry.Registry, i int, c vault.Context, credential string) resolve.Question {
	return []resolve.Question{
		{Registry: reg, Capability: "parcel/items", Provider: "parcel", Hosts: []string{"api.parcel.test"}, Context: c, Credential: credential},
		{Registry: reg, Capability: "parcel/labels", Provider: "parcel", Hosts: []string{"api.parcel.test"}, Context: c, Credential: credential},
		{Registry: reg, Capability: "acme/items", Provider: "acme", Hosts: []string{"api.acme.test"}, Context: c, Credential: credential},
	}[i]
}

var proof = opaque.New([]byte("made-up"))

// build fills a store by chance. What the store refuses is left out.
func build(t testing.TB, rnd *rand.Rand, reg *registry.Registry) (*memstore.Store, world) {
	ctx := context.Background()
	s := memstore.New(reg)
	var ids []vault.ID
	for range 1 + rnd.IntN(9) {
		sec, err := s.CreateSecret(ctx, vault.NewSecret{Name: pick(rnd, secretNames), Scope: pick(rnd, scopes), Value: opaque.Clone(proof.Reveal())})
		if err == nil {
			ids = append(ids, sec.ID)
		}
	}
	for _, id := range ids {
		for range rnd.IntN(3) {
			if _, _, err := s.AttachGroup(ctx, id, pick(rnd, groups), 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	hosts := [][]string{{"api.acme.test"}, {"api.acme.test"}, {"other.test"}, {"api.parcel.test"}, {"files.parcel.test"}, {"api.acme.test", "api.parcel.test"}}
	for i := range rnd.IntN(6) {
		_, _ = s.CreateCredential(ctx, vault.Credential{ // refused: pinned to another provider
			ID: fmt.Sprintf("c%d", i), Provider: pick(rnd, []string{"acme", "acme", "parcel"}), Secret: pick(rnd, ids), Scope: pick(rnd, scopes),
			Auth: vault.Auth{Kind: "header"}, Hosts: pick(rnd, hosts), AllowPrivate: rnd.IntN(8) == 0,
			Capabilities: pick(rnd, [][]string{nil, nil, nil, {"acme/items", "parcel/labels"}}),
		}, proof)
	}
	for range rnd.IntN(5) {
		_, err := s.PutBinding(ctx, vault.Binding{
			Capability: pick(rnd, []string{"parcel/items", "parcel/labels", "acme/items", "acme/items"}), Secret: pick(rnd, ids),
			Scope: pick(rnd, scopes), Consumer: pick(rnd, consumers),
		}, proof)
		if err != nil {
			t.Fatal(err)
		}
	}
	for range rnd.IntN(3) {
		id := resolve.MadeID("parcel", pick(rnd, []string{"", "alt", "pair"}), pick(rnd, scopes))
		if _, err := s.DisableCredential(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	return s, copyWorld(t, s, ids)
}

// copyWorld lists everything in a store.
func copyWorld(t testing.TB, s *memstore.Store, ids []vault.ID) (w world) {
	err := s.View(context.Background(), func(r vault.Reader) error {
		for _, id := range ids {
			sec, err := r.Secret(id)
			if err != nil {
				return err
			}
			w.secrets = append(w.secrets, *sec)
		}
		creds, _ := r.Credentials()
		for _, c := range creds {
			w.credentials = append(w.credentials, *c)
		}
		bindings, _ := r.Bindings("")
		for _, b := range bindings {
			w.bindings = append(w.bindings, *b)
		}
		w.disabled, _ = r.Disabled()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func pick[T any](rnd *rand.Rand, list []T) T { return list[rnd.IntN(len(list))] }

// summarize puts a choice into the oracle's words.
func summarize(c *resolve.Choice, err error) outcome {
	if err != nil {
		out := outcome{Code: fault.CodeOf(err)}
		if out.Code == fault.CredentialAmbiguous {
			list := strings.TrimPrefix(err.Error(), "credentials ")
			list, _, _ = strings.Cut(list, " serve ")
			list, _, _ = strings.Cut(list, " could lend ")
			out.Ambiguous = strings.NewReplacer(", ", " ", " and ", " ").Replace(list)
		}
		return out
	}
	out := outcome{Via: c.Via, Credential: c.Credential, Lender: c.Lender, Host: c.Host}
	for _, p := range c.Parts {
		out.Secrets = append(out.Secrets, p.Secret.Scope.String()+" "+p.Secret.Name)
	}
	slices.Sort(out.Secrets)
	return out
}

// check compares resolution and explanation with the oracle for one question.
func check(t *testing.T, s *memstore.Store, w world, q resolve.Question) outcome {
	t.Helper()
	want := oracle(w, q)
	err := s.View(context.Background(), func(r vault.Reader) error {
		choice, err := resolve.Resolve(r, q)
		if diff := cmp.Diff(summarize(choice, err), want); diff != "" {
			t.Errorf("%s in %+v with %q in %+v (-got +want):\n%s%v", q.Capability, q.Context, q.Credential, w, diff, err)
		}
		l, err := resolve.Explain(r, q)
		if err != nil {
			if want.Code != fault.InvalidRequest {
				t.Errorf("Explain: %v", err)
			}
			return nil
		}
		if diff := cmp.Diff(summarize(l.Choice, l.Err), want); diff != "" {
			t.Errorf("Explain (-got +want):\n%s", diff)
		}
		taken := 0
		for _, rung := range l.Rungs {
			if rung.Taken {
				taken++
			}
			if rung.Reason == "" {
				t.Errorf("rung %s %s has no reason", rung.Kind, rung.ID)
			}
		}
		if (l.Err == nil) != (taken == 1) {
			t.Errorf("%d rungs are marked as taken, error %v", taken, l.Err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return want
}

func checkAll(t *testing.T, rnd *rand.Rand, seen map[string]int) {
	reg := newRegistry(t)
	s, w := build(t, rnd, reg)
	names := []string{"", "nope", "parcel", "parcel:alt", "parcel:pair:ws:w", "parcel:group:w:a", "c0", "c1", "c2"}
	for _, c := range contexts {
		for i := range 3 {
			c.Consumer = pick(rnd, consumers)
			for _, credential := range []string{"", pick(rnd, names)} {
				got := check(t, s, w, question(reg, i, c, credential))
				seen[got.Via+string(got.Code)]++
				if strings.HasPrefix(got.Lender, "registry:") {
					seen["registry"]++
				}
				if len(got.Secrets) > 1 {
					seen["pair"]++
				}
			}
			if t.Failed() {
				return
			}
		}
	}
}

// The oracle looks at everything, by the letter of the rule; both must agree.
func TestAgainstOracle(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(500) {
		checkAll(t, rand.New(rand.NewPCG(seed, 1)), seen)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	want := []string{
		"binding", "credential", "credential_ambiguous", "credential_not_found", "invalid_request",
		"pair", "policy_violation", "registry", "secret_not_accessible",
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(seen)), want); diff != "" {
		t.Errorf("the worlds lack an outcome (-got +want):\n%s", diff)
	}
}

func FuzzAgainstOracle(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, seed*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		checkAll(t, rand.New(rand.NewPCG(a, b)), map[string]int{})
	})
}

func TestMadeID(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	for _, scope := range append(slices.Clone(scopes), vault.Scope{Level: vault.Workspace, Workspace: "ws"}, vault.GroupRef{Workspace: "group", Group: "ws"}.Scope()) {
		for order, template := range []string{"", "alt", "pair"} {
			id := resolve.MadeID("parcel", template, scope)
			p, gotOrder, gotScope, ok := resolve.ParseMadeID(reg, id)
			if !ok || p.ID != "parcel" || gotOrder != order || gotScope != scope {
				t.Errorf("ParseMadeID(%q) = %v, %d, %v, %v", id, p, gotOrder, gotScope, ok)
			}
		}
	}
	for _, id := range []string{"", ":", "parcel:", "parcel:nope", "parcel:ws", "parcel:ws:", "parcel:ws:a b", "parcel:group:w", "parcel:group:w:", "parcel:alt:ws:w:x", "acme", "acme:ws:w", "parcel:ws:w:", "PARCEL", "parcel:alt:group:w:a:b"} {
		if _, _, _, ok := resolve.ParseMadeID(reg, id); ok {
			t.Errorf("ParseMadeID(%q) accepts it", id)
		}
	}
}

func FuzzParseMadeID(f *testing.F) {
	for _, id := range []string{"parcel", "parcel:alt:ws:w", "parcel:group:w:a", "parcel:pair:group:w:a", "::"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		p, order, scope, ok := resolve.ParseMadeID(newRegistry(t), id)
		if ok && resolve.MadeID(p.ID, p.Credentials[order].ID, scope) != id {
			t.Errorf("ParseMadeID(%q) reads another id", id)
		}
	})
}

// The cost of a question must not grow with the number of secrets.
func TestLookupsDoNotGrow(t *testing.T) {
	t.Parallel()
	few, many := lookups(t, 10), lookups(t, 2000)
	if few != many {
		t.Errorf("a question takes %d lookups among 10 secrets and %d among 2000", few, many)
	}
}

func lookups(t *testing.T, n int) int {
	reg := newRegistry(t)
	s := crowd(t, reg, n)
	q := question(reg, 0, vault.Context{Workspace: "w", Group: "a"}, "")
	before := s.Lookups()
	err := s.View(context.Background(), func(r vault.Reader) error {
		_, err := resolve.Resolve(r, q)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Lookups() - before
}

// crowd returns a store with n secrets, most of them of other workspaces, and
// one of each scope for the group a of workspace w.
func crowd(t testing.TB, reg *registry.Registry, n int) *memstore.Store {
	ctx := context.Background()
	s := memstore.New(reg)
	put := func(name string, scope vault.Scope) {
		if _, err := s.CreateSecret(ctx, vault.NewSecret{Name: name, Scope: scope, Value: proof}); err != nil {
			t.Fatal(err)
		}
	}
	for _, scope := range (vault.Context{Workspace: "w", Group: "a"}).Scopes() {
		put("PARCEL_KEY", scope)
	}
	for i := range n - 3 {
		scope := vault.Scope{Level: vault.Workspace, Workspace: fmt.Sprintf("ws-%d", i/2)}
		put([]string{"PARCEL_KEY", "FREE"}[i%2], scope)
	}
	return s
}

func BenchmarkResolve(b *testing.B) {
	reg := newRegistry(b)
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprintf("secrets=%d", n), func(b *testing.B) {
			s := crowd(b, reg, n)
			q := question(reg, 0, vault.Context{Workspace: "w", Group: "a"}, "")
			b.ReportAllocs()
			err := s.View(context.Background(), func(r vault.Reader) error {
				for b.Loop() {
					if _, err := resolve.Resolve(r, q); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
