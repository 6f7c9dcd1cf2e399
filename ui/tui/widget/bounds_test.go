package widget_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/neutral"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/widget"
)

// themes are the kinds of terminals.
func themes() map[string]*theme.Theme {
	return map[string]*theme.Theme{
		"true": theme.New(theme.Options{Colour: theme.TrueColour, Dark: true}),
		"ansi": theme.New(theme.Options{Colour: theme.ANSI}),
		"mono": theme.New(theme.Options{}),
		"dumb": theme.New(theme.Options{Dumb: true, ASCII: true, Still: true}),
	}
}

// wild are names as nobody should give them.
func wild() []string {
	return []string{
		"STRIPE_API_KEY", "", " ", "鍵の名前", "한국어키", "e\u0301\u0301\u0301", "שלום\u202e", "👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "👍🏽", "⚠️", "देवनागरी",
		"\x1b[31mred", "a\x00b\ac\rd\ne\tf", "\u009b31m", "\xff\xfe", strings.Repeat("x", 4096), strings.Repeat("漢", 1000),
		strings.Repeat("\u0301", 500) + "a", "a b c d e f g h i j k l m n o p q r s t u v w x y z", `back\u200dslash`, "tab\tbed\tline",
	}
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// bounded fails unless a view is h lines of w cells, without what drives a
// terminal.
func bounded(t *testing.T, what string, lines []string, w, h int) {
	t.Helper()
	if len(lines) != h {
		t.Errorf("%s at %dx%d has %d lines", what, w, h, len(lines))
	}
	for i, line := range lines {
		plain := sgr.ReplaceAllString(line, "")
		if n := text.Width(plain); n != w {
			t.Errorf("%s at %dx%d: line %d is %d wide: %q", what, w, h, i, n, plain)
		}
		if strings.ContainsFunc(plain, neutral.Drives) || strings.ContainsAny(plain, "\n\t") {
			t.Errorf("%s at %dx%d: line %d drives the terminal: %q", what, w, h, i, line)
		}
	}
}

// keyMsg is a key as Bubble Tea brings it.
func keyMsg(s string) tea.KeyMsg {
	named := map[string]tea.KeyType{
		"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd,
		"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "ctrl+d": tea.KeyCtrlD, "ctrl+u": tea.KeyCtrlU, "ctrl+w": tea.KeyCtrlW,
		"ctrl+a": tea.KeyCtrlA, "ctrl+e": tea.KeyCtrlE, "ctrl+k": tea.KeyCtrlK,
		"enter": tea.KeyEnter, "esc": tea.KeyEsc, "backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "tab": tea.KeyTab,
	}
	if k, ok := named[s]; ok {
		return tea.KeyMsg{Type: k}
	}
	if s == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune(s)}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(s)}
}

// subject is a widget under the fuzzer.
type subject struct {
	name  string
	view  func(w, h int) []string
	key   func(k tea.KeyMsg)
	mouse func(x, y int, m tea.MouseMsg)
	do    []func() // what programs do to it
	say   func() string
}

func names(r *rand.Rand, n int) []string {
	all := wild()
	out := make([]string, n)
	for i := range out {
		out[i] = all[r.IntN(len(all))]
		if r.IntN(3) == 0 {
			out[i] += all[r.IntN(len(all))]
		}
	}
	return out
}

func subjects(th *theme.Theme, r *rand.Rand) []subject {
	return []subject{listSubject(th, r), treeSubject(th, r), viewerSubject(th, r), pickerSubject(th, r), lineSubject(th, r), boxSubject(th, r)}
}

func listSubject(th *theme.Theme, r *rand.Rand) subject {
	l := widget.NewList(th, widget.Column{Title: "NAME", Min: 8, Grow: true}, widget.Column{Title: "FROM", Max: 20, Drop: 2},
		widget.Column{Title: "USED", Right: true, Drop: 1}, widget.Column{Title: "AGE", Min: 3, Max: 5, Right: true})
	l.Empty = names(r, 2)
	fill := func() {
		n := r.IntN(60)
		text, lead := names(r, max(n, 1)), r.IntN(2) == 0
		l.SetRows(n, func(i int) string { return fmt.Sprint(i * 7 % 64) }, func(i int) widget.Row {
			row := widget.Row{Cells: []widget.Cell{{text[i], th.Text}, {text[n-1-i], th.Dim}, {fmt.Sprint(i), th.Warn}, {"3d", th.Bad}}, Dim: i%5 == 0}
			if lead && i%3 == 0 {
				row.Lead = th.Shadow
			}
			return row
		})
	}
	return subject{
		"list", func(w, h int) []string { return l.View(w, h, r.IntN(2) == 0) },
		func(k tea.KeyMsg) { l.KeyMsg(k) },
		func(x, y int, m tea.MouseMsg) { l.Mouse(x, y, m) },
		[]func(){
			fill, l.Toggle, l.ToggleAll, l.ClearMarks, l.Prune, func() { l.Header = !l.Header }, func() { l.Select("14") },
			func() { l.SelectIndex(r.IntN(80) - 10) },
		},
		l.Say,
	}
}

func treeSubject(th *theme.Theme, r *rand.Rand) subject {
	tree := widget.NewTree(th)
	fill := func() {
		var nodes []widget.Node
		depth := 0
		for i, name := range names(r, r.IntN(40)) {
			nodes = append(nodes, widget.Node{Key: fmt.Sprint(i), Label: name, Count: "1+1", Depth: depth, Kids: r.IntN(2) == 0, Dim: i%4 == 0})
			if depth = r.IntN(depth + 1); nodes[i].Kids {
				depth = nodes[i].Depth + 1
			}
		}
		tree.SetNodes(nodes)
	}
	return subject{
		"tree", func(w, h int) []string { return tree.View(w, h, r.IntN(2) == 0) },
		func(k tea.KeyMsg) { tree.KeyMsg(k) },
		func(x, y int, m tea.MouseMsg) { tree.Mouse(x, y, m) },
		[]func(){fill, func() { tree.Select(fmt.Sprint(r.IntN(40))) }, func() { tree.Path() }},
		tree.Say,
	}
}

func viewerSubject(th *theme.Theme, r *rand.Rand) subject {
	v := widget.NewViewer(th)
	d := widget.NewDetails(th)
	for _, s := range wild() {
		d.Head(s).Row(s, s).Styled("label", s, th.Good).Text(s).Title(s)
	}
	return subject{
		"viewer", v.View, func(k tea.KeyMsg) { v.KeyMsg(k) }, func(x, y int, m tea.MouseMsg) { v.Mouse(x, y, m) },
		[]func(){
			func() { v.SetText(names(r, r.IntN(60))) },
			func() { v.SetDetails(d) },
			func() { v.SetStyled(d.Lines(30)) },
			func() { v.SetText(nil); v.Append(names(r, 5)...) },
			func() { v.Wrap = !v.Wrap },
			func() { v.Follow(r.IntN(2) == 0) },
			func() { v.Search(names(r, 1)[0]) },
			func() { v.Search("a") },
			v.Next, v.Prev, v.Next, v.Prev, v.Top,
		},
		v.Say,
	}
}

func pickerSubject(th *theme.Theme, r *rand.Rand) subject {
	var p *widget.Picker
	pick := func(string) tea.Cmd { return nil }
	fill := func() []widget.Choice {
		var out []widget.Choice
		for i, s := range names(r, r.IntN(30)) {
			c := widget.Choice{Key: fmt.Sprint(i), Title: s, Hint: "ctrl+s", Note: s}
			if i%4 == 0 {
				c.Off = s + "!"
			}
			out = append(out, c)
		}
		return out
	}
	p = widget.NewPicker(th, "wild", fill(), pick)
	p.Free = func(s string) (widget.Choice, bool) { return widget.Choice{Key: s, Title: s}, len(s) > 2 }
	return subject{
		"picker", p.View, func(k tea.KeyMsg) { p.Key(k) },
		func(x, y int, m tea.MouseMsg) { m.X, m.Y = x, y; p.Mouse(m) },
		[]func(){func() { p.SetChoices(fill()) }, func() { p.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(names(r, 1)[0]), Paste: true}) }},
		p.Say,
	}
}

func lineSubject(th *theme.Theme, r *rand.Rand) subject {
	f := widget.NewFilterLine(th, "ws:", "pinned")
	return subject{
		"filter line", func(w, h int) []string {
			out := make([]string, h)
			for i := range out {
				out[i] = f.View(w)
			}
			return out
		},
		func(k tea.KeyMsg) { f.KeyMsg(k) }, func(int, int, tea.MouseMsg) {},
		[]func(){f.Open, func() { f.Set(names(r, 1)[0]) }, func() { f.SetCount(r.IntN(3), 100000) }, func() { f.Set("foo:bar"); f.Open() }, func() { f.Clear() }},
		f.Say,
	}
}

func boxSubject(th *theme.Theme, r *rand.Rand) subject {
	return subject{
		"box", func(w, h int) []string {
			body := make([]string, r.IntN(h+2))
			for i := range body {
				body[i] = widget.Waiting(th, names(r, 1)[0], time.Time{}, time.Time{}.Add(time.Duration(r.IntN(3))*time.Second))
			}
			box := widget.Box(th, names(r, 1)[0], names(r, 1)[0], r.IntN(2) == 0, w, h, body)
			top := widget.Box(th, "over", "", true, r.IntN(w+2), r.IntN(h+2), body)
			return widget.Over(box, top, r.IntN(w+4)-2, r.IntN(h+4)-2)
		},
		func(tea.KeyMsg) {}, func(int, int, tea.MouseMsg) {}, nil, func() string { return "" },
	}
}

// Whatever the names, the keys and the size, a view has its size, and nothing
// in it drives the terminal.
//
// Checklist 14, 18, 19, 20, 21.
func FuzzBounds(f *testing.F) {
	for seed := range uint64(6) {
		f.Add(seed)
	}
	keys := []string{
		"j", "k", "g", "G", "h", "l", "up", "down", "left", "right", "home", "end", "pgup", "pgdown", "ctrl+d", "ctrl+u", "ctrl+w", "ctrl+a",
		"ctrl+e", "ctrl+k", "enter", "esc", "backspace", "delete", " ", "a", "漢", "👩", "\u0301",
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		for name, th := range themes() {
			for _, s := range subjects(th, r) {
				w, h := 1+r.IntN(120), 1+r.IntN(40)
				for range 40 {
					switch r.IntN(5) {
					case 0:
						w, h = 1+r.IntN(120), 1+r.IntN(40)
						if r.IntN(4) == 0 {
							w, h = 1+r.IntN(5), 1+r.IntN(5)
						}
					case 1:
						if len(s.do) > 0 {
							s.do[r.IntN(len(s.do))]()
						}
					case 2:
						m := tea.MouseMsg{Button: tea.MouseButton(1 + r.IntN(5))}
						s.mouse(r.IntN(w+2)-1, r.IntN(h+2)-1, m)
					default:
						s.key(keyMsg(keys[r.IntN(len(keys))]))
					}
					bounded(t, name+" "+s.name, s.view(w, h), w, h)
					if said := s.say(); strings.ContainsFunc(said, neutral.Drives) {
						t.Errorf("%s says %q", s.name, said)
					}
					if t.Failed() {
						return
					}
				}
			}
		}
	})
}

// regexpColour matches what sets a colour, of the text or behind it.
var regexpColour = regexp.MustCompile("\x1b\\[([0-9;]*;)?(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")
