package credential

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/form"
	"aivault/ui/tui/theme"
	"aivault/vault"
)

// kinds are the ways to authenticate, as broker.ParseAuth knows them.
func kinds() []form.Option {
	return []form.Option{
		{Key: "", Label: "the provider's own", Note: "as the registry has it for its providers"},
		{Key: "header", Label: "header", Note: "a header with the value in it"},
		{Key: "query", Label: "query", Note: "a query parameter with the value"},
		{Key: "path", Label: "path", Note: "what goes before the path, with the value in it"},
		{Key: "basic", Label: "basic", Note: "the secret is user:password, or JSON of username and password"},
		{Key: "multi-header", Label: "multi-header", Note: "several headers, with the fields of a secret that is JSON"},
		{Key: "multi-query", Label: "multi-query", Note: "several query parameters, with the fields of a secret that is JSON"},
		{Key: "oauth2", Label: "oauth2", Note: "an access token, renewed when it runs out; the secret is JSON of clientId, clientSecret, refreshToken"},
		{Key: "aws-sigv4", Label: "aws-sigv4", Note: "a signature as AWS has it; the secret is JSON of accessKeyId and secretAccessKey"},
		{Key: "hmac", Label: "hmac", Note: "a signature of the request, the secret being the key"},
		{Key: "mtls", Label: "mtls", Note: "a client certificate; the secret is PEM, certificate and key"},
	}
}

// authFields are the fields of all kinds; what was typed for one stays while
// people look at another.
type authFields struct {
	kind *form.Choice

	header, value, param, prefix *form.Text
	headers, params              *form.List
	grant, client                *form.Choice
	endpoint                     *form.Text
	scopes                       *form.List
	service, region              *form.Text
	algorithm                    *form.Choice
	signature, signatureValue    *form.Text
}

func newAuthFields(th *theme.Theme) *authFields {
	line := func(label, placeholder, help string) *form.Text {
		t := form.NewText(th, label, "")
		t.Placeholder, t.Help = placeholder, help
		return t
	}
	pairs := func(label, placeholder, help string) *form.List {
		l := form.NewList(th, label)
		l.Placeholder, l.Help = placeholder, help
		l.Each = checkPair
		l.Validate = func(string) error { return needed(len(l.Words()) > 0, "one at least: "+placeholder) }
		return l
	}
	option := func(names ...string) []form.Option {
		out := make([]form.Option, len(names))
		for i, n := range names {
			out[i] = form.Option{Key: n, Label: n}
		}
		return out
	}
	a := &authFields{
		kind:      form.NewChoice(th, "Auth", "", kinds()...),
		header:    line("Header", "authorization", "the header that takes the value"),
		value:     line("Its value", "Bearer {{secret}}", "{{secret}} is where the value goes"),
		param:     line("Parameter", "api_key", "the query parameter that takes the value"),
		prefix:    line("Path prefix", "/bot{{secret}}", "{{secret}} is where the value goes"),
		headers:   pairs("Headers", "x-id={{clientId}} x-key={{apiKey}}", "NAME={{field}} each; in double quotes if there is a space in it"),
		params:    pairs("Parameters", "key={{key}} token={{token}}", "NAME={{field}} each; in double quotes if there is a space in it"),
		grant:     form.NewChoice(th, "Grant", "refresh_token", option("refresh_token", "client_credentials")...),
		endpoint:  line("Token endpoint", "https://id.example.com/token", "where tokens are handed out: at one of the hosts"),
		scopes:    form.NewList(th, "OAuth scopes"),
		client:    form.NewChoice(th, "Client secret", "basic", form.Option{Key: "basic", Label: "in a header"}, form.Option{Key: "body", Label: "in the body"}),
		service:   line("AWS service", "s3", "such as s3, sqs, bedrock"),
		region:    line("AWS region", "us-east-1", "such as eu-west-1"),
		algorithm: form.NewChoice(th, "Algorithm", "sha256", option("sha256", "sha512")...),
		signature: line("Header", "x-signature", "the header that takes the signature"),
		signatureValue: line("Its value", "sha256={{signature}}",
			"{{signature}} is where the signature goes; if it is empty, the name of the algorithm stands before it"),
	}
	a.endpoint.Validate = func(s string) error {
		return needed(strings.HasPrefix(strings.TrimSpace(s), "https://"), "the address where tokens are handed out, with https")
	}
	a.scopes.Help = "what to ask for, with spaces between them"
	return a
}

// checkPair checks that an entry is NAME=TEMPLATE. It is not repeated: it may be
// a secret in the wrong place.
func checkPair(s string) error {
	name, value, ok := strings.Cut(s, "=")
	return needed(ok && name != "" && value != "", "each is a name, an equals sign, and {{field}}")
}

func needed(holds bool, what string) error {
	if holds {
		return nil
	}
	return fault.New(fault.InvalidRequest, "%s", what)
}

// onChange has a function called after each change of any of the fields.
func (a *authFields) onChange(f func() tea.Cmd) {
	for _, t := range []*form.Text{
		a.header, a.value, a.param, a.prefix, &a.headers.Text, &a.params.Text, a.endpoint, &a.scopes.Text,
		a.service, a.region, a.signature, a.signatureValue,
	} {
		t.OnChange = f
	}
	for _, c := range []*form.Choice{a.kind, a.grant, a.client, a.algorithm} {
		c.OnChange = f
	}
}

// fields are those that the kind needs.
func (a *authFields) fields() []form.Field {
	switch a.kind.Value() {
	case "header":
		return []form.Field{a.header, a.value}
	case "query":
		return []form.Field{a.param}
	case "path":
		return []form.Field{a.prefix}
	case "multi-header":
		return []form.Field{a.headers}
	case "multi-query":
		return []form.Field{a.params}
	case "oauth2":
		return []form.Field{a.endpoint, a.grant, a.client, a.scopes}
	case "aws-sigv4":
		return []form.Field{a.service, a.region}
	case "hmac":
		return []form.Field{a.algorithm, a.signature, a.signatureValue}
	}
	return nil
}

// auth is what the fields say; nil for the provider's own way.
func (a *authFields) auth() (*vault.Auth, error) {
	kind := a.kind.Value()
	if kind == "" {
		return nil, nil
	}
	trim := func(t *form.Text) string { return strings.TrimSpace(t.Value()) }
	var f broker.AuthFlags
	switch kind {
	case "header":
		f.HeaderName, f.ValueTemplate = trim(a.header), trim(a.value)
	case "query":
		f.QueryParam = trim(a.param)
	case "path":
		f.PathPrefixTemplate = trim(a.prefix)
	case "multi-header":
		f.AuthHeaders = a.headers.Words()
	case "multi-query":
		f.AuthQuery = a.params.Words()
	case "oauth2":
		f.TokenEndpoint, f.GrantType, f.Scopes = trim(a.endpoint), a.grant.Value(), a.scopes.Words()
		if f.ClientAuth = a.client.Value(); f.ClientAuth == "basic" {
			f.ClientAuth = "" // which it is anyway
		}
	case "aws-sigv4":
		f.AWSService, f.AWSRegion = trim(a.service), trim(a.region)
	case "hmac":
		f.HMACAlgorithm, f.HeaderName, f.ValueTemplate = a.algorithm.Value(), trim(a.signature), trim(a.signatureValue)
	}
	cfg, err := broker.ParseAuth(kind, f)
	return &cfg, err
}
