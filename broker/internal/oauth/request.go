package oauth

import (
	"encoding/base64"
	"net/http"
	"strings"

	"aivault/keys/opaque"
)

// TokenRequest returns header and body of the POST that asks for a new access
// token with what is in the secret, which [Config.Check] must have passed. The
// caller clears the body.
func TokenRequest(cfg Config, s *Secret) (header http.Header, body []byte) {
	var f form
	f.add("grant_type", []byte(cfg.GrantType))
	if cfg.GrantType == RefreshToken {
		f.add("refresh_token", s.RefreshToken.Reveal())
	}
	if len(cfg.Scopes) > 0 {
		f.add("scope", []byte(strings.Join(cfg.Scopes, " ")))
	}
	return f.from(cfg, s.ClientID, s.ClientSecret)
}

// CodeRequest returns header and body of the POST that exchanges the code of a
// login for tokens (RFC 6749, section 4.1.3; RFC 7636, section 4.5). The
// client's secret is empty for a public client. The caller clears the body.
func CodeRequest(cfg Config, clientID string, clientSecret, code, verifier opaque.Bytes, redirectURI string) (header http.Header, body []byte) {
	var f form
	f.add("grant_type", []byte("authorization_code"))
	f.add("code", code.Reveal())
	f.add("redirect_uri", []byte(redirectURI))
	f.add("code_verifier", verifier.Reveal())
	return f.from(cfg, clientID, clientSecret)
}

// A form is a body of application/x-www-form-urlencoded.
type form struct {
	body []byte
}

// add adds a parameter. The name needs no escape.
func (f *form) add(name string, value []byte) {
	// A body that must grow leaves no copy of a secret behind.
	grown := make([]byte, 0, len(f.body)+len(name)+3*len(value)+2)
	grown = append(grown, f.body...)
	clear(f.body)
	if len(grown) > 0 {
		grown = append(grown, '&')
	}
	f.body = appendEscaped(append(append(grown, name...), '='), value)
}

// from completes the request with the client that it is from.
func (f *form) from(cfg Config, clientID string, clientSecret opaque.Bytes) (http.Header, []byte) {
	header := http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"},
		"Accept":       {"application/json"}, // else some answer with a form
	}
	switch {
	case clientSecret.Len() == 0:
		f.add("client_id", []byte(clientID))
	case cfg.ClientAuth == InBody:
		f.add("client_id", []byte(clientID))
		f.add("client_secret", clientSecret.Reveal())
	default:
		header["Authorization"] = []string{"Basic " + basic(clientID, clientSecret)}
	}
	return header, f.body
}

// basic returns the credentials of a client for HTTP Basic. Both parts are
// escaped first, so that a colon in the id is none (RFC 6749, section 2.3.1).
func basic(clientID string, clientSecret opaque.Bytes) string {
	pair := make([]byte, 0, 3*(len(clientID)+clientSecret.Len())+1)
	pair = append(appendEscaped(pair, []byte(clientID)), ':')
	pair = appendEscaped(pair, clientSecret.Reveal())
	defer clear(pair)
	return base64.StdEncoding.EncodeToString(pair)
}

// appendEscaped appends text as it stands in a form: escaped but for what is
// unreserved, and a space as a plus sign.
func appendEscaped(out, text []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range text {
		switch {
		case strings.IndexByte(unreserved, c) >= 0:
			out = append(out, c)
		case c == ' ':
			out = append(out, '+')
		default:
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return out
}
