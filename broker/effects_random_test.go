package broker_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/broker/brokertest/memstore"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// What Effects says is what comes of the change: made for real, in worlds and by
// changes of chance, and told by Explain.
func TestEffectsAreTrue(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		open  func(testing.TB) secretStore
		seeds uint64
	}{
		"memory": {func(testing.TB) secretStore { return memstore.New(registry.Builtin()) }, 150},
		"vault":  {func(t testing.TB) secretStore { return vaulttest.New(t, registry.Builtin()) }, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, tt.open)
			differed, refused := 0, 0
			for seed := range tt.seeds {
				d, ok := newChanceWorld(t, r.fresh(t), seed).check(t, seed)
				differed += d
				if !ok {
					refused++
				}
			}
			if differed == 0 || refused == int(tt.seeds) {
				t.Errorf("%d effects in all, %d changes refused: nothing was tested", differed, refused)
			}
		})
	}
}

// A chanceWorld is a vault that was filled by chance.
type chanceWorld struct {
	*rig
	rng      *rand.Rand
	secrets  []stored
	bindings []broker.BindingRef
	scopes   []vault.Scope
	contexts []vault.Context
	caps     []string
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func newChanceWorld(t *testing.T, r *rig, seed uint64) *chanceWorld {
	w := &chanceWorld{rig: r, rng: rand.New(rand.NewPCG(seed, 7))}
	r.capability(t, "acme/items", "api.acme.test")
	r.capability(t, "acme/more", "api.acme.test")
	w.caps = []string{"acme/items", "acme/more", "openai/models", "openai/embeddings"}
	w.scopes = []vault.Scope{vault.GlobalScope(), mustScope(t, "w", ""), mustScope(t, "w", "a"), mustScope(t, "w", "b"), mustScope(t, "x", "a")}
	for _, in := range []vault.Context{nowhere, inW, inX, inWA, inWB, inXA} {
		w.contexts = append(w.contexts, in, vault.Context{Workspace: in.Workspace, Group: in.Group, Consumer: "bot"})
	}
	ctx := context.Background()
	for _, name := range []string{"OPENAI_API_KEY", "FREE", "OTHER"} {
		for _, scope := range w.scopes {
			if w.rng.IntN(3) > 0 {
				continue
			}
			s := r.put(t, name, scope, scope == vault.GlobalScope() && w.rng.IntN(3) == 0)
			w.secrets = append(w.secrets, s)
			for _, group := range []string{"a", "b"} {
				if w.rng.IntN(4) == 0 {
					r.attach(t, s.id, "w", group)
				}
			}
			if name == "OPENAI_API_KEY" || w.rng.IntN(4) == 0 {
				continue
			}
			r.credential(t, fmt.Sprintf("acme-%d", len(w.secrets)), s.id, pick(w.rng, w.scopes))
		}
	}
	for range len(w.secrets) / 2 {
		n := w.binding()
		if _, err := r.broker.Bind(ctx, n); err == nil {
			w.bindings = append(w.bindings, broker.BindingRef{Capability: n.Capability, Scope: n.Scope, Consumer: n.Consumer})
		}
	}
	return w
}

func (w *chanceWorld) binding() broker.NewBinding {
	s := pick(w.rng, w.secrets)
	return broker.NewBinding{
		Capability: pick(w.rng, w.caps), Secret: s.id, Scope: pick(w.rng, w.scopes),
		Consumer: pick(w.rng, []string{"", "bot"}), Proof: vaultValue(s.value),
	}
}

// change returns a change of chance, and the contexts that it names.
func (w *chanceWorld) change(t *testing.T) (c broker.Change, named []vault.Context) {
	in := func(s vault.Scope, consumer string) {
		named = append(named, vault.Context{Workspace: s.Workspace, Group: s.Group, Consumer: consumer})
	}
	if w.rng.IntN(2) == 0 {
		for range 1 + w.rng.IntN(3) {
			g := pick(w.rng, []vault.GroupRef{groupA, groupB})
			c.Share = append(c.Share, vault.Sharing{Secret: pick(w.rng, w.secrets).id, Group: g, Detach: w.rng.IntN(2) == 0})
			in(g.Scope(), "")
		}
	}
	if w.rng.IntN(3) == 0 {
		id := pick(w.rng, w.secrets).id
		c.Delete = append(c.Delete, id)
		s := w.secret(t, id)
		in(s.Scope, "")
		for _, g := range s.Attached {
			in(g.Scope(), "")
		}
	}
	if creds := w.credentials(t); len(creds) > 0 && w.rng.IntN(3) == 0 {
		k := pick(w.rng, creds)
		c.DeleteCredentials = []string{k.ID}
		in(k.Scope, "")
		in(w.secret(t, k.Secret).Scope, "")
	}
	if w.rng.IntN(3) == 0 {
		n := w.binding()
		c.Bind = &n
		in(n.Scope, n.Consumer)
	}
	if len(w.bindings) > 0 && w.rng.IntN(3) == 0 {
		b := pick(w.rng, w.bindings)
		c.Unbind = &b
		in(b.Scope, b.Consumer)
	}
	return c, named
}

func (w *chanceWorld) credentials(t *testing.T) []broker.Credential {
	creds, err := w.broker.Credentials(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return creds
}

// secret returns a secret of the store; the zero one if there is none.
func (w *chanceWorld) secret(t *testing.T, id vault.ID) (out vault.Secret) {
	err := w.store.View(context.Background(), func(r vault.Reader) error {
		s, err := r.Secret(id)
		if err == nil {
			out = *s
		}
		return err
	})
	if err != nil && fault.CodeOf(err) != fault.SecretNotFound {
		t.Fatal(err)
	}
	return out
}

// make makes the change for real.
func (w *chanceWorld) make(c broker.Change) error {
	ctx := context.Background()
	for _, s := range c.Share {
		do := w.store.AttachGroup
		if s.Detach {
			do = w.store.DetachGroup
		}
		if _, _, err := do(ctx, s.Secret, s.Group, 0); err != nil {
			return err
		}
	}
	for _, id := range c.Delete {
		if _, err := w.store.DeleteSecret(ctx, id, 0); err != nil {
			return err
		}
	}
	for _, id := range c.DeleteCredentials {
		removed, err := w.broker.DeleteCredential(ctx, id)
		if err != nil {
			return err
		}
		if !removed {
			return fault.New(fault.CredentialNotFound, "credential %s is gone already", id)
		}
	}
	if c.Bind != nil {
		if _, err := w.broker.Bind(ctx, *c.Bind); err != nil {
			return err
		}
	}
	if c.Unbind != nil {
		_, err := w.broker.Unbind(ctx, c.Unbind.Capability, c.Unbind.Scope, c.Unbind.Consumer)
		return err
	}
	return nil
}

// An asked is a question to Explain, and a told one its answer.
type (
	asked struct {
		in         vault.Context
		capability string
	}
	told struct {
		Before, After string
	}
)

// tell says what a call uses, from what Explain and the store say.
func (w *chanceWorld) tell(t *testing.T, q asked) string {
	l, err := w.broker.Explain(context.Background(), q.capability, q.in, "")
	if err != nil {
		t.Fatal(err)
	}
	if l.Err != nil {
		return l.Err.Error()
	}
	s := w.secret(t, l.Secret)
	_, attached := s.SeenFrom(q.in)
	return said(broker.Used{Secret: l.Secret, Name: l.SecretName, Scope: s.Scope, Credential: l.Credential, Attached: attached})
}

func said(u broker.Used) string {
	return fmt.Sprintf("%s %s %s %q attached=%t", u.Secret, u.Name, u.Scope, u.Credential, u.Attached)
}

// check compares what Effects says of a change with what comes of it. It returns
// how many effects there were, and whether the change could be made.
func (w *chanceWorld) check(t *testing.T, seed uint64) (effects int, made bool) {
	if len(w.secrets) == 0 {
		return 0, false
	}
	change, named := w.change(t)
	all := map[asked]told{}
	for _, in := range w.contexts {
		for _, c := range w.caps {
			q := asked{in, c}
			all[q] = told{Before: w.tell(t, q)}
		}
	}
	got, err := w.broker.Effects(context.Background(), change)
	if refusal := w.make(change); fault.CodeOf(refusal) != fault.CodeOf(err) {
		t.Errorf("seed %d: foretold %v, and it was %v", seed, err, refusal)
	}
	if err != nil {
		return 0, false
	}
	for q, x := range all {
		x.After = w.tell(t, q)
		all[q] = x
	}
	foretold := w.isTrue(t, seed, got, all)
	for q, x := range all { // and it is all there is to say of the contexts named
		if x.Before == x.After || !slices.Contains(named, q.in) {
			continue
		}
		anybody := asked{vault.Context{Workspace: q.in.Workspace, Group: q.in.Group}, q.capability}
		if foretold[q] != x && (foretold[anybody] != x || all[anybody] != x) {
			t.Errorf("seed %d: not foretold: %+v: %s -> %s\n%+v", seed, q, x.Before, x.After, change)
		}
	}
	return len(got), true
}

// isTrue checks that what was foretold is so, and returns it by question.
func (w *chanceWorld) isTrue(t *testing.T, seed uint64, effects []broker.Effect, all map[asked]told) map[asked]told {
	out := map[asked]told{}
	text := func(u broker.Used) string {
		if u.Err != nil {
			return ""
		}
		return said(u)
	}
	for _, e := range effects {
		for _, c := range e.Capabilities {
			q := asked{e.Context, c}
			truth, looked := all[q]
			if !looked {
				continue // one of the provider's that this test does not look at
			}
			foretold := told{text(e.Before), text(e.After)}
			if e.Before.Err != nil && !isUse(truth.Before) { // the text names the first capability only
				foretold.Before = truth.Before
			}
			if e.After.Err != nil && !isUse(truth.After) {
				foretold.After = truth.After
			}
			if diff := cmp.Diff(foretold, truth); diff != "" || truth.Before == truth.After {
				t.Errorf("seed %d: %+v (-foretold +true):\n%s", seed, q, diff)
			}
			out[q] = truth
		}
	}
	return out
}

// isUse reports whether a text is of a use, and not of an error.
func isUse(text string) bool { return len(text) > 36 && text[8] == '-' && text[13] == '-' }
