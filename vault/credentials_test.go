package vault_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

func TestCredentials(t *testing.T) {
	l := vaulttest.New(t, claims)
	ctx := t.Context()
	s := vaulttest.Create(t, l, vault.GlobalScope(), "mine", "made-up")
	full := vault.Credential{
		ID: "acme-2", Provider: "acme", Scope: group("w", "g"), Secret: s.ID,
		Auth:  vault.Auth{Kind: "multi", Params: []vault.Param{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}}},
		Hosts: []string{"api.acme.test", "two.acme.test:8443"}, Capabilities: []string{"acme/items"}, CACert: []byte("made-up PEM"),
	}
	made, err := l.CreateCredential(ctx, full, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.CreateCredential(ctx, credential("acme-1", s.ID, "api.acme.test"), nil); err != nil {
		t.Fatal(err) // the same host costs no proof
	}
	ignore := cmpopts.IgnoreFields(vault.Credential{}, "CreatedAt", "Revision")
	err = l.View(ctx, func(r vault.Reader) error {
		got, err := r.Credential("acme-2")
		if diff := cmp.Diff(got, &made); diff != "" || err != nil {
			t.Errorf("%v; what is stored (-) is not what was returned (+):\n%s", err, diff)
		}
		if diff := cmp.Diff(made, full, ignore); diff != "" {
			t.Errorf("made (-got +want):\n%s", diff)
		}
		if none, err := r.Credential("none"); none != nil || err != nil {
			t.Errorf("an unknown one: %v, %v", none, err)
		}
		all, err := r.Credentials()
		if len(all) != 2 || all[0].ID != "acme-1" || err != nil {
			t.Errorf("all: %d, %v", len(all), err)
		}
		of, err := r.CredentialsOf("acme", group("w", "g"))
		if len(of) != 1 || of[0].ID != "acme-2" || err != nil {
			t.Errorf("of the scope: %d, %v", len(of), err)
		}
		if of, err := r.CredentialsOf("umbrella", group("w", "g")); len(of) != 0 || err != nil {
			t.Errorf("of another provider: %d, %v", len(of), err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	bad := map[string]func(c *vault.Credential){
		"empty id":          func(c *vault.Credential) { c.ID = "" },
		"control in id":     func(c *vault.Credential) { c.ID = "a\nb" },
		"long id":           func(c *vault.Credential) { c.ID = strings.Repeat("x", 257) },
		"empty provider":    func(c *vault.Credential) { c.Provider = "" },
		"zero scope":        func(c *vault.Credential) { c.Scope = vault.Scope{} },
		"no host":           func(c *vault.Credential) { c.Hosts = nil },
		"a host in no UTF":  func(c *vault.Credential) { c.Hosts = []string{"\xff"} },
		"auth in no UTF":    func(c *vault.Credential) { c.Auth.Params = []vault.Param{{Name: "a", Value: "\xff"}} },
		"a grant in no UTF": func(c *vault.Credential) { c.Capabilities = []string{"\xff"} },
	}
	for name, spoil := range bad {
		c := credential("acme-3", s.ID, "api.acme.test")
		spoil(&c)
		if _, err := l.CreateCredential(ctx, c, nil); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = l.CreateCredential(ctx, credential("acme-1", s.ID, "api.acme.test"), nil)
	wantCode(t, err, fault.AlreadyExists)
	_, err = l.CreateCredential(ctx, credential("acme-3", uuid.New(), "api.acme.test"), nil)
	wantCode(t, err, fault.SecretNotFound)
	for _, want := range []bool{true, false} {
		if removed, err := l.DeleteCredential(ctx, "acme-2"); removed != want || err != nil {
			t.Errorf("delete: %v, %v", removed, err)
		}
	}
}

// TestHostsOfASecret: an unpinned secret goes to the hosts of its first
// credential; to send it elsewhere takes its value.
func TestHostsOfASecret(t *testing.T) {
	const value = "made-up-value"
	public := []vault.Host{{Name: "one.test"}}
	private := func(c vault.Credential) vault.Credential { c.AllowPrivate = true; return c }
	tests := []struct {
		what  string
		first bool // a credential for one.test comes before
		c     func(s vault.ID) vault.Credential
		proof vault.Value
		want  fault.Code
		hosts []vault.Host
	}{
		{"first, public", false, func(s vault.ID) vault.Credential { return credential("c", s, "one.test") }, nil, "", public},
		{"first, private, unproven", false, func(s vault.ID) vault.Credential { return private(credential("c", s, "one.test")) }, nil, fault.OperatorAuthRequired, nil},
		{"first, private", false, func(s vault.ID) vault.Credential { return private(credential("c", s, "one.test")) }, val(value), "", []vault.Host{{Name: "one.test", Private: true}}},
		{"the same host", true, func(s vault.ID) vault.Credential { return credential("c", s, "one.test") }, nil, "", public},
		{"the same host, private, unproven", true, func(s vault.ID) vault.Credential { return private(credential("c", s, "one.test")) }, nil, fault.OperatorAuthRequired, public},
		{"the same host, private", true, func(s vault.ID) vault.Credential { return private(credential("c", s, "one.test")) }, val(value), "", []vault.Host{{Name: "one.test", Private: true}}},
		{"another, unproven", true, func(s vault.ID) vault.Credential { return credential("c", s, "two.test") }, nil, fault.OperatorAuthRequired, public},
		{"another, wrong proof", true, func(s vault.ID) vault.Credential { return credential("c", s, "two.test") }, val("made-up-guess"), fault.OperatorAuthRequired, public},
		{"another, empty proof", true, func(s vault.ID) vault.Credential { return credential("c", s, "two.test") }, val(""), fault.InvalidRequest, public},
		{"another, a part as proof", true, func(s vault.ID) vault.Credential { return credential("c", s, "two.test") }, val(value[:5]), fault.OperatorAuthRequired, public},
		{"another", true, func(s vault.ID) vault.Credential { return credential("c", s, "two.test") }, val(value), "", []vault.Host{{Name: "one.test"}, {Name: "two.test"}}},
		{"another, as typed", true, func(s vault.ID) vault.Credential { return credential("c", s, "two.test") }, val(value + "\n"), "", []vault.Host{{Name: "one.test"}, {Name: "two.test"}}},
		{"a port is another host", true, func(s vault.ID) vault.Credential { return credential("c", s, "one.test:8443") }, nil, fault.OperatorAuthRequired, public},
		{"one of two is new", true, func(s vault.ID) vault.Credential { return credential("c", s, "one.test", "two.test") }, nil, fault.OperatorAuthRequired, public},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			l := vaulttest.New(t, claims)
			s := vaulttest.Create(t, l, vault.GlobalScope(), "mine", value)
			if test.first {
				if _, err := l.CreateCredential(t.Context(), credential("first", s.ID, "one.test"), nil); err != nil {
					t.Fatal(err)
				}
			}
			_, err := l.CreateCredential(t.Context(), test.c(s.ID), test.proof)
			wantCode(t, err, test.want)
			if err != nil && strings.Contains(err.Error()+fault.HintOf(err), value) {
				t.Error("the error shows the value")
			}
			after, err := l.FindSecret(t.Context(), s.ID.String())
			if diff := cmp.Diff(after.Hosts, test.hosts); diff != "" || err != nil {
				t.Errorf("%v; sealed hosts (-got +want):\n%s", err, diff)
			}
			if test.want == fault.OperatorAuthRequired {
				events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: 1})
				if err != nil || events[0].Outcome != vault.OutcomeDenied || events[0].Code != test.want || events[0].Kind != vault.KindCredentialCreate || events[0].Secret != s.ID {
					t.Errorf("the refusal is recorded as %+v, %v", events, err)
				}
			}
			// What the credential was made for, and nothing else, is granted.
			for _, host := range []string{"one.test", "two.test", "one.test:8443", "three.test", ""} {
				sealed := false
				for _, h := range test.hosts {
					sealed = sealed || h.Name == host
				}
				got, err := reveal(t.Context(), l, s.ID, host)
				if sealed && (got != value || err != nil) {
					t.Errorf("host %q: %v", host, err)
				} else if !sealed {
					wantCode(t, err, fault.PolicyViolation)
				}
			}
		})
	}
}

func TestAPinnedSecretHasNoHosts(t *testing.T) {
	l := vaulttest.New(t, claims)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	if _, err := l.CreateCredential(t.Context(), credential("c", s.ID, "api.acme.test"), nil); err != nil {
		t.Fatal(err)
	}
	after, err := l.FindSecret(t.Context(), s.ID.String())
	if err != nil || after.Hosts != nil || after.Revision != s.Revision {
		t.Errorf("hosts %v, revision %d, %v", after.Hosts, after.Revision, err)
	}
}

func TestDisabledCredentials(t *testing.T) {
	l := vaulttest.New(t, claims)
	ctx := t.Context()
	state := func() (ids []string) {
		err := l.View(ctx, func(r vault.Reader) (err error) {
			ids, err = r.Disabled()
			for _, id := range []string{"acme", "acme:w"} {
				off, err := r.IsDisabled(id)
				if listed := strings.Contains(fmt.Sprint(ids)+" ", id+"]") || strings.Contains(fmt.Sprint(ids), id+" "); off != listed || err != nil {
					t.Errorf("%s is disabled: %v, %v, and the list is %v", id, off, err, ids)
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return ids
	}
	steps := []struct {
		what string
		f    func() (bool, error)
		did  bool
		want []string
	}{
		{"enable one that is", func() (bool, error) { return l.EnableCredential(ctx, "acme") }, false, nil},
		{"disable", func() (bool, error) { return l.DisableCredential(ctx, "acme:w") }, true, []string{"acme:w"}},
		{"disable again", func() (bool, error) { return l.DisableCredential(ctx, "acme:w") }, false, []string{"acme:w"}},
		{"disable another", func() (bool, error) { return l.DisableCredential(ctx, "acme") }, true, []string{"acme", "acme:w"}},
		{"enable", func() (bool, error) { return l.EnableCredential(ctx, "acme:w") }, true, []string{"acme"}},
	}
	vaulttest.Create(t, l, vault.GlobalScope(), "first", "made-up")
	for _, step := range steps {
		did, err := step.f()
		if diff := cmp.Diff(state(), step.want); diff != "" || did != step.did || err != nil {
			t.Errorf("%s: %v, %v (-got +want):\n%s", step.what, did, err, diff)
		}
	}
	// Making a credential of the id takes it back.
	s := vaulttest.Create(t, l, vault.GlobalScope(), "mine", "made-up")
	if _, err := l.CreateCredential(ctx, credential("acme", s.ID, "api.test"), nil); err != nil {
		t.Fatal(err)
	}
	if got := state(); len(got) != 0 {
		t.Errorf("disabled are %v", got)
	}
	_, err := l.DisableCredential(ctx, "a\nb")
	wantCode(t, err, fault.InvalidRequest)
}

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
		if removed, err := l.DeleteCapability(ctx, "acme/items"); removed != want || err != nil {
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
		return l.PutBinding(ctx, vault.Binding{Capability: capability, Secret: s, Scope: scope, Consumer: consumer}, hosts, nil)
	}
	for _, b := range []struct {
		capability string
		s          vault.ID
		scope      vault.Scope
		consumer   string
	}{
		{"acme/items", one.ID, vault.GlobalScope(), ""}, {"acme/items", one.ID, group("w", "g"), "agent"},
		{"acme/items", two.ID, workspace("w"), ""}, {"acme/other", one.ID, vault.GlobalScope(), ""},
		{"acme/items", one.ID, workspace("w"), ""}, // replaces
	} {
		if _, err := put(b.capability, b.s, b.scope, b.consumer, vault.Host{Name: "api.acme.test"}); err != nil {
			t.Error(err)
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
	if diff := cmp.Diff(after.Hosts, []vault.Host{{Name: "api.acme.test"}}); diff != "" || err != nil {
		t.Errorf("%v; a binding seals hosts (-got +want):\n%s", err, diff)
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
			b := vault.Binding{Capability: "acme/items", Secret: s.ID, Scope: vault.GlobalScope(), Consumer: fmt.Sprintf("c%d%d", i, j)}
			if _, err := l.PutBinding(ctx, b, []vault.Host{{Name: "api.test"}}, nil); err != nil {
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
