package form_test

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker/brokertest"
	"aivault/ui/tui/action"
	"aivault/ui/tui/form"
	"aivault/ui/tui/view"
)

// Checklist 39, 40, 45: no screen, line or message has what was typed into the
// field of a secret, whatever is done.
func TestNothingShowsASecret(t *testing.T) {
	t.Parallel()
	for name, th := range looks() {
		value := brokertest.Canary(t)
		var shown strings.Builder
		look := func(s view.Screen) {
			for _, size := range [][2]int{{100, 30}, {40, 10}} {
				shown.WriteString(strings.Join(s.View(size[0], size[1]), "\n"))
			}
			shown.WriteString(s.Say() + s.Title())
			for _, b := range s.Actions() {
				shown.WriteString(b.Off + b.Short)
			}
		}
		f := newFilled(t, newHost(t, th))
		again := form.NewPassphrase(th, "Passphrase", true)
		f.SetFields(f.name, f.value, again, f.body)
		typed := func() {
			f.Focus(f.value)
			for _, r := range value {
				f.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
				look(f.Form)
			}
			f.Key(paste("\n" + value + "\n"))
			look(f.Form)
			f.Key(paste(strings.Repeat(value, 5000)))
			look(f.Form)
			f.Focus(again)
			f.Key(paste(value))
			f.Key(keys()["enter"])
			f.Key(paste(value + "x"))
			look(f.Form)
		}
		typed()
		f.do(t, action.Apply)
		look(f.Form)
		for _, m := range run(f.do(t, action.Cancel)) {
			if d, ok := m.(view.DialogMsg); ok {
				look(d.Screen)
			}
		}
		f.Forget("locked")
		typed()
		f.Close()
		look(f.Form)
		brokertest.Scan(t, name, []byte(shown.String()), value)
		if !strings.Contains(shown.String(), "the two are not the same") || !strings.Contains(shown.String(), "was refused") {
			t.Errorf("%s: the fields were not tried", name)
		}
	}
}
