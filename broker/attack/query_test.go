package attack_test

import (
	"strings"
	"testing"

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
