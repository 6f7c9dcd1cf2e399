package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/internal/strictjson"
	"aivault/keys/fault"
)

func TestFlatten(t *testing.T) {
	t.Parallel()
	in := ` {"A":"x","b":{"C":{"d":1.50e1},"E":true,"f":null,"G":""},"h":[1,{"i":"no"},[2]],"j.K":"\ud83d\ude00","":false}`
	got, err := strictjson.Flatten([]byte(in), strings.ToLower)
	if err != nil {
		t.Fatal(err)
	}
	want := []strictjson.Leaf{
		{Path: "a", Value: []byte("x"), Text: true},
		{Path: "b.c.d", Value: []byte("1.50e1")},
		{Path: "b.e", Value: []byte("true")},
		{Path: "b.g", Value: []byte{}, Text: true},
		{Path: "j.k", Value: []byte("\U0001f600"), Text: true},
		{Path: "", Value: []byte("false")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("leaves (-want +got):\n%s", diff)
	}
}

func TestFlattenRefuses(t *testing.T) {
	t.Parallel()
	const canary = "made-up-canary"
	deep := func(n int) string {
		return `{"x":` + strings.Repeat(`{"x":`, n-1) + `1` + strings.Repeat("}", n)
	}
	if _, err := strictjson.Flatten([]byte(deep(strictjson.MaxDepth)), strings.ToLower); err != nil {
		t.Errorf("%d levels: %v", strictjson.MaxDepth, err)
	}
	for _, test := range []struct{ name, in, says string }{
		{"empty", "", "broken"},
		{"a string", `"` + canary + `"`, "no object"},
		{"a list", `[{"` + canary + `":1}]`, "no object"},
		{"null", `null`, "no object"},
		{"two", `{"` + canary + `":1} {}`, "text after its end"},
		{"no UTF-8", `{"` + canary + "\xff" + `":1}`, "UTF-8"},
		{"half a pair", `{"` + canary + `":"\udc00"}`, "surrogate"},
		{"too deep", deep(strictjson.MaxDepth + 1), "deeper than"},
		{"too deep in lists", `{"` + canary + `":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, "deeper than"},
	} {
		_, err := strictjson.Flatten([]byte(test.in), strings.ToLower)
		if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.says)
		}
	}
	for path, in := range map[string]string{
		"a":      `{"a":1,"a":2}`,
		"b":      `{"b":1,"B":2}`,
		"c":      `{"c":{"x":1},"C":{"y":1}}`,
		"d.e":    `{"d":{"E":1,"e":2}}`,
		"f.g":    `{"f.g":1,"f":{"g":2}}`,
		"h":      `{"h":null,"h":1}`,
		"i[0].j": `{"i":[{"j":1,"j":2}]}`,
	} {
		_, err := strictjson.Flatten([]byte(in), strings.ToLower)
		twice, ok := errors.AsType[*strictjson.Twice](err)
		if !ok || twice.Path != path || err.Error() != "the JSON has a key twice, or in two spellings" {
			t.Errorf("%s: error %#v, want %q", in, err, path)
		}
	}
}

// FuzzFlatten checks that every leaf is where encoding/json finds it.
func FuzzFlatten(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":{"b":[1,{"c":2}],"d":"x"},"e":1.0,"f":true,"g":null}`, `{"a.b":1,"a":{"c":2}}`, `{"":{"":""}}`, `{"a":1,"a":2}`, `[]`, `"`, "\xff", `{"a":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		leaves, err := strictjson.Flatten(data, func(key string) string { return key })
		if err != nil {
			return
		}
		var doc map[string]any
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		if err := dec.Decode(&doc); err != nil {
			t.Fatalf("%q was accepted: %v", data, err)
		}
		want := map[string]any{}
		flatten(doc, "", want)
		if len(want) != len(leaves) {
			t.Errorf("%q: %d leaves, want %d", data, len(leaves), len(want))
		}
		for _, leaf := range leaves {
			value, ok := want[leaf.Path]
			text, isText := value.(string)
			if !ok || isText != leaf.Text || isText && text != string(leaf.Value) || !isText && fmt.Sprint(value) != string(leaf.Value) {
				t.Errorf("%q: the leaf %q is not %v", data, leaf.Path, value)
			}
		}
	})
}

func flatten(doc map[string]any, prefix string, out map[string]any) {
	for key, value := range doc {
		switch v := value.(type) {
		case map[string]any:
			flatten(v, prefix+key+".", out)
		case nil, []any:
		default:
			out[prefix+key] = v
		}
	}
}
