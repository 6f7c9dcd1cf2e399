package auth

import (
	"aivault/broker/internal/oauth"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// An oauth2 strategy sends an OAuth 2.0 access token (RFC 6750, section 2.1).
// Package oauth says what the parameters and the secret look like: what renews
// a token and what sends it read both alike.
type oauth2 struct {
	config oauth.Config
}

func newOAuth2(params []vault.Param) (Strategy, error) {
	config, err := oauth.ConfigOf(vault.Auth{Kind: KindOAuth2, Params: params})
	if err != nil {
		return nil, err
	}
	return oauth2{config}, nil
}

func (o oauth2) Managed() Managed { return Managed{Headers: []string{"Authorization"}} }

func (o oauth2) fits(placeholders []string) error { return needs(placeholders, Placeholder) }

// check wants what a token is to be had with. A token itself may be missing, or
// have run out: the broker gets one before Apply.
func (o oauth2) check(values Values) error {
	account, err := o.read(values)
	if err == nil {
		account.Clear()
	}
	return err
}

// read returns copies, which the caller clears.
func (o oauth2) read(values Values) (*oauth.Secret, error) {
	secret, err := oneSecret(values)
	if err != nil {
		return nil, err
	}
	account, err := oauth.ParseSecret(secret)
	if err != nil {
		return nil, err
	}
	if err := o.config.Check(account); err != nil {
		account.Clear()
		return nil, err
	}
	return account, nil
}

// Apply needs an access token, and reports fault.OAuthRefreshRequired if the
// secret has none. Whether it still is good is the caller's to know. What must
// be redacted is also what a new token is to be had with.
func (o oauth2) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	account, err := o.read(values)
	if err != nil {
		return nil, err
	}
	defer account.Clear()
	if account.AccessToken.Len() == 0 {
		return nil, fault.New(fault.OAuthRefreshRequired, "the secret has no access token yet")
	}
	token := account.AccessToken.Reveal()
	rendered := append(append(make([]byte, 0, len("Bearer ")+len(token)), "Bearer "...), token...)
	m.Header["Authorization"] = []string{string(rendered)}
	secrets := []opaque.Bytes{opaque.New(rendered)}
	for _, s := range [...]opaque.Bytes{account.AccessToken, account.RefreshToken, account.ClientSecret} {
		if s.Len() > 0 {
			secrets = append(secrets, opaque.Clone(s.Reveal()))
		}
	}
	return secrets, nil
}

func (o oauth2) Preview(m *Message, names map[string]string) error {
	m.Header["Authorization"] = []string{"Bearer <" + names[Placeholder] + ">"}
	return nil
}
