package envelope_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/internal/envelope"
	"aivault/keys/fault"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     envelope.Envelope
	}{
		{
			"bare", `{"method":"GET","path":"/v1/models?limit=2"}`,
			envelope.Envelope{Request: envelope.Request{Method: "GET", Path: "/v1/models?limit=2"}},
		},
		{
			"bare with everything", `{"method":"POST","path":"/v1/x","headers":[{"name":"Accept","value":"*/*"},{"name":"X-A","value":""}],"body":"{}"}`,
			envelope.Envelope{Request: envelope.Request{
				Method: "POST", Path: "/v1/x", Body: new("{}"),
				Headers: []envelope.Header{{Name: "Accept", Value: "*/*"}, {Name: "X-A"}},
			}},
		},
		{
			"an empty body is a body", `{"method":"POST","path":"/","body":""}`,
			envelope.Envelope{Request: envelope.Request{Method: "POST", Path: "/", Body: new("")}},
		},
		{
			"null is absent", `{"method":"POST","path":"/","body":null,"headers":null,"bodyFilePath":"in.json"}`,
			envelope.Envelope{Request: envelope.Request{Method: "POST", Path: "/", BodyFilePath: "in.json"}},
		},
		{
			"a multipart body", `{"method":"POST","path":"/","multipart":{"b":"","a":"1=2"},"multipartFiles":[{"field":"f","path":"x/y.png"},{"field":"f","path":"z"}]}`,
			envelope.Envelope{Request: envelope.Request{
				Method: "POST", Path: "/", Fields: map[string]string{"a": "1=2", "b": ""}, Files: []envelope.File{{Field: "f", Path: "x/y.png"}, {Field: "f", Path: "z"}},
			}},
		},
		{
			"files alone", `{"request":{"method":"POST","path":"/","multipart":{},"multipartFiles":[{"field":"f","path":"x"}]}}`,
			envelope.Envelope{Request: envelope.Request{Method: "POST", Path: "/", Files: []envelope.File{{Field: "f", Path: "x"}}}},
		},
		{
			"envelope", `{"capability":"a/b","credential":"c","request":{"method":"GET","path":"/"}}`,
			envelope.Envelope{Capability: "a/b", Credential: "c", Request: envelope.Request{Method: "GET", Path: "/"}},
		},
		{
			"envelope with a blank capability", `{"capability":"","request":{"method":"GET","path":"/"}}`,
			envelope.Envelope{Request: envelope.Request{Method: "GET", Path: "/"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := envelope.Decode([]byte(test.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("envelope (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const get = `"method":"GET","path":"/"`
	tests := []struct {
		name, in string
		code     fault.Code
		says     string
	}{
		{"empty", ``, fault.InvalidRequest, "broken"},
		{"null", `null`, fault.InvalidRequest, `no "method"`},
		{"no method", `{"path":"/"}`, fault.InvalidRequest, `no "method"`},
		{"no path", `{"method":"GET"}`, fault.InvalidRequest, `no "path"`},
		{"blank method", `{"method":"","path":"/"}`, fault.InvalidRequest, `no "method"`},
		{"unknown key", `{` + get + `,"host":"x"}`, fault.InvalidRequest, `unknown key "host"`},
		{"unknown key of a header", `{` + get + `,"headers":[{"name":"a","value":"b","c":"d"}]}`, fault.InvalidRequest, `unknown key "c"`},
		{"duplicate key", `{` + get + `,"path":"/admin"}`, fault.InvalidRequest, `"path" twice`},
		{"other case", `{` + get + `,"Path":"/admin"}`, fault.InvalidRequest, `written "path"`},
		{"bad UTF-8", "{" + get + ",\"body\":\"\xff\"}", fault.InvalidRequest, "UTF-8 at byte 35"},
		{"half a surrogate pair", `{` + get + `,"body":"\ud800"}`, fault.InvalidRequest, "surrogate"},
		{"text after the end", `{` + get + `} x`, fault.InvalidRequest, "after its end"},
		{"too deep", `{"url":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, fault.InvalidRequest, "deeper than 64"},
		{"headers as an object", `{` + get + `,"headers":{"a":"b"}}`, fault.InvalidRequest, `"headers": object instead of array`},
		{"header without a value", `{` + get + `,"headers":[{"name":"a","value":"b"},{"name":"a"}]}`, fault.InvalidRequest, "header 2"},
		{"header without a name", `{` + get + `,"headers":[{"name":"","value":"b"}]}`, fault.InvalidRequest, "header 1"},
		{"url", `{` + get + `,"url":"https://api.test/"}`, fault.PolicyViolation, `"url"`},
		{"url alone", `{"url":""}`, fault.PolicyViolation, `"url"`},
		{"url null", `{` + get + `,"url":null}`, fault.PolicyViolation, `"url"`},
		{"url in an envelope", `{"request":{` + get + `,"url":"x"}}`, fault.PolicyViolation, `"url"`},
		{"url beside an envelope", `{"url":"x","request":{` + get + `}}`, fault.PolicyViolation, `"url"`},
		{"multipart without parts", `{` + get + `,"multipart":{},"multipartFiles":[]}`, fault.InvalidRequest, "neither a field nor a file"},
		{"a number in multipart", `{` + get + `,"multipart":{"a":1}}`, fault.InvalidRequest, "number instead of string"},
		{"null in multipart", `{` + get + `,"multipart":{"a":null}}`, fault.InvalidRequest, `"multipart"`},
		{"a field twice", `{` + get + `,"multipart":{"a":"1","a":"2"}}`, fault.InvalidRequest, `"a" twice`},
		{"a field without a name", `{` + get + `,"multipart":{"":"1"}}`, fault.InvalidRequest, `"multipart"`},
		{"a file without a path", `{` + get + `,"multipartFiles":[{"field":"a","path":"b"},{"field":"a"}]}`, fault.InvalidRequest, "file 2"},
		{"a file with an unknown key", `{` + get + `,"multipartFiles":[{"field":"a","path":"b","name":"c"}]}`, fault.InvalidRequest, `unknown key "name"`},
		{"two bodies (case 57)", `{` + get + `,"body":"x","bodyFilePath":"y"}`, fault.InvalidRequest, "both"},
		{"text and multipart (case 57)", `{` + get + `,"body":"x","multipart":{"a":"b"}}`, fault.InvalidRequest, "both"},
		{"a file and multipart (case 57)", `{` + get + `,"bodyFilePath":"x","multipartFiles":[{"field":"a","path":"b"}]}`, fault.InvalidRequest, "both"},
		{"an empty text and multipart (case 57)", `{` + get + `,"body":"","multipart":{"a":"b"}}`, fault.InvalidRequest, "both"},
		{"blank file", `{` + get + `,"bodyFilePath":""}`, fault.InvalidRequest, `"bodyFilePath"`},
		{"envelope without request", `{"capability":"a/b"}`, fault.InvalidRequest, `no "request"`},
		{"envelope with a bare request", `{"capability":"a/b",` + get + `}`, fault.InvalidRequest, `"method" beside`},
		{"envelope and a bare body", `{"request":{` + get + `},"body":"x"}`, fault.InvalidRequest, `"body" beside`},
		{"envelope in an envelope", `{"request":{"request":{` + get + `}}}`, fault.InvalidRequest, `unknown key "request"`},
		{"blank credential", `{"credential":"","request":{` + get + `}}`, fault.InvalidRequest, `"credential"`},
		{"too long", strings.Repeat(" ", envelope.MaxSize+1), fault.RequestTooLarge, "longer than 16777216 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := envelope.Decode([]byte(test.in))
			if fault.CodeOf(err) != test.code {
				t.Fatalf("error %v, want one of code %s", err, test.code)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q does not say %q", err, test.says)
			}
		})
	}
}

// A body just under the limit is read.
func TestDecodeLongest(t *testing.T) {
	t.Parallel()
	const frame = `{"method":"PUT","path":"/","body":""}`
	in := strings.Replace(frame, `""`, `"`+strings.Repeat("x", envelope.MaxSize-len(frame))+`"`, 1)
	got, err := envelope.Decode([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if len(*got.Request.Body) != envelope.MaxSize-len(frame) {
		t.Errorf("body of %d bytes, want %d", len(*got.Request.Body), envelope.MaxSize-len(frame))
	}
}

// FuzzDecode checks that what is accepted is encoded to something that decodes
// to the same, and that it has what every caller relies on.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"method":"GET","path":"/"}`, `{"request":{"method":"GET","path":"/","headers":[{"name":"a","value":"\u2028<"}]}}`,
		`{"capability":"a/b","credential":"c","request":{"method":"GET","path":"/","body":"\ud83d\ude00"}}`,
		`{"method":"GET","path":"/","multipart":{"a":"b"},"multipartFiles":[{"field":"f","path":"p"}]}`,
		`{"method":"GET","path":"/","bodyFilePath":"x"}`, `{"url":1}`, `{"method":"GET","path":"/","headers":[]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := envelope.Decode(data)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.InvalidRequest && code != fault.PolicyViolation {
				t.Fatalf("code %s", code)
			}
			return
		}
		r, bodies := first.Request, 0
		for _, given := range []bool{r.Body != nil, r.BodyFilePath != "", len(r.Fields)+len(r.Files) > 0} {
			if given {
				bodies++
			}
		}
		if r.Method == "" || r.Path == "" || bodies > 1 {
			t.Fatalf("accepted %+v", first)
		}
		again, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := envelope.Decode(again)
		if err != nil {
			t.Fatalf("decoding %s: %v", again, err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("decoded again (-first +second):\n%s", diff)
		}
	})
}
