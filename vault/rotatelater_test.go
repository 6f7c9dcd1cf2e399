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

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// rotate gives the vault a new root key.
func rotate(t testing.TB, l *vault.Local) vault.Rotation {
	t.Helper()
	r, err := l.RotateMaster(t.Context(), vault.RotateOptions{})
	must(t, err)
	return r
}

// TestTheLogAcrossRotations is one log, whoever reads whichever part of it.
func TestTheLogAcrossRotations(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	for range 3 {
		for i := range 10 {
			must(t, vault.Record(t.Context(), l, vault.Event{Kind: vault.KindSecretUpdate, Actor: "operator"}, i))
		}
		rotate(t, l)
	}
	const n = 1 + 3*(45+1)
	for name, l := range map[string]*vault.Local{"the process": l, "another one": open(t, dir)} {
		state, err := l.VerifyAudit(t.Context())
		if err != nil || state.Events != n {
			t.Errorf("%s: %+v, %v", name, state, err)
		}
		for upTo := uint64(1); upTo <= n; upTo += 5 {
			events, err := l.Audit(t.Context(), vault.AuditQuery{UpTo: upTo, Limit: n})
			if err != nil || uint64(len(events)) != upTo || events[0].Seq != upTo {
				t.Errorf("%s: up to %d: %d events, %v", name, upTo, len(events), err)
			}
		}
	}
	// An event of each generation that is changed is found, and so is one that was
	// recorded in another generation.
	whole := read(t, vaultFile(dir))
	for _, seq := range []byte{3, 50, 100, n} {
		for what, change := range map[string]func(b []byte){
			"its text":       func(b []byte) { b[60] ^= 1 },
			"its generation": func(b []byte) { b[9] ^= 1 },
			"its link":       func(b []byte) { b[len(b)-1] ^= 1 },
		} {
			edit(t, dir, func(tx store.Tx) {
				key := []byte{0, 0, 0, 0, 0, 0, 0, seq}
				b := slices.Clone(tx.Get(store.Audit, key))
				change(b)
				must(t, tx.Put(store.Audit, key, b))
			})
			if _, err := l.VerifyAudit(t.Context()); fault.CodeOf(err) != fault.AuditBroken || !strings.Contains(err.Error(), fmt.Sprintf("at event %d:", seq)) {
				t.Errorf("event %d with %s changed: %v", seq, what, err)
			}
			must(t, os.WriteFile(vaultFile(dir), []byte(whole), 0o600))
		}
	}
	for gen := byte(1); gen <= 4; gen++ {
		edit(t, dir, func(tx store.Tx) { must(t, tx.Delete(store.Meta, []byte{'c', 'h', 'a', 'i', 'n', 0, 0, 0, gen})) })
		if _, err := l.VerifyAudit(t.Context()); fault.CodeOf(err) != fault.AuditBroken {
			t.Errorf("without the keys of generation %d: %v", gen, err)
		}
		must(t, os.WriteFile(vaultFile(dir), []byte(whole), 0o600))
	}
	vaulttest.Healthy(t, l)
}

// TestWhatIsCountedAcrossARotation: calls that are under way, limits, refusals that
// are summed up, and renewals go on where they were.
func TestWhatIsCountedAcrossARotation(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	opts := vaulttest.Options(vaulttest.Dir(t))
	opts.Claims = claims
	now := time.Duration(0)
	opts.Clock = func() (string, time.Duration) { return "boot", now }
	l := vault.New(opts)
	t.Cleanup(l.Close)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	two := int64(2)
	_, err := l.SetPolicy(ctx, vault.Policy{Capability: "acme/items", Rate: &two}, 0)
	must(t, err)
	intent := granted(t, l, acme(s.ID))
	must(t, l.BeginRenewal(ctx, intent, acme(s.ID), 1))
	must(t, limited(l, "acme/items", two, vault.Event{}))
	must(t, limited(l, "acme/items", two, vault.Event{}))
	for range 3 {
		wantCode(t, refuse(l, vault.Event{Capability: "acme/items", Path: "/no"}), fault.PolicyViolation)
	}
	_, made, err := l.Grant(ctx, 4242, vault.Context{Workspace: "w", Group: "g"})
	if !made || err != nil {
		t.Fatal(made, err)
	}
	agent := vault.WithCaller(ctx, vault.Caller{Actor: "agent", UID: 4242, Agent: true})
	asAgent := func() error {
		_, err := l.Authorize(agent, func(vault.Reader) (vault.Decision, error) {
			return vault.Decision{}, fault.New(fault.PolicyViolation, "the made-up reason")
		})
		return err
	}
	for range 300 { // after which nobody is told why
		wantCode(t, asAgent(), fault.PolicyViolation)
	}
	grants, err := l.Grants(ctx)
	must(t, err)
	before, err := take(ctx, l)
	must(t, err)
	r := rotate(t, l)
	wantCode(t, asAgent(), fault.RateLimited)
	if still, err := l.Grants(ctx); err != nil || !cmp.Equal(still, grants) || len(still) != 1 {
		t.Errorf("grants %+v, %v", still, err)
	}
	err = l.View(ctx, func(r vault.Reader) error {
		ok, err := r.Granted(4242, vault.Context{Workspace: "w", Group: "g"})
		if !ok {
			t.Error("the grant is no more")
		}
		return err
	})
	must(t, err)

	wantCode(t, limited(l, "acme/items", two, vault.Event{}), fault.RateLimited)
	wantCode(t, refuse(l, vault.Event{Capability: "acme/items", Path: "/no"}), fault.PolicyViolation)
	value, renewal, err := l.Reopen(ctx, intent, acme(s.ID))
	if err != nil || string(value.Reveal()) != "made-up" || renewal.Begun != 1 {
		t.Errorf("%+v, %v", renewal, err)
	}
	must(t, l.EndRenewal(ctx, intent, acme(s.ID), vault.RenewalEnd{Version: 1, Value: val("renewed")}))
	must(t, l.Finish(ctx, intent, ended))
	must(t, l.Flush(ctx))
	now += 2 * time.Minute
	must(t, limited(l, "acme/items", two, vault.Event{}))
	after, err := take(ctx, l)
	must(t, err)
	var denied []uint64
	for _, e := range after.Events {
		if e.Kind == vault.KindInvokeDenied && e.Path == "/no" {
			denied = append(denied, e.Count)
		}
	}
	if diff := cmp.Diff(denied, []uint64{4, 0}); diff != "" { // the first, and what all of them come to
		t.Errorf("denials (-got +want):\n%s", diff)
	}
	old := slices.IndexFunc(after.Events, func(e vault.Event) bool { return e.Seq == r.Seq-1 })
	events := after.Events[old:]
	for _, list := range [][]vault.Event{before.Events, events} {
		for i := range list {
			list[i].Count, list[i].Last = 0, time.Time{} // of refusals, while their minute is not over
		}
	}
	if diff := cmp.Diff(events, before.Events); diff != "" {
		t.Errorf("events from before (-got +want):\n%s", diff)
	}
	before.Events, after.Events = nil, nil
	before.Secrets[0].Version, before.Secrets[0].Revision = 2, 2
	before.Secrets[0].UpdatedAt, before.Secrets[0].RotatedAt = after.Secrets[0].UpdatedAt, after.Secrets[0].RotatedAt
	if diff := cmp.Diff(after, before); diff != "" {
		t.Errorf("content (-got +want):\n%s", diff)
	}
	vaulttest.Healthy(t, l)
}

// TestOthersAfterARotation: a process that has the earlier root key at hand opens
// the vault anew; one whose key was typed is locked.
func TestOthersAfterARotation(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := settled(t, keys.KindKeyring, keys.KindPassphrase)
	h.typed, h.given = "made-up words", true
	typed := h.open()
	must(t, typed.Unlock(ctx))
	h.typed, h.given = "", false
	silent := h.open()
	must(t, silent.Unlock(ctx))
	rotate(t, h.now)
	vaulttest.Create(t, h.now, vault.GlobalScope(), "ONE", "made-up")
	for _, l := range []*vault.Local{silent, h.now} {
		if got := names(t, l); got != "ONE" {
			t.Errorf("secrets %s", got)
		}
	}
	h.ring.SetMode(keystest.Locked)
	_, err := typed.Secrets(ctx, nil)
	wantCode(t, err, fault.KeyUnavailable)
	must(t, silent.Unlock(ctx)) // it has the new one at hand

	phrase := settled(t, keys.KindPassphrase)
	other := phrase.open()
	phrase.typed = "made-up words"
	must(t, other.Unlock(ctx))
	phrase.typed = "other made-up words"
	_, err = phrase.now.RotateMaster(ctx, vault.RotateOptions{Key: phrase.config(keys.KindPassphrase)})
	must(t, err)
	phrase.typed = ""
	_, err = other.Secrets(ctx, nil)
	wantCode(t, err, fault.VaultLocked)
	phrase.typed = "made-up words"
	_, err = other.Secrets(ctx, nil)
	wantCode(t, err, fault.WrongKey)
	phrase.typed = "other made-up words"
	_, err = other.Secrets(ctx, nil)
	must(t, err)
}

// TestRestoreFromBeforeARotation: what opened the backup opens the vault again, and
// the root key that was given up does not come back: every process goes on, and
// both the file that was replaced and the backup are older copies.
func TestRestoreFromBeforeARotation(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := settled(t, keys.KindFile, keys.KindPassphrase)
	vaulttest.Create(t, h.now, vault.GlobalScope(), "early", "made-up")
	file := filepath.Join(t.TempDir(), "backup")
	_, err := h.now.Backup(ctx, file, false)
	must(t, err)
	oldKey := read(t, keyFile(h.dir).Path)
	rotate(t, h.now)
	vaulttest.Create(t, h.now, vault.GlobalScope(), "late", "made-up")
	other := h.open()
	must(t, other.Unlock(ctx))

	_, err = h.now.Restore(ctx, file, vault.RestoreOptions{Back: true})
	wantCode(t, err, fault.KeyUnavailable) // its key file is gone, and nobody types
	h.typed = "made-up words"
	c, err := h.now.Compare(ctx, file)
	if err != nil || c.Damage != nil || c.Lost != 2 || c.LostChanges != 2 || c.Events != 6 {
		t.Errorf("%+v, %v", c, err)
	}
	replaced := read(t, vaultFile(h.dir))
	r, err := h.now.Restore(ctx, file, vault.RestoreOptions{Back: true})
	must(t, err)
	if r.Lost != 2 || r.Seq != 5 {
		t.Errorf("%+v", r)
	}
	for what, l := range map[string]*vault.Local{"the process": h.now, "another one": other, "a new one": h.open()} {
		if got := names(t, l); got != "early" {
			t.Errorf("%s: secrets %s", what, got)
		}
		vaulttest.Healthy(t, l)
	}
	// The key file of then opens it, too, once it is put back.
	must(t, os.WriteFile(keyFile(h.dir).Path, []byte(oldKey), 0o600))
	h.typed = ""
	if got, err := h.opener(); got != keys.KindFile || err != nil {
		t.Errorf("opened by %q, %v", got, err)
	}
	if next := rotate(t, h.open()); next.Generation != 4 { // 2 was given up, and 3 is that of the restored vault
		t.Errorf("%+v", next)
	}
	h.typed = "made-up words"
	for what, content := range map[string]string{"what was replaced": replaced, "the backup": read(t, file)} {
		must(t, os.WriteFile(vaultFile(h.dir), []byte(content), 0o600))
		if _, err := h.open().Secrets(ctx, nil); fault.CodeOf(err) != fault.VaultRollback {
			t.Errorf("%s is the vault again: %v", what, err)
		}
	}
}

// TestAcceptFromBeforeARotation is the other way back, with the same outcome.
func TestAcceptFromBeforeARotation(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := settled(t, keys.KindKeyring, keys.KindPassphrase)
	vaulttest.Create(t, h.now, vault.GlobalScope(), "early", "made-up")
	old := read(t, vaultFile(h.dir))
	rotate(t, h.now)
	vaulttest.Create(t, h.now, vault.GlobalScope(), "late", "made-up")
	must(t, os.WriteFile(vaultFile(h.dir), []byte(old), 0o600))
	h.typed = "made-up words"
	l := h.open()
	_, err := l.Secrets(ctx, nil)
	wantCode(t, err, fault.VaultRollback)
	if _, found := failed(t, h.open())["anchor"]; !found {
		t.Error("doctor finds nothing")
	}
	seq, err := l.AcceptOlder(ctx)
	must(t, err)
	for what, l := range map[string]*vault.Local{"the process": l, "another one": h.now, "a new one": h.open()} {
		if got := names(t, l); got != "early" {
			t.Errorf("%s: secrets %s", what, got)
		}
		if e := lastEvents(t, l, 1)[0]; e.Kind != vault.KindVaultAccept || e.Seq != seq || !strings.Contains(e.Note, "before the root key was changed") {
			t.Errorf("%s: the log ends with %+v", what, e)
		}
		vaulttest.Healthy(t, l)
	}
}

// TestSalvageAfterRotations keeps the whole log, as long as its keys are there.
func TestSalvageAfterRotations(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	one := vaulttest.Create(t, l, vault.GlobalScope(), "one", "made-up")
	rotate(t, l)
	vaulttest.Create(t, l, vault.GlobalScope(), "two", "made-up")
	rotate(t, l)
	damage(t, dir, one.ID)
	for _, test := range []struct { // one after the other, as what is spoiled stays so
		name         string
		spoil        func(tx store.Tx)
		events, lost uint64
	}{
		{"a record", func(store.Tx) {}, 5, 0},
		{"keys of then", func(tx store.Tx) { must(t, tx.Delete(store.Meta, []byte("chain\x00\x00\x00\x02"))) }, 2, 3},
	} {
		edit(t, dir, test.spoil)
		into := filepath.Join(t.TempDir(), "new")
		s, err := l.Salvage(t.Context(), into)
		if err != nil || s.Events != test.events || s.LostEvents != test.lost || s.Kept["secret"] != 1 {
			t.Errorf("%s: %+v, %v", test.name, s, err)
		}
		saved := open(t, into)
		vaulttest.Healthy(t, saved)
		if r := rotate(t, saved); r.Generation != 4 || names(t, saved) != "two" {
			t.Errorf("%s: %+v", test.name, r)
		}
		vaulttest.Healthy(t, saved)
	}
}

// TestDoctorAsksADeadKeyringLittle: each question to a keyring that does not answer
// may take seconds, so that the keys which a rotation can have left are not asked for
// one by one.
func TestDoctorAsksADeadKeyringLittle(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindKeyring, keys.KindFile)
	for range 3 {
		_, err := h.now.RotateMaster(t.Context(), vault.RotateOptions{})
		must(t, err)
	}
	h.ring.SetMode(keystest.Locked)
	before := h.ring.Calls()
	r, err := h.open().Doctor(t.Context())
	must(t, err)
	if err := r.Err(); err != nil { // the file opens it
		t.Error(err)
	}
	// For keys that are left, whether it is there, and its anchor, to read and to write.
	if n := h.ring.Calls() - before; n > 4 {
		t.Errorf("Doctor asked a keyring that is locked %d times", n)
	}
}
