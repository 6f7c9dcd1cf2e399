package vault_test

import (
	order "cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

func TestFindSecret(t *testing.T) {
	l := vaulttest.New(t, nil)
	byPrefix := map[string]int{}
	var all []vault.Secret
	for i := range 20 {
		s := vaulttest.Create(t, l, vault.GlobalScope(), fmt.Sprint("n", i), "made-up")
		all = append(all, s)
		byPrefix[s.ID.String()[:6]]++
	}
	s := all[7]
	id := s.ID.String()
	digits := strings.ReplaceAll(id, "-", "")
	for _, ref := range []string{
		id, "vault:secret:" + id, strings.ToUpper(id), digits, id[:8], digits[:7], id[:12], digits[:31], "vault:secret:" + id[:9], vault.SecretRef(s.ID),
	} {
		if got, err := l.FindSecret(t.Context(), ref); err != nil || got.ID != s.ID {
			t.Errorf("%q finds %s, %v", ref, got.Name, err)
		}
	}
	for ref, want := range map[string]fault.Code{
		"":                                     fault.InvalidRequest,
		"n7":                                   fault.InvalidRequest, // a name is no id
		id[:5]:                                 fault.InvalidRequest,
		digits + "0":                           fault.InvalidRequest,
		"vault:secret:":                        fault.InvalidRequest,
		"zzzzzzzz":                             fault.InvalidRequest,
		"../../etc/passwd":                     fault.InvalidRequest,
		strings.Repeat("0", 1<<20):             fault.InvalidRequest,
		"00000000-0000-0000-0000-000000000000": fault.SecretNotFound,
		"000000":                               fault.SecretNotFound,
	} {
		_, err := l.FindSecret(t.Context(), ref)
		if fault.CodeOf(err) != want {
			t.Errorf("%.40q: %v, want %s", ref, err, want)
		}
	}
	if len(byPrefix) != 20 {
		t.Skip("two random ids share six digits")
	}
}

// TestAnAmbiguousPrefix makes secrets until two ids begin alike.
func TestAnAmbiguousPrefix(t *testing.T) {
	l := vaulttest.New(t, nil)
	seen := map[string]bool{}
	var entries []vault.ImportEntry
	for i := range 12_000 { // 24 bits: more than enough to meet twice, nearly always
		entries = append(entries, vault.ImportEntry{Name: fmt.Sprint("n", i), Value: val("x")})
	}
	if testing.Short() {
		t.Skip("it takes many secrets")
	}
	out, err := l.ImportSecrets(t.Context(), vault.GlobalScope(), entries, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Created {
		prefix := s.ID.String()[:6]
		if !seen[prefix] {
			seen[prefix] = true
			continue
		}
		_, err := l.FindSecret(t.Context(), prefix)
		wantCode(t, err, fault.InvalidRequest)
		if err == nil || !strings.Contains(err.Error(), "more than one") {
			t.Errorf("the error is %v", err)
		}
		if got, err := l.FindSecret(t.Context(), s.ID.String()[:13]); err != nil || got.ID != s.ID {
			t.Errorf("more digits find %v, %v", got.ID, err)
		}
		return
	}
	t.Skip("no two of 12,000 random ids share six digits")
}

func TestSecretsLists(t *testing.T) {
	l := vaulttest.New(t, nil)
	var want []string
	for _, scope := range []vault.Scope{vault.GlobalScope(), workspace("v"), workspace("w"), group("w", "a"), group("w", "b")} {
		for _, name := range []string{"a", "b"} {
			s := vaulttest.Create(t, l, scope, name, "made-up")
			want = append(want, scope.String()+" "+s.Name)
		}
	}
	list := func(scope *vault.Scope) (out []string) {
		secrets, err := l.Secrets(t.Context(), scope)
		if err != nil {
			t.Error(err)
		}
		for _, s := range secrets {
			out = append(out, s.Scope.String()+" "+s.Name)
		}
		return out
	}
	if diff := cmp.Diff(list(nil), want); diff != "" {
		t.Errorf("all (-got +want):\n%s", diff)
	}
	w := workspace("w")
	if diff := cmp.Diff(list(&w), want[4:6]); diff != "" {
		t.Errorf("one scope (-got +want):\n%s", diff)
	}
	none := workspace("none")
	if got := list(&none); len(got) != 0 {
		t.Errorf("an unknown scope has %v", got)
	}
	bad := vault.Scope{}
	_, err := l.Secrets(t.Context(), &bad)
	wantCode(t, err, fault.InvalidRequest)
}

func TestEffective(t *testing.T) {
	l := vaulttest.New(t, nil)
	scopes := []vault.Scope{vault.GlobalScope(), workspace("w"), group("w", "g"), group("w", "other"), workspace("v")}
	ids := map[string]vault.ID{}
	for _, scope := range scopes {
		ids[scope.String()] = vaulttest.Create(t, l, scope, "shared", "made-up").ID
	}
	lone := vaulttest.Create(t, l, workspace("v"), "lone", "made-up")
	hidden := newSecret(vault.GlobalScope(), "attached-only", "made-up")
	hidden.AttachedOnly = true
	only, err := l.CreateSecret(t.Context(), hidden)
	if err != nil {
		t.Fatal(err)
	}
	g := vault.GroupRef{Workspace: "w", Group: "g"}
	for _, id := range []vault.ID{lone.ID, only.ID, ids["workspace:v"], ids["global"]} {
		if _, _, err := l.AttachGroup(t.Context(), id, g, 0); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		context vault.Context
		want    []string // name, from, and the scope of what shadows it
	}{
		{vault.Context{}, []string{"shared own"}},
		{vault.Context{Workspace: "w"}, []string{"shared own", "shared global < workspace:w"}},
		{vault.Context{Workspace: "v"}, []string{"lone own", "shared own", "shared global < workspace:v"}},
		{vault.Context{Workspace: "w", Group: "g"}, []string{
			"attached-only attached", "lone attached",
			"shared own", "shared attached < group:w:g", "shared attached < group:w:g", "shared workspace < group:w:g",
		}},
		{vault.Context{Workspace: "w", Group: "none"}, []string{"shared workspace", "shared global < workspace:w"}},
		{vault.Context{Workspace: "none"}, []string{"shared global"}},
	}
	byID := map[vault.ID]string{}
	for scope, id := range ids {
		byID[id] = scope
	}
	for _, test := range tests {
		list, err := l.Effective(t.Context(), test.context)
		if err != nil {
			t.Error(err)
		}
		var got []string
		for _, e := range list {
			text := e.Name + " " + e.From(test.context)
			if e.ShadowedBy != nil {
				text += " < " + byID[*e.ShadowedBy]
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(got, test.want); diff != "" {
			t.Errorf("%+v (-got +want):\n%s", test.context, diff)
		}
	}
	_, err = l.Effective(t.Context(), vault.Context{Group: "g"})
	wantCode(t, err, fault.InvalidRequest)
}

func TestImport(t *testing.T) {
	l := vaulttest.New(t, claims)
	old := newSecret(workspace("w"), "old", "made-up-1")
	old.Aliases = []string{"alias"}
	if _, err := l.CreateSecret(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	entries := []vault.ImportEntry{
		{"new", val("made-up")},
		{"ACME_KEY", val("made-up")},
		{"old", val("made-up-2")},
		{"alias", val("made-up")},
		{"", val("made-up")},
		{"empty", val("")},
		{"new", val("made-up-again")},
	}
	describe := func(r vault.ImportResult) (out []string) {
		for _, s := range r.Created {
			out = append(out, "created "+s.Name+" "+s.PinnedProvider)
		}
		for _, s := range r.Rotated {
			out = append(out, fmt.Sprint("rotated ", s.Name, " ", s.Version))
		}
		for _, name := range r.Skipped {
			out = append(out, "skipped "+name)
		}
		for _, f := range r.Failed {
			out = append(out, "failed "+f.Name+" "+string(fault.CodeOf(f.Err)))
		}
		return out
	}
	failures := []string{"failed alias already_exists", "failed  invalid_request", "failed empty invalid_request"}
	for _, test := range []struct {
		rotate bool
		want   []string
	}{
		{false, append([]string{"created ACME_KEY acme", "created new ", "skipped new", "skipped old"}, failures...)},
		{true, append([]string{"rotated ACME_KEY 2", "rotated new 2", "rotated new 3", "rotated old 2"}, failures...)},
	} {
		r, err := l.ImportSecrets(t.Context(), workspace("w"), entries, test.rotate)
		if diff := cmp.Diff(describe(r), test.want); diff != "" || err != nil {
			t.Errorf("rotating %v: %v (-got +want):\n%s", test.rotate, err, diff)
		}
	}
	_, err := l.ImportSecrets(t.Context(), vault.Scope{}, entries, false)
	wantCode(t, err, fault.InvalidRequest)
	events, err := l.Audit(t.Context(), vault.AuditQuery{})
	if err != nil || len(events) != 2+2+4 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// TestAVaultThatIsNotThere is an empty one for whoever only looks.
func TestAVaultThatIsNotThere(t *testing.T) {
	dir := vaulttest.Dir(t)
	l := open(t, dir)
	ctx := t.Context()
	if st, err := l.Status(ctx); err != nil || st.Initialized || st.Root != dir {
		t.Errorf("status %+v, %v", st, err)
	}
	if s, err := l.Secrets(ctx, nil); err != nil || len(s) != 0 {
		t.Errorf("%d secrets, %v", len(s), err)
	}
	if e, err := l.Effective(ctx, vault.Context{}); err != nil || len(e) != 0 {
		t.Errorf("%d effective secrets, %v", len(e), err)
	}
	if e, err := l.Audit(ctx, vault.AuditQuery{}); err != nil || len(e) != 0 {
		t.Errorf("%d events, %v", len(e), err)
	}
	if report, err := l.Doctor(ctx); err != nil || report.Err() != nil || len(report.Checks) == 0 {
		t.Errorf("report %+v, %v", report, err)
	}
	if err := l.Unlock(ctx); err != nil {
		t.Error(err)
	}
	for _, ref := range []string{"000000", "00000000-0000-0000-0000-000000000000"} {
		_, err := l.FindSecret(ctx, ref)
		wantCode(t, err, fault.SecretNotFound)
	}
	for what, remove := range map[string]func() (bool, error){
		"credential": func() (bool, error) { return l.DeleteCredential(ctx, "c") },
		"capability": func() (bool, error) {
			removed, err := l.DeleteCapability(ctx, "c")
			return removed.Capability, err
		},
		"binding":  func() (bool, error) { return l.DeleteBinding(ctx, "c", vault.GlobalScope(), "") },
		"enabling": func() (bool, error) { return l.EnableCredential(ctx, "c") },
	} {
		if removed, err := remove(); removed || err != nil {
			t.Errorf("%s: %v, %v", what, removed, err)
		}
	}
	err := l.View(ctx, func(r vault.Reader) error { return wantEmpty(r) })
	if err != nil {
		t.Error(err)
	}
	_, err = l.Authorize(ctx, func(r vault.Reader) (vault.Decision, error) {
		return vault.Decision{}, fault.New(fault.CredentialNotFound, "none")
	})
	wantCode(t, err, fault.CredentialNotFound)
	_, err = l.Authorize(context.Background(), decideUse())
	wantCode(t, err, fault.Internal)
	if files := list(t, dir); len(files) != 0 {
		t.Errorf("looking made %v", files)
	}
}

// wantEmpty asks a Reader for everything.
func wantEmpty(r vault.Reader) error {
	var n int
	count := func(found int, err error) error { n += found; return err }
	s, err := r.SecretNamed(vault.GlobalScope(), "n")
	if s != nil || err != nil {
		return fmt.Errorf("a secret: %v, %v", s, err)
	}
	if _, err := r.Secret(vault.ID{}); fault.CodeOf(err) != fault.SecretNotFound {
		return fmt.Errorf("a secret by id: %w", err)
	}
	c, err1 := r.Credential("c")
	cap, err2 := r.Capability("c")
	b, err3 := r.Binding("c", vault.GlobalScope(), "")
	off, err4 := r.IsDisabled("c")
	if c != nil || cap != nil || b != nil || off {
		return fmt.Errorf("there is %v %v %v %v", c, cap, b, off)
	}
	attached, err5 := r.Attached(vault.GroupRef{Workspace: "w", Group: "g"}, "p")
	pinned, err6 := r.Pinned("p")
	of, err7 := r.CredentialsOf("p", vault.GlobalScope())
	creds, err8 := r.Credentials()
	disabled, err9 := r.Disabled()
	caps, err10 := r.Capabilities()
	bindings, err11 := r.Bindings("")
	for _, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11} {
		if err := count(0, err); err != nil {
			return err
		}
	}
	if n = len(attached) + len(pinned) + len(of) + len(creds) + len(disabled) + len(caps) + len(bindings); n != 0 {
		return fmt.Errorf("%d things are there", n)
	}
	return nil
}

// TestSecretsListsAll: the list of all has what a look at each one tells, in
// order.
func TestSecretsListsAll(t *testing.T) {
	t.Parallel()
	l := vaulttest.New(t, claims)
	scopes := []vault.Scope{vault.GlobalScope(), workspace("v"), workspace("w"), group("w", "a"), group("w", "b")}
	var want []vault.Secret
	for n := range 12 {
		for _, scope := range slices.Backward(scopes) { // neither by scope nor by name
			s := vaulttest.Create(t, l, scope, fmt.Sprintf("N%02d", n*7%12), "made-up")
			if n%3 == 0 {
				if _, err := l.CreateCredential(t.Context(), credential(s.ID.String(), s.ID, "api.acme.test"), nil); err != nil {
					t.Fatal(err)
				}
				granted(t, l, useOf(s.ID, "api.acme.test"))
			}
			found, err := l.FindSecret(t.Context(), s.ID.String())
			if err != nil || found.LastUsedAt.IsZero() != (n%3 != 0) {
				t.Fatal(found, err)
			}
			want = append(want, found)
		}
	}
	slices.SortFunc(want, func(a, b vault.Secret) int {
		return order.Or(
			order.Compare(slices.Index(scopes, a.Scope), slices.Index(scopes, b.Scope)),
			order.Compare(a.Name, b.Name))
	})
	got, err := l.Secrets(t.Context(), nil)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
