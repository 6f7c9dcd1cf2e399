package cli

import (
	"github.com/spf13/pflag"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// credentialHelp explains credential create.
const credentialHelp = `Makes a credential. For a provider that aivault knows, auth and hosts are known
too. Else --auth says how it authenticates:

  header        a header: 'authorization: Bearer' and the value, if not said
                otherwise
  query         a query parameter: 'api_key'
  path          what goes before the path: /bot and the value
  basic         a secret that is user:password, or JSON of username and password
  multi-header  several headers, with the fields of a secret that is JSON
  multi-query   several query parameters, likewise
  oauth2        an access token, renewed when it runs out; the secret is JSON of
                clientId, clientSecret, refreshToken, as 'aivault oauth login'
                stores it
  aws-sigv4     a signature as AWS has it; the secret is JSON of accessKeyId,
                secretAccessKey, and sessionToken if there is one
  hmac          a signature of the request, the secret being the key
  mtls          a client certificate; the secret is PEM, certificate and key

Templates have {{secret}} where the value goes, or {{field}} for a field of it.
A clock that is off by more than some minutes makes AWS refuse a signature.

The hosts of a secret are sealed with it by its first credential. A further
host, a private one, or one whose credential was deleted needs the value again:
it is asked for, or given by --value-file or --value-stdin. A credential for
private hosts trusts no certificates but those signed by --ca-cert.

The id of a credential that aivault made, and that was deleted, brings it back.`

// credentialExamples has one for each kind of authentication.
const credentialExamples = `aivault credential create intranet --provider intranet --secret-ref vault:secret:$ID --auth header --host api.example.com
aivault credential create openai-lab --provider openai --secret-ref 3f2a91bc --workspace-id lab
aivault credential create maps --provider maps --secret-ref 3f2a91bc --auth query --query-param key --host maps.example.com
aivault credential create bot --provider bots --secret-ref 3f2a91bc --auth path --path-prefix-template '/bot{{secret}}' --host api.bots.example
aivault credential create wiki --provider wiki --secret-ref 3f2a91bc --auth basic --host wiki.example.com
aivault credential create shop --provider shop --secret-ref 3f2a91bc --auth multi-header --auth-header 'x-id={{clientId}}' --auth-header 'x-key={{apiKey}}' --host api.example.com
aivault credential create board --provider board --secret-ref 3f2a91bc --auth multi-query --auth-query 'key={{key}}' --auth-query 'token={{token}}' --host api.board.example
aivault credential create acme --provider acme --secret-ref 3f2a91bc --auth oauth2 --token-endpoint https://id.acme.example/token --scope read --host api.acme.example --host id.acme.example
aivault credential create queue --provider aws --secret-ref 3f2a91bc --auth aws-sigv4 --aws-service sqs --aws-region eu-west-1 --host sqs.eu-west-1.amazonaws.com
aivault credential create signed --provider acme --secret-ref 3f2a91bc --auth hmac --header-name X-Signature --host api.acme.example
aivault credential create bank --provider bank --secret-ref 3f2a91bc --auth mtls --host api.bank.example
aivault credential create local --provider dev --secret-ref 3f2a91bc --auth header --host localhost:8443 --allow-private --ca-cert ca.pem --value-file key.txt`

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
	text(fs, &a.TokenEndpoint, "token-endpoint", "URL", "of oauth2: where tokens are handed out, at one of the hosts")
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
	if err := refuseEmpty(f.set, leaveOut, append(authFlags(), "auth")...); err != nil {
		return nil, err
	}
	if f.auth == "" {
		for _, name := range authFlags() {
			if f.set.Changed(name) {
				return nil, fault.New(fault.Usage, "--%s goes with --auth", name)
			}
		}
		return nil, nil
	}
	cfg, err := broker.ParseAuth(f.auth, f.how)
	return &cfg, err
}
