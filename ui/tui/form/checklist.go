package form

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// An Item is a row of a checklist.
type Item struct {
	Key   string // what it is for the page
	Label string
	Note  string // more about it, at the end of the row
	On    bool   // it is checked to begin with
	Some  bool   // it is so for a part of what it stands for; On is false then
	Fixed string // why it cannot be changed; empty: it can
}

// Words are what the states of an item mean, for people.
type Words struct {
	Was    string // on, and stays so: "attached"
	Add    string // off, and will be on: "will be attached"
	Remove string // on, or in part, and will be off: "will be detached"
	Some   string // on in part, and stays so: "attached in part"
}

// A Checklist is a list of items with boxes to check, which can be filtered. It
// is the body of a page, which asks it what was changed.
type Checklist struct {
	// Free, if there is one, makes an item of what was typed as a filter and is
	// none yet; an error says why it cannot be one.
	Free func(typed string) (Item, error)
	// OnChange is called after each change.
	OnChange func() tea.Cmd
	// Empty shows where there are no items.
	Empty string

	th     *theme.Theme
	words  Words
	items  []entry
	shown  []int // the items that the filter leaves, in their order
	at     int   // in shown; the offer of a new one comes after the last
	top    int
	note   string // why the last key did nothing
	filter *Text
	typing bool // what is typed is the filter
	offer  *Item
	refuse string // why what was typed cannot be an item
	lines  int    // of the last View that are above the items
}

// An entry is an item and its state.
type entry struct {
	Item
	on     bool
	part   bool   // on in part, as it was
	made   bool   // it was typed here
	folded string // what a filter looks at
}

// NewChecklist returns an empty checklist.
func NewChecklist(th *theme.Theme, words Words) *Checklist {
	return &Checklist{th: th, words: words, filter: NewText(th, "Filter", "")}
}

// SetItems changes which items there are. What was changed of those that are
// still there stays changed, and so do those that were made here.
func (c *Checklist) SetItems(items []Item) {
	key, _ := c.Selected()
	old := make(map[string]entry, len(c.items))
	for _, e := range c.items {
		old[e.Key] = e
	}
	entries := make([]entry, 0, len(items))
	for _, item := range items {
		e := newEntry(item)
		if was, ok := old[item.Key]; ok && item.Fixed == "" && was.turned() {
			e.on, e.part = was.on, false
		}
		delete(old, item.Key)
		entries = append(entries, e)
	}
	for _, e := range c.items {
		if _, left := old[e.Key]; left && e.made {
			entries = append(entries, e)
		}
	}
	c.items = entries
	c.sift()
	c.Select(key)
}

func newEntry(item Item) entry {
	return entry{Item: item, on: item.On, part: item.Some, folded: strings.ToLower(item.Label + " " + item.Note)}
}

// turned reports whether an entry is not what it was to begin with.
func (e *entry) turned() bool { return e.on != e.On || e.part != e.Some }

// turn turns an entry round. One that was on in part goes from that to on, to
// off, and back.
func (e *entry) turn() {
	switch {
	case e.part:
		e.on, e.part = true, false
	case e.Some && !e.on:
		e.part = true
	default:
		e.on = !e.on
	}
}

// Changes are the keys of the items that will be on and were not, and of those
// that will be off and were on, in the order of the list.
func (c *Checklist) Changes() (on, off []string) {
	for i := range c.items {
		e := &c.items[i]
		switch {
		case !e.turned():
		case e.on:
			on = append(on, e.Key)
		default:
			off = append(off, e.Key)
		}
	}
	return on, off
}

// Dirty reports whether anything was changed.
func (c *Checklist) Dirty() bool {
	for i := range c.items { // in place: there may be very many
		if c.items[i].turned() {
			return true
		}
	}
	return false
}

// Len returns how many items there are, whether they show or not.
func (c *Checklist) Len() int { return len(c.items) }

// Filtered reports whether there is a filter.
func (c *Checklist) Filtered() bool { return c.filter.Value() != "" }

// Offers reports whether the cursor is on the offer of a new item, which enter
// makes.
func (c *Checklist) Offers() bool { return c.offer != nil && c.at == len(c.shown) }

// Selected is the key of the item under the cursor.
func (c *Checklist) Selected() (key string, ok bool) {
	if c.at >= len(c.shown) {
		return "", false
	}
	return c.items[c.shown[c.at]].Key, true
}

// Select moves the cursor to an item, if it shows.
func (c *Checklist) Select(key string) bool {
	for i, at := range c.shown {
		if c.items[at].Key == key {
			c.at = i
			return true
		}
	}
	return false
}

// Captures reports whether what is typed is text.
func (c *Checklist) Captures() bool { return c.typing }

// Filter begins to type a filter.
func (c *Checklist) Filter() tea.Cmd {
	c.typing, c.note = true, ""
	return nil
}

// Escape ends the filter; false: there is none.
func (c *Checklist) Escape() bool {
	if !c.typing && c.filter.Value() == "" {
		return false
	}
	c.typing = false
	c.refilter("")
	return true
}

func (c *Checklist) refilter(s string) {
	key, _ := c.Selected()
	if s != c.filter.Value() {
		c.filter.SetValue(s)
	}
	c.sift()
	c.Select(key)
}

// sift finds the items that have every word of the filter, and whether what was
// typed could be a new one.
func (c *Checklist) sift() {
	typed := strings.TrimSpace(c.filter.Value())
	needles := strings.Fields(strings.ToLower(typed))
	c.shown = c.shown[:0]
	exists := false
	for i, e := range c.items {
		exists = exists || e.Label == typed || e.Key == typed
		if !slices.ContainsFunc(needles, func(w string) bool { return !strings.Contains(e.folded, w) }) {
			c.shown = append(c.shown, i)
		}
	}
	c.offer, c.refuse = nil, ""
	if c.Free != nil && typed != "" && !exists {
		item, err := c.Free(typed)
		switch {
		case err != nil:
			c.refuse = words(err)
		case !slices.ContainsFunc(c.items, func(e entry) bool { return e.Key == item.Key }):
			c.offer = &item
		}
	}
	c.at = max(min(c.at, c.rows()-1), 0)
}

// rows is how many rows there are, with the offer of a new item.
func (c *Checklist) rows() int {
	if c.offer != nil {
		return len(c.shown) + 1
	}
	return len(c.shown)
}

// Say is the item under the cursor, and its state.
func (c *Checklist) Say() string {
	place := ", row " + text.Number(c.at+1) + " of " + text.Number(c.rows())
	var s string
	switch {
	case c.note != "":
		return text.Line(c.note)
	case c.rows() == 0 && c.refuse != "":
		return "nothing matches; " + text.Line(c.refuse)
	case c.rows() == 0 && c.filter.Value() != "":
		return "nothing matches, esc shows all"
	case c.rows() == 0:
		return "the list is empty"
	case c.at == len(c.shown):
		s = "new: " + said(c.offer.Label)
	default:
		e := c.items[c.shown[c.at]]
		s = said(e.Label) + ", " + c.state(e)
	}
	if c.typing {
		s = "filter " + said(c.filter.Value()) + ", " + s
	}
	return s + place
}

// state says what an item is and will be.
func (c *Checklist) state(e entry) string {
	switch {
	case e.Fixed != "" && e.Note != "":
		return text.Line(e.Note) + ", cannot be changed"
	case e.part:
		return c.words.Some
	case e.on && e.On:
		return c.words.Was
	case e.on:
		return c.words.Add
	case e.On, e.Some:
		return c.words.Remove
	}
	return "not " + c.words.Was
}
