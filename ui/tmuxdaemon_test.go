//go:build linux

package ui_test

import "testing"

// Screens that wait for a passphrase open when it is given elsewhere; what is
// done at them is then done by the daemon, and they close when it is told to
// forget the key. The passphrase can still be typed.
func TestTmuxUnlockedElsewhere(t *testing.T) {
	t.Parallel()
	const phrase = "a made-up passphrase"
	p := newPane(t, 80, 24, "AIVAULTD_DISABLE=")
	t.Cleanup(func() { endDaemons(t, p.dir) })
	file := p.file("phrase", phrase)
	p.aivault("init", "--provider", "passphrase", "--passphrase-file", file)
	p.run()
	p.want("The vault is locked", "passphrase, empty")
	p.aivault("unlock", "--passphrase-file", file)
	p.want("No secrets yet", "unlocked")
	p.aivault("secrets", "create", "--name", "OTHER_TOKEN", "--value-file", p.file("value", "a-made-up-value"))
	p.want("OTHER_TOKEN, own secret of the global scope")
	p.aivault("lock")
	p.want("The vault is locked", "passphrase, empty")
	p.typed(phrase)
	p.want("passphrase, masked")
	p.keys("Enter")
	p.want("OTHER_TOKEN, own secret of the global scope", "unlocked")
	p.keys("q")
	p.left()
	p.scan(phrase)
}
