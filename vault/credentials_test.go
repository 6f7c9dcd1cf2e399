package vault_test

import (
	"fmt"
	"slices"
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
	if _, err := l.CreateCredential(ctx, credential("acme-1", s.ID, "api.acme.test"), val("made-up")); err != nil {
		t.Fatal(err) // the same host, and another authority: that takes the value
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
	ofCA := func(s vault.ID) vault.Credential {
		c := credential("c", s, "one.test")
		c.CACert = []byte("made-up PEM")
		return c
	}
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
		{"the same host, private", true, func(s vault.ID) vault.Credential { return private(credential("c", s, "one.test")) }, val(value), "", []vault.Host{{Name: "one.test"}, {Name: "one.test", Private: true}}},
		{"another authority, unproven", true, ofCA, nil, fault.OperatorAuthRequired, public},
		{"another authority", true, ofCA, val(value), "", []vault.Host{{Name: "one.test"}, {Name: "one.test", CA: vault.CADigest([]byte("made-up PEM"))}}},
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
			for _, name := range []string{"one.test", "two.test", "one.test:8443", "three.test", ""} {
				for _, h := range []vault.Host{{Name: name}, {Name: name, Private: true}, {Name: name, CA: vault.CADigest([]byte("made-up PEM"))}} {
					got, err := revealAt(t.Context(), l, s.ID, h)
					if !slices.Contains(test.hosts, h) {
						wantCode(t, err, fault.PolicyViolation)
					} else if got != value || err != nil {
						t.Errorf("host %+v: %v", h, err)
					}
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

// private makes a credential one for private hosts.
func private(c vault.Credential) vault.Credential { c.AllowPrivate = true; return c }

// TestHostsAreForgotten: what was proven with a value that is no longer the
// secret's, or for a credential that is gone, counts for nothing afterwards; the
// first host is no exception.
func TestHostsAreForgotten(t *testing.T) {
	ctx := t.Context()
	l, _ := fresh(t)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up-real")
	_, err := l.RotateSecret(ctx, s.ID, val("made-up-attackers"), 0)
	must(t, err)
	_, err = l.CreateCredential(ctx, private(credential("first", s.ID, "evil.test")), val("made-up-attackers"))
	must(t, err)
	_, err = l.CreateCredential(ctx, credential("second", s.ID, "evil-too.test"), val("made-up-attackers"))
	must(t, err)
	for _, id := range []string{"first", "second"} {
		_, err = l.DeleteCredential(ctx, id)
		must(t, err)
	}
	_, err = l.RotateSecret(ctx, s.ID, val("made-up-real"), 0)
	must(t, err)
	for _, c := range []vault.Credential{
		private(credential("again", s.ID, "evil.test")), credential("again", s.ID, "evil-too.test"), credential("again", s.ID, "other.test"),
	} {
		_, err = l.CreateCredential(ctx, c, nil)
		wantCode(t, err, fault.OperatorAuthRequired)
	}
	_, err = l.CreateCredential(ctx, credential("good", s.ID, "api.test"), val("made-up-real"))
	must(t, err)
	after, err := l.FindSecret(ctx, s.ID.String())
	if diff := cmp.Diff(after.Hosts, []vault.Host{{Name: "api.test"}}); diff != "" || err != nil {
		t.Errorf("%v; hosts (-got +want):\n%s", err, diff)
	}
	vaulttest.Healthy(t, l)
}
