package form_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker/brokertest"
	"aivault/keys/fault"
	"aivault/ui/tui/form"
	"aivault/vault"
)

// pem is a made-up key of some lines, with a tab in it as some chains have.
func pem(lines int) string {
	var b strings.Builder
	b.WriteString("-----BEGIN PRIVATE KEY-----\n")
	for i := range lines - 2 {
		fmt.Fprintf(&b, "\t%056d\n", i)
	}
	return b.String() + "-----END PRIVATE KEY-----\n"
}

// Checklist 45, 46, 49: what is stored is what was pasted, and what shows is a
// mask of one width and what it is.
func TestSecretKeepsWhatIsPasted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ what, pasted, want, says string }{
		{"a line", "made-up", "made-up", "one line"},
		{"its line end", "made-up\n", "made-up", "one line; stored without its final line end"},
		{"that of Windows", "made-up\r\n", "made-up", "one line; stored without its final line end"},
		{"that of old", "made-up\r", "made-up", "one line; stored without its final line end"},
		{"two of them", "made-up\n\n", "made-up\n\n", "text, 2 lines; its final line end is kept"},
		{"space", " made-up ", " made-up ", "one line"},
		{"controls", "a\x00\x1b[31m\x07\tb", "a\x00\x1b[31m\x07\tb", "one line"},
		{"bidi and accents", "a\u202eé日\ufe0f", "a\u202eé日\ufe0f", "one line"},
		{"a key", pem(60), pem(60), "PEM, 60 lines, 3.3 KB; its final line end is kept"},
		{"a key with CR", strings.ReplaceAll(pem(60), "\n", "\r"), pem(60), "PEM, 60 lines, 3.3 KB; its final line end is kept"},
		{"a key with CRLF", strings.ReplaceAll(pem(60), "\n", "\r\n"), pem(60), "PEM, 60 lines, 3.3 KB; its final line end is kept"},
		{"a chain", pem(200) + pem(10), pem(200) + pem(10), "PEM, 210 lines, 12 KB; its final line end is kept"},
		{"half a key", pem(60)[:600], pem(60)[:600], "PEM without its last line, 11 lines, 600 B"},
		{"JSON", "{\n  \"a\": 1\n}", "{\n  \"a\": 1\n}", "JSON, 3 lines"},
		{"JSON in a line", `{"a":1}`, `{"a":1}`, "one line"},
		{"no JSON", "{\n  \"a\": 1\n", "{\n  \"a\": 1\n", "text, 2 lines; its final line end is kept"},
	} {
		f := form.NewSecret(plain(), "Value")
		k := paste(test.pasted)
		f.Key(k)
		if got := string(f.Value().Reveal()); got != test.want {
			t.Errorf("%s: %q", test.what, got)
		}
		if got, want := f.Say(), "masked, "+test.says; got != want {
			t.Errorf("%s: it says %q, want %q", test.what, got, want)
		}
		if shown := strings.Join(strings.Fields(bare(f.View(70, true))), " "); shown != "••••••_ "+test.says {
			t.Errorf("%s: it shows %q", test.what, shown)
		}
		if strings.Trim(string(k.Runes), "\x00") != "" {
			t.Errorf("%s: the message still holds it", test.what)
		}
		if err := f.Check(); err != nil {
			t.Errorf("%s: %v", test.what, err)
		}
	}
}

// The vault stores what the field says that it stores.
func TestSecretAgreesWithTheVault(t *testing.T) {
	t.Parallel()
	f := form.NewSecret(plain(), "Value")
	f.Key(paste(strings.Repeat("v", vault.MaxValue) + "\n"))
	if n := f.Value().Len(); n != vault.MaxValue || f.Error() != "" {
		t.Errorf("%d bytes, %q", n, f.Error())
	}
	f.Key(press("v")[0])
	if want := "the value is full: it has at most 64 KB"; f.Error() != want || f.Value().Len() != vault.MaxValue {
		t.Errorf("a byte more: %d bytes, %q", f.Value().Len(), f.Error())
	}
}

// Checklist 40: neither the mask nor the words tell how long a line is, or how
// it begins.
func TestSecretTellsNothingOfALine(t *testing.T) {
	t.Parallel()
	views := map[string]bool{}
	for _, value := range []string{"x", "{", "-----BEGIN ", strings.Repeat("long ", 2000), "日本", brokertest.Canary(t)} {
		f := form.NewSecret(plain(), "Value")
		for _, k := range press(strings.ReplaceAll(value, "<", "(")) {
			f.Key(k)
		}
		views[bare(f.View(60, true))+"\n"+f.Say()] = true
	}
	if len(views) != 1 {
		t.Errorf("values show in %d ways: %v", len(views), views)
	}
}

func TestSecretEdits(t *testing.T) {
	t.Parallel()
	type step = any // a string of keys, or a paste
	for _, test := range []struct {
		what  string
		steps []step
		want  string
	}{
		{"typed", []step{"a b"}, "a b"},
		{"a rune back", []step{"aé<backspace>日<backspace>b"}, "ab"},
		{"nothing back", []step{"<backspace>a"}, "a"},
		{"a paste back as a whole", []step{"a", paste("one\ntwo"), "<backspace>b"}, "ab"},
		{"a rune after a paste", []step{paste("one"), "xy<backspace>"}, "onex"},
		{"then the paste", []step{paste("one"), "x<backspace><backspace>"}, ""},
		{"two pastes", []step{paste("one"), paste("two")}, "onetwo"},
		{"one of them back", []step{paste("one"), paste("two"), "<backspace>"}, "one"},
		{"all back", []step{paste("one"), "x<ctrl+u>y<backspace>z"}, "z"},
		{"an empty paste", []step{"a", paste(""), "<backspace>b"}, "b"},
		{"no cursor", []step{"ab<left><delete><home>c"}, "abc"},
		{"no key with alt", []step{"a<alt+x>"}, "a"},
	} {
		f := form.NewSecret(plain(), "Value")
		for _, s := range test.steps {
			ks := []tea.KeyMsg{}
			if k, ok := s.(tea.KeyMsg); ok {
				ks = append(ks, k)
			} else {
				ks = press(s.(string))
			}
			for _, k := range ks {
				f.Key(k)
			}
		}
		if got := string(f.Value().Reveal()); got != test.want || f.Dirty() != (got != "") {
			t.Errorf("%s: %q, dirty %v", test.what, got, f.Dirty())
		}
	}
}

// Checklist 47: of a paste that comes as keys, line ends are part; of a line
// that somebody types, enter is not.
func TestSecretAndEnter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ what, keys, want string }{
		{"a line that is typed", "abc<enter>", "abc>"},
		{"a paste with line feeds", "abc<ctrl+j>de<ctrl+j>", "abc\nde\n"},
		{"then enter is one too", "abc<ctrl+j>de<enter>f", "abc\nde\nf"},
		{"a key", "-----BEGIN X<enter>a<enter>", "-----BEGIN X\na\n"},
		{"JSON", "{<enter>}", "{\n}"},
	} {
		f := form.NewSecret(plain(), "Value")
		next := ""
		for _, k := range press(test.keys) {
			if _, taken := f.Key(k); !taken {
				next = ">"
			}
		}
		if got := string(f.Value().Reveal()) + next; got != test.want {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
}

// Checklist 48: a paste that is too large is refused as a whole, with its size,
// and the field goes on.
func TestSecretRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	f := form.NewSecret(plain(), "Value")
	f.Key(press("a")[0])
	f.Key(paste(strings.Repeat("x", 1<<20)))
	if want := "the paste of 1.0 MB was refused: with it the value has more than 64 KB"; f.Error() != want {
		t.Errorf("it says %q", f.Error())
	}
	f.Key(paste(strings.Repeat("\n", vault.MaxValue))) // its last line end counts
	if f.Error() == "" {
		t.Error("one byte too much was taken")
	}
	f.Key(press("b")[0])
	if got := string(f.Value().Reveal()); got != "ab" || f.Error() != "" {
		t.Errorf("then it holds %d bytes, and says %q", len(got), f.Error())
	}
}

// Case 157.
func TestSecretIsWiped(t *testing.T) {
	t.Parallel()
	f := form.NewSecret(plain(), "Value")
	f.Key(paste("made-up\nvalue"))
	value := f.Value()
	var inside []byte
	f.Validate = func(b []byte) error { inside = b; return nil }
	if err := f.Check(); err != nil || string(inside) != "made-up\nvalue" {
		t.Fatalf("Check: %v", err)
	}
	f.Key(press("<backspace>")[0])
	if bytes.Trim(inside, "\x00") != nil {
		t.Error("what was taken back is still there")
	}
	f.Key(paste("other"))
	f.Wipe()
	if bytes.Trim(inside, "\x00") != nil {
		t.Error("what was wiped is still there")
	}
	if f.Dirty() || !f.Empty() || f.Say() != "empty, will be masked" || f.Check() == nil {
		t.Errorf("it says %q", f.Say())
	}
	if string(value.Reveal()) != "made-up\nvalue" {
		t.Error("the value that was handed over is not a copy")
	}
}

func TestSecretValidates(t *testing.T) {
	t.Parallel()
	f := form.NewSecret(plain(), "Value")
	if err := f.Check(); err == nil || err.Error() != "nothing was typed yet" {
		t.Errorf("empty: %v", err)
	}
	f.Optional = true
	if err := f.Check(); err != nil {
		t.Errorf("optional: %v", err)
	}
	f.Validate = func(value []byte) error {
		if bytes.ContainsRune(value, '\n') {
			return fault.New(fault.InvalidRequest, "it cannot have several lines")
		}
		return nil
	}
	f.Key(paste("a\nb"))
	if err := f.Check(); err == nil || err.Error() != "it cannot have several lines" {
		t.Errorf("several lines: %v", err)
	}
	f.Key(press("<backspace>")[0])
	f.Key(paste("\n"))
	if err := f.Check(); err == nil {
		t.Error("a line end alone is a value")
	}
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what, keys, want string // want: the value, or what is wrong
		wiped            bool
	}{
		{"the same twice", "abc<enter>abc", "abc", false},
		{"once only", "abc", "type it again, to be sure of it", false},
		{"two", "abc<enter>abd", "the two are not the same; type both again", true},
		{"two of one length begun the same", "abc<enter>ab", "the two are not the same; type both again", true},
		{"several lines", "a<ctrl+j>b<enter>a<ctrl+j>b", "it has several lines, and must be one; type it again", true},
		{"nothing", "<enter>", "nothing was typed yet", false},
		{"a brace first", "{a<enter>{a", "{a", false},
	} {
		f := form.NewPassphrase(plain(), "Passphrase", true)
		for _, k := range press(test.keys) {
			f.Key(k)
		}
		err := f.Check()
		got := string(f.Value().Reveal())
		if err != nil {
			got = err.Error()
		}
		if got != test.want || test.wiped == f.Dirty() && test.keys != "<enter>" {
			t.Errorf("%s: %q, dirty %v", test.what, got, f.Dirty())
		}
		if strings.Contains(bare(f.View(60, true))+f.Say(), "line") {
			t.Errorf("%s: it says something about it", test.what)
		}
	}
	missing := form.NewPassphrase(plain(), "Passphrase", true)
	both := form.New(newHost(t, plain()), "New vault", missing, form.NewCheck(plain(), "Keyring", "keep it there", false))
	both.Submit = func() tea.Cmd { return sent }
	for _, k := range press("abc<down>") {
		both.Key(k)
	}
	both.Next()
	both.Save()
	if !strings.HasPrefix(both.Say(), "Passphrase, empty, will be masked, second time, wrong: type it again") {
		t.Errorf("what is missing: %q", both.Say())
	}
	f := form.NewPassphrase(plain(), "Passphrase", true)
	all := form.New(newHost(t, plain()), "New vault", f)
	count := 0
	all.Submit = func() tea.Cmd { count++; return sent }
	for _, k := range press("abc<enter>") {
		all.Key(k)
	}
	if !strings.Contains(all.Say(), "second time") || count != 0 {
		t.Errorf("enter goes to %q", all.Say())
	}
	for _, k := range press("abc<enter>") {
		all.Key(k)
	}
	if count != 1 {
		t.Errorf("enter after the second time: %d submits", count)
	}
}

// letters are none that a word of the field has, nor the mask.
const letters = "QZXJVΩжҖ\t\n\r\x00\x1b日\u202e"

// FuzzSecret types and pastes, and compares with a plain model. The first byte
// of each step chooses what is done.
func FuzzSecret(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, uint8(30))
	f.Add([]byte{250, 3, 9, 10, 9, 251, 2, 10, 9, 252, 1, 253}, uint8(80))
	f.Fuzz(func(t *testing.T, steps []byte, w uint8) {
		field := form.NewSecret(plain(), "")
		alphabet := []rune(letters)
		var model []string // what each step put in
		for len(steps) > 0 {
			op := steps[0]
			steps = steps[1:]
			switch {
			case op >= 250:
				n := min(int(op-250)*4, len(steps))
				var runes []rune
				for _, b := range steps[:n] {
					runes = append(runes, alphabet[int(b)%len(alphabet)])
				}
				steps = steps[n:]
				field.Key(paste(string(runes)))
				if s := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(runes)); s != "" {
					model = append(model, s)
				}
			case op >= 240:
				field.Key(keys()["backspace"])
				model = model[:max(len(model)-1, 0)]
			case op >= 236:
				field.Key(keys()["ctrl+u"])
				model = nil
			default:
				r := alphabet[int(op)%8] // what keys send as text
				field.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
				model = append(model, string(r))
			}
		}
		want := strings.Join(model, "")
		stored := want
		if strings.Count(want, "\n") == 1 {
			stored = strings.TrimSuffix(want, "\n")
		}
		if got := string(field.Value().Reveal()); got != stored {
			t.Fatalf("%q, want %q", got, stored)
		}
		lines := field.View(int(w), true)
		wantSize(t, "secret", lines, max(int(w), 1), -1)
		if shown := bare(lines) + field.Say() + field.Error(); strings.ContainsAny(shown, "QZXJVΩжҖ日\u202e\x00\x1b") {
			t.Errorf("it shows %q", shown)
		}
		for i := 0; i+4 <= len(want); i++ {
			if strings.Contains(bare(lines)+field.Say(), want[i:i+4]) {
				t.Errorf("it shows %q", want[i:i+4])
			}
		}
	})
}
