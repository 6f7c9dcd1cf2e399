//go:build linux

package ui_test

import (
	"testing"
	"time"

	"aivault/keys/keystest/desktop"
)

// Who sits in front of a keyring that does not answer types the passphrase: esc
// leads from the one to the other at once, and nobody is left waiting on the
// bus. The keyring is not asked again.
//
// Fault F11. Checklist 66.
func TestTmuxSlowKeyring(t *testing.T) {
	t.Parallel()
	for name, manner := range map[string]desktop.Manner{"slow": {Delay: time.Hour}, "prompts forever": {Prompts: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := desktop.New(t)
			service := s.Serve(t)
			const phrase = "a made-up passphrase"
			p := newPane(t, 80, 24, s.Env[0], s.Env[2]) // but not its HOME
			p.aivault("init", "--provider", "keyring")
			p.aivault("key", "add", "--provider", "passphrase", "--new-passphrase-file", p.file("phrase", phrase))
			service.Behave(manner)

			p.run()
			p.want("Opening the vault", "esc stops waiting")
			p.keys("Escape")
			begin := time.Now()
			p.want("The vault is locked", "The passphrase opens the vault too")
			t.Logf("from esc to the passphrase, seen through tmux: %v", time.Since(begin))
			s.Left(t)
			searches := service.Searches()
			p.typed(phrase)
			p.want("passphrase, masked") // or what follows is of the same paste
			p.keys("Enter")
			p.want("No secrets yet", "unlocked")
			if n := service.Searches(); n != searches {
				t.Error("the keyring was asked again")
			}
			p.keys("q")
			p.left()
			s.Left(t)
			p.scan(phrase)
		})
	}
}
