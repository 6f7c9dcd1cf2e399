package attach

import (
	"strings"

	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
)

// Sizes, in cells.
const (
	beside = 60 // from here on the preview is beside the list
)

// View returns the list and the preview: side by side, or where that is too
// narrow, one above the other.
func (p *Page) View(w, h int) []string {
	if w < beside && !p.panes.Zoomed() {
		return p.stacked(w, h)
	}
	p.rects = p.panes.Layout(w, h)
	var boxes [][]string
	for i, r := range p.rects {
		if r.W > 0 {
			iw, ih := r.Inner()
			boxes = append(boxes, widget.Box(p.host.Theme, p.paneTitle(i), p.note(i), i == p.panes.Focus(), r.W, r.H, p.pane(i, iw, ih)))
		}
	}
	for i := range p.rects { // of what is within the frames
		r := &p.rects[i]
		if r.W > 0 {
			r.X, r.Y, r.W, r.H = r.X+1, r.Y+1, r.W-2, r.H-2
		}
	}
	return widget.Join(boxes...)
}

// stacked is the list above the preview. What has the focus has most of the
// room.
func (p *Page) stacked(w, h int) []string {
	th := p.host.Theme
	small := max((h-2)*2/5, 1)
	top := max(h-2-small, 1)
	if p.panes.Focus() == previewPane {
		top = small
	}
	heads := make([]string, 2)
	for i := range heads {
		style := th.Head
		if i == p.panes.Focus() {
			style = th.Accent
		}
		title := p.paneTitle(i)
		if n, _, _ := strings.Cut(p.note(i), ","); n != "" {
			title += " " + th.Dot + " " + n
		}
		lead := "  "
		if i == p.panes.Focus() {
			lead = th.Cursor0 + " "
		}
		heads[i] = widget.Clip(style.Render(text.Cut(lead+title, w)), w)
	}
	bottom := max(h-2-top, 0)
	p.rects = []widget.Rect{{Y: 1, W: w, H: top}, {Y: top + 2, W: w, H: bottom}}
	out := append([]string{heads[0]}, p.pane(listPane, w, top)...)
	out = append(append(out, heads[1]), p.pane(previewPane, w, bottom)...)
	return out[:min(len(out), h)]
}

func (p *Page) paneTitle(i int) string {
	if i == previewPane {
		return "What changes"
	}
	return p.Title()
}

// note is what stands beside the title of a pane.
func (p *Page) note(i int) string {
	switch {
	case i == previewPane && p.saving:
		return "being applied"
	case i == previewPane:
		if n := len(p.pending); n > 0 {
			return text.Plural(n, "change") + ", enter applies"
		}
		return ""
	case p.sheet == nil:
		return ""
	case p.toGroup():
		return text.Plural(p.list.Len(), "secret")
	}
	return text.Plural(p.list.Len(), "group")
}

func (p *Page) pane(i, w, h int) []string {
	if i == previewPane {
		return p.preview.view(w, h, p.stale)
	}
	if p.sheet != nil {
		return p.list.View(w, h, p.panes.Focus() == listPane)
	}
	line := ""
	if p.failed != "" {
		line = p.host.Theme.Bad.Render(text.Cut(p.host.Theme.Fail+" could not be read: "+p.failed, w))
	} else if since, ok := p.tasks.Busy("load"); ok {
		line = widget.Waiting(p.host.Theme, "reading the secrets", since, p.host.Now())
	}
	out := make([]string, h)
	for i := range out {
		if i == 0 {
			out[i] = widget.Clip(line, w)
			continue
		}
		out[i] = widget.Clip("", w)
	}
	return out
}
