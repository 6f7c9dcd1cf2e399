package broker_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"aivault/broker"
)

// A redirect is followed where the call itself could have gone there; any
// other is the answer (case 49).
func TestRedirects(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method string
		status       int
		location     string
		followed     bool
	}{
		{"same host", "GET", 302, "https://api.acme.test/v1/items/there?a=1", true},
		{"path alone", "GET", 301, "/v1/items/there", true},
		{"relative", "GET", 307, "items/there", true},
		{"303", "GET", 303, "/v1/items/there", true},
		{"308", "HEAD", 308, "/v1/items/there", true},
		{"fragment", "GET", 302, "/v1/items/there#part", true},
		{"the usual port", "GET", 302, "https://api.acme.test:443/v1/items/there", true},
		{"POST", "POST", 307, "/v1/items/there", false},
		{"POST that would become a GET", "POST", 303, "/v1/items/there", false},
		{"other status", "GET", 300, "/v1/items/there", false},
		{"not modified", "GET", 304, "/v1/items/there", false},
		{"other host", "GET", 302, "https://evil.test/v1/items/there", false},
		{"other host without a scheme", "GET", 302, "//evil.test/v1/items/there", false},
		{"longer host", "GET", 302, "https://api.acme.test.evil.test/v1/items/there", false},
		{"user of another host", "GET", 302, "https://api.acme.test@evil.test/v1/items/there", false},
		{"user", "GET", 302, "https://a:b@api.acme.test/v1/items/there", false},
		{"http", "GET", 302, "http://api.acme.test/v1/items/there", false},
		{"other port", "GET", 302, "https://api.acme.test:8443/v1/items/there", false},
		{"data", "GET", 302, "data:text/plain,x", false},
		{"outside the policy", "GET", 302, "/v1/admin", false},
		{"dot segments", "GET", 302, "/v1/items/%2e%2e/admin", false},
		{"method override", "GET", 302, "/v1/items/there?_method=DELETE", false},
		{"no location", "GET", 302, "", false},
		{"no URL", "GET", 302, "https://[::1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _ := newMemoryRig(t)
			s := r.acme(t)
			_, err := r.broker.CreateCapability(context.Background(), broker.NewCapability{
				ID: "acme/all", Hosts: []string{"api.acme.test"}, Methods: []string{"GET", "HEAD", "POST"}, Paths: []string{"/v1/items"},
			})
			if err != nil {
				t.Fatal(err)
			}
			r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
				if strings.HasSuffix(req.URL.Path, "/there") {
					w.Header().Set("X-Request-Id", "there")
					return
				}
				if tt.location != "" {
					w.Header().Set("Location", tt.location)
				}
				w.WriteHeader(tt.status)
			})
			answer, err := r.broker.Invoke(context.Background(), broker.Call{
				Capability: "acme/all", Method: tt.method, Path: "/v1/items", Headers: []broker.Header{{Name: "X-Mine", Value: "1"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			sent := r.up.Requests()
			if !tt.followed {
				if answer.Status != tt.status || len(sent) != 1 || answer.Redirects != 0 {
					t.Errorf("status %d after %d requests", answer.Status, len(sent))
				}
				return
			}
			if answer.Status != 200 || len(sent) != 2 || answer.Redirects != 1 || answer.Header.Get("X-Request-Id") != "there" {
				t.Fatalf("status %d after %d requests, %d redirects", answer.Status, len(sent), answer.Redirects)
			}
			if got := sent[1]; got.Method != tt.method || got.Host != "api.acme.test" || got.Get("X-Mine") != "1" || got.Get("Authorization") != "Bearer "+s.value {
				t.Errorf("the second request: %s %s, with the secret: %v", got.Method, got.URI, got.Get("Authorization") == "Bearer "+s.value)
			}
			if e := r.last(t); !strings.Contains(e.Note, "redirected once") || len(r.events(t)) != 2 {
				t.Errorf("recorded as %+v", e)
			}
		})
	}
}

// Five redirects are followed, the sixth is the answer.
func TestRedirectsWithoutEnd(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.acme(t)
	n := 0
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
		n++
		w.Header().Set("Location", fmt.Sprintf("/v1/items/%d", n))
		w.WriteHeader(http.StatusFound)
	})
	answer, err := r.invoke("acme/items", inW)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status != 302 || answer.Redirects != 5 || len(r.up.Requests()) != 6 {
		t.Errorf("status %d after %d requests, %d redirects", answer.Status, len(r.up.Requests()), answer.Redirects)
	}
	if got := answer.Header.Get("Location"); got != "/v1/items/6" {
		t.Errorf("location %q", got)
	}
}
