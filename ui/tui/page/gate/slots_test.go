package gate_test

import (
	"strings"
	"testing"
	"time"

	"aivault/keys"
	"aivault/keys/keystest"
	"aivault/ui/app"
	"aivault/ui/tui/uitest"
	"aivault/ui/tui/view"
	"aivault/vault/vaulttest"
)

// Checklist 66. Where the keyring lost its entry, a recovery key opens the vault,
// and the screen says so; what was mistyped is told.
//
// Fault F10.
func TestRecoveryKey(t *testing.T) {
	t.Parallel()
	k, dir := new(keystest.Keyring), vaulttest.Dir(t)
	recovery := withSlots(t, dir, k, keys.KindKeyring, keys.KindRecovery)
	d := uitest.New(t, uitest.Options{Dir: dir, Keyring: k, Shut: true, Width: 80, Height: 24})
	d.Hide(recovery, recovery[:11])
	d.Want("1 Secrets") // as long as the keyring has it, nobody is asked
	k.SetMode(keystest.Locked)
	d.Tell(view.LockMsg{})
	want(d, "The keyring does not give the key", "the keyring is locked", "the recovery key opens the vault too", "recovery key, empty, will be masked", "esc tries the key again")
	for _, size := range [][2]int{{40, 12}, {200, 50}, {80, 24}} {
		d.Resize(size[0], size[1])
		want(d, "The keyring does not give the key", "enter unlocks")
	}
	d.Paste(recovery[:46] + "_").Key("enter")
	want(d, "this is not the recovery key", "40 characters", "empty, will be masked")
	d.Key("esc").WantNot("40 characters").Want("does not give the key")
	k.SetMode(keystest.Working)
	d.Key("esc").Want("1 Secrets").WantNot("does not give the key") // it was tried again
	k.SetMode(keystest.Absent)
	d.Tell(view.LockMsg{})
	d.Paste(strings.ToLower(recovery)).Key("enter").Want("1 Secrets", "unlocked")
}

// Checklist 66. Who does not want to wait for a keyring types the passphrase: it
// is used, and the keyring is not asked again.
//
// Fault F11.
func TestSlowKeyring(t *testing.T) {
	t.Parallel()
	k, dir := new(keystest.Keyring), vaulttest.Dir(t)
	recovery := withSlots(t, dir, k, keys.KindKeyring, keys.KindPassphrase, keys.KindRecovery)
	k.SetMode(keystest.Locked)
	d := uitest.New(t, uitest.Options{Dir: dir, Keyring: k, Shut: true, Width: 80, Height: 24})
	d.Hide(recovery, phrase, "wrong-horse-battery")
	k.SetMode(keystest.Hanging)
	before := k.Calls()
	d.Hit("esc").Want("Opening the vault")
	d.Advance(3 * time.Second).Want("esc stops waiting")
	for deadline := time.Now().Add(5 * time.Second); k.Calls() == before && time.Now().Before(deadline); {
		d.Resize(80, 24) // until it is the keyring that is waited for
	}
	d.Key("esc").Await("The vault is locked") // as soon as the keyring is let go
	want(d, "The vault is locked", "the passphrase or recovery key opens the vault too", "passphrase or recovery key, empty")
	calls := k.Calls()
	d.Type("wrong-horse-battery").Key("enter")
	want(d, "neither a passphrase nor a recovery key of this vault")
	d.Type(phrase).Key("enter").Want("1 Secrets", "unlocked")
	if k.Calls() != calls {
		t.Error("the keyring was asked again")
	}
}

// What the command line gave and was wrong is asked for; what is typed then counts.
func TestGivenPassphraseIsWrong(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	withPhrase(t, dir)
	d := uitest.New(t, uitest.Options{Dir: dir, Shut: true, Pass: app.Passphrase{Text: "wrong-horse-battery"}})
	d.Hide(phrase, "wrong-horse-battery")
	want(d, "The vault is locked", "the passphrase does not open this vault", "empty, will be masked")
	d.Type(phrase).Key("enter").Want("1 Secrets", "unlocked")
}
