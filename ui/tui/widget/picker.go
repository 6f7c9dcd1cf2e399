package widget

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/view"
)

// A Choice of a picker.
type Choice struct {
	Key   string
	Title string
	Hint  string // at the right, as the key of an action
	Note  string // beside the title; it is searched too
	Off   string // why it cannot be chosen just now; empty: it can
}

// A Picker is a list of choices that typing narrows, as a screen for a dialog.
type Picker struct {
	// Pick is called with the choice, once the picker is closed.
	Pick func(key string) tea.Cmd
	// Free offers what was typed as a choice of its own, if it is one; nil: only
	// what is in the list can be chosen.
	Free func(typed string) (Choice, bool)
	// Fill fetches the choices when the picker opens, and when they may be other
	// ones; nil: they are there.
	Fill func() tea.Cmd
	// None shows where there is no choice at all.
	None string

	ink    *ink
	title  string
	all    []Choice
	texts  []string // of all, in lower case, to search in
	titles []string
	shown  []int  // of all, those that show
	free   Choice // what was typed, after them
	isFree bool
	in     input
	list   *List
	why    string // the last choice could not be made
}

// NewPicker returns a picker of choices.
func NewPicker(th *theme.Theme, title string, choices []Choice, pick func(key string) tea.Cmd) *Picker {
	p := &Picker{
		Pick: pick, ink: newInk(th), title: title,
		list: NewList(th, Column{Min: 12, Grow: true}, Column{Max: 60, Min: 10, Drop: 1}, Column{Right: true, Max: 24, Drop: 2}),
	}
	p.list.bare = true
	p.SetChoices(choices)
	return p
}

// mostTitle is how much of a title shows before what stands beside it.
const mostTitle = 44

// SetChoices replaces the choices; what was typed and selected stays.
func (p *Picker) SetChoices(choices []Choice) {
	p.all = choices
	longest := 0
	p.texts, p.titles = make([]string, len(choices)), make([]string, len(choices))
	for i, c := range choices {
		p.titles[i] = strings.ToLower(c.Title)
		p.texts[i] = strings.ToLower(c.Title + " " + c.Note + " " + c.Hint)
		longest = max(longest, text.Width(text.Line(c.Title)))
	}
	p.list.cols[0].Min = min(longest, mostTitle)
	p.filter()
}

// filter works out which choices show.
func (p *Picker) filter() {
	q := strings.TrimSpace(p.in.String())
	p.shown, p.isFree = rank(strings.ToLower(q), p.titles, p.texts), false
	n := len(p.shown)
	if p.Free != nil && q != "" {
		if p.free, p.isFree = p.Free(q); p.isFree {
			n++
		}
	}
	p.list.SetRows(n, func(i int) string { return p.choice(i).Key }, func(i int) Row { return p.row(p.choice(i)) })
}

// choice returns the choice in a row.
func (p *Picker) choice(i int) *Choice {
	if i < len(p.shown) {
		return &p.all[p.shown[i]]
	}
	return &p.free
}

func (p *Picker) row(c *Choice) Row {
	th := p.ink.th
	note := Cell{Text: c.Note, Style: th.Dim}
	if c.Off != "" {
		note.Text = c.Off
	}
	return Row{Cells: []Cell{{Text: c.Title, Style: th.Text}, note, {Text: c.Hint, Style: th.Key}}, Dim: c.Off != ""}
}

// Select puts the cursor on a choice.
func (p *Picker) Select(key string) bool { return p.list.Select(key) }

// Title names the picker.
func (p *Picker) Title() string { return p.title }

// Load has the choices fetched, unless whoever opened the picker had them.
func (p *Picker) Load() tea.Cmd {
	if p.Fill == nil {
		return nil
	}
	return p.Fill()
}

// Captures is true: what is typed narrows the list.
func (p *Picker) Captures() bool { return true }

// Close does nothing.
func (p *Picker) Close() {}

// Actions are choosing and going away.
func (p *Picker) Actions() []action.Bound {
	open := action.Bound{ID: action.Open, Short: "choose", Run: p.choose}
	if p.list.Len() == 0 {
		open.Off = p.nothing()
	}
	return []action.Bound{open, {ID: action.Cancel, Short: "close", Run: func() tea.Cmd { return view.Close(p) }}}
}

// nothing says why nothing shows.
func (p *Picker) nothing() string {
	if len(p.all) == 0 && p.None != "" {
		return p.None
	}
	return "nothing matches what is typed"
}

// Key takes what is typed, and keys that move.
func (p *Picker) Key(k tea.KeyMsg) tea.Cmd {
	p.why = ""
	switch {
	case k.Paste:
	case k.Type == tea.KeyEnter:
		return p.choose()
	case k.Type == tea.KeyEsc:
		return view.Close(p)
	case k.Type == tea.KeyUp, k.Type == tea.KeyDown, k.Type == tea.KeyPgUp, k.Type == tea.KeyPgDown:
		p.list.KeyMsg(k)
		return nil
	}
	if _, changed := p.in.key(k); changed {
		p.filter()
		p.list.SelectIndex(0) // the best one
	}
	return nil
}

// choose takes the choice under the cursor.
func (p *Picker) choose() tea.Cmd {
	i := p.list.Index()
	if i < 0 {
		return nil
	}
	c := p.choice(i)
	if c.Off != "" {
		p.why = c.Off
		return nil
	}
	return tea.Batch(view.Close(p), p.Pick(c.Key))
}

// Mouse selects what is clicked on, and takes what is selected already.
func (p *Picker) Mouse(m tea.MouseMsg) tea.Cmd {
	before := p.list.Key()
	if !p.list.Mouse(m.X, m.Y-1, m) {
		return nil
	}
	p.why = ""
	if clicked(m) && p.list.Key() == before {
		return p.choose()
	}
	return nil
}

// Say tells in words what is selected.
func (p *Picker) Say() string {
	i := p.list.Index()
	if i < 0 && len(p.all) == 0 {
		return text.Line(p.title) + ", " + text.Line(p.nothing())
	}
	if i < 0 {
		return fmt.Sprintf("%s, nothing matches %q", text.Line(p.title), text.Line(p.in.String()))
	}
	c := p.choice(i)
	s := fmt.Sprintf("%s, %s", text.Line(c.Title), p.list.Say())
	if c.Off != "" {
		s += ", cannot be chosen: " + text.Line(c.Off)
	}
	return s
}

// View draws what is typed, the choices, and how many there are.
func (p *Picker) View(w, h int) []string {
	if w <= 0 || h <= 0 {
		return empty(w, h)
	}
	th := p.ink.th
	out := []string{Clip(p.ink.paint(th.Key, ">")+" "+p.in.view(p.ink, max(w-2, 0), true), w)}
	foot := 0
	if h > 2 {
		foot = 1
	}
	p.list.Empty = []string{p.nothing()}
	out = append(out, p.list.View(w, h-1-foot, true)...)
	if foot > 0 {
		line := p.ink.paint(th.Dim, p.ink.cut(fmt.Sprintf("%s of %s", text.Number(p.list.Len()), text.Plural(len(p.all), "choice")), w))
		if p.why != "" {
			line = p.ink.paint(th.Warn, p.ink.cut(th.Alert+" "+p.why, w))
		}
		out = append(out, Clip(line, w))
	}
	return out
}

// Size is as large as the choices need, within most of the window.
func (p *Picker) Size(w, h int) (cw, ch int) {
	return min(w, 84), max(min(len(p.all)+3, h*3/4), min(h, 8))
}
