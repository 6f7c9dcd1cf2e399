package whatif_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aivault/broker/brokertest/memstore"
	"aivault/broker/internal/whatif"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// claims are those of a registry with one provider.
var claims = vaulttest.Claims{"ACME_KEY": "acme"}

// A store is a vault.Store with what changes secrets.
type store interface {
	vault.Store
	AttachGroup(context.Context, vault.ID, vault.GroupRef, vault.IfRevision) (vault.Secret, bool, error)
	DetachGroup(context.Context, vault.ID, vault.GroupRef, vault.IfRevision) (vault.Secret, bool, error)
	DeleteSecret(context.Context, vault.ID, vault.IfRevision) (vault.Removed, error)
}

// A world is a store with three secrets.
type world struct {
	store
	t                  *testing.T
	key, other, narrow vault.ID
}

var (
	global = vault.GlobalScope()
	inW    = vault.Scope{Level: vault.Workspace, Workspace: "w"}
	groupA = vault.GroupRef{Workspace: "w", Group: "a"}
	groupB = vault.GroupRef{Workspace: "w-1", Group: "b"}
)

func newWorld(t *testing.T, s store) *world {
	w := &world{store: s, t: t}
	create := func(name string, scope vault.Scope, aliases ...string) vault.ID {
		s, err := s.CreateSecret(t.Context(), vault.NewSecret{Name: name, Aliases: aliases, Scope: scope, Value: opaque.New([]byte("made-up"))})
		w.must(err)
		return s.ID
	}
	w.key, w.other, w.narrow = create("ACME_KEY", global), create("OTHER", global, "ALIAS"), create("ACME_KEY", inW)
	for _, id := range []vault.ID{w.key, w.other} {
		w.share(vault.Sharing{Secret: id, Group: groupA})
	}
	for id, secret := range map[string]vault.ID{"c1": w.key, "c2": w.other, "c3": w.other} {
		_, err := s.CreateCredential(t.Context(), vault.Credential{
			ID: id, Provider: "acme", Scope: global, Secret: secret, Hosts: []string{"api.acme.test"}, Auth: vault.Auth{Kind: "basic"},
		}, nil)
		w.must(err)
	}
	w.bind(vault.Binding{Capability: "acme/items", Secret: w.key, Scope: global})
	w.bind(vault.Binding{Capability: "acme/items", Secret: w.other, Scope: inW, Consumer: "bot"})
	w.bind(vault.Binding{Capability: "acme/more", Secret: w.other, Scope: inW})
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) share(s vault.Sharing) {
	do := w.AttachGroup
	if s.Detach {
		do = w.DetachGroup
	}
	_, _, err := do(w.t.Context(), s.Secret, s.Group, 0)
	w.must(err)
}

func (w *world) bind(b vault.Binding) {
	_, err := w.PutBinding(w.t.Context(), b, opaque.New([]byte("made-up")))
	w.must(err)
}

// A picture is every answer of a reader.
type picture map[string]any

// take asks a reader all that it can be asked. Names are those of secrets, as
// the worlds of two stores have other ids.
func (w *world) take(r vault.Reader) picture {
	p := picture{}
	put := func(what string, answer any, err error) {
		if fault.CodeOf(err) == fault.SecretNotFound {
			answer, err = "none", nil
		}
		w.must(err)
		p[what] = answer
	}
	for name, id := range map[string]vault.ID{"key": w.key, "other": w.other, "narrow": w.narrow} {
		s, err := r.Secret(id)
		put("secret "+name, s, err)
		creds, err := r.CredentialsWith(id)
		put("credentials with "+name, creds, err)
		bindings, err := r.BindingsWith(id)
		put("bindings with "+name, bindings, err)
	}
	for _, scope := range []vault.Scope{global, inW} {
		for _, name := range []string{"ACME_KEY", "OTHER", "ALIAS", "NONE"} {
			s, err := r.SecretNamed(scope, name)
			put(scope.String()+" named "+name, s, err)
			taken, err := r.NameTaken(scope, name)
			put(scope.String()+" taken "+name, taken, err)
		}
		creds, err := r.CredentialsOf("acme", scope)
		put("credentials of "+scope.String(), creds, err)
		for _, at := range []string{"acme/items", "acme/more"} {
			for _, consumer := range []string{"", "bot"} {
				b, err := r.Binding(at, scope, consumer)
				put("binding "+at+scope.String()+consumer, b, err)
			}
		}
	}
	for _, g := range []vault.GroupRef{groupA, groupB} {
		list, err := r.Attached(g, "acme")
		put("attached "+g.String(), byID(list), err)
	}
	list, err := r.Pinned("acme")
	put("pinned", byID(list), err)
	for _, id := range []string{"c1", "c2", "c4"} {
		c, err := r.Credential(id)
		put("credential "+id, c, err)
	}
	creds, err := r.Credentials()
	put("credentials", creds, err)
	off, err := r.Disabled()
	put("disabled", off, err)
	for _, id := range []string{"acme", "acme:ws:w", "c1"} {
		is, err := r.IsDisabled(id)
		put("disabled "+id, is, err)
	}
	for _, id := range []string{"", "acme/items", "acme/more", "acme/none"} {
		b, err := r.Bindings(id)
		put("bindings of "+id, b, err)
	}
	return p
}

func byID(list []*vault.Secret) []*vault.Secret {
	slices.SortFunc(list, func(a, b *vault.Secret) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	return list
}

// look returns what there is to see, after changes that are made up.
func (w *world) look(change func(*whatif.Reader)) (p picture) {
	w.must(w.View(w.t.Context(), func(r vault.Reader) error {
		changed := whatif.New(r)
		change(changed)
		p = w.take(changed)
		return nil
	}))
	return p
}

// With each change, what was made up looks as what is then made.
func TestReader(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		imagine func(*world, *whatif.Reader)
		make    func(*world)
	}{
		"nothing": {func(*world, *whatif.Reader) {}, func(*world) {}},
		"attach": {
			func(w *world, r *whatif.Reader) { w.must(r.Share(vault.Sharing{Secret: w.key, Group: groupB})) },
			func(w *world) { w.share(vault.Sharing{Secret: w.key, Group: groupB}) },
		},
		"attach again": {
			func(w *world, r *whatif.Reader) { w.must(r.Share(vault.Sharing{Secret: w.key, Group: groupA})) },
			func(w *world) { w.share(vault.Sharing{Secret: w.key, Group: groupA}) },
		},
		"detach": {
			func(w *world, r *whatif.Reader) {
				w.must(r.Share(vault.Sharing{Secret: w.key, Group: groupA, Detach: true}))
			},
			func(w *world) { w.share(vault.Sharing{Secret: w.key, Group: groupA, Detach: true}) },
		},
		"delete": {
			func(w *world, r *whatif.Reader) { w.must(r.Delete(w.key)) },
			func(w *world) { w.delete(w.key) },
		},
		"delete an alias": {
			func(w *world, r *whatif.Reader) { w.must(r.Delete(w.other)) },
			func(w *world) { w.delete(w.other) },
		},
		"attach, then delete": {
			func(w *world, r *whatif.Reader) {
				w.must(r.Share(vault.Sharing{Secret: w.narrow, Group: groupB}))
				w.must(r.Delete(w.narrow))
			},
			func(w *world) {
				w.share(vault.Sharing{Secret: w.narrow, Group: groupB})
				w.delete(w.narrow)
			},
		},
		"delete a credential": {
			func(_ *world, r *whatif.Reader) { r.DeleteCredential("c1") },
			func(w *world) { _, err := w.DeleteCredential(w.t.Context(), "c1"); w.must(err) },
		},
		"disable a credential": {
			func(_ *world, r *whatif.Reader) { r.DisableCredential("acme:ws:w") },
			func(w *world) { _, err := w.DisableCredential(w.t.Context(), "acme:ws:w"); w.must(err) },
		},
		"bind anew": {
			func(w *world, r *whatif.Reader) {
				r.Bind(vault.Binding{Capability: "acme/more", Secret: w.key, Scope: global, Consumer: "bot"})
			},
			func(w *world) {
				w.bind(vault.Binding{Capability: "acme/more", Secret: w.key, Scope: global, Consumer: "bot"})
			},
		},
		"bind another": {
			func(w *world, r *whatif.Reader) {
				r.Bind(vault.Binding{Capability: "acme/items", Secret: w.other, Scope: global})
			},
			func(w *world) { w.bind(vault.Binding{Capability: "acme/items", Secret: w.other, Scope: global}) },
		},
		"unbind": {
			func(_ *world, r *whatif.Reader) { r.Unbind("acme/items", inW, "bot") },
			func(w *world) { _, err := w.DeleteBinding(w.t.Context(), "acme/items", inW, "bot"); w.must(err) },
		},
	} {
		for kind, open := range map[string]func(*testing.T) store{
			"memory": func(*testing.T) store { return memstore.New(claims) },
			"vault":  func(t *testing.T) store { return vaulttest.New(t, claims) },
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, open(t))
				before := w.look(func(*whatif.Reader) {})
				got := w.look(func(r *whatif.Reader) { tt.imagine(w, r) })
				if diff := cmp.Diff(w.look(func(*whatif.Reader) {}), before); diff != "" {
					t.Errorf("looking changed something (-after +before):\n%s", diff)
				}
				tt.make(w)
				// Times and revisions are of what was done; hosts are for when it is.
				rest := cmp.Options{
					cmpopts.IgnoreFields(vault.Secret{}, "UpdatedAt", "Revision", "Hosts", "Chosen"),
					cmpopts.IgnoreFields(vault.Binding{}, "UpdatedAt", "Revision"),
					cmpopts.EquateEmpty(),
				}
				if diff := cmp.Diff(got, w.look(func(*whatif.Reader) {}), rest); diff != "" {
					t.Errorf("(-made up +made):\n%s", diff)
				}
			})
		}
	}
}

func (w *world) delete(id vault.ID) {
	_, err := w.DeleteSecret(w.t.Context(), id, 0)
	w.must(err)
}
