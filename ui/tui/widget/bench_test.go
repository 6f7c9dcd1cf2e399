package widget_test

import (
	"fmt"
	"strings"
	"testing"

	"aivault/ui/tui/theme"
	"aivault/ui/tui/widget"
)

const many = 100_000

func manyKeys() []string {
	keys := make([]string, many)
	for i := range keys {
		keys[i] = fmt.Sprintf("secret-%08d", i)
	}
	return keys
}

func manyRows(th *theme.Theme) *widget.List {
	keys := manyKeys()
	l := widget.NewList(th, widget.Column{Title: "NAME", Min: 12, Max: 60, Grow: true}, widget.Column{Title: "FROM", Min: 8, Drop: 3},
		widget.Column{Title: "USED", Right: true, Drop: 2}, widget.Column{Title: "AGE", Right: true, Drop: 1})
	l.Header = true
	l.SetRows(many, func(i int) string { return keys[i] }, func(i int) widget.Row {
		return widget.Row{Cells: []widget.Cell{{keys[i], th.Text}, {"web-shop", th.Accent}, {"2m", th.Dim}, {"90d !", th.Warn}}}
	})
	return l
}

// Checklist 35.
func BenchmarkListKey(b *testing.B) {
	for name, th := range themes() {
		b.Run(name, func(b *testing.B) {
			l := manyRows(th)
			keys := []string{"j", "pgdown", "G", "k", "g", "ctrl+d"}
			i := 0
			for b.Loop() {
				l.KeyMsg(keyMsg(keys[i%len(keys)]))
				l.View(120, 50, true)
				i++
			}
		})
	}
}

func BenchmarkListSetRows(b *testing.B) {
	th := themes()["true"]
	l := manyRows(th)
	l.ToggleAll()
	l.SelectIndex(many - 1)
	keys := manyKeys()
	n := 0
	for b.Loop() {
		n ^= 1 // the selected row is not where it was
		l.SetRows(many-n, func(i int) string { return keys[i+n] }, func(int) widget.Row { return widget.Row{} })
	}
}

func BenchmarkToggleAll(b *testing.B) {
	l := manyRows(themes()["true"])
	for b.Loop() {
		l.ToggleAll()
	}
}

func BenchmarkMarked(b *testing.B) {
	l := manyRows(themes()["true"])
	l.ToggleAll()
	for b.Loop() {
		l.Marked()
	}
}

func BenchmarkFilter(b *testing.B) {
	keys := manyKeys()
	for _, q := range []string{"secret 99", "!nothing ws:shop", "pinned 0000"} {
		b.Run(q, func(b *testing.B) {
			for b.Loop() {
				f, err := widget.ParseFilter(q, []string{"ws:", "pinned"})
				if err != nil {
					b.Fatal(err)
				}
				for _, k := range keys {
					f.Match(k, func(_, value string) bool { return value == "shop" || value == "" })
				}
			}
		})
	}
}

func BenchmarkTreeFold(b *testing.B) {
	tree := widget.NewTree(themes()["true"])
	nodes := make([]widget.Node, many)
	for i := range nodes {
		nodes[i] = widget.Node{Key: fmt.Sprint(i), Label: "node", Depth: min(i%50, 1), Kids: i%50 == 0}
	}
	tree.SetNodes(nodes)
	tree.KeyMsg(keyMsg("G"))
	i := 0
	for b.Loop() {
		tree.KeyMsg(keyMsg([]string{"h", "h", "l", "j"}[i%4]))
		tree.View(30, 50, true)
		i++
	}
}

func BenchmarkViewer(b *testing.B) {
	lines := make([]string, 50_000)
	for i := range lines {
		lines[i] = fmt.Sprintf("%06d\t{\"name\": \"a value that is some eighty bytes long\", \"n\": %d}", i, i)
	}
	long := []string{strings.Repeat(`{"key": "some text", "and": "鍵"}, `, 1<<20/36)}
	for _, text := range []struct {
		name  string
		lines []string
	}{{"50000 lines", lines}, {"1 MB line", long}} {
		for _, wrap := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/wrap=%v/key", text.name, wrap), func(b *testing.B) {
				v := widget.NewViewer(themes()["true"])
				v.Wrap = wrap
				v.SetText(text.lines)
				keys := []string{"j", "pgdown", "G", "k", "right", "right", "ctrl+u"}
				i := 0
				for b.Loop() {
					v.KeyMsg(keyMsg(keys[i%len(keys)]))
					v.View(100, 50)
					i++
				}
			})
		}
		b.Run(text.name+"/search", func(b *testing.B) {
			v := widget.NewViewer(themes()["true"])
			v.SetText(text.lines)
			i := 0
			for b.Loop() {
				v.Search([]string{"s", "so", "som", "some t"}[i%4])
				v.Next()
				v.View(100, 50)
				i++
			}
		})
	}
}

func BenchmarkPicker(b *testing.B) {
	var choices []widget.Choice
	for _, k := range manyKeys() {
		choices = append(choices, widget.Choice{Key: k, Title: k, Note: "global"})
	}
	p := widget.NewPicker(themes()["true"], "pick", choices, nil)
	for b.Loop() {
		p.Key(keyMsg("9"))
		p.View(80, 24)
		p.Key(keyMsg("backspace"))
	}
}

func BenchmarkPanes(b *testing.B) {
	th := themes()["true"]
	l := manyRows(th)
	panes := widget.NewPanes("a", "b", "c")
	for b.Loop() {
		var out [][]string
		for _, r := range panes.Layout(200, 50) {
			w, h := r.Inner()
			out = append(out, widget.Box(th, "title", "note", true, r.W, r.H, l.View(w, h, true)))
		}
		widget.Join(out...)
	}
}
