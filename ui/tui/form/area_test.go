package form_test

import (
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/form"
)

func TestArea(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ what, first, keys, want, say string }{
		{"typed", "", "a b", "a b", "line 1 of 1, column 4"},
		{"lines", "", "a<enter>b<ctrl+j>c", "a\nb\nc", "line 3 of 3, column 2"},
		{"a line cut in two", "abcd", "<right><right><enter>x", "ab\nxcd", "line 2 of 2, column 2"},
		{"two lines made one", "ab\ncd", "<down><home><backspace>x", "abxcd", "line 1 of 1, column 4"},
		{"from before", "ab\ncd", "<end><delete>x", "abxcd", "line 1 of 1, column 4"},
		{"nothing before", "ab", "<backspace>x", "xab", "line 1 of 1, column 2"},
		{"nothing behind", "ab", "<end><delete>x", "abx", "line 1 of 1, column 4"},
		{"over line ends", "ab\ncd", "<right><right><right>x<left><left>y", "aby\nxcd", "line 1 of 2, column 4"},
		{"a word away", "one two\nx", "<end><ctrl+w>y", "one y\nx", "line 1 of 2, column 6"},
		{"the line away before", "one two\nx", "<end><ctrl+u>y", "y\nx", "line 1 of 2, column 2"},
		{"the line away behind", "one two\nx", "<right><ctrl+k>y", "oy\nx", "line 1 of 2, column 3"},
		{"words", "one two\nx", "<ctrl+right>1<ctrl+right>2<ctrl+left>3", "one1 3two2\nx", "line 1 of 2, column 7"},
		{"ends of all", "a\nb", "<ctrl+end>x<ctrl+home>y", "ya\nbx", "line 1 of 2, column 2"},
		{"down keeps the cell", "abcd\nx\nabcd", "<end><down><down>z", "abcd\nx\nabcdz", "line 3 of 3, column 6"},
		{"of wide ones too", "日本\nabcd", "<right><down>z", "日本\nabzcd", "line 2 of 2, column 4"},
		{"of tabs too", "\tx\nabcdef", "<right><down>z", "\tx\nabcdzef", "line 2 of 2, column 6"},
	} {
		f := form.NewArea(plain(), "Body", test.first)
		for _, k := range press(test.keys) {
			f.Key(k)
		}
		if f.Value() != test.want || f.Say() != test.say {
			t.Errorf("%s: %q, %s", test.what, f.Value(), f.Say())
		}
		if !f.Dirty() {
			t.Errorf("%s: not dirty", test.what)
		}
	}
}

// A paste stays as it is: its tabs, its controls, its line end; none of them
// reaches the terminal.
func TestAreaKeepsWhatIsPasted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ pasted, want, shows string }{
		{"a\r\nb\rc\n", "a\nb\nc\n", "a\nb\nc\n"},
		{"\tx\x1b[31m\x00", "\tx\x1b[31m\x00", "    x\\x1b[31m\\x00"},
		{"a\u202eb\u200d\ufe0f👍🏽", "a\u202eb\u200d\ufe0f👍🏽", "a\\u202eb\\u200d\\ufe0f👍\\U0001f3fd"},
	} {
		f := form.NewArea(plain(), "Body", "")
		f.Rows = strings.Count(test.shows, "\n") + 1
		f.Key(paste(test.pasted))
		if got := f.Value(); got != test.want {
			t.Errorf("%q is %q", test.pasted, got)
		}
		lines := f.View(60, false)
		wantSize(t, "area", lines, 60, f.Rows)
		for i, line := range lines {
			lines[i] = strings.TrimRight(line, " ")
		}
		if got := bare(lines); got != test.shows {
			t.Errorf("%q shows\n%s", test.pasted, got)
		}
	}
}

func TestAreaRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	f := form.NewArea(plain(), "Body", "ab")
	f.Limit = 5
	f.Key(paste("é\n1"))
	if f.Value() != "ab" || f.Error() != "4 B more do not fit: at most 5 B" {
		t.Errorf("%q, %q", f.Value(), f.Error())
	}
	f.Key(paste("é\n"))
	if f.Value() != "é\nab" || f.Error() != "" {
		t.Errorf("then %q, %q", f.Value(), f.Error())
	}
}

func TestAreaLeadsOut(t *testing.T) {
	t.Parallel()
	f := form.NewArea(plain(), "Body", "a\nb")
	for i, test := range []struct {
		key   string
		taken bool
	}{{"up", false}, {"down", true}, {"down", false}, {"pgdown", true}, {"tab", false}, {"esc", false}, {"up", true}} {
		if _, taken := f.Key(keys()[test.key]); taken != test.taken {
			t.Errorf("%d: %s is taken: %v", i, test.key, taken)
		}
	}
	f.SetValue("a\nb")
	f.Key(keys()["end"])
	if f.Dirty() {
		t.Error("moving is a change")
	}
	for _, k := range press("x<backspace>") {
		f.Key(k)
	}
	if f.Dirty() {
		t.Error("what was taken back is a change")
	}
}

func TestAreaChecksJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ body, says string }{
		{"", ""},
		{"{}", ""},
		{"[1,\n 2]", ""},
		{"{\n  \"a\": x\n}", "not JSON: line 2, column 8: invalid character 'x' looking for beginning of value"},
		{"{\"日本\": }", "not JSON: line 1, column 8: invalid character '}' looking for beginning of value"},
		{"{\n", "not JSON: line 2, column 1: unexpected end of JSON input"},
		{"{} x", "not JSON: line 1, column 4: invalid character 'x' after top-level value"},
	} {
		f := form.NewArea(plain(), "Body", "")
		f.Validate = form.JSON
		f.Key(paste(test.body))
		if got := f.Error(); got != test.says {
			t.Errorf("%q: %q, want %q", test.body, got, test.says)
		}
	}
}

func TestAreaShowsItsCursor(t *testing.T) {
	t.Parallel()
	f := form.NewArea(plain(), "Body", "abc\n0123456789\nx")
	f.Rows = 2
	for _, k := range press("<down><end>") {
		f.Key(k)
	}
	if got := bare(f.View(6, true)); got != "      \n56789_" {
		t.Errorf("at the end of a line:\n%s", got)
	}
	f.Key(keys()["home"])
	if got := bare(f.View(6, true)); got != "abc   \n_01234" {
		t.Errorf("at its beginning:\n%s", got)
	}
	for _, k := range press("<down>") {
		f.Key(k)
	}
	if got := bare(f.View(6, true)); got != "012345\n_x    " {
		t.Errorf("a line below:\n%s", got)
	}
	for _, k := range press("<ctrl+end><backspace><backspace>") {
		f.Key(k)
	}
	f.Rows = 3
	if got := bare(f.View(6, true)); got != "      \n56789_\n      " {
		t.Errorf("after the last line went:\n%s", got)
	}
	none := form.NewArea(looks()["none"], "Body", "日x")
	if got := none.View(6, true)[0]; !strings.Contains(got, "\x1b[7m日") || hasColour(got) {
		t.Errorf("without colour: %q", got)
	}
	none.Click(2, 0)
	none.Key(press("y")[0])
	if none.Value() != "日yx" {
		t.Errorf("a click: %q", none.Value())
	}
	if f.Wheel(5) || !f.Wheel(-5) {
		t.Error("the wheel turns the wrong way")
	}
}

// FuzzArea edits, and compares with the text as one string.
func FuzzArea(f *testing.F) {
	f.Add("a\r\nb\rc\n", []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, uint8(9))
	f.Add("日本\t👍🏽\u202e\n\n", []byte{200, 3, 30, 6, 31, 2, 90, 1, 0}, uint8(3))
	f.Fuzz(func(t *testing.T, pasted string, steps []byte, w uint8) {
		pasted = strings.ToValidUTF8(pasted, "\ufffd")
		field := form.NewArea(plain(), "", "")
		field.Rows = 3
		field.Key(paste(pasted))
		text := []rune(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(pasted))
		pos := len(text)
		for _, op := range steps {
			switch op % 8 {
			case 0:
				field.Key(keys()["left"])
				pos = max(pos-1, 0)
			case 1:
				field.Key(keys()["right"])
				pos = min(pos+1, len(text))
			case 2:
				field.Key(keys()["backspace"])
				if pos > 0 {
					text = append(text[:pos-1:pos-1], text[pos:]...)
					pos--
				}
			case 3:
				field.Key(keys()["delete"])
				if pos < len(text) {
					text = append(text[:pos:pos], text[pos+1:]...)
				}
			case 4:
				field.Key(keys()["enter"])
				text = append(text[:pos:pos], append([]rune{'\n'}, text[pos:]...)...)
				pos++
			case 5:
				field.Key(keys()["home"])
				for pos > 0 && text[pos-1] != '\n' {
					pos--
				}
			case 6:
				field.Key(keys()["end"])
				for pos < len(text) && text[pos] != '\n' {
					pos++
				}
			case 7:
				field.Key(paste("a\nb"))
				text = append(text[:pos:pos], append([]rune("a\nb"), text[pos:]...)...)
				pos += 3
			}
			if field.Value() != string(text) {
				t.Fatalf("after %d: %q, want %q", op%8, field.Value(), string(text))
			}
			wantSize(t, "area", field.View(max(int(w), 1), op&8 != 0), max(int(w), 1), 3)
		}
	})
}

// Long lines and long texts stay fast: a key and a frame well under a
// millisecond.
func BenchmarkArea(b *testing.B) {
	for name, body := range map[string]string{
		"line of 64 KiB": strings.Repeat("x", 64<<10),
		"wide line":      strings.Repeat("日", 21<<10),
		"5000 lines":     strings.Repeat("0123456789\n", 5000),
	} {
		b.Run(name, func(b *testing.B) {
			f := form.NewArea(looks()["colour"], "Body", body)
			f.Key(keys()["ctrl+end"])
			for b.Loop() {
				f.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{'y'}})
				f.View(80, true)
				f.Key(keys()["backspace"])
				f.View(80, true)
			}
		})
	}
	b.Run("paste of 1 MiB", func(b *testing.B) {
		k := paste(strings.Repeat("0123456789abcde\n", 1<<16-1))
		for b.Loop() {
			f := form.NewArea(looks()["colour"], "Body", "")
			f.Key(k)
			f.View(80, true)
		}
	})
}

func TestAreaIsFast(t *testing.T) {
	f := form.NewArea(plain(), "Body", strings.Repeat("日", 21<<10)+"\n"+strings.Repeat("x\n", 5000))
	begin := time.Now()
	for range 20 {
		f.Key(press("y")[0])
		f.View(80, true)
	}
	if each := time.Since(begin) / 20; each > 50*time.Millisecond {
		t.Errorf("a key and a frame take %v", each)
	}
}
