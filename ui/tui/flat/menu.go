package flat

import (
	"context"
	"errors"
	"strconv"
)

// A menu is a list of what can be done. It is made anew each time that it is
// shown, from what there is then.
type menu struct {
	title string
	notes []string // lines below the title
	items []choice // by number
	more  []choice // by letter; the first rune of the label is it
	ret   string   // what return stands for; empty: back
	top   bool
	quiet bool // it was shown just now, and is not shown again unless somebody asks
}

// A choice is something that can be done.
type choice struct {
	label string
	do    func(ctx context.Context) error
}

// loop shows a menu until somebody goes back from it. What is done from it and
// fails is told, and the menu shown again; that the menu cannot be made is the
// error.
func (t *talk) loop(ctx context.Context, make func(context.Context) (menu, error)) error {
	for {
		m, err := make(ctx)
		if errors.Is(err, gone) {
			return nil
		}
		if err != nil {
			return err
		}
		if t.undo != nil {
			m.more = append(m.more, choice{"z take back: " + t.undo.Text, t.takeBack})
		}
		for err = same; errors.Is(err, same); m.quiet = true {
			c, left := t.pickFrom(ctx, m)
			if errors.Is(left, back) {
				return nil
			}
			if left != nil {
				return left
			}
			err = c.do(ctx)
		}
		switch {
		case err == nil, errors.Is(err, back), errors.Is(err, gone):
		case ends(err):
			return err
		default:
			t.fail(err)
		}
	}
}

// same is the error of what was only looked at: the menu is as it was, and need
// not be read again.
const same way = "same"

// gone is the error of a menu that is about something which is there no more: it
// is left.
const gone way = "gone"

// loopOf is loop as something that can be chosen.
func (t *talk) loopOf(make func(context.Context) (menu, error)) func(context.Context) error {
	return func(ctx context.Context) error { return t.loop(ctx, make) }
}

// pickFrom shows a menu and returns what was chosen.
func (t *talk) pickFrom(ctx context.Context, m menu) (choice, error) {
	q := question{ret: m.ret, top: m.top, quiet: m.quiet}
	if q.ret == "" {
		q.ret = "b"
	}
	for _, c := range m.items {
		q.items = append(q.items, c.label)
	}
	if m.quiet {
		m.more = append(m.more, choice{"l the list again", func(context.Context) error { return nil }})
	}
	for _, c := range m.more {
		q.letters = append(q.letters, letter{c.label[:1], c.label[2:]})
	}
	t.print("")
	if !m.quiet {
		t.say("%s", m.title)
		for _, n := range m.notes {
			t.say("%s", n)
		}
	}
	a, err := t.put(ctx, q)
	switch {
	case err != nil:
		return choice{}, err
	case len(a.numbers) > 0:
		return m.items[a.numbers[0]], nil
	}
	for i, l := range q.letters {
		if l.key == a.key {
			return m.more[i], nil
		}
	}
	return choice{}, back
}

// one asks for one of a list, and returns its number from 0. Return stands for
// the number ret from 0, or for nothing if it is negative.
func (t *talk) one(ctx context.Context, what string, items []string, ret int) (int, error) {
	q := question{text: what, items: items}
	if ret >= 0 {
		q.ret = strconv.Itoa(ret + 1)
	}
	a, err := t.put(ctx, q)
	if err != nil {
		return 0, err
	}
	return a.numbers[0], nil
}
