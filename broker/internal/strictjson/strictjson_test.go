package strictjson_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/internal/strictjson"
	"aivault/keys/fault"
)

type inner struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

type common struct {
	Shared string `json:"shared"`
}

type doc struct {
	common
	Title  string           `json:"title"`
	List   []inner          `json:"list"`
	Map    map[string]inner `json:"map"`
	Ptr    *inner           `json:"ptr"`
	Any    any              `json:"any"`
	Raw    json.RawMessage  `json:"raw"`
	Plain  bool
	Hidden string            `json:"-"`
	Text   map[string]string `json:"text"`
}

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	in := `{"title":"a\ud83d\ude00","shared":"s","list":[{"name":"x","count":1},{}],"map":{"Any Key":{"name":"y"}},` +
		`"ptr":{"count":2},"any":{"Free":{"form":[1,2]}},"raw":{"a":1,"A":2},"Plain":true,"text":{"k":"v","K":"w"}}`
	var got doc
	if err := strictjson.Unmarshal([]byte(in), &got); err != nil {
		t.Fatal(err)
	}
	want := doc{
		common: common{Shared: "s"},
		Title:  "a\U0001f600",
		List:   []inner{{Name: "x", Count: 1}, {}},
		Map:    map[string]inner{"Any Key": {Name: "y"}},
		Ptr:    &inner{Count: 2},
		Any:    map[string]any{"Free": map[string]any{"form": []any{1.0, 2.0}}},
		Raw:    json.RawMessage(`{"a":1,"A":2}`),
		Plain:  true,
		Text:   map[string]string{"k": "v", "K": "w"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(doc{})); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	t.Parallel()
	deep := func(n int) string {
		return `{"any":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	if err := strictjson.Unmarshal([]byte(deep(strictjson.MaxDepth)), new(doc)); err != nil {
		t.Errorf("%d levels: %v", strictjson.MaxDepth, err)
	}
	tests := []struct{ name, in, says string }{
		{"empty", "", "broken"},
		{"not JSON", "title=x", "byte 2"},
		{"comment", `{"title":"x"} // y`, "byte 15"},
		{"two values", `{} {}`, "text after its end, at byte 4"},
		{"unclosed", `{"title":`, "broken"},
		{"bad UTF-8 in a value", "{\"title\":\"\xff\"}", "UTF-8 at byte 10"},
		{"bad UTF-8 in a key", "{\"ti\xc3tle\":1}", "UTF-8 at byte 4"},
		{"lone high surrogate", `{"title":"\ud800"}`, "surrogate pair at byte 10"},
		{"lone low surrogate", `{"title":"\udc00"}`, "surrogate"},
		{"high before a letter", `{"title":"\ud800x\udc00"}`, "surrogate"},
		{"high twice", `{"title":"\ud800\ud800\udc00"}`, "surrogate"},
		{"duplicate", `{"title":"a","title":"b"}`, `"title" twice, again at byte 20`},
		{"duplicate by escape", `{"title":"a","\u0074itle":"b"}`, `"title" twice`},
		{"duplicate within", `{"list":[{"name":"a","name":"b"}]}`, `"name" twice`},
		{"duplicate in a map", `{"text":{"k":"a","k":"b"}}`, `"k" twice`},
		{"duplicate in free form", `{"any":{"k":1,"k":2}}`, `"k" twice`},
		{"duplicate in raw", `{"raw":{"k":1,"k":2}}`, `"k" twice`},
		{"other case", `{"Title":"a"}`, `"Title", which is written "title"`},
		{"other case by folding", `{"li\u017ft":[]}`, `which is written "list"`},
		{"unknown", `{"nonsense":1}`, `unknown key "nonsense"`},
		{"unknown within", `{"map":{"x":{"nonsense":1}}}`, `unknown key "nonsense"`},
		{"unknown behind a pointer", `{"ptr":{"nonsense":1}}`, `unknown key "nonsense"`},
		{"not a key", `{"Hidden":"x"}`, `unknown key "Hidden"`},
		{"embedded type's name", `{"common":{}}`, `unknown key "common"`},
		{"wrong type", `{"title":1}`, `at "title": number instead of string`},
		{"wrong type within", `{"list":[{"count":"x"}]}`, `instead of number`},
		{"array at the top", `[]`, `at the top: array instead of object`},
		{"too deep", deep(strictjson.MaxDepth + 1), "deeper than 64"},
		{"far too deep", strings.Repeat("[", 1<<20), "byte"},
		{"number out of range", `{"list":[{"count":1e999}]}`, "instead of number"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := strictjson.Unmarshal([]byte(test.in), new(doc))
			if fault.CodeOf(err) != fault.InvalidRequest {
				t.Fatalf("error %v, want one of code %s", err, fault.InvalidRequest)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q does not say %q", err, test.says)
			}
		})
	}
}

// No value may be part of an error: it may be a secret in the wrong place.
func TestErrorsNameNoValue(t *testing.T) {
	t.Parallel()
	const canary = "made-up-canary-7f3a"
	for _, in := range []string{
		`{"list":"` + canary + `"}`,
		`{"title":["` + canary + `"]}`,
		`{"list":[{"count":"` + canary + `"}]}`,
		`{"title":"` + canary + `","title":"` + canary + `"}`,
		`{"title":"` + canary,
		`{"title":7731}`,
		`{"list":[{"count":7731e999}]}`,
		`"` + canary + `"`,
	} {
		err := strictjson.Unmarshal([]byte(in), new(doc))
		if err == nil {
			t.Errorf("%q was accepted", strings.ReplaceAll(in, canary, "CANARY"))
		} else if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "7731") {
			t.Error("an error has the value in it")
		}
	}
}

// FuzzUnmarshal checks that whatever is accepted has one meaning: encoding it
// again and decoding that gives the same.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `{"title":"\ud83d\ude00"}`, `{"list":[{"name":"x","count":-1}]}`,
		`{"map":{"":{"name":"y"}},"ptr":null}`, `{"any":[1.5,null,true,{"a":{}}]}`, `{"raw":[ 1 ]}`,
		`{"title":"a","title":"b"}`, `{"Title":1}`, "\xff", `{"title":"\\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var first doc
		if strictjson.Unmarshal(data, &first) != nil {
			return
		}
		again, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("encoding what was accepted: %v", err)
		}
		var second doc
		if err := strictjson.Unmarshal(again, &second); err != nil {
			t.Fatalf("decoding it again: %v", err)
		}
		first.Raw, second.Raw = nil, nil // white space and escapes differ
		if !reflect.DeepEqual(normal(first), normal(second)) {
			t.Errorf("%q decodes to %#v, then to %#v", data, first, second)
		}
	})
}

// normal makes what encoding/json writes alike alike.
func normal(d doc) doc {
	if len(d.Map) == 0 {
		d.Map = nil
	}
	return d
}

func BenchmarkUnmarshal(b *testing.B) {
	data := []byte(`{"title":"` + strings.Repeat("x", 64<<10) + `","list":[` +
		strings.Repeat(`{"name":"n","count":1},`, 1000) + `{}]}`)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := strictjson.Unmarshal(data, new(doc)); err != nil {
			b.Fatal(err)
		}
	}
}
