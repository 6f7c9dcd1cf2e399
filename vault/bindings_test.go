package vault_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

func capability(id string) vault.Capability {
	return vault.Capability{ID: id, Provider: "acme", Allow: vault.Allow{
		Hosts: []string{"api.acme.test"}, Methods: []string{"GET", "POST"}, Paths: []string{"/v1"}, Headers: []string{"x-note"},
	}}
}

func TestCapabilities(t *testing.T) {
	l := vaulttest.New(t, claims)
	ctx := t.Context()
	made, err := l.CreateCapability(ctx, capability("acme/items"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.CreateCapability(ctx, capability("acme/a")); err != nil {
		t.Fatal(err)
	}
	err = l.View(ctx, func(r vault.Reader) error {
		got, err := r.Capability("acme/items")
		if diff := cmp.Diff(got, &made); diff != "" || err != nil {
			t.Errorf("%v; stored (-got +want):\n%s", err, diff)
		}
		all, err := r.Capabilities()
		if len(all) != 2 || all[0].ID != "acme/a" {
			t.Errorf("all: %d", len(all))
		}
		if none, err := r.Capability("none"); none != nil || err != nil {
			t.Errorf("an unknown one: %v, %v", none, err)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	_, err = l.CreateCapability(ctx, capability("acme/items"))
	wantCode(t, err, fault.AlreadyExists)
	for name, spoil := range map[string]func(c *vault.Capability){
		"no id":       func(c *vault.Capability) { c.ID = "" },
		"no provider": func(c *vault.Capability) { c.Provider = "" },
		"no host":     func(c *vault.Capability) { c.Allow.Hosts = nil },
		"two hosts":   func(c *vault.Capability) { c.Allow.Hosts = []string{"a.test", "b.test"} },
		"no method":   func(c *vault.Capability) { c.Allow.Methods = nil },
		"no path":     func(c *vault.Capability) { c.Allow.Paths = nil },
		"no UTF-8":    func(c *vault.Capability) { c.Allow.Paths = []string{"/\xff"} },
	} {
		c := capability("acme/bad")
		spoil(&c)
		if _, err := l.CreateCapability(ctx, c); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, want := range []bool{true, false} {
		if removed, err := l.DeleteCapability(ctx, "acme/items"); removed.Capability != want || err != nil {
			t.Errorf("delete: %v, %v", removed, err)
		}
	}
}

// bindings returns those of a capability, or all, as short texts.
func bindings(t *testing.T, l *vault.Local, capability string) (out []string) {
	t.Helper()
	err := l.View(t.Context(), func(r vault.Reader) error {
		list, err := r.Bindings(capability)
		for _, b := range list {
			out = append(out, fmt.Sprintf("%s %s %q %d", b.Capability, b.Scope, b.Consumer, b.Revision))
			found, err := r.Binding(b.Capability, b.Scope, b.Consumer)
			if diff := cmp.Diff(found, b); diff != "" || err != nil {
				t.Errorf("%v; found (-) is not listed (+):\n%s", err, diff)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return out
}

func TestBindings(t *testing.T) {
	l := vaulttest.New(t, claims)
	ctx := t.Context()
	one := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	two := vaulttest.Create(t, l, workspace("w"), "mine", "made-up-2")
	put := func(capability string, s vault.ID, scope vault.Scope, consumer string, hosts ...vault.Host) (vault.Binding, error) {
		return l.PutBinding(ctx, vault.Binding{Capability: capability, Secret: s, Scope: scope, Consumer: consumer, Hosts: hosts}, nil)
	}
	for _, b := range []struct {
		capability string
		s          vault.ID
		scope      vault.Scope
		consumer   string
	}{
		{"acme/items", one.ID, vault.GlobalScope(), ""},
		{"acme/items", one.ID, group("w", "g"), "agent"},
		{"acme/items", two.ID, workspace("w"), ""},
		{"acme/other", one.ID, vault.GlobalScope(), ""},
		{"acme/items", one.ID, workspace("w"), ""}, // replaces
	} {
		if _, err := put(b.capability, b.s, b.scope, b.consumer, vault.Host{Name: "api.acme.test"}); err != nil {
			t.Error(err)
		}
		if b.s == two.ID {
			sealed, err := l.FindSecret(ctx, two.ID.String())
			if diff := cmp.Diff(sealed.Hosts, []vault.Host{{Name: "api.acme.test"}}); diff != "" || err != nil {
				t.Errorf("%v; a binding seals hosts (-got +want):\n%s", err, diff)
			}
		}
	}
	want := []string{`acme/items global "" 1`, `acme/items workspace:w "" 2`, `acme/items group:w:g "agent" 1`, `acme/other global "" 1`}
	if diff := cmp.Diff(bindings(t, l, ""), want); diff != "" {
		t.Errorf("all (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(bindings(t, l, "acme/items"), want[:3]); diff != "" {
		t.Errorf("of one capability (-got +want):\n%s", diff)
	}
	after, err := l.FindSecret(ctx, two.ID.String())
	if after.Hosts != nil || err != nil {
		t.Errorf("%v; hosts of a binding that was replaced: %v", err, after.Hosts)
	}
	_, err = put("acme/items", two.ID, vault.GlobalScope(), "", vault.Host{Name: "other.test"})
	wantCode(t, err, fault.OperatorAuthRequired)
	events, err := l.Audit(ctx, vault.AuditQuery{Limit: 1})
	if err != nil || events[0].Kind != vault.KindCapabilityBind || events[0].Outcome != vault.OutcomeDenied {
		t.Errorf("the refusal is recorded as %+v, %v", events, err)
	}
	_, err = put("", one.ID, vault.GlobalScope(), "")
	wantCode(t, err, fault.InvalidRequest)
	_, err = put("acme/items", one.ID, vault.Scope{}, "")
	wantCode(t, err, fault.InvalidRequest)
	_, err = put("acme/items", one.ID, vault.GlobalScope(), "a b")
	wantCode(t, err, fault.InvalidRequest)
	_, err = put("acme/items", uuid.New(), vault.GlobalScope(), "")
	wantCode(t, err, fault.SecretNotFound)
	_, err = l.DeleteBinding(ctx, "acme/items", vault.Scope{}, "")
	wantCode(t, err, fault.InvalidRequest)
	for _, removed := range []bool{true, false} {
		if got, err := l.DeleteBinding(ctx, "acme/items", group("w", "g"), "agent"); got != removed || err != nil {
			t.Errorf("delete: %v, %v", got, err)
		}
	}
	if got, err := l.DeleteBinding(ctx, "acme/items", workspace("w"), "agent"); got || err != nil {
		t.Errorf("another consumer's: %v, %v", got, err)
	}

	// Bindings go with a stored capability.
	if _, err := l.CreateCapability(ctx, capability("acme/items")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.DeleteCapability(ctx, "acme/items"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bindings(t, l, ""), want[3:]); diff != "" {
		t.Errorf("left (-got +want):\n%s", diff)
	}
}

// TestDeleteTakesAllAlong: with a secret goes everything that needs it, and
// nothing else.
func TestDeleteTakesAllAlong(t *testing.T) {
	l := vaulttest.New(t, claims)
	ctx := t.Context()
	ref := vault.GroupRef{Workspace: "w", Group: "g"}
	var secrets []vault.Secret
	for i, name := range []string{"going", "staying"} {
		n := newSecret(workspace("w"), name, "made-up")
		n.Aliases = []string{"alias-" + name}
		s, err := l.CreateSecret(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		for j := range 2 {
			if _, err := l.CreateCredential(ctx, credential(fmt.Sprint(name, 1-j), s.ID, "api.test"), nil); err != nil {
				t.Fatal(err)
			}
			b := vault.Binding{Capability: "acme/items", Secret: s.ID, Scope: vault.GlobalScope(), Consumer: fmt.Sprintf("c%d%d", i, j), Hosts: []vault.Host{{Name: "api.test"}}}
			if _, err := l.PutBinding(ctx, b, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := l.AttachGroup(ctx, s.ID, ref, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := reveal(ctx, l, s.ID, "api.test"); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, s)
	}
	removed, err := l.DeleteSecret(ctx, secrets[0].ID, 0)
	if diff := cmp.Diff(removed.Credentials, []string{"going0", "going1"}); diff != "" || err != nil || len(removed.Bindings) != 2 || removed.At.IsZero() {
		t.Errorf("%v, %d bindings, %v; credentials (-got +want):\n%s", removed.At, len(removed.Bindings), err, diff)
	}
	if got := bindings(t, l, ""); len(got) != 2 || !strings.Contains(got[0], "c10") {
		t.Errorf("bindings left: %v", got)
	}
	err = l.View(ctx, func(r vault.Reader) error {
		creds, err := r.Credentials()
		if len(creds) != 2 || creds[0].Secret != secrets[1].ID {
			t.Errorf("%d credentials are left", len(creds))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	effective, err := l.Effective(ctx, vault.Context{Workspace: "w", Group: "g"})
	if len(effective) != 1 || err != nil {
		t.Errorf("%d are seen, %v", len(effective), err)
	}
	_, err = l.FindSecret(ctx, secrets[0].ID.String())
	wantCode(t, err, fault.SecretNotFound)
	again := newSecret(workspace("w"), "going", "made-up")
	again.Aliases = []string{"alias-going"}
	if _, err := l.CreateSecret(ctx, again); err != nil {
		t.Errorf("the names are not free: %v", err)
	}
	events, err := l.Audit(ctx, vault.AuditQuery{Limit: 2})
	if err != nil || events[1].Kind != vault.KindSecretDelete || events[1].Note != "going" {
		t.Errorf("recorded as %+v, %v", events[1], err)
	}
}
