package stage

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"aivault/broker/brokertest"
)

// An Issuer is an authorization server (RFC 6749) at the host that begins with
// "auth.", and at every other host an API that takes its tokens, behind one
// upstream. A refresh token is good for one use.
type Issuer struct {
	t testing.TB

	mu      sync.Mutex
	given   []string // every token that there ever was
	access  string   // the access token that is valid
	refresh string   // the refresh token that is valid
	calls   []TokenCall
	answer  func(w http.ResponseWriter, tokens string) bool
	refuse  bool
}

// A TokenCall is a request to the token endpoint.
type TokenCall struct {
	Body          string
	Authorization string
}

// NewIssuer returns an issuer with a refresh token that is good for the first
// use.
func NewIssuer(t testing.TB) *Issuer {
	i := &Issuer{t: t}
	i.refresh = i.fresh()
	return i
}

func (i *Issuer) fresh() string {
	s := brokertest.Word(i.t)
	i.given = append(i.given, s)
	return s
}

// ServeHTTP is the handler of the upstream. The API welcomes who has the token,
// and tells anybody else all that it knows.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !strings.HasPrefix(req.Host, "auth.") {
		if got := req.Header.Get("Authorization"); i.refuse || got != "Bearer "+i.access {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, "who is %s? I know %s and %s", got, i.access, i.refresh)
			return
		}
		_, _ = fmt.Fprint(w, "welcome")
		return
	}
	body := make([]byte, req.ContentLength)
	_, _ = req.Body.Read(body)
	i.calls = append(i.calls, TokenCall{string(body), req.Header.Get("Authorization")})
	w.Header().Set("Content-Type", "application/json")
	form, _ := url.ParseQuery(string(body))
	tokens := ""
	if form.Get("grant_type") != "refresh_token" || form.Get("refresh_token") == i.refresh {
		i.access, i.refresh = i.fresh(), i.fresh()
		tokens = fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":3600,"refresh_token":%q}`, i.access, i.refresh)
	}
	switch {
	case i.answer != nil && i.answer(w, tokens):
	case tokens == "":
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error":"invalid_grant"}`)
	default:
		_, _ = fmt.Fprint(w, tokens)
	}
}

// Given returns every token that there ever was.
func (i *Issuer) Given() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.given)
}

// Calls returns the token requests so far.
func (i *Issuer) Calls() []TokenCall {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.calls)
}

// Refresh returns the refresh token that is valid.
func (i *Issuer) Refresh() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.refresh
}

// SetRefresh makes another refresh token the valid one; the empty one: a new
// one, which nobody has.
func (i *Issuer) SetRefresh(token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.refresh = token; token == "" {
		i.refresh = i.fresh()
	}
}

// Refuse has the API refuse every token, or not any more.
func (i *Issuer) Refuse(refuse bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refuse = refuse
}

// Answer has f answer token requests where it returns true. It is given the
// answer that would be sent, or nothing where the grant is refused; the tokens
// in it are valid by then, and those before them are not.
func (i *Issuer) Answer(f func(w http.ResponseWriter, tokens string) bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = f
}
