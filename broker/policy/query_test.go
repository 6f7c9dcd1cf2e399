package policy_test

import (
	"strings"
	"testing"

	"aivault/keys/fault"
)

func TestQuery(t *testing.T) {
	rule := files
	rule.ManagedQuery = []string{"api_key"}
	const (
		ok     = fault.Code("")
		bad    = fault.InvalidRequest
		beyond = fault.PolicyViolation
		large  = fault.RequestTooLarge
	)
	for _, tc := range []struct {
		name  string
		want  fault.Code
		query string
	}{
		{"3.2/21 managed name", beyond, "api_key=canary"},
		{"3.2/21 managed name, not the first", beyond, "a=1&api_key=canary"},
		{"3.2/21 managed name without a value", beyond, "api_key"},
		{"3.2/22 upper case", beyond, "API_KEY=canary"},
		{"3.2/22 encoded underscore", beyond, "api%5Fkey=canary"},
		{"3.2/22 encoded letters", beyond, "%61pi_%4bey=canary"},
		{"3.2/22 brackets", beyond, "api_key[]=canary"},
		{"3.2/22 encoded brackets", beyond, "api_key%5B%5D=canary"},
		{"3.2/22 index", beyond, "api_key[0]=canary"},
		{"3.2/22 dotted", beyond, "api_key.x=canary"},
		{"3.2/22 leading space", beyond, "+api_key=canary"},
		{"3.2/22 encoded leading space", beyond, "%20api_key=canary"},
		{"3.2/22 trailing space", beyond, "api_key+=canary"},
		{"3.2/22 NUL at the end", beyond, "api_key%00=canary"},
		{"3.2/22 NUL and more", beyond, "api_key%00x=canary"},
		{"3.2/22 control within", beyond, "api%0d_key=canary"},
		{"3.2/22 dot for underscore, as PHP", beyond, "api.key=canary"},
		{"3.2/22 space for underscore, as PHP", beyond, "api+key=canary"},
		{"3.2/22 bracket for underscore, as PHP", beyond, "api[key=canary"},
		{"3.2/22 leading bracket", beyond, "[api_key]=canary"},
		{"3.2/22 Kelvin sign", beyond, "api_%E2%84%AAey=canary"},
		{"3.2/23 semicolon", bad, "a=1;api_key=canary"},
		{"3.2/25 16 KiB", ok, "a=" + strings.Repeat("x", 16<<10-2)},
		{"3.2/25 over 16 KiB", large, "a=" + strings.Repeat("x", 16<<10-1)},
		{"3.2/25 256 pairs", ok, strings.Repeat("a&", 255) + "a"},
		{"3.2/25 257 pairs", large, strings.Repeat("a&", 256) + "a"},
		{"3.2/26 method override", beyond, "_method=DELETE"},
		{"3.2/26 method override, encoded", beyond, "%5fMETHOD=DELETE"},
		{"3.2/26 method override by header name", beyond, "X-HTTP-Method-Override=DELETE"},
		{"3.2/26 another method override", beyond, "x-method-override=DELETE"},
		{"other names", ok, "key=1&api_key_id=2&my_api_key=3&apikey=4&method=x&http_methods=y"},
		{"a value that looks like a pair", ok, "redirect=%26api_key%3D1"},
		{"line break in a value", ok, "q=a%0Ab"},
		{"zero byte in a value", bad, "q=a%00b"},
		{"control in a name", bad, "q%0A=1"},
		{"name that is not UTF-8", bad, "q%ff=1"},
		{"bare space", bad, "q=a b"},
		{"bare quote", bad, `q="a"`},
		{"bare high byte", bad, "q=é"},
		{"broken escape", bad, "q=%4"},
		{"empty pairs", ok, "&&a=1&"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := decideTarget(rule, "/v1/files?"+tc.query)
			if code := fault.CodeOf(err); code != tc.want {
				t.Fatalf("got %v, want code %q", err, tc.want)
			}
			if err == nil && got.RawQuery != tc.query {
				t.Errorf("the query became %q", got.RawQuery)
			}
			if err != nil && strings.Contains(err.Error()+fault.HintOf(err), "canary") {
				t.Errorf("the error repeats a value: %v", err)
			}
		})
	}
}

// FuzzQueryName: a name that is refused stays refused under the spellings that
// servers take for it.
func FuzzQueryName(f *testing.F) {
	for _, seed := range []string{"api_key", "key", "API.KEY", "_method", "a b", "api_key_id"} {
		f.Add(seed)
	}
	rule := files
	rule.ManagedQuery = []string{"api_key", "key"}
	refused := func(query string) bool {
		_, err := decideTarget(rule, "/v1/files?"+query)
		return fault.CodeOf(err) == fault.PolicyViolation
	}
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 100 || !refused(percentAll(name)) {
			return
		}
		for _, other := range []string{
			percentAll(strings.ToUpper(name)), percentAll(name) + "%00", "%20" + percentAll(name),
			percentAll(name) + "[]=1", "a=1&" + percentAll(name) + "=1",
		} {
			if !refused(other) {
				t.Errorf("%q is refused, and %q is not", name, other)
			}
		}
	})
}

// percentAll percent-encodes each byte of s.
func percentAll(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		b.Write([]byte{'%', digits[s[i]>>4], digits[s[i]&15]})
	}
	return b.String()
}
