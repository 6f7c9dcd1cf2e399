//go:build unix

package flat_test

import (
	"os"
	"strings"
	"testing"

	"aivault/keys"
	"aivault/ui/app"
	"aivault/ui/tui/flat"
)

// Where the key file is gone and a passphrase opens the vault too, it can be
// typed. Checklist 66.
func TestLostKeyFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file, err := w.session.KeyConfig(app.KeyChoice{Kind: keys.KindFile})
	w.check(err)
	_, err = w.be.Init(t.Context(), file)
	w.check(err)
	phrase, err := w.session.KeyConfig(app.KeyChoice{Kind: keys.KindPassphrase})
	w.check(err)
	w.hidden = []string{"open sesame", "open sesame"}
	_, err = w.be.AddSlot(t.Context(), phrase)
	w.check(err)
	w.check(w.be.Lock(t.Context()))
	w.check(os.Remove(file.Path))
	w.hidden = []string{"open sesame"}
	w.env.Stdin = strings.NewReader("1\nq\n")
	w.check(flat.Run(t.Context(), w.env, w.be, flat.Options{FirstUse: w.session.FirstUse, KeyConfig: w.session.KeyConfig}))
	for _, want := range []string{"kek.key\" is not there", "try again, or type the passphrase, where it does not show", " is open."} {
		if !strings.Contains(w.seen.String(), want) {
			t.Errorf("%q is missing in\n%s", want, w.seen.String())
		}
	}
}
