package vault_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// A household is a vault in a keyring, and the outside world that can open it.
type household struct {
	*testing.T
	dir   string
	ring  *keystest.Keyring
	vars  map[string]string
	typed string          // what is typed when somebody is asked; empty: nobody is there
	given bool            // it was said beforehand
	asked []keys.Question // what somebody was asked
	paper string          // the last recovery key
	now   *vault.Local    // the vault as it was left open
	slots map[string]vault.Slot
}

// settled is a household whose vault has the slots of these kinds.
func settled(t *testing.T, kinds ...keys.Kind) *household {
	t.Helper()
	h := &household{T: t, dir: vaulttest.Dir(t), ring: &keystest.Keyring{}, vars: map[string]string{}, slots: map[string]vault.Slot{}}
	h.now = h.open()
	h.typed = "made-up words"
	for i, kind := range kinds {
		cfg := h.config(kind)
		if i == 0 {
			st, err := h.now.Init(t.Context(), cfg)
			must(t, err)
			h.slots[string(kind)] = st.Slots[0]
			continue
		}
		slot, err := h.now.AddSlot(t.Context(), cfg)
		must(t, err)
		h.slots[string(kind)] = slot
	}
	h.typed, h.asked = "", nil
	return h
}

func (h *household) config(kind keys.Kind) keys.Config {
	switch kind {
	case keys.KindKeyring:
		return keys.Config{Kind: kind, Service: keys.KeyringService}
	case keys.KindFile:
		return keyFile(h.dir)
	case keys.KindEnv:
		h.vars["MADE_UP"] = strings.Repeat("42", keys.KeySize)
		return keys.Config{Kind: kind, Var: "MADE_UP"}
	case keys.KindPassphrase:
		return keystest.PassphraseConfig()
	}
	return keys.Config{Kind: kind}
}

// open is another process, which knows nothing yet.
func (h *household) open() *vault.Local {
	opts := vaulttest.Options(h.dir)
	opts.Keys = keys.Source{
		Getenv:  func(name string) string { return h.vars[name] },
		Keyring: h.ring,
		Ask: func(_ context.Context, q keys.Question) (opaque.Bytes, error) {
			h.asked = append(h.asked, q)
			if h.typed == "" {
				return nil, fault.New(fault.VaultLocked, "there is no terminal")
			}
			return opaque.New([]byte(h.typed)), nil
		},
		Given: func() bool { return h.given },
		Keep:  func(text opaque.Bytes) error { h.paper = string(text.Reveal()); return nil },
	}
	l := vault.New(opts)
	h.Cleanup(l.Close)
	return l
}

// opener returns the kind of the slot by which a new process opens the vault.
func (h *household) opener() (keys.Kind, error) {
	l := h.open()
	slots, err := l.Slots(h.Context())
	for _, s := range slots {
		if s.Opened {
			return s.Key.Kind, err
		}
	}
	return "", err
}

// TestAnySlotOpens: those that ask nobody come first, and one that cannot be used
// hides no other.
func TestAnySlotOpens(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindKeyring, keys.KindPassphrase, keys.KindRecovery, keys.KindFile, keys.KindEnv)
	var order []string
	slots, err := h.now.Slots(t.Context())
	must(t, err)
	for _, s := range slots {
		order = append(order, string(s.Key.Kind))
		if s.CreatedAt.IsZero() || s.Opened != (s.Key.Kind == keys.KindKeyring) {
			t.Errorf("slot %+v", s)
		}
	}
	if diff := cmp.Diff(order, []string{"env", "file", "keyring", "recovery", "passphrase"}); diff != "" {
		t.Errorf("order (-got +want):\n%s", diff)
	}
	for _, step := range []struct {
		lose func()
		want keys.Kind
	}{
		{func() {}, keys.KindEnv},
		{func() { h.vars = nil }, keys.KindFile},
		{func() { must(t, removeFile(h.dir, "kek.key")) }, keys.KindKeyring},
		{func() { h.ring.SetMode(keystest.Locked); h.typed = strings.ToLower(h.paper) }, keys.KindRecovery},
		{func() { h.typed = "made-up words" }, keys.KindPassphrase},
	} {
		step.lose()
		if got, err := h.opener(); got != step.want {
			t.Errorf("it is opened by %q, not %q: %v", got, step.want, err)
		}
	}
	if len(h.asked) != 2 {
		t.Fatalf("somebody was asked %d times", len(h.asked))
	}
	for _, q := range h.asked {
		if q.String() != "passphrase or recovery key" || q.New || fault.CodeOf(q.Why) != fault.KeyUnavailable {
			t.Errorf("asked %+v", q)
		}
	}
	vaulttest.Healthy(t, h.now)
}

func removeFile(dir, name string) error { return os.Remove(filepath.Join(dir, name)) }

// TestNoSlotOpens: the error names what each said, and the way in.
// Case 113.
func TestNoSlotOpens(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindKeyring, keys.KindFile, keys.KindPassphrase, keys.KindRecovery)
	must(t, removeFile(h.dir, "kek.key"))
	must(t, h.ring.Delete(t.Context(), keys.KeyringService, h.slots["keyring"].Key.Account))
	tests := map[string]struct {
		typed string
		given bool
		code  fault.Code
		says  []string
		hint  string
	}{
		"nobody to ask": {"", false, fault.KeyUnavailable, []string{"kek.key", "there is no keyring entry", "no terminal"}, "--passphrase-file"},
		"wrong":         {"CANARY words", false, fault.WrongKey, []string{"the passphrase does not open", "not the recovery key", "kek.key", "there is no keyring entry"}, "again"},
		"another's":     {otherPaper, false, fault.WrongKey, []string{"the recovery key does not open", "the passphrase does not open"}, "again"},
		"given":         {"CANARY words", true, fault.WrongKey, []string{"the passphrase does not open"}, "again"},
	}
	for name, test := range tests {
		h.typed, h.given = test.typed, test.given
		_, err := h.opener()
		if fault.CodeOf(err) != test.code || !strings.Contains(fault.HintOf(err), test.hint) {
			t.Errorf("%s: %s: %v; hint %q", name, fault.CodeOf(err), err, fault.HintOf(err))
		}
		for _, want := range test.says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
		if test.typed != "" && strings.Contains(err.Error()+fault.HintOf(err), test.typed) {
			t.Errorf("%s: the error shows what was typed", name)
		}
		if test.given && strings.Contains(err.Error(), "kek.key") {
			t.Errorf("%s: other slots were tried: %v", name, err)
		}
	}
	// Status asks nobody, and tells what could be typed.
	h.typed, h.given, h.asked = "made-up words", false, nil
	st, err := h.open().Status(t.Context())
	if typed := st.Typed(); err != nil || !st.Locked || len(h.asked) > 0 || !typed.Passphrase || !typed.Recovery || len(st.Slots) != 4 {
		t.Errorf("status %+v, %v; asked %v", st, err, h.asked)
	}
	if fault.CodeOf(st.KeyError) != fault.KeyUnavailable || !strings.Contains(fault.HintOf(st.KeyError), "aivault key add") {
		t.Errorf("status: %v, hint %q", st.KeyError, fault.HintOf(st.KeyError))
	}
}

// otherPaper is a recovery key of no vault.
const otherPaper = "3AHRZ-6DMV2-9GQY5-CKT18-FPX4B-JS07E-NW3AC-ERDQF"

// TestWhatWasGivenIsUsed: it comes before a keyring that may hang.
func TestWhatWasGivenIsUsed(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindKeyring, keys.KindPassphrase)
	calls := h.ring.Calls()
	h.typed, h.given = "made-up words", true
	if got, err := h.opener(); got != keys.KindPassphrase || err != nil {
		t.Errorf("opened by %q, %v", got, err)
	}
	if h.ring.Calls() != calls {
		t.Error("the keyring was asked")
	}
	// A caller who goes away while the keyring hangs is not asked anything.
	h.given, h.asked = false, nil
	h.ring.SetMode(keystest.Hanging)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantCode(t, h.open().Unlock(ctx), fault.Canceled)
	if len(h.asked) > 0 {
		t.Errorf("asked %v", h.asked)
	}
}

// TestTheKeyringIsLost is what recovery keys are for.
func TestTheKeyringIsLost(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindKeyring, keys.KindRecovery)
	vaulttest.Create(t, h.now, vault.GlobalScope(), "ONE", "made-up-value")
	must(t, h.ring.Delete(t.Context(), keys.KeyringService, h.slots["keyring"].Key.Account))
	_, err := h.opener()
	wantCode(t, err, fault.KeyUnavailable)

	h.typed = h.paper
	l := h.open()
	added, err := l.AddSlot(t.Context(), h.config(keys.KindKeyring))
	must(t, err)
	if added.Key.Account == h.slots["keyring"].Key.Account || !strings.HasPrefix(added.Key.Account, h.slots["keyring"].Key.Account+".") {
		t.Errorf("the new entry is %s", added.Key.Account)
	}
	h.typed = ""
	if got, err := h.opener(); got != keys.KindKeyring || err != nil {
		t.Errorf("opened by %q, %v", got, err)
	}
	gone, err := l.RemoveSlot(t.Context(), h.slots["keyring"].ID)
	if !gone || err != nil {
		t.Errorf("the lost slot: %v, %v", gone, err)
	}
	var log []string
	for _, e := range lastEvents(t, l, 3) {
		log = append(log, e.Kind+" "+strings.Fields(e.Note)[0]+" "+e.Outcome)
		if strings.Contains(e.Note, h.paper[:5]) {
			t.Error("the audit log has a recovery key")
		}
	}
	if log[0] != "key.remove keyring ok" || log[1] != "key.add keyring ok" {
		t.Errorf("events %q", log)
	}
	if file := read(t, vaultFile(h.dir)); strings.Contains(file, h.paper) || strings.Contains(file, h.paper[:11]) || strings.Contains(file, strings.ReplaceAll(h.paper, "-", "")[:12]) {
		t.Error("the file has a recovery key")
	}
	vaulttest.Healthy(t, l)
}

func TestAddSlotRefuses(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := settled(t, keys.KindKeyring, keys.KindFile)
	_, err := h.now.AddSlot(ctx, keyFile(h.dir))
	wantCode(t, err, fault.AlreadyExists)
	h.vars["SAME"] = read(t, filepath.Join(h.dir, "kek.key"))
	_, err = h.now.AddSlot(ctx, keys.Config{Kind: keys.KindEnv, Var: "SAME"})
	wantCode(t, err, fault.AlreadyExists)
	_, err = h.now.AddSlot(ctx, keys.Config{Kind: keys.KindEnv, Var: "NOT_SET"})
	wantCode(t, err, fault.KeyUnavailable)
	_, err = h.now.AddSlot(ctx, keys.Config{Kind: "made-up"})
	wantCode(t, err, fault.InvalidRequest)
	_, err = h.now.AddSlot(ctx, h.slots["keyring"].Key)
	wantCode(t, err, fault.AlreadyExists)

	// A keyring entry whose slot could not be stored is not left behind.
	entries := h.ring.Accounts(keys.KeyringService)
	for range 30 {
		_, err = h.now.AddSlot(ctx, keys.Config{Kind: keys.KindRecovery})
		must(t, err)
	}
	_, err = h.now.AddSlot(ctx, h.config(keys.KindKeyring))
	wantCode(t, err, fault.Conflict)
	if n := h.ring.Accounts(keys.KeyringService); n != entries {
		t.Errorf("%d entries became %d", entries, n)
	}
	_, err = vault.New(vaulttest.Options(vaulttest.Dir(t))).AddSlot(ctx, keys.Config{Kind: keys.KindEnv})
	wantCode(t, err, fault.InvalidRequest)
	vaulttest.Healthy(t, h.now)
}

// TestANewKeyInAnOldPlace: a slot whose key was replaced goes, as it can open
// nothing any more.
func TestANewKeyInAnOldPlace(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindFile, keys.KindEnv)
	must(t, removeFile(h.dir, "kek.key"))
	_, err := h.now.AddSlot(t.Context(), keyFile(h.dir))
	must(t, err)
	slots, err := h.now.Slots(t.Context())
	must(t, err)
	if len(slots) != 2 || slots[1].ID == h.slots["file"].ID || slots[1].Key.Path != filepath.Join(h.dir, "kek.key") {
		t.Errorf("slots %+v", slots)
	}
	h.vars = nil
	if got, err := h.opener(); got != keys.KindFile || err != nil {
		t.Errorf("opened by %q, %v", got, err)
	}
	vaulttest.Healthy(t, h.now)
}

func TestRemoveSlot(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := settled(t, keys.KindKeyring, keys.KindFile, keys.KindPassphrase)
	if gone, err := h.now.RemoveSlot(ctx, vault.ID{1}); gone || err != nil {
		t.Errorf("one that is not there: %v, %v", gone, err)
	}
	if gone, err := h.now.RemoveSlot(ctx, h.slots["passphrase"].ID); !gone || err != nil {
		t.Errorf("%v, %v", gone, err)
	}
	h.typed, h.given = "made-up words", true // of a slot that is no more: it opens nothing, and is not looked at
	h.ring.SetMode(keystest.Locked)
	if got, err := h.opener(); got != keys.KindFile || err != nil {
		t.Errorf("opened by %q, %v", got, err)
	}
	// The one that opened the vault stays, where no other does now.
	byFile := h.open()
	_, err := byFile.RemoveSlot(ctx, h.slots["file"].ID)
	wantCode(t, err, fault.Conflict)
	if !strings.Contains(err.Error(), "the keyring is locked") {
		t.Errorf("%v", err)
	}
	h.ring.SetMode(keystest.Working)
	if gone, err := byFile.RemoveSlot(ctx, h.slots["file"].ID); !gone || err != nil {
		t.Errorf("%v, %v", gone, err)
	}
	_, err = h.open().RemoveSlot(ctx, h.slots["keyring"].ID)
	wantCode(t, err, fault.Conflict)
	if got, err := h.opener(); got != keys.KindKeyring || err != nil {
		t.Errorf("opened by %q, %v", got, err)
	}
	vaulttest.Healthy(t, h.now)
}

// TestEditedSlots: who edits the file can neither add a slot, nor hide one, nor
// put one back: whoever opens the vault is told, and so is whoever looks at the
// slots of one that is open.
func TestEditedSlots(t *testing.T) {
	t.Parallel()
	other := settled(t, keys.KindEnv)
	attacks := map[string]func(h *household, tx store.Tx, removed []byte){
		"hidden": func(h *household, tx store.Tx, _ []byte) {
			id := h.slots["recovery"].ID
			must(t, tx.Delete(store.Slots, id[:]))
		},
		"hidden, with what is known of it": func(h *household, tx store.Tx, _ []byte) {
			id := h.slots["recovery"].ID
			must(t, tx.Delete(store.Slots, id[:]))
			must(t, tx.Delete(store.Records, append([]byte{11}, id[:]...)))
		},
		"put back": func(h *household, tx store.Tx, removed []byte) {
			id := h.slots["passphrase"].ID
			must(t, tx.Put(store.Slots, id[:], removed))
		},
		"of another vault": func(_ *household, tx store.Tx, _ []byte) {
			edit(t, other.dir, func(from store.Tx) {
				keys, values := rows(t, from, store.Slots)
				must(t, tx.Put(store.Slots, keys[0], values[0]))
			})
		},
		"changed": func(h *household, tx store.Tx, _ []byte) {
			id := h.slots["recovery"].ID
			b := bytes.Clone(tx.Get(store.Slots, id[:]))
			b[len(b)-1] ^= 1
			must(t, tx.Put(store.Slots, id[:], b))
		},
		"under another id": func(h *household, tx store.Tx, _ []byte) {
			id := h.slots["recovery"].ID
			must(t, tx.Put(store.Slots, make([]byte, 16), bytes.Clone(tx.Get(store.Slots, id[:]))))
		},
		"malformed": func(_ *household, tx store.Tx, _ []byte) {
			must(t, tx.Put(store.Slots, make([]byte, 16), []byte("x")))
		},
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := settled(t, keys.KindFile, keys.KindRecovery, keys.KindPassphrase)
			vaulttest.Create(t, h.now, vault.GlobalScope(), "ONE", "made-up-value")
			var removed []byte
			id := h.slots["passphrase"].ID
			edit(t, h.dir, func(tx store.Tx) { removed = bytes.Clone(tx.Get(store.Slots, id[:])) })
			if gone, err := h.now.RemoveSlot(t.Context(), id); !gone || err != nil {
				t.Fatalf("%v, %v", gone, err)
			}
			vaulttest.Healthy(t, h.open())
			edit(t, h.dir, func(tx store.Tx) { attack(h, tx, removed) })

			wantCode(t, h.open().Unlock(t.Context()), fault.VaultCorrupt)
			_, err := h.now.Slots(t.Context())
			wantCode(t, err, fault.VaultCorrupt)
			_, err = h.now.AddSlot(t.Context(), keys.Config{Kind: keys.KindRecovery}) // which would make it good
			wantCode(t, err, fault.VaultCorrupt)
			_, err = h.now.RemoveSlot(t.Context(), h.slots["file"].ID)
			wantCode(t, err, fault.VaultCorrupt)
			for _, l := range []*vault.Local{h.open(), h.now} {
				bad := failed(t, l)
				if _, ok := bad["slots"]; !ok {
					t.Errorf("Doctor finds no fault with the slots, but %v", bad)
				}
			}
			// What an open vault writes does not make it good either.
			vaulttest.Create(t, h.now, vault.GlobalScope(), "TWO", "made-up-value")
			wantCode(t, h.open().Unlock(t.Context()), fault.VaultCorrupt)
		})
	}
}
