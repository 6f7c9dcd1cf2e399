package vault_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// TestNames are the rules of secret names (case 116).
// Case 116.
func TestNames(t *testing.T) {
	l := vaulttest.New(t, nil)
	tests := []struct {
		what, name, stored string // stored as; empty: refused
	}{
		{"plain", "OPENAI_API_KEY", "OPENAI_API_KEY"},
		{"trimmed", "  spaced out \t\n", "spaced out"},
		{"one byte", "x", "x"},
		{"256 bytes", strings.Repeat("n", 256), strings.Repeat("n", 256)},
		{"NFD becomes NFC", "cafe\u0301", "caf\u00e9"},
		{"other scripts", "密钥", "密钥"},
		{"a path", "../../etc/passwd", "../../etc/passwd"}, // a name is never a path
		{"empty", "", ""},
		{"white space", " \t\r\n", ""},
		{"257 bytes", strings.Repeat("n", 257), ""},
		{"1 MiB", strings.Repeat("n", 1<<20), ""},
		{"256 bytes that NFC makes longer", strings.Repeat("\u0958", 85), ""},
		{"NUL", "a\x00b", ""},
		{"newline", "a\nb", ""},
		{"escape", "a\x1b[31mb", ""},
		{"DEL", "a\x7fb", ""},
		{"C1 control", "a\u009bb", ""},
		{"right-to-left override", "a\u202eb", ""},
		{"isolate", "a\u2066b", ""},
		{"zero width space", "a\u200bb", ""},
		{"byte order mark", "\ufeffab", ""},
		{"line separator", "a\u2028b", ""},
		{"private use", "a\ue000b", ""},
		{"tag", "a\U000e0041b", ""},
		{"no UTF-8", "a\xffb", ""},
	}
	for i, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			scope := workspace(fmt.Sprint("w", i))
			s, err := l.CreateSecret(t.Context(), newSecret(scope, test.name, "made-up"))
			if test.stored == "" {
				wantCode(t, err, fault.InvalidRequest)
				if err != nil && (len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\x00\n\x1b")) {
					t.Error("the error repeats the name")
				}
				return
			}
			if err != nil || s.Name != test.stored {
				t.Errorf("stored as %q, %v", s.Name, err)
			}
			alias := newSecret(scope, "other", "made-up")
			alias.Aliases = []string{test.name}
			_, err = l.CreateSecret(t.Context(), alias)
			wantCode(t, err, fault.AlreadyExists)
		})
	}
}

func TestNamesAreUniqueInAScope(t *testing.T) {
	l := vaulttest.New(t, nil)
	first := newSecret(vault.GlobalScope(), "caf\u00e9", "made-up")
	first.Aliases = []string{"alias"}
	if _, err := l.CreateSecret(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"caf\u00e9", "cafe\u0301", " caf\u00e9 ", "alias"} {
		_, err := l.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), name, "made-up"))
		wantCode(t, err, fault.AlreadyExists)
		if !strings.Contains(fault.HintOf(err), "rotate --id ") {
			t.Errorf("the hint is %q", fault.HintOf(err))
		}
	}
	for _, scope := range []vault.Scope{workspace("w"), workspace("w2"), group("w", "g"), group("w2", "g")} {
		vaulttest.Create(t, l, scope, "caf\u00e9", "made-up") // another scope, another name
	}
	vaulttest.Create(t, l, vault.GlobalScope(), "CAF\u00c9", "made-up") // compared exactly
}

func TestAliases(t *testing.T) {
	l := vaulttest.New(t, nil)
	n := newSecret(vault.GlobalScope(), "name", "made-up")
	n.Aliases = []string{"b", " a ", "", "b", "name", "cafe\u0301", "caf\u00e9"}
	s, err := l.CreateSecret(t.Context(), n)
	if diff := cmp.Diff(s.Aliases, []string{"a", "b", "caf\u00e9"}); diff != "" || err != nil {
		t.Errorf("%v; aliases (-got +want):\n%s", err, diff)
	}
	for i, bad := range [][]string{{"a\nb"}, {strings.Repeat("x", 257)}, slices.Repeat([]string{"\x00"}, 3), many(65)} {
		n := newSecret(workspace("w"), fmt.Sprint("n", i), "made-up")
		n.Aliases = bad
		_, err := l.CreateSecret(t.Context(), n)
		wantCode(t, err, fault.InvalidRequest)
	}
	n = newSecret(workspace("w"), "n", "made-up")
	n.Aliases = many(64)
	if _, err := l.CreateSecret(t.Context(), n); err != nil {
		t.Errorf("64 aliases: %v", err)
	}
	// A secret may take the name that was its alias; the alias then goes.
	name := "a"
	s, err = l.UpdateSecret(t.Context(), s.ID, vault.SecretChange{Name: &name}, 0)
	if err != nil || s.Name != "a" || slices.Contains(s.Aliases, "a") {
		t.Errorf("renamed to its alias: %+v, %v", s, err)
	}
	vaulttest.Create(t, l, vault.GlobalScope(), "name", "made-up") // the old name is free
	none := []string{}
	if s, err = l.UpdateSecret(t.Context(), s.ID, vault.SecretChange{Aliases: &none}, 0); err != nil || s.Aliases != nil {
		t.Errorf("without aliases: %+v, %v", s, err)
	}
	vaulttest.Create(t, l, vault.GlobalScope(), "b", "made-up")
	taken := []string{"b"}
	_, err = l.UpdateSecret(t.Context(), s.ID, vault.SecretChange{Aliases: &taken}, 0)
	wantCode(t, err, fault.AlreadyExists)
}

func many(n int) []string {
	aliases := make([]string, n)
	for i := range aliases {
		aliases[i] = fmt.Sprint("alias", i)
	}
	return aliases
}

func TestScopesOfSecrets(t *testing.T) {
	l := vaulttest.New(t, nil)
	long := strings.Repeat("w", 129)
	for name, scope := range map[string]vault.Scope{
		"zero":                      {},
		"workspace without id":      {Level: vault.Workspace},
		"group without workspace":   {Level: vault.Group, Group: "g"},
		"global with a workspace":   {Level: vault.Global, Workspace: "w"},
		"workspace with a group":    {Level: vault.Workspace, Workspace: "w", Group: "g"},
		"no level":                  {Level: 4, Workspace: "w", Group: "g"},
		"a slash":                   {Level: vault.Workspace, Workspace: "a/b"},
		"a space":                   {Level: vault.Workspace, Workspace: "a b"},
		"another script":            {Level: vault.Workspace, Workspace: "é"},
		"129 bytes":                 {Level: vault.Workspace, Workspace: long},
		"a group with a bad letter": {Level: vault.Group, Workspace: "w", Group: "g:h"},
	} {
		_, err := l.CreateSecret(t.Context(), newSecret(scope, "n", "made-up"))
		if fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := newSecret(workspace("w"), "n", "made-up")
	n.AttachedOnly = true
	_, err := l.CreateSecret(t.Context(), n)
	wantCode(t, err, fault.InvalidRequest)
	n = newSecret(vault.GlobalScope(), "n", "made-up")
	n.AttachedOnly = true
	s, err := l.CreateSecret(t.Context(), n)
	if tier, _ := s.SeenFrom(vault.Context{Workspace: "w", Group: "g"}); err != nil || !s.AttachedOnly || tier != 0 {
		t.Errorf("%+v is seen at tier %d, %v", s, tier, err)
	}
}

func TestPinning(t *testing.T) {
	l := vaulttest.New(t, claims)
	pinned := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	free := vaulttest.Create(t, l, vault.GlobalScope(), "my_own", "made-up")
	if pinned.PinnedProvider != "acme" || free.PinnedProvider != "" {
		t.Fatalf("pinned to %q and %q", pinned.PinnedProvider, free.PinnedProvider)
	}
	aliased := newSecret(workspace("w"), "aliased", "made-up")
	aliased.Aliases = []string{"ACME_KEY"}
	if s, err := l.CreateSecret(t.Context(), aliased); err != nil || s.PinnedProvider != "" {
		t.Errorf("an alias is claimed: %q, %v", s.PinnedProvider, err)
	}
	rename := func(id vault.ID, name string) (vault.Secret, error) {
		return l.UpdateSecret(t.Context(), id, vault.SecretChange{Name: &name}, 0)
	}
	if s, err := rename(pinned.ID, "other"); err != nil || s.PinnedProvider != "acme" {
		t.Errorf("renaming away gives the pin %q, %v", s.PinnedProvider, err)
	}
	if s, err := rename(pinned.ID, "ACME_TOKEN"); err != nil || s.PinnedProvider != "acme" {
		t.Errorf("another name of the provider gives the pin %q, %v", s.PinnedProvider, err)
	}
	_, err := rename(pinned.ID, "UMBRELLA_KEY")
	wantCode(t, err, fault.Conflict)
	_, err = l.CreateCredential(t.Context(), vault.Credential{
		ID: "c", Provider: "umbrella", Scope: vault.GlobalScope(), Secret: pinned.ID, Hosts: []string{"api.test"},
	}, nil)
	wantCode(t, err, fault.PolicyViolation)

	// A pin gives a secret other hosts: one that was meant for hosts of its own
	// cannot get it, one that never had any can.
	if _, err := l.CreateCredential(t.Context(), credential("c", free.ID, "api.acme.test"), nil); err != nil {
		t.Fatal(err)
	}
	_, err = rename(free.ID, "UMBRELLA_KEY")
	wantCode(t, err, fault.Conflict)
	_, err = rename(free.ID, "ACME_KEY")
	wantCode(t, err, fault.Conflict)
	unused := vaulttest.Create(t, l, vault.GlobalScope(), "unused", "made-up")
	s, err := rename(unused.ID, "ACME_KEY")
	if err != nil || s.PinnedProvider != "acme" || s.Hosts != nil {
		t.Errorf("renamed to a claimed name: %+v, %v", s, err)
	}
	if got, err := reveal(t.Context(), l, unused.ID, "any.acme.test"); got != "made-up" || err != nil {
		t.Errorf("the value is %q, %v", got, err)
	}
}

func TestRevisions(t *testing.T) {
	l := vaulttest.New(t, claims)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "name", "made-up-1")
	ref := vault.GroupRef{Workspace: "w", Group: "g"}
	name := "renamed"
	changes := map[string]func(rev vault.IfRevision) (vault.Secret, error){
		"update": func(rev vault.IfRevision) (vault.Secret, error) {
			return l.UpdateSecret(t.Context(), s.ID, vault.SecretChange{Name: &name}, rev)
		},
		"rotate": func(rev vault.IfRevision) (vault.Secret, error) {
			return l.RotateSecret(t.Context(), s.ID, val("made-up-2"), rev)
		},
		"attach": func(rev vault.IfRevision) (vault.Secret, error) {
			s, _, err := l.AttachGroup(t.Context(), s.ID, ref, rev)
			return s, err
		},
		"detach": func(rev vault.IfRevision) (vault.Secret, error) {
			s, _, err := l.DetachGroup(t.Context(), s.ID, ref, rev)
			return s, err
		},
	}
	rev := s.Revision
	for _, what := range []string{"update", "rotate", "attach", "detach"} {
		change := changes[what]
		_, err := change(vault.IfRevision(rev + 1))
		wantCode(t, err, fault.Conflict)
		changed, err := change(vault.IfRevision(rev))
		if err != nil || changed.Revision != rev+1 {
			t.Errorf("%s gives revision %d after %d, %v", what, changed.Revision, rev, err)
		}
		rev = changed.Revision
		found, err := l.FindSecret(t.Context(), s.ID.String())
		if diff := cmp.Diff(found, changed, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%s: %v; what is found (-) is not what was returned (+):\n%s", what, err, diff)
		}
	}
	_, err := l.DeleteSecret(t.Context(), s.ID, vault.IfRevision(rev-1))
	wantCode(t, err, fault.Conflict)
	if _, err := l.DeleteSecret(t.Context(), s.ID, vault.IfRevision(rev)); err != nil {
		t.Error(err)
	}
	for what, change := range changes {
		if _, err := change(0); fault.CodeOf(err) != fault.SecretNotFound {
			t.Errorf("%s of what was deleted: %v", what, err)
		}
	}
	_, err = l.DeleteSecret(t.Context(), s.ID, 0)
	wantCode(t, err, fault.SecretNotFound)
}

// TestAUseIsNoChange: calls made meanwhile do not make an edit fail.
func TestAUseIsNoChange(t *testing.T) {
	l := vaulttest.New(t, claims)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	if _, err := reveal(t.Context(), l, s.ID, "api.acme.test"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.RotateSecret(t.Context(), s.ID, val("made-up-2"), vault.IfRevision(s.Revision)); err != nil {
		t.Error(err)
	}
}

func TestRotate(t *testing.T) {
	dir := vaulttest.Dir(t)
	opts := vaulttest.Options(dir)
	now := time.Date(2030, 1, 2, 3, 4, 5, 678_900_000, time.UTC)
	opts.Now = func() time.Time { return now }
	opts.Claims = claims
	l := vault.New(opts)
	defer l.Close()
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up-1")
	created := now.Truncate(time.Millisecond)
	now = now.Add(time.Hour)
	s, err := l.RotateSecret(t.Context(), s.ID, val("made-up-2"), 0)
	if err != nil || s.Version != 2 || !s.CreatedAt.Equal(created) || !s.RotatedAt.Equal(created.Add(time.Hour)) {
		t.Errorf("rotated: %+v, %v", s, err)
	}
	if got, err := reveal(t.Context(), l, s.ID, "api.acme.test"); got != "made-up-2" || err != nil {
		t.Errorf("the value is %q, %v", got, err)
	}
	_, err = l.RotateSecret(t.Context(), s.ID, val(""), 0)
	wantCode(t, err, fault.InvalidRequest)
	_, err = l.RotateSecret(t.Context(), uuid.New(), val("x"), 0)
	wantCode(t, err, fault.SecretNotFound)
	vaulttest.Healthy(t, l)
}

func TestAttachAndDetach(t *testing.T) {
	l := vaulttest.New(t, claims)
	ref := vault.GroupRef{Workspace: "w", Group: "g"}
	s := vaulttest.Create(t, l, group("w", "own"), "ACME_KEY", "made-up")
	steps := []struct {
		what    string
		attach  bool
		ref     vault.GroupRef
		changed bool
		want    []vault.GroupRef
	}{
		{"detach what is not attached", false, ref, false, nil},
		{"attach", true, ref, true, []vault.GroupRef{ref}},
		{"attach again", true, ref, false, []vault.GroupRef{ref}},
		{"attach to its own group", true, vault.GroupRef{Workspace: "w", Group: "own"}, false, []vault.GroupRef{ref}},
		{"attach another", true, vault.GroupRef{Workspace: "a", Group: "z"}, true, []vault.GroupRef{{Workspace: "a", Group: "z"}, ref}},
		{"detach", false, ref, true, []vault.GroupRef{{Workspace: "a", Group: "z"}}},
		{"detach again", false, ref, false, []vault.GroupRef{{Workspace: "a", Group: "z"}}},
	}
	for _, step := range steps {
		f := l.DetachGroup
		if step.attach {
			f = l.AttachGroup
		}
		got, changed, err := f(t.Context(), s.ID, step.ref, 0)
		if diff := cmp.Diff(got.Attached, step.want); err != nil || changed != step.changed || diff != "" && len(step.want) > 0 {
			t.Errorf("%s: changed %v, %v (-got +want):\n%s", step.what, changed, err, diff)
		}
	}
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: len(steps)})
	if err != nil || len(events) != len(steps) || events[0].Note != "no change" || events[1].Note != "group:w:g" {
		t.Errorf("each step leaves an event: %d, %v", len(events), err)
	}
	for _, bad := range []vault.GroupRef{{}, {Workspace: "w"}, {Group: "g"}, {Workspace: "a b", Group: "g"}} {
		_, _, err := l.AttachGroup(t.Context(), s.ID, bad, 0)
		wantCode(t, err, fault.InvalidRequest)
		_, _, err = l.DetachGroup(t.Context(), s.ID, bad, 0)
		wantCode(t, err, fault.InvalidRequest)
	}
	err = l.View(t.Context(), func(r vault.Reader) error {
		attached, err := r.Attached(vault.GroupRef{Workspace: "a", Group: "z"}, "acme")
		if len(attached) != 1 || attached[0].ID != s.ID {
			t.Errorf("%d are attached", len(attached))
		}
		gone, err2 := r.Attached(ref, "acme")
		if len(gone) != 0 || err2 != nil {
			t.Errorf("%d are attached still, %v", len(gone), err2)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestScopeText(t *testing.T) {
	for _, test := range []struct {
		scope      vault.Scope
		text, json string
	}{
		{vault.GlobalScope(), "global", `"global"`},
		{workspace("w"), "workspace:w", `{"workspace":{"workspace_id":"w"}}`},
		{group("w", "g"), "group:w:g", `{"group":{"workspace_id":"w","group_id":"g"}}`},
	} {
		data, err := test.scope.MarshalJSON()
		if test.scope.String() != test.text || string(data) != test.json || err != nil {
			t.Errorf("%s, %s, %v", test.scope, data, err)
		}
	}
}
