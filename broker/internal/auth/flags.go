package auth

import (
	"strings"

	"aivault/broker/internal/oauth"
	"aivault/keys/fault"
	"aivault/vault"
)

// Flags are the flags of `credential create` that say how to authenticate;
// empty ones were not given.
type Flags struct {
	HeaderName         string   // of header and hmac
	ValueTemplate      string   // of header and hmac
	QueryParam         string   // of query
	PathPrefixTemplate string   // of path
	AuthHeaders        []string // of multi-header: NAME=TEMPLATE
	AuthQuery          []string // of multi-query: NAME=TEMPLATE
	GrantType          string   // of oauth2
	TokenEndpoint      string   // of oauth2
	Scopes             []string // of oauth2; one may hold several, with spaces between them
	ClientAuth         string   // of oauth2
	AWSService         string   // of aws-sigv4
	AWSRegion          string   // of aws-sigv4
	HMACAlgorithm      string   // of hmac
}

// FromFlags returns what a kind and the flags beside it mean, with the
// documented defaults:
//
//	header     authorization, with "Bearer {{secret}}"
//	query      api_key
//	path       /bot{{secret}}
//	basic      a secret of the form user:password
//	oauth2     refresh_token; the token endpoint has no default
//	aws-sigv4  s3 in us-east-1
//	hmac       sha256, x-signature, with "sha256={{signature}}"
//
// "o-auth2" is another word for oauth2. A flag of another kind, and the lack of
// one that has no default, is a fault.Usage; everything else is for [New].
func FromFlags(kind string, flags Flags) (vault.Auth, error) {
	if kind == "o-auth2" {
		kind = KindOAuth2
	}
	cfg := vault.Auth{Kind: kind}
	var err error
	if cfg.Params, err = flags.params(kind); err != nil {
		return vault.Auth{}, err
	}
	if _, err := New(cfg); err != nil {
		return vault.Auth{}, err
	}
	if err := flags.checkKind(kind); err != nil {
		return vault.Auth{}, err
	}
	return cfg, nil
}

// params returns the parameters of a kind that exists.
func (f *Flags) params(kind string) ([]vault.Param, error) {
	const secret = "{{" + Placeholder + "}}"
	switch kind {
	case KindHeader:
		return []vault.Param{{Name: either(f.HeaderName, "authorization"), Value: either(f.ValueTemplate, "Bearer "+secret)}}, nil
	case KindQuery:
		return []vault.Param{{Name: either(f.QueryParam, "api_key"), Value: secret}}, nil
	case KindPath:
		return []vault.Param{{Name: paramPrefix, Value: either(f.PathPrefixTemplate, "/bot"+secret)}}, nil
	case KindMultiHeader:
		return pairs(kind, "--auth-header", f.AuthHeaders)
	case KindMultiQuery:
		return pairs(kind, "--auth-query", f.AuthQuery)
	case KindOAuth2:
		return f.oauth2()
	case KindSigV4:
		return []vault.Param{
			{Name: paramService, Value: either(f.AWSService, "s3")},
			{Name: paramRegion, Value: either(f.AWSRegion, "us-east-1")},
		}, nil
	case KindHMAC:
		algorithm := either(f.HMACAlgorithm, algorithmSHA256)
		return []vault.Param{
			{Name: paramAlgorithm, Value: algorithm},
			{Name: paramHeaderName, Value: either(f.HeaderName, defaultSignatureHeader)},
			{Name: paramValueTemplate, Value: either(f.ValueTemplate, algorithm+"={{"+placeholderSignature+"}}")},
		}, nil
	}
	return nil, nil
}

func (f *Flags) oauth2() ([]vault.Param, error) {
	if f.TokenEndpoint == "" {
		return nil, fault.New(fault.Usage, "--token-endpoint is required with --auth %s", KindOAuth2).
			WithHint("give the https address where the provider hands out tokens")
	}
	params := []vault.Param{
		{Name: oauth.ParamGrantType, Value: either(f.GrantType, oauth.RefreshToken)},
		{Name: oauth.ParamTokenEndpoint, Value: f.TokenEndpoint},
	}
	for _, scopes := range f.Scopes {
		for scope := range strings.FieldsSeq(scopes) {
			params = append(params, vault.Param{Name: oauth.ParamScope, Value: scope})
		}
	}
	if f.ClientAuth != "" {
		params = append(params, vault.Param{Name: oauth.ParamClientAuth, Value: f.ClientAuth})
	}
	return params, nil
}

// pairs reads flags of the form NAME=TEMPLATE. An error does not repeat what
// it could not read: it may be a secret in the wrong place.
func pairs(kind, flag string, texts []string) ([]vault.Param, error) {
	const hint = "write %s NAME='{{FIELD}}', where FIELD is one of the secret's JSON object"
	if len(texts) == 0 {
		return nil, fault.New(fault.Usage, "%s is required with --auth %s", flag, kind).WithHint(hint, flag)
	}
	var params []vault.Param
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fault.New(fault.Usage, "%s has no equals sign", flag).WithHint(hint, flag)
		}
		params = append(params, vault.Param{Name: name, Value: value})
	}
	return params, nil
}

// checkKind refuses flags that are for other kinds.
func (f *Flags) checkKind(kind string) error {
	some := func(list []string) string { return strings.Join(list, " ") + strings.Repeat(" ", len(list)) }
	for _, flag := range [...]struct {
		name, value string
		kind, other string // for which it is
	}{
		{"--header-name", f.HeaderName, KindHeader, KindHMAC},
		{"--value-template", f.ValueTemplate, KindHeader, KindHMAC},
		{"--query-param", f.QueryParam, KindQuery, ""},
		{"--path-prefix-template", f.PathPrefixTemplate, KindPath, ""},
		{"--auth-header", some(f.AuthHeaders), KindMultiHeader, ""},
		{"--auth-query", some(f.AuthQuery), KindMultiQuery, ""},
		{"--grant-type", f.GrantType, KindOAuth2, ""},
		{"--token-endpoint", f.TokenEndpoint, KindOAuth2, ""},
		{"--scope", some(f.Scopes), KindOAuth2, ""},
		{"--client-auth", f.ClientAuth, KindOAuth2, ""},
		{"--aws-service", f.AWSService, KindSigV4, ""},
		{"--aws-region", f.AWSRegion, KindSigV4, ""},
		{"--hmac-algorithm", f.HMACAlgorithm, KindHMAC, ""},
	} {
		if flag.value != "" && kind != flag.kind && kind != flag.other {
			return fault.New(fault.Usage, "%s does not go with --auth %s", flag.name, kind).
				WithHint("it is for --auth %s", strings.TrimSuffix(flag.kind+" and "+flag.other, " and "))
		}
	}
	return nil
}

func either(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
}
