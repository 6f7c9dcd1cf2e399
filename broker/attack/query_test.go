package attack_test

import (
	"strings"
	"testing"

	"aivault/broker"
	"aivault/keys/fault"
)

func TestCase021OwnKeyInTheQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.queryAuth(t, "api_key")
	for _, query := range []string{"api_key=mine", "a=1&api_key=mine", "api_key", "api_key=", "&api_key=mine&"} {
		w.deny(t, get(prefix+"?"+query), fault.PolicyViolation)
	}
	for _, query := range []string{"a=1", "api_keys=1", "my_api_key=1", "a=api_key"} {
		if got, answer := w.allow(t, get(prefix+"?"+query)); got.URI != prefix+"?"+query || answer.URL != "https://"+host+got.URI+"&api_key=REDACTED" {
			t.Errorf("the upstream got %s, and the answer says %s", got.URI, answer.URL)
		}
	}
}

func TestCase022SpellingsOfTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.queryAuth(t, "api_key")
	for _, name := range []string{
		"API_KEY", "Api_Key", "api%5Fkey", "%61pi_key", "api_key[]", "api_key%5B%5D", "api_key[x]", "api_key.x", "+api_key", "%20api_key",
		"api_key+", "api_key%20", "api_key%00", "api_key%00x", "%00api_key", "api%00_key", "api.key", "api-key", "api+key", "api[key",
		"[api_key]", "api_%4bey", "api_%E2%84%AAey", "%09api_key", "api_key%0a",
	} {
		w.deny(t, get(prefix+"?"+name+"=mine-mine"), fault.PolicyViolation)
		w.deny(t, get(prefix+"?a=1&"+name+"=mine-mine"), fault.PolicyViolation)
	}
}

func TestCase023Semicolon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.queryAuth(t, "api_key")
	for _, query := range []string{"a=1;api_key=mine", ";", "a;b", "a=1;_method=DELETE", "a=%3b;"} {
		w.deny(t, get(prefix+"?"+query), fault.InvalidRequest)
	}
	w.allow(t, get(prefix+"?a=1%3Bapi_key=mine")) // a value, to everybody
	for _, query := range []string{"a b", "a=\n", "a=é", "a=\x00", "a=%", "a=%4", "a=%zz", "a=\"", "a=<", "a=\\", "a=^", "a=`", "a={", "a=|"} {
		w.deny(t, get(prefix+"?"+query), fault.InvalidRequest)
	}
}

func TestCase025LongQueries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const most = 16 << 10
	for _, query := range []string{
		"a=" + strings.Repeat("b", most), strings.Repeat("a&", most), strings.Repeat("&", 256), strings.Repeat("a=1&", 300), strings.Repeat("x", 1<<20),
	} {
		w.deny(t, get(prefix+"?"+query), fault.RequestTooLarge)
	}
	w.allow(t, get(prefix+"?a="+strings.Repeat("b", most-2)))
	w.allow(t, get(prefix+"?"+strings.Repeat("a&", 255)+"a"))
}

func TestCase026MethodOverrideInTheQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, query := range []string{
		"_method=DELETE", "_METHOD=DELETE", "%5fmethod=DELETE", "a=1&_method=PUT", "X-HTTP-Method-Override=DELETE", "x-http-method-override=PUT",
		"X_HTTP_Method=DELETE", "x-method-override=PATCH", "_method[]=DELETE", "+_method=DELETE", "_method%00=DELETE", "http_method_override=x", "_http_method=PUT",
	} {
		w.deny(t, get(prefix+"?"+query), fault.PolicyViolation)
	}
	w.allow(t, get(prefix+"?method=list"))
}

func TestCase026MethodOverrideInTheBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const form, multi, boundary = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name="
	typed := func(kind, body string) broker.Call {
		call := post(body)
		if kind != "" {
			call.Headers = []broker.Header{{Name: "Content-Type", Value: kind}}
		}
		return call
	}
	for _, body := range []string{
		"_method=DELETE", "a=1&_method=PUT", "a=1;_method=PUT", "_METHOD=DELETE", "%5fmethod=DELETE", "+_method=DELETE", "_method[]=DELETE", "a=%zz&_method=PUT",
		"X-HTTP-Method-Override=DELETE", "\n_method=DELETE",
	} {
		for _, kind := range []string{form, strings.ToUpper(form), form + "; charset=utf-8", "", ";", "text/plain, " + form} {
			w.deny(t, typed(kind, body), fault.PolicyViolation)
		}
		w.allow(t, typed("text/plain", body))
	}
	for _, name := range []string{`"_method"`, "_method", `"_METHOD"; filename="x"`, "\"_method\x00\"", `"_method[]"`, ` "_method`, "'_method'", `"%5fmethod"`} {
		w.deny(t, typed(multi, boundary+name+"\r\n\r\nDELETE\r\n--b--\r\n"), fault.PolicyViolation)
	}
	for _, body := range []string{
		"--b\nContent-Disposition: form-data;\n\tNAME = \"_method\"\n\nDELETE\n--b--", boundary + `"a"; name="_method"`, boundary + "a;name*=UTF-8''_method",
		"--c\r\nContent-Disposition: form-data; name=\"_method\"\r\n\r\nDELETE\r\n--c--",
	} {
		for _, kind := range []string{multi, "multipart/form-data", multi + "; boundary=c", "MULTIPART/form-data ; boundary=\"b\"", "multipart/form-data, text/plain"} {
			w.deny(t, typed(kind, body), fault.PolicyViolation)
		}
	}
	w.deny(t, parts(broker.Part{Field: "_method", Data: []byte("DELETE")}), fault.PolicyViolation)
	for _, body := range []string{`{"_method":"DELETE"}`, `{"a":{"b":[1]},"\u005fmethod":"DELETE"}`, ` {"_METHOD":"PUT"}`} {
		w.deny(t, typed("", body), fault.PolicyViolation)
		w.deny(t, typed("application/vnd.api+json", body), fault.PolicyViolation)
	}
	for _, call := range []broker.Call{
		typed(form, "method=list&a=_method"), typed("", `{"a":{"_method":"x"}}`), typed("", `["_method"]`), typed("", "\x00\x01&\xff=;"),
		typed(multi, boundary+"\"method\"\r\n\r\n_method\r\n--b--\r\n"), parts(broker.Part{Field: "a", Data: []byte("_method=DELETE")}),
	} {
		if got, _ := w.allow(t, call); call.Body != nil && string(got.Body) != string(call.Body) {
			t.Errorf("the upstream got another body than %q", call.Body)
		}
	}
}
