package fields_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"aivault/broker/internal/fields"
	"aivault/keys/fault"
)

// names are what most tests hold back.
var names = []string{"email", "ssn", "größe", `a"b`}

const marker = fields.Marker

func TestDocuments(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, want string
		n              int
	}{
		{"nothing to hold back", `{"id": 1.50, "b":[true,null]}`, `{"id": 1.50, "b":[true,null]}`, 0},
		{"text", `{"email":"a@b.test","id":1}`, `{"email":` + marker + `,"id":1}`, 1},
		{"text with quotes", `{"email":"a\"}\\","id":1}`, `{"email":` + marker + `,"id":1}`, 1},
		{"number", `{"ssn":-1.5e10}`, `{"ssn":` + marker + `}`, 1},
		{"number, then space", `{"ssn":12 , "x":3}`, `{"ssn":` + marker + ` , "x":3}`, 1},
		{"words", `{"a":{"ssn":true},"b":{"ssn":null},"c":{"ssn":false}}`, `{"a":{"ssn":` + marker + `},"b":{"ssn":` + marker + `},"c":{"ssn":` + marker + `}}`, 3},
		{"object", `{"ssn":{"email":"x","y":[{}]},"z":{}}`, `{"ssn":` + marker + `,"z":{}}`, 1},
		{"array", `{"ssn":["}",{"a":[]}] }`, `{"ssn":` + marker + ` }`, 1},
		{"empty ones", `{"ssn":{},"email":[]}`, `{"ssn":` + marker + `,"email":` + marker + `}`, 2},
		{"at depth", `[[{"x":[{"y":{"email":"e"}}]}]]`, `[[{"x":[{"y":{"email":` + marker + `}}]}]]`, 1},
		{"twice in an object", `{"email":1,"email":"x"}`, `{"email":` + marker + `,"email":` + marker + `}`, 2},
		{"escapes in the key", `{"\u0065m\u0061il":"x","\u0045mail":"y"}`, `{"\u0065m\u0061il":` + marker + `,"\u0045mail":"y"}`, 1},
		{"quote in the key", `{"a\"b":1,"a\u0022b":2}`, `{"a\"b":` + marker + `,"a\u0022b":` + marker + `}`, 2},
		{"not ASCII", `{"größe":1,"gr\u00f6\u00dfe":2}`, `{"größe":` + marker + `,"gr\u00f6\u00dfe":` + marker + `}`, 2},
		{"another case", `{"Email":"x"}`, `{"Email":"x"}`, 0},
		{"a value like the name", `{"x":"email","y":["email",1]}`, `{"x":"email","y":["email",1]}`, 0},
		{"in a string", `{"x":"{\"email\":1}"}`, `{"x":"{\"email\":1}"}`, 0},
		{"white space everywhere", " \t\r\n{ \"email\" :\n[ 1 ]\t, \"x\" : 1 }\n", " \t\r\n{ \"email\" :\n" + marker + "\t, \"x\" : 1 }\n", 1},
		{"byte order mark", "\ufeff{\"email\":1}", "\ufeff{\"email\":" + marker + "}", 1},
		{"top is text", `"email"`, `"email"`, 0},
		{"top is a number", ` 12 `, ` 12 `, 0},
		{"empty", "", "", 0},
		{"only space", " \n", " \n", 0},
	}
	f := fields.New(names)
	for _, test := range tests {
		for _, mediaType := range []string{"application/json", "Application/Problem+JSON; charset=utf-8", "text/json"} {
			got, n, err := f.Body(mediaType, []byte(test.in))
			if err != nil || string(got) != test.want || n != test.n {
				t.Errorf("%s, %s: got %q, %d, %v\nwant %q, %d", test.name, mediaType, got, n, err, test.want, test.n)
			}
		}
	}
}

func TestOtherBodies(t *testing.T) {
	t.Parallel()
	const in, out = `{"email":"x"}`, `{"email":` + marker + `}`
	tests := []struct{ name, mediaType, in, want string }{
		{"no type", "", in, out},
		{"wrong type", "text/plain", "\ufeff \n" + in, "\ufeff \n" + out},
		{"a file of lines", "application/octet-stream", in + "\n" + in + "\n", out + "\n" + out + "\n"},
		{"lines", "application/x-ndjson", in + "\n\n" + `7` + "\r\n" + in, out + "\n\n" + `7` + "\r\n" + out},
		{"sequence", "application/json-seq", "\x1e" + in + "\n\x1e" + in + "\n", "\x1e" + out + "\n\x1e" + out + "\n"},
		{"text", "text/plain", "email: x {", "email: x {"},
		{"HTML", "text/html", `<p>{"email":"x"}`, `<p>{"email":"x"}`},
		{"picture", "image/png", "\x89PNG\r\n\x1a\n{\"email\":1}", "\x89PNG\r\n\x1a\n{\"email\":1}"},
		{"bytes", "", "\xff\xd8\x00\x01", "\xff\xd8\x00\x01"},
		{"empty", "", "", ""},
		{"empty script", "text/javascript", "", ""},
		{"white space", "text/plain", " \n ", " \n "},
		{"dates", "text/plain", "dat", "dat"},
		{"data", "text/plain", "data", "data"},
		{"events without a type", "text/plain", "data: " + in + "\n\n", "data: " + out + "\n\n"},
		{"comments without a type", "", ": ping\n\ndata:" + in, ": ping\n\ndata:" + out},
		{"no events", "text/event-stream", in, out},
	}
	f := fields.New(names)
	for _, test := range tests {
		got, n, err := f.Body(test.mediaType, []byte(test.in))
		if want := strings.Count(test.want, marker); err != nil || string(got) != test.want || n != want {
			t.Errorf("%s: got %q, %d, %v\nwant %q, %d", test.name, got, n, err, test.want, want)
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"LF", "data: {\"email\":1}\n\n", "data: {\"email\":" + marker + "}\n\n"},
		{"CR LF", "event: a\r\ndata:{\"email\":1}\r\nid: 1\r\n\r\n", "event: a\r\ndata:{\"email\":" + marker + "}\r\nid: 1\r\n\r\n"},
		{"CR", "data: {\"email\":1}\r\rdata: {\"email\":2}\r\r", "data: {\"email\":" + marker + "}\r\rdata: {\"email\":" + marker + "}\r\r"},
		{"all sorts", "data: {\r\ndata: \"email\":1}\n\rdata: [DONE]\n\n", "data: {\r\ndata: \"email\":" + marker + "}\n\rdata: [DONE]\n\n"},
		{"no end", "data: {\"email\":1}", "data: {\"email\":" + marker + "}"},
		{"several lines", "data: {\"x\":1,\ndata:\ndata\ndata: \"email\":{},\ndata:\"y\":2}\n\n", "data: {\"x\":1,\ndata:\ndata\ndata: \"email\":" + marker + ",\ndata:\"y\":2}\n\n"},
		{
			"a value over several lines", "data: {\"email\": [1,\nid: 7\ndata:2,\ndata:\ndata:  3], \"y\":\ndata: 2}\n\n",
			"data: {\"email\": " + marker + "\nid: 7\ndata:\ndata:\ndata: , \"y\":\ndata: 2}\n\n",
		},
		{"each line a value", "data: {\"email\":1}\ndata: {\"ssn\":2}\n\n", "data: {\"email\":" + marker + "}\ndata: {\"ssn\":" + marker + "}\n\n"},
		{"text, then a value", "data: first\ndata: {\"ssn\":2}\n\n", "data: first\ndata: {\"ssn\":" + marker + "}\n\n"},
		{"no JSON", "data: [DONE]\n\ndata: email\n\ndata: [a-b] c\n\n", "data: [DONE]\n\ndata: email\n\ndata: [a-b] c\n\n"},
		{"comments and other fields", ":{\"email\":1}\nretry: 10\nemail: x\n\n", ":{\"email\":1}\nretry: 10\nemail: x\n\n"},
		{"byte order mark", "\ufeffdata: {\"email\":1}\n\n", "\ufeffdata: {\"email\":" + marker + "}\n\n"},
		{"space before it", "  data: {\"email\":1}\n\n", "  data: {\"email\":" + marker + "}\n\n"},
		{"empty lines first", "\r\n\n\rdata: {\"email\":1}\n\n", "\r\n\n\rdata: {\"email\":" + marker + "}\n\n"},
	}
	f := fields.New(names)
	for _, test := range tests {
		got, n, err := f.Body("text/event-stream; charset=utf-8", []byte(test.in))
		if want := strings.Count(test.want, marker); err != nil || string(got) != test.want || n != want {
			t.Errorf("%s: got %q, %d, %v\nwant %q, %d", test.name, got, n, err, test.want, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	utf16le := func(s string) string {
		var b strings.Builder
		for _, c := range s {
			b.WriteString(string([]byte{byte(c), 0}))
		}
		return b.String()
	}
	const in = `{"email":"canary-x"}`
	deep := strings.Repeat("[", fields.MaxDepth+1) + strings.Repeat("]", fields.MaxDepth+1)
	tests := []struct{ name, mediaType, in string }{
		{"broken", "application/json", `{"email":"canary-x"`},
		{"text as JSON", "application/json", `email=canary-x`},
		{"two values", "application/json", in + in},
		{"guarded", "application/json", ")]}'\n" + in},
		{"guarded without a type", "", ")]}'\n" + in},
		{"broken without a type", "text/plain", `{email:"canary-x"}`},
		{"log lines that look like it", "text/plain", "[canary-x] text"},
		{"comments", "application/json", "/* canary-x */" + in},
		{"JSONP", "application/javascript", "/**/f(" + in + ")"},
		{"parts", "multipart/mixed; boundary=x", "--x\r\n\r\n" + in},
		{"bad UTF-8", "application/json", "{\"email\":\"canary-x\xff\"}"},
		{"bad UTF-8 in a key", "application/json", "{\"em\xc3ail\":\"canary-x\"}"},
		{"UTF-16", "application/json; charset=utf-16", utf16le(in)},
		{"UTF-16 without a type", "text/plain", utf16le(in)},
		{"UTF-16, big endian, marked", "text/plain", "\xfe\xff\x00" + strings.TrimSuffix(utf16le(in), "\x00")},
		{"UTF-16, marked", "text/plain", "\xff\xfe" + utf16le(in)},
		{"UTF-32", "", "\x00\x00\xfe\xff\x00\x00\x00{\x00\x00\x00}"},
		{"too deep", "application/json", deep},
		{"too deep in what is held back", "application/json", `{"email":` + deep[1:len(deep)-1] + `}`},
		{"deeper than any parser goes", "application/json", strings.Repeat("[", 1<<20)},
		{"broken line", "application/x-ndjson", in + "\n" + `{"email":"canary-x`},
		{"value over lines", "application/x-ndjson", "{\n\"email\":\"canary-x\"}"},
		{"broken event", "text/event-stream", "data: {\"email\":\"canary-x\n\n"},
		{"broken list in an event", "text/event-stream", "data: [{\"email\":\"canary-x\"},]\n\n"},
		{"JSON and more in an event", "text/event-stream", "data: {\ndata: \"email\":\"canary-x\"}\ndata: [DONE]\n\n"},
		{"JSON beside the fields", "text/event-stream", "event: x\n{\"email\":\"canary-x\"}\n\n"},
		{"too deep in an event", "text/event-stream", "data: {\"a\":" + deep + "}\n\n"},
		{"space before it", "", strings.Repeat(" ", 5000) + "x"},
	}
	f := fields.New(names)
	for _, test := range tests {
		got, n, err := f.Body(test.mediaType, []byte(test.in))
		if fault.CodeOf(err) != fault.UpstreamStatus || got != nil || n != 0 {
			t.Errorf("%s: got %.40q, %d, %v", test.name, got, n, err)
			continue
		}
		if text := err.Error() + fault.HintOf(err); strings.Contains(text, "canary") || strings.Contains(text, "email") {
			t.Errorf("%s: the error shows the body: %s", test.name, text)
		}
	}
	atLimit := deep[1 : len(deep)-1]
	for _, in := range []string{atLimit, `{"email":` + atLimit[1:len(atLimit)-1] + `}`, `{"x":` + atLimit[1:len(atLimit)-1] + `}`} {
		if _, _, err := f.Body("application/json", []byte(in)); err != nil {
			t.Errorf("%d levels: %v", fields.MaxDepth, err)
		}
	}
}

// Without names nothing is changed and nothing refused.
func TestNoNames(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`{"email":1}`, `{"email":`, "\xff"} {
		got, n, err := fields.New(nil).Body("application/json", []byte(in))
		if string(got) != in || n != 0 || err != nil {
			t.Errorf("%q: got %q, %d, %v", in, got, n, err)
		}
	}
}

func TestNothingToDoCopiesNothing(t *testing.T) {
	t.Parallel()
	for _, mediaType := range []string{"application/json", "text/event-stream", "application/x-ndjson", ""} {
		in := []byte(`{"id":1}`)
		out, _, err := fields.New(names).Body(mediaType, in)
		if err != nil || &out[0] != &in[0] {
			t.Errorf("%q: copied, or %v", mediaType, err)
		}
	}
}

// spliced is what Body should make of a document, by the tokens of
// encoding/json.
func spliced(t *testing.T, doc []byte, blocked map[string]bool) (out []byte, n int) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	done := 0
	var value func(isBlocked bool)
	value = func(isBlocked bool) {
		if isBlocked {
			var raw json.RawMessage
			if err := dec.Decode(&raw); err != nil {
				t.Fatal(err)
			}
			end := int(dec.InputOffset())
			out = append(append(out, doc[done:end-len(raw)]...), marker...)
			done = end
			n++
			return
		}
		token, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		delim, ok := token.(json.Delim)
		if !ok {
			return
		}
		for dec.More() {
			key := ""
			if delim == '{' {
				if token, err = dec.Token(); err != nil {
					t.Fatal(err)
				}
				key, _ = token.(string)
			}
			value(delim == '{' && blocked[key])
		}
		if _, err := dec.Token(); err != nil {
			t.Fatal(err)
		}
	}
	value(false)
	return append(out, doc[done:]...), n
}

// FuzzBody compares with the tokens of encoding/json: what is held back is
// gone, everything else is there byte by byte, and what is not JSON is refused.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"email":"x","id":1}`, `[{"a":{"email":[1,{"b":2}]}}]`, `{"email":1,"email":{}}`, `{"\u0065mail":1.50 ,"x":"\\\""}`,
		`"email"`, `[]`, ` 7 `, `{"email":`, `{"email":tru}`, "{\"email\":\"\xff\"}", `{"a":"email","email":"a"}`, `{"e":[[[]]]}`,
	} {
		f.Add([]byte(seed), "email", "a")
	}
	f.Fuzz(func(t *testing.T, doc []byte, name, other string) {
		filter := fields.New([]string{name, other})
		got, n, err := filter.Body("application/json", doc)
		if len(bytes.TrimLeft(doc, " \t\r\n\x1e")) == 0 {
			return
		}
		if !json.Valid(doc) || !utf8.Valid(doc) {
			if err == nil && !bytes.HasPrefix(doc, []byte("\ufeff")) && bytes.IndexByte(doc, 0x1e) < 0 {
				t.Fatalf("%q is no JSON, and passed as %q", doc, got)
			}
			return
		}
		if err != nil {
			if bytes.Count(doc, []byte("["))+bytes.Count(doc, []byte("{")) > fields.MaxDepth {
				return
			}
			t.Fatalf("%q: %v", doc, err)
		}
		want, count := spliced(t, doc, map[string]bool{name: true, other: true})
		if !bytes.Equal(got, want) || n != count {
			t.Fatalf("%q without %q and %q is %q, %d\nwant %q, %d", doc, name, other, got, n, want, count)
		}
		if !json.Valid(got) {
			t.Fatalf("%q is no JSON any more: %q", doc, got)
		}
	})
}

func BenchmarkBody(b *testing.B) {
	f := fields.New(names)
	const item = `{"id":"chatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW","user":{"login":"x","email":"a@b.test"},"content":"The 2020 World Series was played in Texas\n"}`
	doc := []byte("[" + strings.Repeat(item+",", 4000) + item + "]")
	bodies := map[string][]byte{
		"application/json":     doc,
		"application/x-ndjson": []byte(strings.Repeat(item+"\n", 4000)),
		"text/event-stream":    []byte(strings.Repeat("data: "+item+"\n\n", 4000)),
	}
	for mediaType, body := range bodies {
		b.Run(mediaType, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, n, err := f.Body(mediaType, body); err != nil || n < 4000 {
					b.Fatal(n, err)
				}
			}
		})
	}
}
