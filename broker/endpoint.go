package broker

import (
	"net/http"
	"slices"

	"aivault/broker/internal/oauth"
	"aivault/broker/internal/resolve"
	"aivault/broker/policy"
	"aivault/broker/registry"
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
		err = fault.New(fault.InvalidRequest, "the token endpoint of credential %s is at %s, which is none of its hosts", c.ID, host).
			WithHint("add --host %s: whoever hands out the tokens gets the refresh token", host)
	}
	return err
}

// tokenHost returns the host of an OAuth credential's token endpoint, which gets
// all that is in its secret; empty for any other.
func tokenHost(a vault.Auth) string {
	if a.Kind != oauth.Kind {
		return ""
	}
	cfg, err := oauth.ConfigOf(a)
	if err != nil {
		return "" // no token is asked for
	}
	host, _, _ := cfg.Endpoint()
	return host
}

// checkTokenHost keeps the secret of an OAuth credential from every host but the
// credential's own, and a pinned one from all but its provider's: a binding may
// borrow an endpoint from a credential of another secret, which is not pinned.
func checkTokenHost(r *registry.Registry, provider string, choice *resolve.Choice) error {
	host := tokenHost(choice.Auth)
	switch {
	case host == "":
		return nil
	case !slices.Contains(choice.Hosts, host):
		return fault.New(fault.PolicyViolation, "the token endpoint of %s is at %s, which is none of its hosts", choice.Lender, host)
	case !anyPinned(choice.Parts):
		return nil
	}
	if p, ok := r.Provider(provider); ok && p.Has(host) {
		return nil
	}
	return fault.New(fault.PolicyViolation, "the secret is pinned to %s, and %s, which hands out the tokens, is none of its hosts", provider, host).
		WithHint("store the value under a name of your own to send it there")
}
