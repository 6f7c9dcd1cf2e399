package vault_test

import (
	"bytes"
	"fmt"
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
	"aivault/vault/vaulttest"
)

// everyKind are the kinds of slots, in the order in which they are tried.
var everyKind = []keys.Kind{keys.KindEnv, keys.KindFile, keys.KindKeyring, keys.KindRecovery, keys.KindPassphrase}

// newKey is a key that somebody made.
func newKey(fill byte) keys.Key { return opaque.New(bytes.Repeat([]byte{fill}, keys.KeySize)) }

// lose has the keys of these kinds be out of reach.
func (h *household) lose(kinds ...keys.Kind) {
	for _, kind := range kinds {
		switch kind {
		case keys.KindEnv:
			h.vars = map[string]string{}
		case keys.KindFile:
			files, err := filepath.Glob(filepath.Join(h.dir, "*.key"))
			must(h, err)
			for _, f := range files {
				must(h, os.Rename(f, f+".away"))
			}
		case keys.KindKeyring:
			h.ring.SetMode(keystest.Locked)
		}
	}
}

// TestRotateMaster: whichever slot opened the vault has a new key afterwards, of the
// same sort or a passphrase, and every other slot opens it as before.
//
// Case 120.
// Fault F23.
func TestRotateMaster(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		by   keys.Kind
		opts vault.RotateOptions
		want keys.Kind
		left string // the files beside the vault that are keys
	}{
		"keyring":               {keys.KindKeyring, vault.RotateOptions{}, keys.KindKeyring, "kek.key"},
		"file":                  {keys.KindFile, vault.RotateOptions{}, keys.KindFile, "kek-*.key"},
		"file, given":           {keys.KindFile, vault.RotateOptions{NewKey: newKey(7)}, keys.KindFile, "kek-*.key"},
		"passphrase":            {keys.KindPassphrase, vault.RotateOptions{Key: keystest.PassphraseConfig()}, keys.KindPassphrase, "kek.key"},
		"keyring to passphrase": {keys.KindKeyring, vault.RotateOptions{Key: keystest.PassphraseConfig()}, keys.KindPassphrase, "kek.key"},
		"file to passphrase":    {keys.KindFile, vault.RotateOptions{Key: keystest.PassphraseConfig()}, keys.KindPassphrase, ""},
		"env to passphrase":     {keys.KindEnv, vault.RotateOptions{Key: keystest.PassphraseConfig()}, keys.KindPassphrase, "kek.key"},
		"recovery to passphrase": {
			keys.KindRecovery, vault.RotateOptions{Key: keystest.PassphraseConfig()}, keys.KindPassphrase, "kek.key",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := settled(t, everyKind...)
			s := vaulttest.Create(t, h.now, vault.GlobalScope(), "ONE", "made-up-value")
			_, err := h.now.CreateCredential(t.Context(), credential("acme-2", s.ID, "api.acme.test"), nil)
			must(t, err)
			old := h.keep()
			l := h.openBy(test.by)
			was := h.slots[string(test.by)]
			h.typed = "other made-up words"
			r, err := l.RotateMaster(t.Context(), test.opts)
			must(t, err)
			if r.Generation != 2 || r.Old.ID != was.ID || r.Slot.Key.Kind != test.want || r.Unfinished || r.Left != nil {
				t.Errorf("%+v", r)
			}
			e := lastEvents(t, l, 1)[0]
			if e.Kind != vault.KindVaultRotate || e.Seq != r.Seq || !strings.Contains(e.Note, r.Slot.ID.String()[:8]) {
				t.Errorf("the log ends with %+v", e)
			}
			slots, err := l.Slots(t.Context())
			must(t, err)
			if len(slots) != len(everyKind) {
				t.Errorf("%d slots", len(slots))
			}
			for _, slot := range slots {
				if slot.Opened != (slot.ID == r.Slot.ID) || slot.Retiring || slot.CreatedAt.IsZero() {
					t.Errorf("slot %+v", slot)
				}
			}
			if got, err := reveal(t.Context(), l, s.ID, "api.acme.test"); got != "made-up-value" || err != nil {
				t.Errorf("the value is %q, %v", got, err)
			}
			if got := h.keyFiles(); got != test.left {
				t.Errorf("key files %s, want %s", got, test.left)
			}
			if n := h.ring.Accounts(keys.KeyringService); n != map[bool]int{true: 0, false: 2}[test.by == keys.KindKeyring && test.want != test.by] {
				t.Errorf("%d entries of the keyring", n) // the key, and the anchor
			}
			vaulttest.Healthy(t, l)
			h.checkSlots(r, test.by, test.want)
			h.checkOld(old, test.by)
		})
	}
}

// openBy is a process that opens the vault by the slot of a kind.
func (h *household) openBy(kind keys.Kind) *vault.Local {
	h.Helper()
	vars := h.vars
	defer func() { h.vars = vars }()
	l := h.open()
	switch kind {
	case keys.KindPassphrase, keys.KindRecovery:
		h.typed, h.given = map[bool]string{true: "made-up words", false: h.paper}[kind == keys.KindPassphrase], true
		defer func() { h.typed, h.given = "", false }()
	case keys.KindFile:
		h.vars = map[string]string{}
	case keys.KindKeyring:
		h.vars = map[string]string{}
		must(h, os.Rename(keyFile(h.dir).Path, keyFile(h.dir).Path+".away"))
		defer func() { must(h, os.Rename(keyFile(h.dir).Path+".away", keyFile(h.dir).Path)) }()
	}
	slots, err := l.Slots(h.Context())
	must(h, err)
	for _, s := range slots {
		if s.Opened && s.Key.Kind != kind {
			h.Fatalf("opened by %s", s.Key)
		}
	}
	return l
}

// keyFiles names the key files beside the vault, the ids of slots aside.
func (h *household) keyFiles() string {
	files, err := filepath.Glob(filepath.Join(h.dir, "*.key"))
	must(h, err)
	var names []string
	for _, f := range files {
		name := filepath.Base(f)
		if strings.HasPrefix(name, "kek-") {
			name = "kek-*.key"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// checkSlots opens the vault by each of its slots.
func (h *household) checkSlots(r vault.Rotation, by, now keys.Kind) {
	h.Helper()
	h.given = false
	steps := []struct {
		kind  keys.Kind
		lose  []keys.Kind
		typed string
	}{
		{keys.KindEnv, nil, ""},
		{keys.KindFile, []keys.Kind{keys.KindEnv}, ""},
		{keys.KindKeyring, []keys.Kind{keys.KindFile}, ""},
		{keys.KindRecovery, []keys.Kind{keys.KindKeyring}, h.paper},
		{keys.KindPassphrase, nil, "made-up words"},
		{keys.KindPassphrase, nil, "other made-up words"},
	}
	for _, step := range steps {
		h.lose(step.lose...)
		gone := step.kind == by && now != by // it is a passphrase now
		if step.typed == "made-up words" && by == keys.KindPassphrase || step.typed == "other made-up words" && now != keys.KindPassphrase {
			gone = true
		}
		h.typed = step.typed
		if gone && step.typed == "" {
			continue // another one opens it
		}
		got, err := h.opener()
		if gone && err == nil || !gone && got != step.kind {
			h.Errorf("%s: opened by %q, %v", step.kind, got, err)
		}
	}
}

// An olderVault is a copy of a vault's file and keys from before.
type olderVault struct{ file, key string }

func (h *household) keep() olderVault {
	return olderVault{read(h, vaultFile(h.dir)), read(h, keyFile(h.dir).Path)}
}

// checkOld: who has the file and the keys from before can open that, and nothing of
// what came after.
func (h *household) checkOld(old olderVault, by keys.Kind) {
	h.Helper()
	if by != keys.KindFile {
		return // the key of the file opens the vault still
	}
	dir := vaulttest.Dir(h)
	must(h, os.WriteFile(vaultFile(dir), []byte(old.file), 0o600))
	must(h, os.WriteFile(keyFile(dir).Path, []byte(old.key), 0o600))
	then := open(h, dir)
	if got := names(h, then); got != "ONE" {
		h.Errorf("the older copy has %s", got)
	}
	must(h, os.WriteFile(vaultFile(dir), []byte(read(h, vaultFile(h.dir))), 0o600))
	for what, l := range map[string]*vault.Local{"the process": then, "another one": open(h, dir)} {
		if _, err := l.Secrets(h.Context(), nil); fault.CodeOf(err) != fault.WrongKey && fault.CodeOf(err) != fault.KeyUnavailable {
			h.Errorf("%s with the old key opens the new file: %v", what, err)
		}
	}
}

// TestRotateRefuses: what cannot be is told before anything was changed or stored.
func TestRotateRefuses(t *testing.T) {
	t.Parallel()
	typed := vault.RotateOptions{Key: keystest.PassphraseConfig()}
	tests := map[string]struct {
		by   keys.Kind
		opts vault.RotateOptions
		code fault.Code
		hint string
	}{
		"a variable":              {keys.KindEnv, vault.RotateOptions{}, fault.Usage, "--new-key-file"},
		"a recovery key":          {keys.KindRecovery, vault.RotateOptions{}, fault.Conflict, "key add"},
		"a key for the keyring":   {keys.KindKeyring, vault.RotateOptions{NewKey: newKey(7)}, fault.Usage, "without"},
		"a key for a passphrase":  {keys.KindPassphrase, vault.RotateOptions{NewKey: newKey(7)}, fault.Usage, "without"},
		"a key and a passphrase":  {keys.KindFile, vault.RotateOptions{NewKey: newKey(7), Key: typed.Key}, fault.Usage, ""},
		"another provider":        {keys.KindFile, vault.RotateOptions{Key: keys.Config{Kind: keys.KindKeyring}}, fault.InvalidRequest, "key add"},
		"the key of another slot": {keys.KindFile, vault.RotateOptions{NewKey: newKey(0x42)}, fault.AlreadyExists, "key list"},
		"nobody to ask":           {keys.KindPassphrase, typed, fault.VaultLocked, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := settled(t, everyKind...)
			l := h.openBy(test.by)
			before, entries := read(t, vaultFile(h.dir)), h.ring.Accounts(keys.KeyringService)
			_, err := l.RotateMaster(t.Context(), test.opts)
			wantCode(t, err, test.code)
			if !strings.Contains(fault.HintOf(err), test.hint) {
				t.Errorf("hint %q", fault.HintOf(err))
			}
			if read(t, vaultFile(h.dir)) != before || h.keyFiles() != "kek.key" || h.ring.Accounts(keys.KeyringService) != entries {
				t.Errorf("something was changed: %s", h.keyFiles())
			}
		})
	}
	_, err := open(t, vaulttest.Dir(t)).RotateMaster(t.Context(), vault.RotateOptions{})
	wantCode(t, err, fault.InvalidRequest)
	forgetful := settled(t, keys.KindKeyring)
	forgetful.ring.SetMode(keystest.Forgetful)
	_, err = forgetful.now.RotateMaster(t.Context(), vault.RotateOptions{})
	wantCode(t, err, fault.KeyUnavailable)
	forgetful.ring.SetMode(keystest.Working)
	vaulttest.Healthy(t, forgetful.open())
}

// TestRotateUnfinished: a new key that only a person can put in its place, in a
// variable or a file that cannot be made, opens the vault beside the old one until
// it was.
func TestRotateUnfinished(t *testing.T) {
	t.Parallel()
	for _, kind := range []keys.Kind{keys.KindEnv, keys.KindFile} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := settled(t, keys.KindPassphrase)
			cfg := h.config(kind)
			put := func(key keys.Key) { h.vars["MADE_UP"] = fmt.Sprintf("%x", key.Reveal()) }
			if kind == keys.KindFile {
				cfg.Path = deepFile(t)
				put = func(key keys.Key) { must(t, os.WriteFile(cfg.Path, fmt.Appendf(nil, "%x", key.Reveal()), 0o600)) }
			}
			put(newKey(1))
			h.typed = "made-up words"
			_, err := h.now.AddSlot(t.Context(), cfg)
			must(t, err)
			l := h.open()
			if kind == keys.KindFile {
				_, err := l.RotateMaster(t.Context(), vault.RotateOptions{})
				wantCode(t, err, fault.IO)
				if !strings.Contains(fault.HintOf(err), "--new-key-file") {
					t.Errorf("hint %q", fault.HintOf(err))
				}
			}
			_, err = l.FinishRotation(t.Context())
			wantCode(t, err, fault.Conflict)
			r, err := l.RotateMaster(t.Context(), vault.RotateOptions{NewKey: newKey(2)})
			must(t, err)
			if !r.Unfinished || r.Generation != 2 || r.Slot.Key.String() != cfg.String() {
				t.Errorf("%+v", r)
			}
			h.checkRetiring(l, r)
			for _, key := range []keys.Key{newKey(2), newKey(1)} {
				put(key)
				if got, err := h.opener(); got != kind || err != nil {
					t.Errorf("opened by %q, %v", got, err)
				}
			}
			_, err = l.RotateMaster(t.Context(), vault.RotateOptions{NewKey: newKey(3)})
			wantCode(t, err, fault.Conflict)
			_, err = h.open().FinishRotation(t.Context()) // with the old key in its place
			wantCode(t, err, fault.Conflict)

			put(newKey(2))
			done, err := l.FinishRotation(t.Context()) // which was opened by the old one
			must(t, err)
			if done.Old.ID != r.Old.ID || done.Slot.ID != r.Slot.ID || done.Generation != 3 {
				t.Errorf("%+v", done)
			}
			if got, err := h.opener(); got != kind || err != nil {
				t.Errorf("opened by %q, %v", got, err)
			}
			put(newKey(1))
			if got, err := h.opener(); got != keys.KindPassphrase || err != nil {
				t.Errorf("opened by %q, %v", got, err)
			}
			vaulttest.Healthy(t, l)
		})
	}
}

// deepFile is a path as long as one may be, so that no longer name is possible
// beside it: a place where nobody, root included, can make another file.
func deepFile(t *testing.T) string {
	t.Helper()
	const longest = 4095 // PATH_MAX of Linux, with its NUL
	dir := t.TempDir()
	for len(dir) < longest-300 {
		dir = filepath.Join(dir, strings.Repeat("d", 200))
	}
	dir = filepath.Join(dir, strings.Repeat("e", longest-len(dir)-len("//kek.key")))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Skip("paths of this system are shorter:", err)
	}
	return filepath.Join(dir, "kek.key")
}

// checkRetiring: both slots are there, and every view of them says which one goes.
func (h *household) checkRetiring(l *vault.Local, r vault.Rotation) {
	h.Helper()
	slots, err := l.Slots(h.Context())
	must(h, err)
	st, err := l.Status(h.Context())
	must(h, err)
	for _, list := range [][]vault.Slot{slots, st.Slots} {
		got := map[vault.ID]bool{}
		for _, s := range list {
			got[s.ID] = s.Retiring
		}
		want := map[vault.ID]bool{r.Old.ID: true, r.Slot.ID: false, h.slots["passphrase"].ID: false}
		if diff := cmp.Diff(got, want); diff != "" {
			h.Errorf("retiring (-got +want):\n%s", diff)
		}
	}
}

// TestRotationTakenBack: who removes the new slot of a rotation that is unfinished
// has taken it back.
func TestRotationTakenBack(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindEnv, keys.KindFile)
	h.lose(keys.KindFile)
	l := h.open()
	r, err := l.RotateMaster(t.Context(), vault.RotateOptions{NewKey: newKey(2)})
	must(t, err)
	if gone, err := l.RemoveSlot(t.Context(), r.Slot.ID); !gone || err != nil {
		t.Fatalf("%v, %v", gone, err)
	}
	slots, err := l.Slots(t.Context())
	must(t, err)
	for _, s := range slots {
		if s.Retiring {
			t.Errorf("%+v", s)
		}
	}
	again, err := l.RotateMaster(t.Context(), vault.RotateOptions{NewKey: newKey(3)})
	if err != nil || again.Generation != 3 || again.Old.ID != r.Old.ID {
		t.Errorf("%+v, %v", again, err)
	}
	vaulttest.Healthy(t, l)
}

// TestRotationLeavesForeignKeys: a key file with a name of its own may be that of
// several vaults, and an entry or file that is there is never used.
func TestRotationLeavesForeignKeys(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	shared := filepath.Join(t.TempDir(), "shared.key")
	l := open(t, dir)
	_, err := l.Init(t.Context(), keys.Config{Kind: keys.KindFile, Path: shared})
	must(t, err)
	slots, err := l.Slots(t.Context())
	must(t, err)
	k, err := l.NewRotationKey(t.Context(), slots, vault.RotateOptions{}) // which is cut off here
	must(t, err)
	orphan := read(t, k.Config.Path)
	r, err := l.RotateMaster(t.Context(), vault.RotateOptions{})
	must(t, err)
	if fault.CodeOf(r.Left) != fault.Conflict || r.Slot.Key.Path == k.Config.Path || filepath.Dir(r.Slot.Key.Path) != filepath.Dir(shared) {
		t.Errorf("%+v", r)
	}
	if read(t, k.Config.Path) != orphan || read(t, r.Slot.Key.Path) == orphan {
		t.Error("the key of a rotation that was cut off was used, or overwritten")
	}
	if _, err := os.Stat(shared); err != nil {
		t.Errorf("the key file is gone: %v", err)
	}
	report, err := l.Doctor(t.Context())
	must(t, err)
	text := fmt.Sprintf("%+v", report)
	if !strings.Contains(text, filepath.Base(k.Config.Path)) || strings.Contains(text, "shared.key") || report.Err() != nil {
		t.Errorf("doctor: %s", text)
	}
}
