package auth

import (
	"net/url"
	"strings"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// Parameters of oauth2.
const (
	paramGrantType     = "grant_type"
	paramTokenEndpoint = "token_endpoint"
	paramScope         = "scope"
	paramClientAuth    = "client_auth"

	grantRefreshToken      = "refresh_token"
	grantClientCredentials = "client_credentials"
)

// An oauth2 strategy sends an OAuth 2.0 access token (RFC 6750, section 2.1).
// The secret is a JSON object that has the token, if there was one yet, and
// what a new one is to be had with.
type oauth2 struct {
	grant string
}

func newOAuth2(params []vault.Param) (Strategy, error) {
	given := map[string]string{}
	for _, p := range params {
		_, twice := given[p.Name]
		switch p.Name {
		case paramScope:
			if !isScope(p.Value) {
				return nil, invalid("an OAuth scope is empty or has a character that scopes do not have").
					WithHint("give each scope by itself")
			}
			continue
		case paramGrantType, paramTokenEndpoint, paramClientAuth:
			given[p.Name] = p.Value
		default:
			twice = true
		}
		if twice {
			return nil, invalid("authentication by oauth2 has the parameter %q, or has it twice", p.Name).
				WithHint("it takes %s, %s, %s and %s", paramGrantType, paramTokenEndpoint, paramScope, paramClientAuth)
		}
	}
	switch grant := given[paramGrantType]; grant {
	case grantRefreshToken, grantClientCredentials:
	default:
		return nil, invalid("%q is no OAuth grant that aivault can make", grant).
			WithHint("choose %s or %s", grantRefreshToken, grantClientCredentials)
	}
	switch how, ok := given[paramClientAuth]; {
	case ok && how != "basic" && how != "body":
		return nil, invalid("%q is no way to authenticate an OAuth client", how).WithHint("choose basic or body")
	}
	if err := checkEndpoint(given[paramTokenEndpoint]); err != nil {
		return nil, err
	}
	return oauth2{given[paramGrantType]}, nil
}

// checkEndpoint refuses what cannot be the address of a token endpoint (RFC
// 6749, section 3.2).
func checkEndpoint(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" || strings.Contains(text, "#") {
		return invalid("the token endpoint is no https address without user and fragment").
			WithHint("give the address where the provider hands out tokens, such as https://auth.example.com/oauth/token")
	}
	return nil
}

// isScope reports whether s is a scope-token of RFC 6749, section 3.3.
func isScope(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

func (o oauth2) Managed() Managed { return Managed{Headers: []string{"Authorization"}} }

func (o oauth2) fits(placeholders []string) error { return needs(placeholders, Placeholder) }

// check wants what a token is to be had with. A token itself may be missing, or
// have run out: the broker gets one before Apply.
func (o oauth2) check(values Values) error {
	account, err := o.read(values)
	account.clear()
	return err
}

// An account is what an oauth2 secret has that must not come back.
type account struct {
	access, refresh, client opaque.Bytes // nil: not there
}

func (a account) clear() {
	a.access.Clear()
	a.refresh.Clear()
	a.client.Clear()
}

// read returns copies, which the caller clears, whatever the error is.
func (o oauth2) read(values Values) (a account, err error) {
	secret, err := oneSecret(values)
	if err != nil {
		return a, err
	}
	needed, form := "refreshToken", `{"clientId":"...","clientSecret":"...","refreshToken":"..."}`
	if o.grant == grantClientCredentials {
		needed, form = "clientSecret", `{"clientId":"...","clientSecret":"..."}`
	}
	object, err := parseObject(secret, form, "clientId", "clientSecret", "refreshToken", "accessToken")
	if err != nil {
		return a, err
	}
	defer object.clear()
	for _, name := range [...]string{"clientId", needed} {
		value, err := object.text(name)
		if err != nil {
			return a, err
		}
		value.Clear()
	}
	for _, field := range [...]struct {
		name string
		to   *opaque.Bytes
	}{{"clientSecret", &a.client}, {"refreshToken", &a.refresh}, {"accessToken", &a.access}} {
		if *field.to, err = object.optional(field.name); err != nil {
			return a, err
		}
	}
	return a, checkToken("the field accessToken of the secret", a.access.Reveal())
}

// checkToken refuses what is no access token (RFC 6749, appendix A.12) that
// can be sent as a b64token: visible characters, without a space.
func checkToken(what string, value []byte) error {
	for _, c := range value {
		if c <= ' ' || c >= 0x7f {
			return invalid("%s has a character that cannot be sent", what)
		}
	}
	return nil
}

// Apply needs an access token, and reports fault.OAuthRefreshRequired if the
// secret has none. Whether it still is good is the caller's to know.
func (o oauth2) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	a, err := o.read(values)
	if err == nil && a.access == nil {
		err = fault.New(fault.OAuthRefreshRequired, "the secret has no access token yet")
	}
	if err != nil {
		a.clear()
		return nil, err
	}
	rendered := append(append(make([]byte, 0, len("Bearer ")+a.access.Len()), "Bearer "...), a.access.Reveal()...)
	m.Header["Authorization"] = []string{string(rendered)}
	secrets := []opaque.Bytes{a.access, opaque.New(rendered)}
	for _, s := range []opaque.Bytes{a.refresh, a.client} {
		if s != nil {
			secrets = append(secrets, s)
		}
	}
	return secrets, nil
}

func (o oauth2) Preview(m *Message, names map[string]string) error {
	m.Header["Authorization"] = []string{"Bearer <" + names[Placeholder] + ">"}
	return nil
}
