package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"

	"aivault/keys/opaque"
)

// NewVerifier returns a code verifier: 32 random bytes in base64url (RFC 7636,
// section 4.1). The caller clears it.
func NewVerifier() opaque.Bytes {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	defer clear(random[:])
	return opaque.New(base64.RawURLEncoding.AppendEncode(nil, random[:]))
}

// Challenge returns the code challenge of a verifier for the method S256 (RFC
// 7636, section 4.2).
func Challenge(verifier opaque.Bytes) string {
	sum := sha256.Sum256(verifier.Reveal())
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// NewState returns a random value that ties the answer of a login to its
// request (RFC 6749, section 10.12).
func NewState() string { return rand.Text() }

// ConsentURL returns where the owner of an account consents: the authorization
// endpoint with its own query, then the parameters in their order, as names and
// values. It escapes all but unreserved characters, a space as %20. A
// fault.InvalidRequest refuses an endpoint that is not https, and a parameter
// that is there twice (RFC 6749, section 3.1); a host that nobody may send to is
// a fault.PolicyViolation.
func ConsentURL(authURL string, params [][2]string) (string, error) {
	const what = "the authorization URL"
	u, err := parseURL(what, authURL)
	if err != nil {
		return "", err
	}
	own, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", invalid("%s has a malformed query", what)
	}
	out := []byte(authURL)
	separator := byte('?')
	if u.RawQuery != "" {
		separator = '&'
	} else if u.ForceQuery {
		out = out[:len(out)-1]
	}
	for i, p := range params {
		name := p[0]
		if name == "" || own.Has(name) || slices.ContainsFunc(params[:i], func(q [2]string) bool { return q[0] == name }) {
			return "", invalid("the parameter %.40q of %s has no name, or is there twice", name, what)
		}
		out = append(out, separator)
		out = appendPercent(out, name)
		out = appendPercent(append(out, '='), p[1])
		separator = '&'
	}
	return string(out), nil
}

// appendPercent is appendEscaped with %20 for a space, which every reader of a
// URL understands.
func appendPercent(out []byte, text string) []byte {
	for _, c := range []byte(text) {
		if c == ' ' {
			out = append(out, "%20"...)
		} else {
			out = appendEscaped(out, []byte{c})
		}
	}
	return out
}
