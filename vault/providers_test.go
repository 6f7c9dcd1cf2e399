package vault_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// parcels is a provider of the vault's own, at some hosts.
func parcels(hosts ...string) vault.Provider {
	return vault.Provider{ID: "parcels", Definition: fmt.Appendf(nil, `{"hosts":%q}`, hosts), Claims: []string{"PARCELS_KEY"}, Hosts: hosts}
}

// own lists the vault's own providers.
func own(t testing.TB, l *vault.Local) (records []vault.ID, list []vault.Provider) {
	t.Helper()
	must(t, l.View(t.Context(), func(r vault.Reader) (err error) {
		if records, err = r.ProviderRecords(); err != nil {
			return err
		}
		for _, rec := range records {
			p, err := r.Provider(rec)
			if err != nil {
				return err
			}
			list = append(list, *p)
		}
		return nil
	}))
	return records, list
}

// TestProviders: one is kept as it was given, the same changes nothing, another
// definition has another record, and each change is an event.
func TestProviders(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	first, err := l.PutProvider(t.Context(), parcels("a.test"))
	must(t, err)
	records, list := own(t, open(t, dir))
	if diff := gocmp.Diff(list, []vault.Provider{first}); diff != "" || first.CreatedAt.IsZero() {
		t.Errorf("stored (-got +want):\n%s", diff)
	}
	again, err := l.PutProvider(t.Context(), parcels("a.test"))
	must(t, err)
	if same, _ := own(t, l); !slices.Equal(same, records) || gocmp.Diff(again, first) != "" {
		t.Errorf("the same again: %v, was %v", same, records)
	}
	second, err := l.PutProvider(t.Context(), parcels("a.test", "b.test"))
	must(t, err)
	other, list := own(t, l)
	if len(other) != 1 || other[0] == records[0] || gocmp.Diff(list[0], second) != "" || !second.CreatedAt.Equal(first.CreatedAt) {
		t.Errorf("another definition: %v, %+v", other, list)
	}
	for _, want := range []bool{true, false} {
		if gone, err := l.DeleteProvider(t.Context(), "parcels"); gone != want || err != nil {
			t.Errorf("removed: %t, %v", gone, err)
		}
	}
	if left, _ := own(t, l); len(left) > 0 {
		t.Errorf("%d are left", len(left))
	}
	events, err := l.Audit(t.Context(), vault.AuditQuery{Kind: "provider."})
	must(t, err)
	var got []string
	for _, e := range events {
		got = append(got, e.Kind+" "+e.Host+" "+e.Note)
	}
	want := []string{
		"provider.remove a.test, b.test parcels, for PARCELS_KEY",
		"provider.add a.test, b.test parcels, for PARCELS_KEY, in the place of another definition",
		"provider.add a.test parcels, for PARCELS_KEY",
	}
	if diff := gocmp.Diff(got, want); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	vaulttest.Healthy(t, l)
}

func TestProviderRefused(t *testing.T) {
	t.Parallel()
	l, _ := fresh(t)
	_, err := l.PutProvider(t.Context(), vault.Provider{ID: "other", Definition: []byte("{}"), Claims: []string{"OTHER_KEY"}, Hosts: []string{"o.test"}})
	must(t, err)
	for name, test := range map[string]struct {
		change func(*vault.Provider)
		want   fault.Code
	}{
		"good":                   {func(*vault.Provider) {}, ""},
		"no id":                  {func(p *vault.Provider) { p.ID = "" }, fault.InvalidRequest},
		"no definition":          {func(p *vault.Provider) { p.Definition = nil }, fault.InvalidRequest},
		"a long definition":      {func(p *vault.Provider) { p.Definition = make([]byte, vault.MaxDefinition+1) }, fault.InvalidRequest},
		"no name":                {func(p *vault.Provider) { p.Claims = nil }, fault.InvalidRequest},
		"a name twice":           {func(p *vault.Provider) { p.Claims = []string{"A", "A"} }, fault.InvalidRequest},
		"no host":                {func(p *vault.Provider) { p.Hosts = nil }, fault.InvalidRequest},
		"a host with a bell":     {func(p *vault.Provider) { p.Hosts = []string{"a\a.test"} }, fault.InvalidRequest},
		"a built-in name":        {func(p *vault.Provider) { p.Claims = []string{"MINE", "ACME_KEY"} }, fault.Conflict},
		"a name of another one":  {func(p *vault.Provider) { p.Claims, p.Definition = []string{"MINE", "OTHER_KEY"}, []byte("{}") }, fault.Conflict},
		"a definition that fits": {func(p *vault.Provider) { p.Definition = make([]byte, vault.MaxDefinition) }, ""},
	} {
		p := parcels("a.test")
		test.change(&p)
		_, err := l.PutProvider(t.Context(), p)
		if fault.CodeOf(err) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range vault.MaxProviders - 2 {
		_, err := l.PutProvider(t.Context(), vault.Provider{ID: fmt.Sprint("p", i), Definition: []byte("{}"), Claims: []string{fmt.Sprint("P", i)}, Hosts: []string{"a.test"}})
		must(t, err)
	}
	_, err = l.PutProvider(t.Context(), vault.Provider{ID: "more", Definition: []byte("{}"), Claims: []string{"MORE"}, Hosts: []string{"a.test"}})
	wantCode(t, err, fault.Conflict)
	_, err = l.PutProvider(t.Context(), parcels("a.test", "b.test")) // in the place of one
	must(t, err)
	vaulttest.Healthy(t, l)
}

// A name that a provider of the vault's own claims pins a secret, whichever way it
// gets the name; one that had it before stays as it is.
func TestProviderPins(t *testing.T) {
	t.Parallel()
	l, _ := fresh(t)
	before := vaulttest.Create(t, l, workspace("before"), "PARCELS_KEY", "made-up")
	_, err := l.PutProvider(t.Context(), parcels("a.test"))
	must(t, err)
	created := vaulttest.Create(t, l, vault.GlobalScope(), "PARCELS_KEY", "made-up")
	result, err := l.ImportSecrets(t.Context(), workspace("w"), []vault.ImportEntry{{Name: "PARCELS_KEY", Value: val("made-up")}}, false)
	must(t, err)
	renamed := vaulttest.Create(t, l, workspace("x"), "MINE", "made-up")
	renamed, err = l.UpdateSecret(t.Context(), renamed.ID, vault.SecretChange{Name: new("PARCELS_KEY")}, 0)
	must(t, err)
	for _, s := range []vault.Secret{created, result.Created[0], renamed} {
		if s.PinnedProvider != "parcels" {
			t.Errorf("in %s it is pinned to %q", s.Scope, s.PinnedProvider)
		}
	}
	before, err = l.FindSecret(t.Context(), before.ID.String())
	if before.PinnedProvider != "" || err != nil {
		t.Errorf("what was there before is pinned to %q, %v", before.PinnedProvider, err)
	}
	// Another provider's name is a conflict, built in or not.
	_, err = l.UpdateSecret(t.Context(), created.ID, vault.SecretChange{Name: new("ACME_KEY")}, 0)
	wantCode(t, err, fault.Conflict)
	_, err = l.CreateCredential(t.Context(), credential("stolen", created.ID, "b.test"), nil)
	wantCode(t, err, fault.PolicyViolation)
	vaulttest.Healthy(t, l)
}

// A pinned secret goes to the hosts that its provider had when it was stored, or
// to some of them, whatever becomes of the definition.
func TestProviderHostsStay(t *testing.T) {
	t.Parallel()
	l, _ := fresh(t)
	_, err := l.PutProvider(t.Context(), parcels("a.test", "*.b.test"))
	must(t, err)
	_, err = l.PutProvider(t.Context(), parcels("a.test", "c.test", "*.b.test")) // nothing is pinned yet
	must(t, err)
	s := vaulttest.Create(t, l, workspace("w"), "PARCELS_KEY", "made-up")
	for _, hosts := range [][]string{{"evil.test"}, {"a.test", "evil.test"}, {"*.test"}, {"*.a.test"}, {"x.y.b.test"}, {"b.test"}} {
		_, err := l.PutProvider(t.Context(), parcels(hosts...))
		wantCode(t, err, fault.Conflict)
	}
	for _, hosts := range [][]string{{"a.test", "*.b.test"}, {"a.test", "one.b.test"}, {"a.test"}} {
		_, err := l.PutProvider(t.Context(), parcels(hosts...))
		must(t, err)
	}
	_, err = l.PutProvider(t.Context(), parcels("a.test", "c.test")) // it has forgotten that one
	wantCode(t, err, fault.Conflict)
	_, err = l.DeleteSecret(t.Context(), s.ID, 0)
	must(t, err)
	_, err = l.PutProvider(t.Context(), parcels("evil.test"))
	must(t, err)
	vaulttest.Healthy(t, l)
}

// What is in use is not removed, and what is removed leaves no limits behind.
func TestProviderInUse(t *testing.T) {
	t.Parallel()
	l, _ := fresh(t)
	ctx := t.Context()
	_, err := l.PutProvider(ctx, parcels("a.test"))
	must(t, err)
	pinned := vaulttest.Create(t, l, workspace("w"), "PARCELS_KEY", "made-up")
	mine := vaulttest.Create(t, l, vault.GlobalScope(), "MINE", "made-up")
	c := credential("parcels-mine", mine.ID, "a.test")
	c.Provider = "parcels"
	_, err = l.CreateCredential(ctx, c, nil)
	must(t, err)
	made := capability("parcels/more")
	made.Provider = "parcels"
	_, err = l.CreateCapability(ctx, made)
	must(t, err)
	_, err = l.PutBinding(ctx, vault.Binding{Capability: "parcels/boxes", Secret: mine.ID, Scope: vault.GlobalScope(), Hosts: []vault.Host{{Name: "a.test"}}}, nil)
	must(t, err)
	for _, id := range []string{"parcels/boxes", "parcelservice/x"} {
		_, err = l.SetPolicy(ctx, vault.Policy{Capability: id, Rate: new(int64(3))}, 0)
		must(t, err)
	}
	_, err = l.DisableCredential(ctx, "parcels:ws:w")
	must(t, err)

	_, err = l.DeleteProvider(ctx, "parcels")
	wantCode(t, err, fault.Conflict)
	for _, want := range []string{"secret PARCELS_KEY in scope workspace:w", "credential parcels-mine", "capability parcels/more", "a binding of parcels/boxes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	for _, drop := range []func() error{
		func() error { _, err := l.DeleteSecret(ctx, pinned.ID, 0); return err },
		func() error { _, err := l.DeleteCredential(ctx, "parcels-mine"); return err },
		func() error { _, err := l.DeleteCapability(ctx, "parcels/more"); return err },
		func() error {
			_, err := l.DeleteBinding(ctx, "parcels/boxes", vault.GlobalScope(), "")
			return err
		},
	} {
		_, err := l.DeleteProvider(ctx, "parcels")
		wantCode(t, err, fault.Conflict)
		must(t, drop())
	}
	if gone, err := l.DeleteProvider(ctx, "parcels"); !gone || err != nil {
		t.Errorf("removed: %t, %v", gone, err)
	}
	must(t, l.View(ctx, func(r vault.Reader) error {
		policies, err := r.Policies()
		if len(policies) != 1 || policies[0].Capability != "parcelservice/x" {
			t.Errorf("%d policies are left", len(policies))
		}
		if off, _ := r.IsDisabled("parcels:ws:w"); off {
			t.Error("its credential would stay away")
		}
		return err
	}))
	vaulttest.Healthy(t, l)
}
