package flat

import (
	"context"
	"strings"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// An authKind is a way to authenticate, with what is to be asked about it.
type authKind struct {
	name, label string
	fields      []authField
}

// An authField is a question about a way to authenticate.
type authField struct {
	what, ret string
	optional  bool
	set       func(f *broker.AuthFlags, s string)
}

// authKinds are the ways to authenticate, as `aivault credential create` knows
// them.
func authKinds() []authKind {
	list := func(s string) []string {
		var out []string
		for part := range strings.SplitSeq(s, ";") {
			out = append(out, strings.TrimSpace(part))
		}
		return out
	}
	name := func(ret string) authField {
		return authField{what: "Header", ret: ret, set: func(f *broker.AuthFlags, s string) { f.HeaderName = s }}
	}
	template := func(ret string) authField {
		return authField{what: "Its value", ret: ret, set: func(f *broker.AuthFlags, s string) { f.ValueTemplate = s }}
	}
	return []authKind{
		{"header", "a header with the value in it", []authField{name("authorization"), template("Bearer {{secret}}")}},
		{"query", "a query parameter", []authField{
			{what: "Parameter", ret: "api_key", set: func(f *broker.AuthFlags, s string) { f.QueryParam = s }},
		}},
		{"path", "the value in front of the path", []authField{
			{what: "What goes before the path", ret: "/bot{{secret}}", set: func(f *broker.AuthFlags, s string) { f.PathPrefixTemplate = s }},
		}},
		{"basic", "a secret that is user:password, or JSON of username and password", nil},
		{"multi-header", "several headers, with fields of a secret that is JSON", []authField{
			{what: "Headers, as name={{field}}; name={{field}}", set: func(f *broker.AuthFlags, s string) { f.AuthHeaders = list(s) }},
		}},
		{"multi-query", "several query parameters, likewise", []authField{
			{what: "Parameters, as name={{field}}; name={{field}}", set: func(f *broker.AuthFlags, s string) { f.AuthQuery = list(s) }},
		}},
		{"oauth2", "an access token that is renewed; the secret is as `aivault oauth login` stores it", []authField{
			{what: "Token endpoint, an https address at one of the hosts", set: func(f *broker.AuthFlags, s string) { f.TokenEndpoint = s }},
			{what: "Grant type", ret: "refresh_token", set: func(f *broker.AuthFlags, s string) { f.GrantType = s }},
			{what: "Scopes to ask for, with spaces between them", optional: true, set: func(f *broker.AuthFlags, s string) { f.Scopes = strings.Fields(s) }},
			{what: "Where the client secret is sent, basic or body", ret: "basic", set: func(f *broker.AuthFlags, s string) { f.ClientAuth = s }},
		}},
		{"aws-sigv4", "a signature as AWS has it; the secret is JSON", []authField{
			{what: "Service", ret: "s3", set: func(f *broker.AuthFlags, s string) { f.AWSService = s }},
			{what: "Region", ret: "us-east-1", set: func(f *broker.AuthFlags, s string) { f.AWSRegion = s }},
		}},
		{"hmac", "a signature of the request, the secret being the key", []authField{
			{what: "Algorithm, sha256 or sha512", ret: "sha256", set: func(f *broker.AuthFlags, s string) { f.HMACAlgorithm = s }},
			name("x-signature"), template("sha256={{signature}}"),
		}},
		{"mtls", "a client certificate; the secret is PEM, certificate and key", nil},
	}
}

// askAuth asks how a credential authenticates: nil for as aivault knows it.
func (t *talk) askAuth(ctx context.Context, known bool) (*vault.Auth, error) {
	kinds := authKinds()
	q := question{text: "How does it authenticate?", ret: "1"}
	for _, k := range kinds {
		q.items = append(q.items, k.name+": "+k.label)
	}
	if known {
		q.letters, q.ret = []letter{{"k", "as aivault knows it of that provider"}}, "k"
	}
	a, err := t.put(ctx, q)
	if err != nil || a.key != "" {
		return nil, err
	}
	kind := kinds[a.numbers[0]]
	for {
		var flags broker.AuthFlags
		for _, f := range kind.fields {
			s, err := t.askText(ctx, f.what, f.ret, f.optional)
			if err != nil {
				return nil, err
			}
			f.set(&flags, s)
		}
		auth, err := broker.ParseAuth(kind.name, flags)
		if err == nil {
			return &auth, nil
		}
		if fault.CodeOf(err) == fault.Internal || len(kind.fields) == 0 {
			return nil, err
		}
		t.fail(err)
	}
}
