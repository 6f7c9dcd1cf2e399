package broker

import (
	"strings"

	"aivault/broker/internal/oauth"
)

// A Consent is what the owner of an OAuth account is asked (RFC 6749, 4.1.1).
type Consent struct {
	AuthURL     string // authorization endpoint, https
	ClientID    string
	RedirectURI string
	Scopes      []string
	State       string // comes back with the code; empty: none
}

// ConsentURL returns the address at which the owner consents, for a caller that
// exchanges the code itself; [Broker.Login] does both. Its error is
// fault.InvalidRequest.
func ConsentURL(c Consent) (string, error) {
	params := [][2]string{{"response_type", "code"}, {"client_id", c.ClientID}, {"redirect_uri", c.RedirectURI}}
	if len(c.Scopes) > 0 {
		params = append(params, [2]string{"scope", strings.Join(c.Scopes, " ")})
	}
	if c.State != "" {
		params = append(params, [2]string{"state", c.State})
	}
	return oauth.ConsentURL(c.AuthURL, params)
}
