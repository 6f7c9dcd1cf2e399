package oauth

import (
	"encoding/json"
	"errors"
	"mime"
	"strconv"
	"strings"
	"time"

	"aivault/broker/internal/strictjson"
	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// Limits of a token response.
const (
	MaxAnswer = 256 << 10 // bytes of the body
	maxToken  = 16 << 10  // bytes of an access or refresh token
	maxTTL    = 10 * 365 * 24 * time.Hour
)

// A Token is what a token endpoint granted.
type Token struct {
	AccessToken  opaque.Bytes
	RefreshToken opaque.Bytes  // empty: the one before stays
	ExpiresIn    time.Duration // of the access token; 0: it was not said
}

// Clear overwrites the tokens.
func (t *Token) Clear() {
	t.AccessToken.Clear()
	t.RefreshToken.Clear()
}

// A Refusal is an error that a token endpoint named.
type Refusal struct {
	Code string // one of RFC 6749, section 5.2
}

func (r Refusal) Error() string { return "the token endpoint answered " + r.Code }

// final reports whether the same request would always be refused.
func (r Refusal) final() bool {
	switch r.Code {
	case "invalid_grant", "invalid_client", "unauthorized_client", "invalid_scope", "unsupported_grant_type":
		return true
	}
	return false
}

// known reports whether the code is one that the RFC lists. Any other may be
// anything, a secret included, and is not repeated.
func (r Refusal) known() bool { return r.final() || r.Code == "invalid_request" }

// IsRefused reports whether err is of a token endpoint that refused for good,
// so that asking again is no use until a person did something.
func IsRefused(err error) bool {
	r, ok := errors.AsType[Refusal](err)
	return ok && r.final()
}

// ParseToken reads the answer of a token endpoint: its status, its
// Content-Type with or without parameters, and its body, which stays the
// caller's to clear. What was refused for good ([IsRefused]) is a
// fault.OAuthRefreshRequired; all else that brings no token is a
// fault.AuthFailed.
func ParseToken(status int, mediaType string, body []byte) (*Token, error) {
	fields, err := readAnswer(mediaType, body)
	granted := status >= 200 && status < 300
	// An overloaded server may well say invalid_grant and not mean it.
	if final := status < 500 && status != 429; err == nil && final {
		if refused := fields.refusal(); refused != nil {
			return nil, refused
		}
	}
	if !granted {
		return nil, failed("the token endpoint answered with status %d", status).
			WithHint("check its address in the credential; if that is right, try again later")
	}
	if err != nil {
		return nil, err
	}
	return fields.token()
}

// answer holds the members of the JSON object that came back.
type answer map[string]json.RawMessage

// readAnswer reads the body as a JSON object that has one meaning.
func readAnswer(mediaType string, body []byte) (answer, error) {
	media, _, err := mime.ParseMediaType(mediaType)
	if err != nil || media != "application/json" && !(strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")) {
		return nil, failed("the answer of the token endpoint is not JSON").
			WithHint("check its address in the credential: it may be that of a page for people")
	}
	if len(body) > MaxAnswer {
		return nil, failed("the answer of the token endpoint is longer than %d KiB", MaxAnswer>>10)
	}
	var a answer
	if strictjson.Unmarshal(body, &a) != nil || a == nil {
		return nil, failed("the answer of the token endpoint is no JSON object, or one that can be read in two ways")
	}
	return a, nil
}

// refusal returns the error that the answer names, if it does. Some endpoints
// name one with status 200.
func (a answer) refusal() error {
	var code string
	if json.Unmarshal(a["error"], &code) != nil || code == "" {
		return nil
	}
	r := Refusal{Code: code}
	switch {
	case !r.known():
		return failed("the token endpoint named an error that RFC 6749 does not list")
	case !r.final():
		return fault.Wrap(fault.AuthFailed, r, "")
	}
	hint := `consent again with "aivault oauth login"`
	switch r.Code {
	case "invalid_client", "unauthorized_client", "unsupported_grant_type":
		hint = `check the client's id and secret and the grant, or consent again with "aivault oauth login"`
	case "invalid_scope":
		hint = `check the scopes of the credential, or consent to them with "aivault oauth login"`
	}
	return fault.Wrap(fault.OAuthRefreshRequired, r, "").WithHint("%s", hint)
}

// token reads what was granted.
func (a answer) token() (*Token, error) {
	var t Token
	kind, err := a.text("token_type")
	if err != nil {
		return nil, err
	}
	if kind != nil && !strings.EqualFold(string(kind), "bearer") {
		return nil, failed("the token endpoint granted a token that is not of the type Bearer")
	}
	if t.ExpiresIn, err = a.expiresIn(); err != nil {
		return nil, err
	}
	access, err := a.text("access_token")
	if err != nil {
		return nil, err
	}
	refresh, err := a.text("refresh_token")
	t.AccessToken, t.RefreshToken = opaque.New(access), opaque.New(refresh)
	switch {
	case err != nil:
	case len(access) == 0:
		err = failed("the answer of the token endpoint has no access_token")
	case len(access) > maxToken || !isVisible(access):
		err = failed("the access_token is longer than %d KiB, or has a character that cannot be sent", maxToken>>10)
	case len(refresh) > maxToken || !isText(refresh):
		err = failed("the refresh_token is longer than %d KiB, or has a character that cannot be sent", maxToken>>10)
	default:
		return &t, nil
	}
	t.Clear()
	return nil, err
}

// absent reports whether a member is not there, or null.
func (a answer) absent(name string) bool {
	return a[name] == nil || string(a[name]) == "null"
}

// text returns a member that must be text if it is there; else nil.
func (a answer) text(name string) ([]byte, error) {
	if a.absent(name) {
		return nil, nil
	}
	var s string
	if json.Unmarshal(a[name], &s) != nil {
		return nil, failed("the %s of the token endpoint is no text", name)
	}
	return []byte(s), nil
}

// expiresIn returns how long the access token lives: a whole number of
// seconds, and no text of one (RFC 6749, section 5.1). Zero is what endpoints say
// whose tokens do not expire.
func (a answer) expiresIn() (time.Duration, error) {
	if a.absent("expires_in") {
		return 0, nil
	}
	seconds, err := strconv.ParseUint(string(a["expires_in"]), 10, 63)
	if err != nil || seconds > uint64(maxTTL/time.Second) {
		return 0, failed("the expires_in of the token endpoint is no whole number of seconds up to ten years")
	}
	return time.Duration(seconds) * time.Second, nil
}

func failed(format string, args ...any) *fault.Error {
	return fault.New(fault.AuthFailed, format, args...)
}
