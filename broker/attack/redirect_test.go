package attack_test

import (
	"net/http"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
)

// redirect has the upstream answer with a redirect, and everything else that
// an answer should not be trusted with.
func (w *world) redirect(status int, location string) {
	w.up.Handle(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/there") {
			return
		}
		rw.Header()["Location"] = []string{location}
		rw.Header().Set("Set-Cookie", "a=b")
		rw.WriteHeader(status)
		_, _ = rw.Write([]byte("moved, " + r.Header.Get("Authorization")))
	})
}

func TestCase049RedirectsNotFollowed(t *testing.T) {
	t.Parallel()
	statuses := []int{301, 302, 303, 307, 308}
	for name, locations := range map[string][]string{
		http.MethodGet: {
			"https://evil.test/v1/files/there", "//evil.test/v1/files/there", "https://api.test.evil.test/v1/files/there", "https://api.test@evil.test/v1/files/there",
			"https://a:b@api.test/v1/files/there", "http://api.test/v1/files/there", "https://api.test:8443/v1/files/there", "data:text/plain,there", "file:///there",
			"javascript:there", "/v1/admin/there", "/v1/filesystem/there", "/v1/files/%2e%2e/there", "//v1/files/there", "/v1/files/there?_method=DELETE",
			`\\evil.test/there`, `/\evil.test/there`, "https:evil.test/there", "https://127.0.0.1/v1/files/there", "https://api.test:443@evil.test/there", "", "://", "/v1/files/..;/there",
		},
		http.MethodPost: {"/v1/files/there", "https://api.test/v1/files/there", "https://evil.test/v1/files/there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for i, location := range locations {
				status := statuses[i%len(statuses)]
				w.redirect(status, location)
				_, answer := w.allow(t, broker.Call{Capability: capability, Method: name, Path: prefix})
				if answer.Status != status || answer.Redirects != 0 || !strings.HasPrefix(string(answer.Body), "moved, ") || answer.Header.Get("Set-Cookie") != "" {
					t.Errorf("%d to %q: %+v", status, location, answer)
				}
			}
			if got := w.net.Lookups(); len(got) != 1 || got[0] != host {
				t.Errorf("looked up %q", got)
			}
		})
	}
}

func TestCase049RedirectsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hops := func(t *testing.T, call broker.Call, status, want int) {
		t.Helper()
		r := w.answered(t, call)
		sent := w.up.Requests()[r.since.requests:]
		if r.answer.Status != status || len(sent) != want || r.answer.Redirects != want-1 {
			t.Errorf("%s: status %d after %d requests, %d redirects", brief(call), r.answer.Status, len(sent), r.answer.Redirects)
		}
		for _, one := range sent { // the authentication is decided on anew
			rest, ok := w.carries(one)
			if !ok || one.Host != host || one.Method != call.Method || one.Get("Cookie")+one.Get("Referer") != "" {
				t.Errorf("%s: sent on as %s %s to %s", brief(call), one.Method, rest.URI, one.Host)
			}
			w.scan(t, "a request, but for its authentication", rest)
		}
	}
	for i, location := range []string{"/v1/files/there", "https://api.test/v1/files/there", "files/there", "https://API.test:443/v1/files/there?a=b", "./files/x/../there"} {
		w.redirect([]int{301, 302, 303, 307, 308}[i], location)
		hops(t, get(prefix), 200, 2)
	}
	// Six in a row: five are followed, and the sixth is the answer.
	w.redirect(302, "/v1/files/again")
	hops(t, get(prefix), 302, 6)

	// A secret in the query is added once to each, and a target that has it
	// already is none.
	w.queryAuth(t, "key")
	w.redirect(302, "/v1/files/there?a=b")
	hops(t, get(prefix+"?c=d"), 200, 2)
	w.up.Handle(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Location", "/v1/files/there?"+r.URL.RawQuery)
		rw.WriteHeader(http.StatusFound)
	})
	_, answer := w.allow(t, get(prefix))
	if answer.Status != 302 || !strings.Contains(answer.Header.Get("Location"), "REDACTED") {
		t.Errorf("an echo of the secret: status %d, to %q", answer.Status, answer.Header.Get("Location"))
	}
	brokertest.Scan(t, "the location", []byte(answer.Header.Get("Location")), w.secret.value)
}
