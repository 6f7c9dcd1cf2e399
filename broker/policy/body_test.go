package policy_test

import (
	"net/url"
	"strings"
	"testing"

	"aivault/broker/policy"
	"aivault/keys/fault"
)

// What a body says of the method, case 26. Package attack has more of them.
func TestCheckBody(t *testing.T) {
	t.Parallel()
	const form, multi, object = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json"
	for _, tc := range []struct {
		name, kind, body string
		refused          bool
	}{
		{"form", form, "a=1&_method=DELETE", true},
		{"form, encoded", form, "%5Fmethod=DELETE", true},
		{"form, semicolon", form, "a;_method=DELETE", true},
		{"form, broken escape before it", form, "%zz&_method=DELETE", true},
		{"form, as a value", form, "a=_method", false},
		{"form, within a name", form, "my_method_name=1", false},
		{"no type", "", "_method=DELETE", true},
		{"malformed type", "text", "_method=DELETE", true},
		{"malformed type, part", "text", "name=_method", true},
		{"another type", "text/plain", "_method=DELETE", false},
		{"part", multi, "--b\r\nContent-Disposition: form-data; name=\"_method\"\r\n\r\nDELETE\r\n--b--", true},
		{"part, extended name", multi, "--b\r\nContent-Disposition: form-data; name*=utf-8'en'_method\r\n\r\nDELETE\r\n--b--", true},
		{"part, extended name without a language", multi, "--b\r\nContent-Disposition: form-data; name*=utf-8''%5fmethod\r\n\r\nDELETE\r\n--b--", true},
		{"part, long name", multi, "name=\"" + strings.Repeat("a", 1000) + "_method\"", false},
		{"part, in a file", multi, "--b\r\nContent-Disposition: form-data; name=a\r\n\r\ndef _method(name):\r\n--b--", false},
		{"member", object, `{"a":[{"b":1}],"_method":"DELETE"}`, true},
		{"member, escaped", object, `{"\u005fMethod":"DELETE"}`, true},
		{"member of a member", object, `{"a":{"_method":"DELETE"}}`, false},
		{"member after a byte order mark", object, "\ufeff{\"_method\":\"DELETE\"}", true},
		{"member after what only lenient readers take", object, `{"a":NaN,"_method":"DELETE"}`, true},
		{"member after that, escaped", object, `{"a":'x',"\u005fmethod":"DELETE"}`, true},
		{"member of text that is no JSON", object, `{"a":NaN,"b":"its _method"}`, false},
		{"member in another charset", object + "; charset=utf-16", "{\x00\"\x00_\x00", true},
		{"member in UTF-16 that is not said", object, "{\x00\"\x00_\x00", true},
		{"form in another charset", form + `; Charset="IBM037"`, "\x6d\x94", true},
		{"part in another charset", multi + ";charset=utf-7", "name=+AF8-method", true},
		{"form in UTF-8", form + `; charset="UTF-8"`, "a=1", false},
		{"form in Latin-1", form + "; charset=iso-8859-1", "a=1", false},
		{"text in another charset", "text/plain; charset=utf-16", "a\x00", false},
		{"no object", object, `["_method"]`, false},
		{"no JSON", object, `{"a":1,_method`, false},
		{"no body", form, "", false},
	} {
		err := policy.CheckBody(tc.kind, []byte(tc.body))
		if refused := fault.CodeOf(err) == fault.PolicyViolation; refused != tc.refused || refused != (err != nil) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// FuzzCheckBody: a form that net/url reads has no parameter left that means the
// method, and nothing panics.
func FuzzCheckBody(f *testing.F) {
	for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data", "application/json", ""} {
		for _, body := range []string{"a=1&_method=x", `{"_method":1}`, "name=\"_method\"", "%", "name*=''", "name"} {
			f.Add(kind, body)
		}
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		err := policy.CheckBody(kind, []byte(body))
		if err == nil && kind == "application/x-www-form-urlencoded" && hasParam(body, "_method") {
			t.Errorf("%q passes", body)
		}
	})
}

// hasParam reads a form as most servers do.
func hasParam(form, name string) bool {
	values, _ := url.ParseQuery(form) // what it can read of a broken one
	return values.Has(name)
}
