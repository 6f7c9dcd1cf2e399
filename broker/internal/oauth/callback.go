package oauth

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// maxCode is the length of the longest authorization code, in bytes.
const maxCode = 4 << 10

// The pages that a browser shows. They hold nothing of the request.
const (
	pageDone   = page + `<h1>Done</h1><p>aivault has what it needs. You can close this window.</p></html>`
	pageFailed = page + `<h1>The login failed</h1><p>Your terminal says why. You can close this window.</p></html>`
	page       = `<!doctype html><html lang="en"><meta charset="utf-8"><title>aivault</title>`
)

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status := h.refuse(r); status != 0 {
		respond(w, status, http.StatusText(status)+"\n")
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || repeats(query, "state", "code", "error") {
		respond(w, http.StatusBadRequest, http.StatusText(http.StatusBadRequest)+"\n")
		return
	}
	if !h.end() {
		respond(w, http.StatusGone, http.StatusText(http.StatusGone)+"\n")
		return
	}
	code, err := read(query, h.state)
	if err != nil {
		respond(w, http.StatusForbidden, pageFailed)
	} else {
		respond(w, http.StatusOK, pageDone)
	}
	// The answer is on its way before anybody closes the connection.
	_ = http.NewResponseController(w).Flush()
	h.done <- outcome{code, err}
}

// refuse returns the status for a request that no browser makes which comes
// back from the consent, or 0. Such a request changes nothing.
func (h *handler) refuse(r *http.Request) int {
	target, _, _ := strings.Cut(r.RequestURI, "?")
	switch {
	case r.Host != h.host: // a name of somebody's that resolves to this machine
		return http.StatusMisdirectedRequest
	case target != callback:
		return http.StatusNotFound
	case r.Method != http.MethodGet:
		return http.StatusMethodNotAllowed
	}
	// A navigation by GET has no origin, or after a form that was sent, null.
	navigates := r.Header.Get("Sec-Fetch-Mode") == "navigate"
	if origin := r.Header["Origin"]; origin != nil && !(navigates && len(origin) == 1 && origin[0] == "null") {
		return http.StatusForbidden
	}
	// Browsers say so if a page asks by script, or as an image or a frame.
	for name, want := range map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"} {
		if got := r.Header[name]; got != nil && (len(got) != 1 || got[0] != want) {
			return http.StatusForbidden
		}
	}
	return 0
}

// repeats reports whether one of the parameters is there twice.
func repeats(query url.Values, names ...string) bool {
	for _, name := range names {
		if len(query[name]) > 1 {
			return true
		}
	}
	return false
}

// read takes the code out of the query of a callback (RFC 6749, section
// 4.1.2), or the error (section 4.1.2.1).
func read(query url.Values, state string) (opaque.Bytes, error) {
	if state == "" || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(state)) != 1 {
		return nil, fault.New(fault.TokenInvalid, "an answer came that belongs to no login of this program, or to an earlier one").
			WithHint("log in again, and close older windows of the login first")
	}
	if query.Has("error") {
		return nil, refusedBy(query.Get("error"))
	}
	code := opaque.New([]byte(query.Get("code")))
	if n := code.Len(); n == 0 || n > maxCode || !isText(code.Reveal()) {
		code.Clear()
		return nil, failed("the answer of the login has no code, or one that cannot be")
	}
	return code, nil
}

// refusedBy returns the error for a login that the service, or the owner of
// the account, refused. A code that the RFC does not list may be anything, and
// is not repeated.
func refusedBy(code string) error {
	switch code {
	case "access_denied":
		return failed("the owner of the account did not consent").WithHint("log in again and accept")
	case "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope":
		return failed("the service refused the login: %s", code).
			WithHint("check the client's id, its redirect URIs and the scopes at the service")
	case "server_error", "temporarily_unavailable":
		return failed("the service could not log in: %s", code).WithHint("try again later")
	}
	return failed("the service refused the login with an error that RFC 6749 does not list")
}

// respond sends a text without any way to act on it.
func respond(w http.ResponseWriter, status int, text string) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	if strings.HasPrefix(text, page) {
		header.Set("Content-Type", "text/html; charset=utf-8")
	}
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer") // the address holds the code
	header.Set("Cache-Control", "no-store")
	if status == http.StatusMethodNotAllowed {
		header.Set("Allow", http.MethodGet)
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
