package vault_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// policyOf returns what is stored for a capability.
func policyOf(t testing.TB, s vault.Store, capability string) (p *vault.Policy) {
	t.Helper()
	err := s.View(t.Context(), func(r vault.Reader) (err error) {
		p, err = r.Policy(capability)
		return err
	})
	must(t, err)
	return p
}

// TestPolicies: a policy is replaced whole, and one that limits nothing is
// gone.
func TestPolicies(t *testing.T) {
	t.Parallel()
	l := vaulttest.New(t, claims)
	ctx := t.Context()
	if p := policyOf(t, l, "acme/items"); p != nil {
		t.Errorf("at first: %v", p)
	}
	block := []string{"token", "password", "token"}
	steps := []struct {
		set, want vault.Policy
	}{
		{vault.Policy{Rate: new(int64(60)), Block: block}, vault.Policy{Rate: new(int64(60)), Block: []string{"password", "token"}, Revision: 1}},
		{vault.Policy{Rate: new(int64(0)), MaxRequest: new(int64(0)), MaxResponse: new(int64(1 << 40))}, vault.Policy{Rate: new(int64(0)), MaxRequest: new(int64(0)), MaxResponse: new(int64(1 << 40)), Revision: 2}},
		{vault.Policy{MaxResponse: new(int64(5))}, vault.Policy{MaxResponse: new(int64(5)), Revision: 3}},
		{vault.Policy{}, vault.Policy{}},
		{vault.Policy{}, vault.Policy{}},
		{vault.Policy{Block: []string{"a b", "é"}}, vault.Policy{Block: []string{"a b", "é"}, Revision: 1}},
	}
	ignore := cmpopts.IgnoreFields(vault.Policy{}, "UpdatedAt")
	for i, step := range steps {
		step.set.Capability, step.want.Capability = "acme/items", "acme/items"
		got, err := l.SetPolicy(ctx, step.set, 0)
		must(t, err)
		if diff := cmp.Diff(got, step.want, ignore); diff != "" {
			t.Errorf("step %d returns (-got +want):\n%s", i, diff)
		}
		stored := policyOf(t, l, "acme/items")
		switch {
		case step.want.Revision == 0:
			if stored != nil {
				t.Errorf("step %d: there still is %v", i, stored)
			}
		case !cmp.Equal(stored, &got) || got.UpdatedAt.IsZero():
			t.Errorf("step %d: stored (-got +want):\n%s", i, cmp.Diff(stored, &got))
		}
	}
	if !slices.Equal(block, []string{"token", "password", "token"}) {
		t.Errorf("the caller's names were changed to %q", block)
	}
	_, err := l.SetPolicy(ctx, vault.Policy{Capability: "acme/first", Rate: new(int64(1))}, 0)
	must(t, err)
	must(t, l.View(ctx, func(r vault.Reader) error {
		all, err := r.Policies()
		if len(all) != 2 || all[0].Capability != "acme/first" || all[1].Capability != "acme/items" {
			t.Errorf("all: %v", all)
		}
		return err
	}))
}

func TestWhatIsNoPolicy(t *testing.T) {
	t.Parallel()
	l := vaulttest.New(t, claims)
	many := make([]string, 257)
	for i := range many {
		many[i] = fmt.Sprint("f", i)
	}
	for name, p := range map[string]vault.Policy{
		"no capability":       {Rate: new(int64(1))},
		"a control in its id": {Capability: "a\n", Rate: new(int64(1))},
		"negative rate":       {Capability: "a", Rate: new(int64(-1))},
		"negative request":    {Capability: "a", MaxRequest: new(int64(-1))},
		"huge request":        {Capability: "a", MaxRequest: new(int64(1<<40 + 1))},
		"negative answer":     {Capability: "a", MaxResponse: new(int64(-1))},
		"huge answer":         {Capability: "a", MaxResponse: new(int64(1<<40 + 1))},
		"an empty name":       {Capability: "a", Block: []string{""}},
		"a long name":         {Capability: "a", Block: []string{strings.Repeat("x", 257)}},
		"a control in a name": {Capability: "a", Block: []string{"a\x00b"}},
		"a name in no UTF":    {Capability: "a", Block: []string{"\xff"}},
		"too many names":      {Capability: "a", Block: many},
	} {
		_, err := l.SetPolicy(t.Context(), p, 0)
		if fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := l.SetPolicy(t.Context(), vault.Policy{Capability: "a", Block: append(many[:256:256], many[0])}, 0)
	wantCode(t, err, "")
}

// TestPolicyRevisions: what was changed or removed meanwhile is not overwritten.
func TestPolicyRevisions(t *testing.T) {
	t.Parallel()
	l := vaulttest.New(t, claims)
	set := func(rate *int64, rev vault.IfRevision) error {
		_, err := l.SetPolicy(t.Context(), vault.Policy{Capability: "acme/items", Rate: rate}, rev)
		return err
	}
	one := new(int64(1))
	wantCode(t, set(one, 1), fault.Conflict) // there is none
	wantCode(t, set(nil, 1), fault.Conflict)
	wantCode(t, set(one, 0), "")
	wantCode(t, set(one, 2), fault.Conflict)
	wantCode(t, set(one, 1), "")
	wantCode(t, set(nil, 1), fault.Conflict)
	wantCode(t, set(nil, 2), "")
	wantCode(t, set(one, 2), fault.Conflict)
	if p := policyOf(t, l, "acme/items"); p != nil {
		t.Errorf("there is %v", p)
	}
}

// TestCase104PolicyEvents: the event of a change tells what a policy was and
// is, with the digest of each.
func TestCase104PolicyEvents(t *testing.T) {
	t.Parallel()
	l := vaulttest.New(t, claims)
	none := vault.Policy{}
	first := vault.Policy{Capability: "acme/items", Rate: new(int64(60)), MaxRequest: new(int64(1024))}
	second := vault.Policy{Capability: "acme/items", MaxResponse: new(int64(9)), Block: []string{"password", "token"}}
	long := vault.Policy{Capability: "acme/items"}
	for i := range 256 {
		long.Block = append(long.Block, fmt.Sprintf("%03d", i)+strings.Repeat("é", 120))
	}
	for _, p := range []vault.Policy{first, second, long, {Capability: "acme/items"}, {Capability: "acme/items"}} {
		_, err := l.SetPolicy(t.Context(), p, 0)
		must(t, err)
	}
	events := lastEvents(t, l, 10)
	if len(events) != 1+4 { // the last changed nothing
		t.Fatalf("%d events", len(events))
	}
	wants := []string{
		"was block 256 (000é",
		"was response 9, block 2 (password,token); is block 256 (000é",
		"was rate 60, request 1024; is response 9, block 2 (password,token); sha256",
		"was none; is rate 60, request 1024; sha256",
	}
	pairs := [][2]vault.Policy{{long, none}, {second, long}, {first, second}, {none, first}}
	for i, e := range events[:4] {
		digests := fmt.Sprintf("; sha256 was %s; is %s", pairs[i][0].Digest(), pairs[i][1].Digest())
		if e.Kind != vault.KindCapabilityPolicy || e.Outcome != vault.OutcomeOK || e.Capability != "acme/items" ||
			!strings.HasPrefix(e.Note, wants[i]) || !strings.HasSuffix(e.Note, digests) {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	if p := policyOf(t, l, "acme/items"); p != nil || first.Digest() == second.Digest() || first.Digest() == none.Digest() {
		t.Errorf("%v is there, or digests are the same", p)
	}
	other := first
	other.Capability, other.Revision, other.UpdatedAt = "acme/other", 7, time.Now()
	if other.Digest() != first.Digest() {
		t.Error("the digest is not of what the policy says alone")
	}
}

// TestDeletedCapabilities: its policy goes with a stored capability; that of
// another one stays.
func TestDeletedCapabilities(t *testing.T) {
	t.Parallel()
	l := vaulttest.New(t, claims)
	ctx := t.Context()
	for _, id := range []string{"acme/items", "acme/plain"} {
		_, err := l.CreateCapability(ctx, capability(id))
		must(t, err)
	}
	for _, id := range []string{"acme/items", "acme/built-in"} {
		_, err := l.SetPolicy(ctx, vault.Policy{Capability: id, Rate: new(int64(3))}, 0)
		must(t, err)
	}
	for _, test := range []struct {
		id   string
		want vault.RemovedCapability
	}{
		{"acme/items", vault.RemovedCapability{Capability: true, Policy: true}},
		{"acme/items", vault.RemovedCapability{}},
		{"acme/plain", vault.RemovedCapability{Capability: true}},
		{"acme/built-in", vault.RemovedCapability{}},
	} {
		if got, err := l.DeleteCapability(ctx, test.id); got != test.want || err != nil {
			t.Errorf("%s: %+v, %v", test.id, got, err)
		}
	}
	if p := policyOf(t, l, "acme/items"); p != nil {
		t.Errorf("left behind: %v", p)
	}
	if p := policyOf(t, l, "acme/built-in"); p == nil {
		t.Error("the policy of one that is not stored is gone")
	}
}

// TestNoVaultForNoPolicy: to take away what is not there makes no vault.
func TestNoVaultForNoPolicy(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	l := open(t, dir)
	p, err := l.SetPolicy(t.Context(), vault.Policy{Capability: "acme/items"}, 0)
	if err != nil || p.Revision != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	_, err = l.SetPolicy(t.Context(), vault.Policy{Capability: "acme/items"}, 4)
	wantCode(t, err, fault.Conflict)
	if p := policyOf(t, l, "acme/items"); p != nil {
		t.Errorf("there is %v", p)
	}
	if _, err := os.Lstat(filepath.Join(dir, store.File)); !os.IsNotExist(err) {
		t.Errorf("a vault was made: %v", err)
	}
}
