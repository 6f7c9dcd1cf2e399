package broker

import (
	"net/http"
	"slices"

	"aivault/broker/internal/oauth"
	"aivault/broker/policy"
	"aivault/keys/fault"
	"aivault/vault"
)

// tokenRequest returns the one canonical form, as of any request, of a POST to
// a token endpoint.
func tokenRequest(cfg oauth.Config) (host string, request policy.Canonical, err error) {
	host, target, query := cfg.Endpoint()
	if query != "" {
		target += "?" + query
	}
	rule := policy.Rule{Methods: []string{http.MethodPost}, Paths: []string{"/"}}
	request, err = policy.Decide(rule, policy.Request{Method: http.MethodPost, Target: target})
	if err != nil {
		err = fault.Wrap(fault.InvalidRequest, err, "the address of the token endpoint")
	}
	return host, request, err
}

// checkTokenEndpoint refuses a credential whose tokens could not be renewed: at
// an address that cannot be sent to, or at a host that is none of its own. What
// goes there is the secret, as to any other host.
func checkTokenEndpoint(c *vault.Credential) error {
	if c.Auth.Kind != oauth.Kind {
		return nil
	}
	cfg, err := oauth.ConfigOf(c.Auth)
	if err != nil {
		return err
	}
	host, _, err := tokenRequest(cfg)
	if err == nil && !slices.Contains(c.Hosts, host) {
		err = fault.New(fault.InvalidRequest, "the token endpoint is at %s, which is no host of the credential", host).
			WithHint("add --host %s, so that the secret may go there", host)
	}
	return err
}
