// Package oauth is the part of OAuth 2.0 (RFC 6749) that needs neither a
// network nor a vault: what a secret with tokens looks like, which request
// asks for new ones, and what may be believed of the answer. Sending, waiting
// in turn and storing are its callers'.
//
// The secret of such a credential is a JSON object, in camelCase or
// snake_case: clientId, clientSecret, refreshToken, accessToken and
// accessTokenExpiresAtMs. It was made by some other program, which may keep
// more in it; so a renewal replaces values and leaves every other byte alone.
//
// For a login there are also the consent URL with PKCE (RFC 7636) and the
// [Listener] on the loopback device that takes the browser's answer (RFC 8252,
// section 7.3).
//
// No error repeats what a secret, a request or an answer holds: it names the
// field, or one of the error codes that RFC 6749 defines.
package oauth

import (
	"net/url"
	"slices"
	"strings"

	"aivault/broker/policy"
	"aivault/keys/fault"
	"aivault/vault"
)

// Kind is the kind of a vault.Auth that a [Config] is read from.
const Kind = "oauth2"

// Parameters of such an Auth.
const (
	ParamGrantType     = "grant_type"
	ParamTokenEndpoint = "token_endpoint"
	ParamScope         = "scope"       // may repeat
	ParamClientAuth    = "client_auth" // may be left out
)

// The grants by which an access token is renewed.
const (
	RefreshToken      = "refresh_token"      // RFC 6749, section 6
	ClientCredentials = "client_credentials" // RFC 6749, section 4.4
)

// The ways in which a client with a secret authenticates (RFC 6749, section
// 2.3.1).
const (
	InHeader = "basic" // HTTP Basic, the default
	InBody   = "body"
)

// maxURL is the length of the longest endpoint, in bytes.
const maxURL = 2048

// A Config says how a credential gets its access tokens. It comes from
// [ConfigOf].
type Config struct {
	GrantType     string   // RefreshToken or ClientCredentials
	TokenEndpoint string   // https://HOST/PATH[?QUERY], the host canonical
	Scopes        []string // to ask for; none: what was consented to
	ClientAuth    string   // InHeader or InBody
}

// ConfigOf reads the parameters of a vault.Auth of kind oauth2: grant_type,
// token_endpoint, any number of scope, and client_auth if it is not basic.
// Whether the endpoint's host may get the secret is for the caller to check. A
// fault.InvalidRequest names the parameter that is wrong; a host that nobody
// may send to is a fault.PolicyViolation.
func ConfigOf(a vault.Auth) (Config, error) {
	if a.Kind != Kind {
		return Config{}, invalid("authentication by %s has no token endpoint", a.Kind)
	}
	var c Config
	for _, p := range a.Params {
		var once *string
		switch p.Name {
		case ParamGrantType:
			once = &c.GrantType
		case ParamTokenEndpoint:
			once = &c.TokenEndpoint
		case ParamClientAuth:
			once = &c.ClientAuth
		case ParamScope:
			if !isScope(p.Value) {
				return Config{}, invalid("a scope is empty, or has a character that no scope has").
					WithHint("give each scope by itself")
			}
			c.Scopes = append(c.Scopes, p.Value)
			continue
		default:
			return Config{}, invalid("%s has no parameter %.40q", Kind, p.Name)
		}
		if p.Value == "" || *once != "" {
			return Config{}, invalid("the parameter %s is empty, or there twice", p.Name)
		}
		*once = p.Value
	}
	return c.checked()
}

// checked fills in what was left out, and refuses what is wrong.
func (c Config) checked() (Config, error) {
	if c.GrantType != RefreshToken && c.GrantType != ClientCredentials {
		return Config{}, invalid("the parameter %s is neither %s nor %s", ParamGrantType, RefreshToken, ClientCredentials)
	}
	if c.ClientAuth == "" {
		c.ClientAuth = InHeader
	}
	if c.ClientAuth != InHeader && c.ClientAuth != InBody {
		return Config{}, invalid("the parameter %s is neither %s nor %s", ParamClientAuth, InHeader, InBody)
	}
	u, err := parseURL("the token endpoint", c.TokenEndpoint)
	if err != nil {
		return Config{}, err
	}
	c.TokenEndpoint = "https://" + u.Host + u.EscapedPath()
	if u.RawQuery != "" {
		c.TokenEndpoint += "?" + u.RawQuery
	}
	return c, nil
}

// Endpoint returns where to send a token request: the host in the form of
// [policy.ParseHost], with its port if that is not 443, the path as it is
// sent, and the query without its question mark.
func (c Config) Endpoint() (host, path, rawQuery string) {
	host, rest, _ := strings.Cut(strings.TrimPrefix(c.TokenEndpoint, "https://"), "/")
	path, rawQuery, _ = strings.Cut("/"+rest, "?")
	return host, path, rawQuery
}

// Check refuses a secret that lacks what the grant needs. A
// fault.InvalidRequest names the field.
func (c Config) Check(s *Secret) error {
	missing := ""
	switch {
	case s.ClientID == "":
		missing = nameOf(fieldClientID, s.snake)
	case c.GrantType == ClientCredentials && s.ClientSecret.Len() == 0:
		missing = nameOf(fieldClientSecret, s.snake)
	case c.GrantType == RefreshToken && s.RefreshToken.Len() == 0:
		missing = nameOf(fieldRefreshToken, s.snake)
	default:
		return nil
	}
	hint := shape
	if c.GrantType == ClientCredentials { // nobody consents
		hint = `store it as {"clientId":"...","clientSecret":"..."}`
	}
	return invalid("the secret has no field %s, which %s needs", missing, c.GrantType).WithHint("%s", hint)
}

// parseURL reads the address of an endpoint: https, a host in canonical form,
// at least the path /, perhaps a query. No error repeats it, as it may hold a
// password.
func parseURL(what, raw string) (*url.URL, error) {
	hint := "write https://HOST/PATH"
	if len(raw) > maxURL || strings.Trim(raw, urlBytes) != "" {
		return nil, invalid("%s is longer than %d bytes, or has a character that no URL has", what, maxURL).WithHint("%s", hint)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, invalid("%s is no URL", what).WithHint("%s", hint)
	case u.Scheme != "https":
		return nil, invalid("%s is not an https URL", what).WithHint("%s", hint)
	case u.User != nil:
		return nil, invalid("%s has a user name in it", what).WithHint("%s", hint)
	case strings.Contains(raw, "#"):
		return nil, invalid("%s has a fragment", what).WithHint("%s", hint)
	}
	// Whether a private host is wanted is the credential's to say.
	host, err := policy.ParseHost(u.Host, true)
	if err != nil {
		return nil, fault.Wrap(fault.CodeOf(err), err, "%s", what)
	}
	u.Host = host
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// urlBytes are the characters of a URL in ASCII (RFC 3986, section 2).
const urlBytes = unreserved + "%:/?#[]@!$&'()*+,;="

// unreserved are the characters that need no escape anywhere (RFC 3986,
// section 2.3).
const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// isScope reports whether s is one scope (RFC 6749, section 3.3).
func isScope(s string) bool {
	return s != "" && len(s) <= 512 && isVisible([]byte(s)) && !strings.ContainsAny(s, `"\`)
}

// isVisible reports whether all of b is visible ASCII.
func isVisible(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c <= ' ' || c > '~' })
}

// isText reports whether all of b is visible ASCII or spaces: VSCHAR, as RFC
// 6749, appendix A, calls it.
func isText(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' || c > '~' })
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidRequest, format, args...)
}
