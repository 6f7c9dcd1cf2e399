package registry_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aivault/broker/registry"
)

// A schema is as much of JSON Schema (2020-12) as schema.json uses. Strict
// decoding sees to it that it uses no more.
type schema struct {
	Schema     string             `json:"$schema"`
	Title      string             `json:"title"`
	Defs       map[string]*schema `json:"$defs"`
	Ref        string             `json:"$ref"`
	Type       string             `json:"type"`
	Enum       []string           `json:"enum"`
	Pattern    string             `json:"pattern"`
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	More       *bool              `json:"additionalProperties"`
	Items      *schema            `json:"items"`
	MinItems   int                `json:"minItems"`
	Unique     bool               `json:"uniqueItems"`
}

func readSchema(t testing.TB) *schema {
	t.Helper()
	file, err := os.Open("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	var s schema
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// follow returns what a schema stands for.
func (s *schema) follow(root *schema) *schema {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return root.Defs[name]
	}
	return s
}

// check returns what is wrong with a value at a place.
func (s *schema) check(root *schema, at string, v any) []string {
	s = s.follow(root)
	wrong := func(format string, args ...any) []string {
		return []string{at + ": " + fmt.Sprintf(format, args...)}
	}
	switch v := v.(type) {
	case string:
		switch {
		case s.Type != "string":
			return wrong("is a string, not of type %s", s.Type)
		case s.Enum != nil && !slices.Contains(s.Enum, v):
			return wrong("%q is none of %q", v, s.Enum)
		case !regexp.MustCompile(s.Pattern).MatchString(v):
			return wrong("%q does not match %s", v, s.Pattern)
		}
	case bool:
		if s.Type != "boolean" {
			return wrong("is a boolean, not of type %s", s.Type)
		}
	case []any:
		return s.checkArray(root, at, v)
	case map[string]any:
		return s.checkObject(root, at, v)
	default:
		return wrong("is %T", v)
	}
	return nil
}

func (s *schema) checkArray(root *schema, at string, list []any) (wrong []string) {
	if s.Type != "array" || len(list) < s.MinItems {
		return []string{at + ": is an array, or too short a one"}
	}
	for i, e := range list {
		wrong = append(wrong, s.Items.check(root, fmt.Sprintf("%s[%d]", at, i), e)...)
		if s.Unique && slices.ContainsFunc(list[:i], func(o any) bool { return reflect.DeepEqual(o, e) }) {
			wrong = append(wrong, fmt.Sprintf("%s[%d]: is there twice", at, i))
		}
	}
	return wrong
}

func (s *schema) checkObject(root *schema, at string, object map[string]any) (wrong []string) {
	if s.Type != "object" {
		return []string{at + ": is an object"}
	}
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			wrong = append(wrong, at+": lacks "+name)
		}
	}
	for name, v := range object {
		property, ok := s.Properties[name]
		if !ok {
			wrong = append(wrong, at+": has an unknown "+name)
			continue
		}
		wrong = append(wrong, property.check(root, at+"."+name, v)...)
	}
	return wrong
}

// TestSchema: every file is as the schema says.
func TestSchema(t *testing.T) {
	t.Parallel()
	root := readSchema(t)
	paths, err := filepath.Glob("providers/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no providers: %v", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range root.check(root, filepath.Base(path), parsed(t, data)) {
			t.Error(wrong)
		}
	}
}

// TestSchemaRefuses: what is wrong by its shape, the schema finds as well as
// [registry.Decode] does.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	root := readSchema(t)
	if wrong := root.check(root, "", parsed(t, []byte(small))); len(wrong) > 0 {
		t.Fatalf("the small provider: %q", wrong)
	}
	for _, c := range [][2]string{
		{`"name": "Acme"`, `"name": "Acme", "logo": ""`},
		{`"id": "acme"`, `"id": "Acme"`},
		{`"Acme"`, `7`},
		{`https://acme.test/docs`, `http://acme.test/docs`},
		{`"hosts": ["api.acme.test"]`, `"hosts": []`},
		{`"hosts": ["api.acme.test"]`, `"hosts": ["*"]`},
		{`"hosts": ["api.acme.test"]`, `"hosts": ["api.acme.test:8443"]`},
		{`ACME_BOTH`, `acme_both`},
		{`"kind": "query"`, `"kind": "oauth"`},
		{`"description": "Items", `, ``},
		{`["GET"]`, `["GET", "GET"]`},
		{`"/v1/items"`, `"/v1/items?x"`},
		{`"raw_paths": ["/v1/do."]`, `"raw_paths": ["/v1/do."], "opaque_body": "yes"`},
	} {
		if !strings.Contains(small, c[0]) {
			t.Fatalf("the case %s changes nothing", c[1])
		}
		data := []byte(strings.Replace(small, c[0], c[1], 1))
		if wrong := root.check(root, "", parsed(t, data)); len(wrong) == 0 {
			t.Errorf("the schema takes %s", c[1])
		}
		if _, err := registry.Decode(data); err == nil {
			t.Errorf("Decode takes %s", c[1])
		}
	}
}

// TestSchemaFields: schema and types name the same fields.
func TestSchemaFields(t *testing.T) {
	t.Parallel()
	root := readSchema(t)
	var compare func(s *schema, of reflect.Type)
	compare = func(s *schema, of reflect.Type) {
		s = s.follow(root)
		for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
			if of.Kind() == reflect.Slice {
				s = s.Items.follow(root)
			}
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			return
		}
		names := map[string]bool{}
		for i := range of.NumField() {
			name := of.Field(i).Tag.Get("json")
			names[name] = true
			if s.Properties[name] == nil {
				t.Errorf("the schema has no %s.%s", of.Name(), name)
				continue
			}
			compare(s.Properties[name], of.Field(i).Type)
		}
		for name := range s.Properties {
			if !names[name] {
				t.Errorf("the type %s has no %s", of.Name(), name)
			}
		}
		if s.More == nil || *s.More {
			t.Errorf("the schema lets any field of %s pass", of.Name())
		}
	}
	compare(root, reflect.TypeFor[registry.Provider]())
}

func parsed(t testing.TB, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
