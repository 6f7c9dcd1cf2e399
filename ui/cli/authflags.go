package cli

import (
	"github.com/spf13/pflag"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// addAuth adds the flags that go with --auth.
func (f *credentialFlags) addAuth(fs *pflag.FlagSet) {
	a := &f.how
	text(fs, &a.HeaderName, "header-name", "NAME", "of header and hmac: the header")
	text(fs, &a.ValueTemplate, "value-template", "TEXT", "of header and hmac: its value, with {{secret}} or {{signature}} in it")
	text(fs, &a.QueryParam, "query-param", "NAME", "of query: the parameter")
	text(fs, &a.PathPrefixTemplate, "path-prefix-template", "TEXT", "of path: what goes before it, with {{secret}} in it")
	many(fs, &a.AuthHeaders, "auth-header", "NAME=TEXT", "of multi-header: a header and its value, with {{field}} in it")
	many(fs, &a.AuthQuery, "auth-query", "NAME=TEXT", "of multi-query: a parameter and its value, with {{field}} in it")
	text(fs, &a.GrantType, "grant-type", "TYPE", "of oauth2: refresh_token or client_credentials")
	text(fs, &a.TokenEndpoint, "token-endpoint", "URL", "of oauth2: where tokens are handed out")
	many(fs, &a.Scopes, "scope", "SCOPE", "of oauth2: a scope to ask for")
	text(fs, &a.ClientAuth, "client-auth", "HOW", "of oauth2: send the client secret in the header (basic) or the body")
	text(fs, &a.AWSService, "aws-service", "NAME", "of aws-sigv4: the service, s3 if not given")
	text(fs, &a.AWSRegion, "aws-region", "NAME", "of aws-sigv4: the region, us-east-1 if not given")
	text(fs, &a.HMACAlgorithm, "hmac-algorithm", "NAME", "of hmac: sha256 or sha512")
}

// authFlags are the names of the flags that go with --auth.
func authFlags() []string {
	return []string{
		"header-name", "value-template", "query-param", "path-prefix-template", "auth-header", "auth-query",
		"grant-type", "token-endpoint", "scope", "client-auth", "aws-service", "aws-region", "hmac-algorithm",
	}
}

// parseAuth returns the strategy that the flags say, or nil for the provider's
// own.
func (f *credentialFlags) parseAuth() (*vault.Auth, error) {
	for _, name := range append(authFlags(), "auth") {
		flag := f.set.Lookup(name)
		switch {
		case flag.Changed && isBlank(flag):
			return nil, fault.New(fault.Usage, "--%s is empty", name)
		case flag.Changed && f.auth == "":
			return nil, fault.New(fault.Usage, "--%s goes with --auth", name)
		}
	}
	if f.auth == "" {
		return nil, nil
	}
	cfg, err := broker.ParseAuth(f.auth, f.how)
	return &cfg, err
}
