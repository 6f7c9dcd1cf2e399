package tui_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aivault/ui/tui/term"
	"aivault/ui/tui/uitest"
)

// maxSteps is how much of an input is used: enough to open a form over a filter
// over another page, and little enough that thousands of inputs take a minute.
const maxSteps = 8

// pressed are the keys of the fuzzing, each byte below their number being one:
// those that have a meaning somewhere, more often those that lead somewhere.
var pressed = strings.Fields(`j k g G h l tab shift+tab enter esc space * / ? : @ + 1 2 3 4 n e r a x t w D o i b u p f v c R L z y
	ctrl+s ctrl+d ctrl+u ctrl+p ctrl+r ctrl+z ctrl+c pgup pgdown home end up down left right backspace delete f1 alt+x ctrl+a ctrl+k
	enter esc tab j / n a t w 2 3 4`)

// sizes are those of windows, from what is too small to what is too large.
var sizes = [...][2]int{{120, 40}, {80, 24}, {40, 12}, {60, 15}, {99, 30}, {100, 12}, {200, 60}, {39, 11}, {1, 1}, {59, 40}, {300, 13}}

// pasted are texts that people, or attackers, paste.
var pasted = [...]string{
	"plain", "two\nlines", "\x1b[31mred\x1b[0m\x07\x00", "\u202ereversed\u202c", "日本語🏳️‍🌈👩‍👩‍👧‍👦⚠️", "-----BEGIN X-----\nYQ==\n-----END X-----\n",
	strings.Repeat("long ", 2000), "{\"a\":[1,2,{\"b\":null}]}", "\t\t", "e\u0301\u0301\u0301\u0301", "\xff\xfe", "ws:shop !x pinned",
}

// FuzzScreens does to the program what nobody would: any keys, pastes, clicks
// and sizes, in any order. What is true of every frame, [uitest.Driver.Check]
// looks at; a panic, or a program that does not come to rest, fails too.
//
// Checklist 13, 14, 16, 17, 39.
// Case 156.
func FuzzScreens(f *testing.F) {
	first := uitest.New(f, uitest.Options{Fill: func(d *uitest.Driver) {
		uitest.Seed(d)
		for _, name := range []string{"ключ", "日本語の鍵", "한글", "e\u0301te\u0301", "מפתח", "flag 🇩🇪", "skin 👍🏽", strings.Repeat("LONG_", 50)} {
			d.Store("infra", name)
		}
	}})
	hidden := first.Hidden()[:3] // looking for all of them takes longer than drawing
	first.End()
	for _, seed := range []string{
		"n", "jjjj", "/acme\x00", "?rot", ":pol", "2jjw", "3jjn", "4jjf", "taaaa", "aw", "D", "ner", "1234", "LL",
	} {
		f.Add(script(seed))
	}
	for i := range 40 { // a walk over all keys, sizes and pastes
		steps := make([]byte, 0, maxSteps)
		for j := range maxSteps {
			steps = append(steps, byte(i*37+j*j*11+i*j*3))
		}
		f.Add(steps)
	}
	f.Fuzz(func(t *testing.T, steps []byte) {
		dir := copyVault(t, first.Dir)
		d := uitest.New(t, uitest.Options{Dir: dir, Width: 80, Height: 24, Home: filepath.Dir(dir), Settings: term.Settings{Mouse: true}})
		d.Hide(hidden...)
		for _, b := range steps[:min(len(steps), maxSteps)] {
			if d.Quit() {
				break
			}
			fuzzStep(d, int(b))
		}
	})
}

// script returns the steps that press these keys.
func script(keys string) []byte {
	var out []byte
	for _, key := range strings.Split(keys, "") {
		for i, name := range pressed {
			if name == key {
				out = append(out, byte(i))
				break
			}
		}
	}
	return out
}

func fuzzStep(d *uitest.Driver, b int) {
	d.Helper()
	if b < len(pressed) {
		d.Key(pressed[b])
		return
	}
	b -= len(pressed)
	if b < len(sizes) {
		d.Resize(sizes[b][0], sizes[b][1])
		return
	}
	b -= len(sizes)
	if b < len(pasted) {
		d.Paste(pasted[b])
		return
	}
	b -= len(pasted)
	switch {
	case b < 26:
		d.Type(string(rune('a' + b)))
	case b < 56: // the header, the panes, the middle of dialogs, the bottom
		d.Click(b*7%120, b*3%40)
	case b < 66:
		d.Wheel(b*5%120, b%30, 3-b%7)
	case b < 90:
		d.Advance(time.Duration(b-65) * 400 * time.Millisecond)
	default:
		d.Type(string(rune(0x4e00 + b)))
	}
}

// copyVault copies a vault, so that what is done to it is done once.
func copyVault(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "vault")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(to)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			if err := os.Chmod(filepath.Join(to, e.Name()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return to
}
