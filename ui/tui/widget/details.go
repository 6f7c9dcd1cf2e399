package widget

import (
	"github.com/charmbracelet/lipgloss"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// Details are what is known of a thing, for a pane beside a list: rows of a
// label and a value, in sections.
type Details struct {
	th    *theme.Theme
	items []item
}

// An item of details: with a label it is a row, without one text.
type item struct {
	label, value string
	style        lipgloss.Style // of the value
	gap          bool           // a blank line comes before
}

// NewDetails returns empty details.
func NewDetails(th *theme.Theme) *Details { return &Details{th: th} }

// Title adds the name of the thing.
func (d *Details) Title(s string) *Details {
	return d.add(item{value: s, style: d.th.Strong})
}

// Head begins a section.
func (d *Details) Head(s string) *Details {
	return d.add(item{value: s, style: d.th.Head, gap: len(d.items) > 0})
}

// Row adds a label and a value; no value shows as a dash.
func (d *Details) Row(label, value string) *Details {
	return d.add(item{label: label, value: value, style: d.th.Text})
}

// Styled is Row with a style for the value, which the words must do without.
func (d *Details) Styled(label, value string, style lipgloss.Style) *Details {
	return d.add(item{label: label, value: value, style: style})
}

// Text adds a paragraph.
func (d *Details) Text(s string) *Details {
	return d.add(item{value: s, style: d.th.Text})
}

func (d *Details) add(i item) *Details {
	d.items = append(d.items, i)
	return d
}

// labels returns how wide the labels are in w cells; 0: each stands in a line
// of its own above its value.
func (d *Details) labels(w int) int {
	const least = 20
	n := 0
	for _, i := range d.items {
		n = max(n, text.Width(text.Line(i.label)))
	}
	if w < least {
		return 0
	}
	const short = 10 // a word or so is not cut
	return min(n, max(w/3, short))
}

// Lines returns the details in lines of at most w cells.
func (d *Details) Lines(w int) []Styled {
	w = max(w, 1)
	label := d.labels(w)
	var out []Styled
	for _, i := range d.items {
		if i.gap {
			out = append(out, Styled{})
		}
		if i.label == "" {
			for _, line := range text.Wrap(i.value, w) {
				out = append(out, Styled{{line, i.style}})
			}
			continue
		}
		if i.value == "" {
			i.value = "-"
		}
		indent, name := label+2, text.Fit(i.label, label)+"  "
		if label == 0 {
			indent, name = min(2, w-1), ""
			out = append(out, Styled{{text.Cut(i.label, w), d.th.Dim}})
		}
		for n, line := range text.Wrap(i.value, w-indent) {
			if n > 0 || label == 0 {
				name = blank(indent)
			}
			out = append(out, Styled{{name, d.th.Dim}, {line, i.style}})
		}
	}
	return out
}
