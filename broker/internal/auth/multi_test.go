package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/internal/auth"
	"aivault/keys/fault"
	"aivault/vault"
)

func TestMultiHeader(t *testing.T) {
	t.Parallel()
	two := config("multi-header", "x-id", "{{client_id}}", "x_key", "Key {{apiKey}};v=1", "X-Version", "2024-01-01")
	header := func(id, key string) http.Header {
		return http.Header{"X-Id": {id}, "X_key": {"Key " + key + ";v=1"}, "X-Version": {"2024-01-01"}}
	}
	tests := []struct {
		name    string
		cfg     vault.Auth
		values  auth.Values
		want    http.Header
		secrets []string
	}{
		{
			"several secrets", two, values("client_id", "i1", "apiKey", "k1", "other", "o"), header("i1", "k1"),
			[]string{"i1", "k1", "Key k1;v=1"},
		},
		{
			"fields of one, in camelCase", two, values("secret", `{"clientId":"i1","apiKey":"k1","more":["x",{"y":"z"}]}`), header("i1", "k1"),
			[]string{"i1", "k1", "Key k1;v=1"},
		},
		{"fields in snake_case", two, values("secret", "\n"+`{"client_id":"i1","api_key":"k1"}`), header("i1", "k1"), nil},
		{"fields in other spellings", two, values("secret", `{"CLIENT-ID":"i1","ApiKey":"k1"}`), header("i1", "k1"), nil},
		{"numbers and bools", two, values("secret", `{"client_id":1.50e3,"apiKey":true}`), header("1.50e3", "true"), nil},
		{
			"nested", config("multi-header", "x-a", "{{a.b_c}}-{{a.d.e}}"), values("secret", `{"a":{"bC":"1","d":{"e":"2"}}}`),
			http.Header{"X-A": {"1-2"}},
			[]string{"1", "2", "1-2"},
		},
		{
			"a key with dots", config("multi-header", "x-a", "{{a.b}}"), values("secret", `{"a.b":"1"}`),
			http.Header{"X-A": {"1"}},
			nil,
		},
		{
			"a field called secret", config("multi-header", "x-id", "{{client_id}}", "x-secret", "{{secret}}"),
			values("secret", `{"client_id":"i","secret":"s1"}`),
			http.Header{"X-Id": {"i"}, "X-Secret": {"s1"}},
			[]string{"i", "s1"},
		},
		{
			"one secret, twice", config("multi-header", "authorization", "Bearer {{secret}}", "apikey", "{{secret}}"), values("secret", `{"k":1}`),
			http.Header{"Authorization": {`Bearer {"k":1}`}, "Apikey": {`{"k":1}`}},
			[]string{`Bearer {"k":1}`, `{"k":1}`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			req, secrets := apply(t, test.cfg, test.values)
			if diff := cmp.Diff(test.want, req.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(set(test.secrets), set(secrets)); test.secrets != nil && diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMultiQuery(t *testing.T) {
	t.Parallel()
	cfg := config("multi-query", "key", "{{key}}", "token", "t-{{token}}", "v", "a b")
	for _, v := range []auth.Values{
		values("key", "k/1", "token", "+&="),
		values("secret", `{"key":"k/1","token":"+&="}`),
	} {
		req, secrets := apply(t, cfg, v)
		if got, want := req.URL.RawQuery, "b=%2F+&a=;&key=k%2F1&token=t-%2B%26%3D&v=a%20b"; got != want {
			t.Errorf("query %q, want %q", got, want)
		}
		if diff := cmp.Diff(map[string]bool{"k/1": true, "+&=": true, "t-+&=": true}, set(secrets)); diff != "" {
			t.Errorf("secrets (-want +got):\n%s", diff)
		}
	}
}

// The values stay the caller's, whatever is done with what Apply returns.
func TestMultiLeavesValues(t *testing.T) {
	t.Parallel()
	v := values("a", "first-value", "b", "other-value")
	secrets, err := strategy(t, config("multi-header", "x-a", "{{a}}", "x-b", "{{b}}")).Apply(message(t, http.MethodGet, "https://api.test/", nil), v)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets {
		s.Clear()
	}
	if string(v["a"].Reveal()) != "first-value" || string(v["b"].Reveal()) != "other-value" {
		t.Error("a value of the caller was cleared")
	}
}

// Case 83: the error names the field, and never a value.
func TestCase083Fields(t *testing.T) {
	t.Parallel()
	word := brokertest.Word(t)
	headers := config("multi-header", "x-id", "{{client_id}}", "x-key", "{{apiKey}}")
	tests := []struct {
		name, secret string
		says         string
	}{
		{"missing", `{"client_id":"` + word + `"}`, "no field apiKey"},
		{"null", `{"client_id":"` + word + `","apiKey":null}`, "no field apiKey"},
		{"an object", `{"client_id":"` + word + `","apiKey":{"x":"` + word + `"}}`, "no field apiKey"},
		{"a list", `{"client_id":"` + word + `","apiKey":["` + word + `"]}`, "no field apiKey"},
		{"nested elsewhere", `{"client_id":"i","x":{"apiKey":"` + word + `"}}`, "no field apiKey"},
		{"twice", `{"client_id":"i","apiKey":"` + word + `","apiKey":"` + word + `"}`, "field apiKey twice"},
		{"twice by case", `{"client_id":"i","apiKey":"` + word + `","APIKEY":"` + word + `"}`, "field apiKey twice"},
		{"twice by underscore", `{"client_id":"i","clientId":"` + word + `","apiKey":"k"}`, "field client_id twice"},
		{"another one twice", `{"client_id":"i","apiKey":"k","` + word + `":1,"` + word + `":2}`, "a field twice"},
		{"Kelvin sign", `{"client_id":"i","api` + "\u212a" + `ey":"` + word + `"}`, "no field apiKey"},
		{"empty", `{"client_id":"i","apiKey":""}`, "{{apiKey}} is empty"},
		{"a line break", `{"client_id":"i","apiKey":"` + word + `\n"}`, "{{apiKey}} has a line break"},
		{"a space", `{"client_id":" ` + word + `","apiKey":"k"}`, "{{client_id}} begins or ends with a space"},
		{"one more", `{"client_id":"i","apiKey":"k","api_keys":"` + word + `"}`, "the field apikeys, which no template uses"},
		{"one more, within", `{"client_id":"i","apiKey":"k","x":{"apiKey":"` + word + `"}}`, "the field x.apikey, which"},
		{"one more, which may be secret", `{"client_id":"i","apiKey":"k","` + word + `7":"x"}`, "another field, which"},
		{"no JSON", word, "no JSON object"},
		{"broken", `{"client_id":"` + word, "no JSON object"},
		{"a string", `"` + word + `"`, "no JSON object"},
		{"more after it", `{"client_id":"i","apiKey":"k"} ` + word, "no JSON object"},
		{"half a pair", `{"client_id":"i","apiKey":"\ud800` + word + `"}`, "no JSON object"},
		{"deep", `{"client_id":"i","apiKey":"k","x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, "deeper than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := auth.SecretShape(headers, values("secret", test.secret)["secret"])
			if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("error %v, want %q", err, test.says)
			}
			brokertest.Scan(t, "the error", []byte(err.Error()+fault.HintOf(err)), word)
			m := message(t, http.MethodGet, "https://api.test/x?y", nil)
			if _, err := strategy(t, headers).Apply(m, values("secret", test.secret)); fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("Apply: %v", err)
			}
			if len(m.Header) != 0 || m.URL.RequestURI() != "/x?y" {
				t.Error("Apply changed the request")
			}
		})
	}
	// One of several secrets is missing.
	if err := auth.Check(headers, values("client_id", "i", "secret", word)); err == nil || !strings.Contains(err.Error(), "{{apiKey}}") {
		t.Errorf("error %v", err)
	}
}

func TestMultiRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cfg  vault.Auth
		says string
	}{
		{config("multi-header"), "no placeholder"},
		{config("multi-header", "x-a", "1", "x-b", "2"), "no placeholder"},
		{config("multi-header", "x-a", "{{a}}", "X-A", "{{b}}"), "X-A twice"},
		{config("multi-header", "x-a", "{{a}}", "x_a", "{{b}}"), "x_a twice"},
		{config("multi-header", "host", "{{a}}"), "cannot carry"},
		{config("multi-header", "x-a", "{{a}}", "content-type", "x"), "cannot carry"},
		{config("multi-header", "x-a", "{{a}} "), "space"},
		{config("multi-header", "x-a", "{{a}}", "x-b", "a\nb"), "line break"},
		{config("multi-header", "x-a", "{{a"), "not closed"},
		{config("multi-header", "x-a", "{{}}"), "wrong name"},
		{config("multi-header", "x-a", "{{.a}}"), "wrong name"},
		{config("multi-header", "x-a", "{{a..b}}"), "wrong name"},
		{config("multi-header", "x-a", "{{a.}}"), "wrong name"},
		{config("multi-query"), "no placeholder"},
		{config("multi-query", "a", "{{a}}", "A", "{{b}}"), "A twice"},
		{config("multi-query", "a.b", "{{a}}", "a_b", "{{b}}"), "a_b twice"},
		{config("multi-query", "a&b", "{{a}}"), "escape"},
	} {
		_, err := auth.New(test.cfg)
		if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: error %v, want %q", test.cfg, err, test.says)
		}
	}
}
