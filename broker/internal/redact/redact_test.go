package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"html"
	"html/template"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"aivault/broker/brokertest"
	"aivault/broker/internal/redact"
	"aivault/keys/opaque"
)

func redactor(values ...string) *redact.Redactor {
	var list []opaque.Bytes
	for _, v := range values {
		list = append(list, opaque.Clone([]byte(v)))
	}
	return redact.New(list...)
}

// Case 65: whatever an upstream makes of the secret.
func TestForms(t *testing.T) {
	t.Parallel()
	const secret = `sk-Made/up+"k\y& é<>%41~`
	std, raw := base64.StdEncoding, base64.RawURLEncoding
	inJSON, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, in, want string }{
		{"nothing", "nothing here", "nothing here"},
		{"raw", "key " + secret + ".", "key [REDACTED]."},
		{"raw at both ends", secret + secret, "[REDACTED][REDACTED]"},
		{"case changed", strings.ToUpper("x" + strings.ReplaceAll(secret, "é", "")), "X" + strings.ToUpper(strings.ReplaceAll(secret, "é", ""))},
		{"query escaped", "k=" + url.QueryEscape(secret) + "&x", "k=[REDACTED]&x"},
		{"lower-case digits", "k=" + strings.ToLower(url.QueryEscape(secret)), "k=[REDACTED]"},
		{"path escaped", "/" + url.PathEscape(secret) + "/", "/[REDACTED]/"},
		{"encodeURI", "/sk-Made/up+%22k%5Cy&%20%C3%A9%3C%3E%2541~", "/[REDACTED]"},
		{"JSON, as Go", `{"k":` + string(inJSON) + `}`, `{"k":"[REDACTED]"}`},
		{"JSON, as PHP", `"sk-Made\/up+\"k\\y& \u00e9<>%41~"`, `"[REDACTED]"`},
		{"JSON, as Python", `"sk-Made/up+\"k\\y& \u00E9<>%41~"`, `"[REDACTED]"`},
		{"JSON, all escaped", `"\u0073\u006b-Made/up+\u0022k\u005cy& é<>%41~"`, `"[REDACTED]"`},
		{"HTML", "<p>" + html.EscapeString(secret) + "</p>", "<p>[REDACTED]</p>"},
		{"HTML, as a template", "<p>" + inTemplate(t, secret) + "</p>", "<p>[REDACTED]</p>"},
		{"HTML, as Mustache", `<b k="sk-Made&#x2F;up+&quot;k\y&amp; é&lt;&gt;%41~">`, `<b k="[REDACTED]">`},
		{"XML", "<k>" + inXML(t, secret) + "</k>", "<k>[REDACTED]</k>"},
		{"XML, all references", "&#115;&#x6b;&#X2D;&#0077;ade/up+&quot;k\\y&#38; &#233;&#x3C;&#62;%41~", "[REDACTED]"},
		{"base64 in HTML", inTemplate(t, std.EncodeToString([]byte(secret))), "[REDACTED]"},
		{"references that are none", "&#;&#x;&#xg;&#1a;&#x110000;&#xd800;&lt&am", "&#;&#x;&#xg;&#1a;&#x110000;&#xd800;&lt&am"},
		{"hex", "0x" + hex.EncodeToString([]byte(secret)) + "ff", "0x[REDACTED]ff"},
		{"upper hex", strings.ToUpper(hex.EncodeToString([]byte(secret))), "[REDACTED]"},
		{"base64", `"` + std.EncodeToString([]byte(secret)) + `"`, `"[REDACTED]"`},
		{"base64url", raw.EncodeToString([]byte(secret)), "[REDACTED]"},
		{"Basic", "Basic " + std.EncodeToString([]byte("use:"+secret)), "Basic " + std.EncodeToString([]byte("use"))[:4] + "Or[REDACTED]"},
		{"base64 in a query", url.QueryEscape(std.EncodeToString([]byte(secret))), "[REDACTED]"},
		{"base64 in lines", "x: " + inLines(secret, 10, "\r\n") + "\r\n.", "x: [REDACTED]\r\n."},
		{"base64 in short lines", inLines(secret, 1, "\n"), "[REDACTED]\ng\n=\n="},
		{"base64 in lines in JSON", `{"k":"` + inLines(secret, 6, `\r\n`) + `\r\n"}`, `{"k":"[REDACTED]\r\n"}`},
		{"base64 in lines in a query", url.QueryEscape(inLines(secret, 6, "\r\n")), "[REDACTED]"},
		{"base64 in paragraphs", inLines(secret, 10, "\n\n"), inLines(secret, 10, "\n\n")},
		{"binary around it", "\xff\x00" + secret + "\xc3", "\xff\x00[REDACTED]\xc3"},
		{"header read as Latin-1", strings.ReplaceAll(secret, "é", "Ã©"), "[REDACTED]"},
		{"the same in JSON", `"sk-Made/up+\"k\\y& \u00c3\u00a9<>%41~"`, `"[REDACTED]"`},
		{"the same in base64", std.EncodeToString([]byte(strings.ReplaceAll(secret, "é", "Ã©"))), "[REDACTED]"},
		{"written as Latin-1", strings.ReplaceAll(secret, "é", "\xe9"), "[REDACTED]"},
		{"a byte less", secret[:len(secret)-1], secret[:len(secret)-1]},
	}
	r := redactor(secret)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, n := r.String(test.in)
			if test.name == "Basic" { // what stands before decides on the last character of it
				if !strings.HasPrefix(got, test.want[:10]) || !strings.HasSuffix(got, redact.Marker) {
					t.Errorf("got %q", got)
				}
				return
			}
			if got != test.want {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
			if want := strings.Count(test.want, redact.Marker); n != want {
				t.Errorf("n = %d, want %d", n, want)
			}
		})
	}
}

// inTemplate returns a text as html/template writes it, plus signs included.
func inTemplate(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	if err := template.Must(template.New("").Parse("{{.}}")).Execute(&out, text); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func inXML(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	if err := xml.EscapeText(&out, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// inLines returns a text in base64, broken into lines.
func inLines(text string, width int, lineEnd string) string {
	var lines []string
	for rest := base64.StdEncoding.EncodeToString([]byte(text)); rest != ""; {
		n := min(width, len(rest))
		lines = append(lines, rest[:n])
		rest = rest[n:]
	}
	return strings.Join(lines, lineEnd)
}

func TestCaseInsensitive(t *testing.T) {
	t.Parallel()
	got, n := redactor("Made-Up-Key").String("MADE-UP-KEY made-up-key Made_Up_Key")
	if got != "[REDACTED] [REDACTED] Made_Up_Key" || n != 2 {
		t.Errorf("got %q, %d", got, n)
	}
}

func TestOverlaps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		values []string
		in     string
		want   string
		n      int
	}{
		{"longest first", []string{"made-up-key", "Bearer made-up-key"}, "a Bearer made-up-key b", "a [REDACTED] b", 1},
		{"the shorter alone", []string{"Bearer made-up-key", "made-up-key"}, "a made-up-key b", "a [REDACTED] b", 1},
		{"one ends in the other", []string{"abcdefgh", "efghijkl"}, "-abcdefghijkl-", "-[REDACTED]-", 1},
		{"chain", []string{"abcdefgh", "efghijkl", "ijklmnop"}, "-abcdefghijklmnop-", "-[REDACTED]-", 1},
		{"with itself", []string{"abababab"}, "-ababababab-", "-[REDACTED]-", 1},
		{"one inside, then on", []string{"abcdefghij", "cdefghijkl"}, "abcdefghijkl", "[REDACTED]", 1},
		{"touching", []string{"abcdefgh", "ijklmnop"}, "abcdefghijklmnop", "[REDACTED][REDACTED]", 2},
		{"after a false start", []string{"aaaaaaab"}, "aaaaaaaaaab", "aaa[REDACTED]", 1},
		{"the same twice", []string{"abcdefgh", "abcdefgh"}, "abcdefgh", "[REDACTED]", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, n := redactor(test.values...).String(test.in)
			if got != test.want || n != test.n {
				t.Errorf("got %q, %d, want %q, %d", got, n, test.want, test.n)
			}
		})
	}
}

// Case 77: short values do not shred the text, and the empty one is ignored.
func TestShort(t *testing.T) {
	t.Parallel()
	tests := []struct{ value, in, want string }{
		{"", "text", "text"},
		{"api", "the api at api.test/rapid?api=1", "the [REDACTED] at [REDACTED].test/rapid?[REDACTED]=1"},
		{"a", "a banana, a", "[REDACTED] banana, [REDACTED]"},
		{"pw123", `{"p":"pw123","q":"pw1234","r":"xpw123"}`, `{"p":"[REDACTED]","q":"pw1234","r":"xpw123"}`},
		{"pw123", `"\npw123" %20pw123 \u00e9pw123`, `"\n[REDACTED]" %20[REDACTED] \u00e9[REDACTED]`},
		{`p"w/1`, `p%22w%2f1 "p\"w\/1" p"w/1`, `[REDACTED] "[REDACTED]" [REDACTED]`},
		{"pw123", "7077313233 cHcxMjM=", "7077313233 cHcxMjM="},
		{"Pw123", "pw123", "pw123"},
		{" ", "a b+c", "a b+c"},
	}
	for _, test := range tests {
		if got, _ := redactor(test.value).String(test.in); got != test.want {
			t.Errorf("%q: got %q, want %q", test.value, got, test.want)
		}
	}
}

func TestNothingToDoCopiesNothing(t *testing.T) {
	t.Parallel()
	in := []byte("an answer")
	out, n := redactor("made-up-key").Bytes(in)
	if n != 0 || &out[0] != &in[0] {
		t.Errorf("n = %d, copied %t", n, &out[0] != &in[0])
	}
	var none redact.Redactor
	if out, n := none.String("made-up-key"); n != 0 || out != "made-up-key" {
		t.Errorf("the zero Redactor gives %q, %d", out, n)
	}
	if out, n := redactor("made-up-key").Bytes(nil); n != 0 || out != nil {
		t.Errorf("nil gives %q, %d", out, n)
	}
}

func TestClear(t *testing.T) {
	t.Parallel()
	value := opaque.New([]byte("made-up-key"))
	r := redact.New(value)
	value.Clear()
	if _, n := r.String("made-up-key"); n != 1 {
		t.Error("the Redactor depends on the value that it was made from")
	}
	r.Clear()
	if _, n := r.String("made-up-key"); n != 0 {
		t.Error("a cleared Redactor still finds the value")
	}
}

// FuzzPlanted plants a value in each form into some text, and no form of it
// may be left.
func FuzzPlanted(f *testing.F) {
	f.Add("made-up-key", "before ", " after")
	f.Add(`a"b\c/d+e f%41&é<😀`, "%", "%")
	f.Add("aaaaaaaaaaaaaaaa", "aaa", "aaa")
	f.Add("%25%25%25%25", "%25", "25")
	f.Add(`\\\\\\\\`, `\`, `\`)
	f.Add("REDACTED", "[", "]")
	f.Add("\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", "/", "=")
	f.Add("short", "(", ")")
	f.Add("        ", "+", "%20")
	f.Add("%\"", "", "") // begins with what is an escape elsewhere
	f.Add("%\"\\+%\"\\+", "", "")
	f.Add("&&&&&&&&", "&", "amp;")
	f.Add("&amp;&#38;&#x26;", "&#", ";")
	f.Fuzz(func(t *testing.T, value, before, after string) {
		if len(value) > 512 {
			t.Skip("more of the same, in quadratic time if it repeats itself")
		}
		if len(value) < 8 { // found where it stands alone
			before, after = before+" ", " "+after
		}
		r := redactor(value)
		defer r.Clear()
		forms := brokertest.Forms(value)
		for _, form := range forms {
			if !utf8.ValidString(value) && bytes.Contains(form, []byte(`\ufffd`)) {
				continue // JSON has lost what the value was
			}
			text := []byte(before + string(form) + after)
			out, n := r.Bytes(text)
			if n == 0 {
				t.Fatalf("%q: not found as %q", value, form)
			}
			if len(value) < 8 {
				continue
			}
			for rest := range bytes.SplitSeq(out, []byte(redact.Marker)) {
				if found := bytes.Contains(rest, form); found {
					t.Fatalf("%q: form %q is left in %q", value, form, out)
				}
			}
		}
	})
}

// BenchmarkBytes looks for the values of a usual call in answers that do not
// have them.
func BenchmarkBytes(b *testing.B) {
	const key = "sk-proj-" + "M4deUpKeyM4deUpKeyM4deUpKeyM4deUpKeyM4deUp"
	r := redactor(key, "Bearer "+key, "user:"+key)
	texts := map[string]string{
		"json":    `{"id":"chatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW","object":"chat.completion","created":1677664795,"choices":[{"delta":{"content":"The 2020 World Series was played in Texas\n"}}]},`,
		"escaped": `"\u4f60\u597d\uff0c\u4e16\u754c \"quoted\" %E4%BD%A0%E5%A5%BD + \\path\\to",`,
		"base64":  base64.StdEncoding.EncodeToString([]byte("The quick brown fox jumps over the lazy dog, and again and again")),
		"hex":     hex.EncodeToString([]byte("The quick brown fox jumps over the lazy dog, and again and again")),
	}
	for name, text := range texts {
		data := []byte(strings.Repeat(text, 1<<20/len(text)))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, n := r.Bytes(data); n != 0 {
					b.Fatal("found something")
				}
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	key := opaque.New([]byte("sk-proj-M4deUpKeyM4deUpKeyM4deUpKeyM4deUpKeyM4deUp"))
	b.ReportAllocs()
	for b.Loop() {
		redact.New(key).Clear()
	}
}
