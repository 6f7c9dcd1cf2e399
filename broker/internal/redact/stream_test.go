package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"aivault/broker/brokertest"
	"aivault/broker/internal/redact"
)

// inPieces runs text through a Stream, cut where cuts says: before byte i if
// the bit i%64 of cuts is set.
func inPieces(r *redact.Redactor, text []byte, cuts uint64) (out []byte, n int) {
	s := r.Stream()
	done := 0
	for i := range text {
		if cuts>>(i%64)&1 == 1 {
			out = append(out, s.Write(text[done:i])...)
			done = i
		}
	}
	out = append(out, s.Write(text[done:])...)
	return append(out, s.End()...), s.Count()
}

// longest is the length of the longest form of a value: base64 with a line
// break after each character, all as &#0000065;, and what completes it.
func longest(value string) int { return (10+20)*4*(len(value)+2)/3 + 7 }

// Case 66: a secret that is cut anywhere, in any form, is found, and the
// result is that of the whole text.
func TestCase066SecretAcrossChunks(t *testing.T) {
	t.Parallel()
	secret := brokertest.Canary(t) + "é€😀"
	latin1 := brokertest.Canary(t) + "é"
	r := redactor(secret, latin1, "pw1", "Bearer "+secret)
	forms := append(brokertest.Forms(secret), brokertest.Forms(latin1)...)
	forms = append(forms, []byte("pw1"), []byte(`\npw1`), []byte("%20pw1"), []byte("Bearer "+secret), []byte(secret+secret),
		[]byte(inLines(secret, 9, "\r\n")), []byte(inLines("u:"+secret, 9, `\n`)),
		[]byte(strings.ReplaceAll(latin1, "é", "Ã©")), []byte(strings.ReplaceAll(latin1, "é", "\xe9")),
		[]byte(strings.ReplaceAll(secret, "😀", `\ud83d\ude00`)), []byte(strings.ToLower(latin1)))
	for _, user := range []string{"", "u", "us"} { // with one, two and no characters of padding
		forms = append(forms, []byte(url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(user+secret)))))
	}
	for _, form := range forms {
		text := []byte(`{"a":"` + string(form) + `","b":"%` + string(form) + `\"}`)
		want, count := r.Bytes(text)
		if count < 1 {
			t.Fatalf("%q: not found in the whole", form)
		}
		for at := range len(text) + 1 {
			s := r.Stream()
			got := bytes.Clone(s.Write(text[:at]))
			got = append(got, s.Write(text[at:])...)
			got = append(got, s.End()...)
			if !bytes.Equal(got, want) || s.Count() != count {
				t.Fatalf("%q cut at %d: got %q, %d\nwant %q, %d", text, at, got, s.Count(), want, count)
			}
		}
		if got, n := inPieces(r, text, ^uint64(0)); !bytes.Equal(got, want) || n != count {
			t.Errorf("%q byte by byte: got %q, %d\nwant %q, %d", text, got, n, want, count)
		}
	}
}

func TestStreamHoldsBack(t *testing.T) {
	t.Parallel()
	const long, short = "made-up-key", "pw1"
	tests := []struct{ name, in, now string }{
		{"nothing", "text.", "text."},
		{"a beginning", "text made-up-k", "text "},
		{"its first byte", "text m", "text "},
		{"a later one", "text made-m", "text made-"},
		{"a form", "text made-up-key", "text [REDACTED]"},
		{"a form and a beginning", "made-up-keymade", "[REDACTED]"},
		{"a word that may go on", "text pw1", "text "},
		{"a word that ended", "text pw1,", "text [REDACTED],"},
		{"within a word", "textpw1x", "textpw1x"},
		{"half an escape", "text %6", "text "},
		{"an escape of something else", "text %2E", "text %2E"},
		{"half an escape in JSON", `text \u00`, `text `},
		{"half a pair", `text \ud83d`, `text `},
		{"half a pair alone", `text \ud83d"`, `text \ud83d"`},
		{"half a reference", "text &#10", "text "},
		{"half a name", "text &l", "text &l"},
		{"a reference of something else", "text &#65;&amp;", "text &#65;&amp;"},
		{"percent that is none", "100%!", "100%!"},
		{"percent before a line break", "100%\n", "100%\n"},
		{"padding may follow", base64.StdEncoding.EncodeToString([]byte(long)), ""},
		{"an event", "data: {\"k\":\"made\"}\n\n", "data: {\"k\":\"made\"}\n\n"},
		{"an event after a beginning", "data: made\n\n", "data: made\n\n"},
		{"an event that ends in base64", "data: " + base64.StdEncoding.EncodeToString([]byte(long)) + "\n\n", "data: [REDACTED]\n\n"},
	}
	for _, test := range tests {
		s := redactor(long, short).Stream()
		if got := string(s.Write([]byte(test.in))); got != test.now {
			t.Errorf("%s: %q lets %q leave, want %q", test.name, test.in, got, test.now)
		}
	}
}

// A text that broke off shows nothing of what could have become a form.
func TestStreamCut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, want string
		n        int
	}{
		{"", "", 0},
		{"text.", "text.", 0},
		{"text mad", "text ", 0},
		{"text made", "text [REDACTED]", 1},
		{"text made-up-ke", "text [REDACTED]", 1},
		{"made-up-key", "[REDACTED]", 1},
		{"made-up-key mad", "[REDACTED] ", 1},
		{"made-up-keymade", "[REDACTED][REDACTED]", 2},
		{"text pw1", "text [REDACTED]", 1},
		{"text pw", "text ", 0},
		{"text %6d%6", "text [REDACTED]", 1},
		{"keyOFkeyOFkeyO", "[REDACTED]", 1}, // what would go on is within what was replaced
	}
	for _, test := range tests {
		s := redactor("made-up-key", "pw1", "keyOFkeyOF").Stream()
		var got []byte
		for i := range test.in {
			got = append(got, s.Write([]byte{test.in[i]})...)
		}
		got = append(got, s.Cut()...)
		if string(got) != test.want || s.Count() != test.n {
			t.Errorf("%q: got %q, %d, want %q, %d", test.in, got, s.Count(), test.want, test.n)
		}
		if rest := s.End(); len(rest) > 0 {
			t.Errorf("%q: %q after Cut", test.in, rest)
		}
	}
}

func TestEmptyRedactorStream(t *testing.T) {
	t.Parallel()
	var none redact.Redactor
	s := none.Stream()
	if got := string(s.Write([]byte(`50% of \u00`))); got != `50% of \u00` {
		t.Errorf("the zero Redactor lets %q leave", got)
	}
}

// Complete events of a usual stream are never held back, wherever the
// connection cut them.
func TestStreamLetsEventsPass(t *testing.T) {
	t.Parallel()
	key := brokertest.Word(t)
	r := redactor(key, "Bearer "+key, "short", "user:"+key)
	rng := rand.New(rand.NewPCG(1, 2))
	s := r.Stream()
	in, out := 0, 0
	for range 20_000 {
		content, err := json.Marshal(fmt.Sprintf("%c%x Bearer \u4f60%s", 'A'+rng.IntN(60), rng.Uint64(), key[:rng.IntN(9)]))
		if err != nil {
			t.Fatal(err)
		}
		event := fmt.Sprintf("data: {\"delta\":%s}\n\n", content)
		cut := rng.IntN(len(event))
		in += len(event)
		out += len(s.Write([]byte(event[:cut])))
		out += len(s.Write([]byte(event[cut:])))
		if in != out {
			t.Fatalf("%d bytes are held back after %q", in-out, event)
		}
	}
}

// What is held back is bounded, whatever comes: here all but the end of each
// form, again and again.
func TestStreamIsBounded(t *testing.T) {
	t.Parallel()
	tests := []struct{ unit, first, text string }{
		{"a", "", "a"},
		{"a", "", "%61"},
		{"a", "", `\u0061`},
		{"a", "", "61"},
		{"a", "", "YWFh"},
		{"a", "", "%59%57%46%68"},
		{"a", "", "Y\r\nW\r\nF\r\nh\r\n"},
		{"a", "", `\u0059\u000d\u000aW\r\nF\r\nh\r\n`},
		{"a", "Y", "\n"},
		{"a", "Y", "\r\n"},
		{"a", "Y", "%0D%0A"},
		{"a", "", "&#97;"},
		{"a", "", "&#0000097;"},
		{"&", "", "&amp;"},
		{"&", "", "&"},
		{"&", "", "&#38"},
		{"%", "", "%"},
		{"%", "", "%25"},
		{"%", "", "25"},
		{`\`, "", `\`},
		{`\`, "", `\\`},
		{`\`, "", `\u005c`},
		{"+", "", "%2B"},
		{"é", "", `\u00e9`},
		{"é", "", "%C3%A9"},
		{"é", "", `\u00c3\u00a9`},
		{"😀", "", `\ud83d\ude00`},
		{"😀", "", `\ud83d`},
	}
	for _, test := range tests {
		value := strings.Repeat(test.unit, 64) + "!"
		s := redactor(value).Stream()
		in, out, most := len(test.first), len(s.Write([]byte(test.first))), 0
		for range 2000 {
			in += len(test.text)
			out += len(s.Write([]byte(test.text)))
			most = max(most, in-out)
		}
		if most > longest(value) || s.Count() > 0 {
			t.Errorf("%q..., %q: holds back %d bytes, and has %d", test.unit, test.text, most, s.Count())
		}
	}
}

// FuzzStream cuts a text of forms and noise in every way, and the result is
// that of the whole.
func FuzzStream(f *testing.F) {
	f.Add("made-up-key", "up-key-made-up", "noise", []byte{0, 1, 2, 3, 4, 90, 91}, uint64(0x5555))
	f.Add(`a"b\c/d+e f%41&é<😀`, "é<😀", "%\\", []byte{5, 0, 6, 1, 7, 130, 20}, ^uint64(0))
	f.Add("%25%25%25%25", "25%25", "%25", []byte{9, 8, 7, 6, 5}, uint64(0x1248))
	f.Add(`\\\\\\\\`, `\`, `\u005`, []byte{1, 2, 0, 3, 4}, uint64(0xf0f0))
	f.Add("pw1", "aaaaaaaaaaaaaaaa", "aaaYWFh=%3D", []byte{1, 0, 130, 131, 132, 3}, uint64(0xffff0000ffff))
	f.Add("\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", "ÿþýüûúùø", "=", []byte{1, 130, 7, 200}, uint64(7))
	f.Add("        ", "+", "%20", []byte{1, 130, 7, 200}, uint64(0x8888))
	f.Add("a&b<c>d\"e'", "&amp;&#38", "&#x", []byte{1, 7, 8, 9, 10, 130, 20}, uint64(0x5a5a5a))
	f.Add("ééééé", "Ã©Ã©Ã©", `\ud83d`, []byte{1, 130, 7, 200}, uint64(0x924924))
	f.Fuzz(func(t *testing.T, value, other, noise string, recipe []byte, cuts uint64) {
		if len(value) > 64 || len(other) > 64 || len(recipe) > 64 {
			t.Skip("more of the same")
		}
		r := redactor(value, other)
		defer r.Clear()
		parts := append(brokertest.Forms(value), brokertest.Forms(other)...)
		for _, form := range brokertest.Forms(value) { // a form in a form
			parts = append(parts, []byte(url.QueryEscape(string(form))), form[len(form)/2:], form[:len(form)/2])
		}
		parts = append(parts, []byte(inLines(value, 5, "\r\n")), []byte(inLines(other, 6, `\n`)), []byte(noise), []byte("%"), []byte(`\u`), []byte("="), []byte("3D"), []byte("a"), []byte("\n\n"))
		var text []byte
		for _, b := range recipe {
			text = append(text, parts[int(b)%len(parts)]...)
		}
		want, count := r.Bytes(text)
		got, n := inPieces(r, text, cuts)
		if !bytes.Equal(got, want) || n != count {
			t.Fatalf("%q cut by %x: got %q, %d\nwant %q, %d", text, cuts, got, n, want, count)
		}
		s := r.Stream() // byte by byte, and broken off: what is out is a beginning of the whole
		var out []byte
		for _, c := range text {
			out = append(out, s.Write([]byte{c})...)
			if !bytes.HasPrefix(want, out) {
				t.Fatalf("%q: %q left, of %q", text, out, want)
			}
		}
		cut := s.Cut()
		if len(cut) > 0 && string(cut) != redact.Marker {
			t.Fatalf("%q: %q after it broke off", text, cut)
		}
	})
}

// BenchmarkStream is BenchmarkBytes/json in pieces as they come from a
// connection.
func BenchmarkStream(b *testing.B) {
	const key = "sk-proj-" + "M4deUpKeyM4deUpKeyM4deUpKeyM4deUpKeyM4deUp"
	r := redactor(key, "Bearer "+key, "user:"+key)
	const event = `data: {"id":"chatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW","choices":[{"delta":{"content":"The 2020 World Series was played"}}]}` + "\n\n"
	data := []byte(strings.Repeat(event, 1<<20/len(event)))
	for _, size := range []int{len(event), 16 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				s := r.Stream()
				for rest := data; len(rest) > 0; {
					piece := rest[:min(size, len(rest))]
					rest = rest[len(piece):]
					s.Write(piece)
				}
				if s.End(); s.Count() != 0 {
					b.Fatal("found something")
				}
			}
		})
	}
}
