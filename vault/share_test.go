package vault_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// refs are groups of workspace w.
func refs(groups ...string) []vault.GroupRef {
	var out []vault.GroupRef
	for _, g := range groups {
		out = append(out, vault.GroupRef{Workspace: "w", Group: g})
	}
	return out
}

// notes are the kinds and notes of the events after one, the oldest first.
func notes(t *testing.T, l *vault.Local, after uint64) []string {
	t.Helper()
	events, err := l.Audit(t.Context(), vault.AuditQuery{After: after, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := len(events) - 1; i >= 0; i-- {
		out = append(out, events[i].Kind+" "+events[i].Note)
	}
	return out
}

// newest is the sequence number of the newest event.
func newest(t *testing.T, l *vault.Local) uint64 {
	t.Helper()
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: 1})
	if err != nil || len(events) != 1 {
		t.Fatal(len(events), err)
	}
	return events[0].Seq
}

// Checklist 51, 62.
func TestShare(t *testing.T) {
	t.Parallel()
	l := vaulttest.New(t, claims)
	a := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	b := vaulttest.Create(t, l, group("w", "own"), "B", "made-up")
	g := refs("g", "h", "own")
	before := newest(t, l)
	epoch, err := vault.Epoch(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}

	got, err := l.Share(t.Context(), []vault.Sharing{
		{Secret: b.ID, Group: g[0], Revision: 1},
		{Secret: a.ID, Group: g[1]},
		{Secret: a.ID, Group: g[0], Revision: 1},  // as it was before the batch
		{Secret: a.ID, Group: g[0]},               // so already
		{Secret: b.ID, Group: g[1], Detach: true}, // never was
		{Secret: b.ID, Group: g[2]},               // its own
		{Secret: a.ID, Group: g[1], Detach: true},
	})
	if err != nil || len(got) != 2 {
		t.Fatal(len(got), err)
	}
	for i, want := range []vault.Secret{b, a} {
		want.Attached, want.Revision, want.UpdatedAt = refs("g"), 2, got[i].UpdatedAt
		if diff := cmp.Diff(want, got[i]); diff != "" {
			t.Errorf("secret %d (-want +got):\n%s", i, diff)
		}
		if stored, err := l.FindSecret(t.Context(), want.ID.String()); err != nil || !cmp.Equal(stored, got[i]) {
			t.Errorf("stored: %+v, %v", stored, err)
		}
	}
	if diff := cmp.Diff([]string{
		"secret.attach group:w:g", "secret.attach group:w:h", "secret.attach group:w:g", "secret.detach group:w:h",
	}, notes(t, l, before)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if now, err := vault.Epoch(t.Context(), l); err != nil || now != epoch+1 {
		t.Errorf("%d transactions, %v", now-epoch, err)
	}
	// What is attached is seen there, with the provider that it is pinned to.
	if list, err := l.Effective(t.Context(), vault.Context{Workspace: "w", Group: "g"}); err != nil || len(list) != 2 || !list[0].Attached {
		t.Errorf("seen from the group: %+v, %v", list, err)
	}
}

// TestShareOfNothing: what changes nothing leaves the vault as it is.
func TestShareOfNothing(t *testing.T) {
	t.Parallel()
	l := vaulttest.New(t, nil)
	a := vaulttest.Create(t, l, vault.GlobalScope(), "A", "made-up")
	before, err := l.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.Share(t.Context(), []vault.Sharing{{Secret: a.ID, Group: refs("g")[0], Detach: true}})
	if err != nil || len(got) != 1 || !cmp.Equal(got[0], a) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := l.Share(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if after, err := l.State(t.Context()); err != nil || after != before {
		t.Errorf("the file was changed: %v", err)
	}
}

// TestShareIsAllOrNothing: one change that is refused, and none is made.
func TestShareIsAllOrNothing(t *testing.T) {
	t.Parallel()
	l := vaulttest.New(t, nil)
	a := vaulttest.Create(t, l, vault.GlobalScope(), "A", "made-up")
	b := vaulttest.Create(t, l, vault.GlobalScope(), "B", "made-up")
	g := refs("g")[0]
	before := newest(t, l)
	for name, test := range map[string]struct {
		bad  vault.Sharing
		code fault.Code
	}{
		"a secret that is not there": {vault.Sharing{Secret: uuid.New(), Group: g}, fault.SecretNotFound},
		"another revision":           {vault.Sharing{Secret: b.ID, Group: g, Revision: 9}, fault.Conflict},
		"that of the batch":          {vault.Sharing{Secret: a.ID, Group: refs("h")[0], Revision: 2}, fault.Conflict},
		"no group":                   {vault.Sharing{Secret: b.ID, Group: vault.GroupRef{Workspace: "w"}}, fault.InvalidRequest},
		"a bad id":                   {vault.Sharing{Secret: b.ID, Group: vault.GroupRef{Workspace: "w", Group: "\x1b"}}, fault.InvalidRequest},
	} {
		got, err := l.Share(t.Context(), []vault.Sharing{{Secret: a.ID, Group: g}, test.bad})
		if wantCode(t, err, test.code); got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if s, err := l.FindSecret(t.Context(), a.ID.String()); err != nil || !cmp.Equal(s, a) {
		t.Errorf("%+v, %v", s, err)
	}
	if got := notes(t, l, before); got != nil {
		t.Errorf("events: %q", got)
	}
}

// Checklist 51, 62.
func TestDeleteSecrets(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	l := vaulttest.New(t, claims)
	var secrets []vault.Secret
	for _, name := range []string{"A", "B", "C"} {
		secrets = append(secrets, vaulttest.Create(t, l, workspace("w"), name, "made-up"))
	}
	a, b, c := secrets[0], secrets[1], secrets[2]
	for _, s := range secrets {
		if _, err := l.CreateCredential(ctx, credential(s.Name, s.ID, "api.acme.test"), nil); err != nil {
			t.Fatal(err)
		}
	}
	before := newest(t, l)
	for name, test := range map[string]struct {
		bad  vault.SecretAt
		code fault.Code
	}{
		"not there":        {vault.SecretAt{ID: uuid.New()}, fault.SecretNotFound},
		"another revision": {vault.SecretAt{ID: c.ID, Revision: 99}, fault.Conflict},
	} {
		got, err := l.DeleteSecrets(ctx, []vault.SecretAt{{ID: a.ID}, {ID: b.ID}, test.bad})
		if wantCode(t, err, test.code); got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if list, err := l.Secrets(ctx, nil); err != nil || len(list) != 3 {
		t.Fatalf("after refusals: %d secrets, %v", len(list), err)
	}
	if got := notes(t, l, before); got != nil {
		t.Errorf("events of refusals: %q", got)
	}

	found, err := l.FindSecret(ctx, c.ID.String()) // its host was sealed
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.DeleteSecrets(ctx, []vault.SecretAt{{c.ID, vault.IfRevision(found.Revision)}, {ID: a.ID}, {ID: c.ID}})
	if err != nil || len(got) != 2 {
		t.Fatal(len(got), err)
	}
	for i, want := range []vault.Secret{c, a} {
		if got[i].Secret.ID != want.ID || !cmp.Equal(got[i].Credentials, []string{want.Name}) || got[i].At.IsZero() {
			t.Errorf("removed %d: %+v", i, got[i])
		}
	}
	if diff := cmp.Diff([]string{"secret.delete C", "secret.delete A"}, deletions(notes(t, l, before))); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if list, err := l.Secrets(ctx, nil); err != nil || len(list) != 1 || list[0].ID != b.ID {
		t.Errorf("left: %+v, %v", list, err)
	}
	if got, err := l.DeleteSecrets(ctx, nil); err != nil || got != nil {
		t.Errorf("of none: %+v, %v", got, err)
	}
	vaulttest.Create(t, l, workspace("w"), "A", "made-up") // the name is free
}

// deletions leaves out the events of what went along.
func deletions(notes []string) []string {
	var out []string
	for _, n := range notes {
		if len(n) == len("secret.delete X") {
			out = append(out, n)
		}
	}
	return out
}
