package browse

import (
	"errors"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"aivault/keys/fault"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// Said is a sentence in a style, after a glyph, in lines of at most w cells: for
// the hints of forms.
func Said(style lipgloss.Style, glyph, s string, w int) []string {
	lines := text.Wrap(s, max(w-2, 1))
	for i, line := range lines {
		lead := "  "
		if i == 0 {
			lead = glyph + " "
		}
		lines[i] = style.Render(text.Cut(lead+line, w))
	}
	return lines
}

// ForForm returns an error for people who fill in a form: a hint that is about
// flags and commands is of no use to them.
func ForForm(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint, "--") && !strings.Contains(e.Hint, "`aivault") && !strings.Contains(e.Hint, "standard input") {
		return err
	}
	plain := *e
	plain.Hint = ""
	return &plain
}

// Trouble says why what is typed is no use as it is, while it is being typed:
// quietly where that is only because it is not all there yet.
func Trouble(th *theme.Theme, err error, w int) []string {
	plain := ForForm(err)
	s := plain.Error()
	if hint := fault.HintOf(plain); hint != "" {
		s += "; " + hint
	}
	switch fault.CodeOf(err) {
	case fault.InvalidRequest, fault.SecretNotFound, fault.CredentialNotFound:
		return Said(th.Dim, th.Dot, "not yet: "+s, w)
	}
	return Said(th.Warn, th.Alert, s, w)
}

// Some names the first of several things, and says how many more there are.
func Some(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:most], ", ") + " and " + text.Number(len(list)-most) + " more"
}
