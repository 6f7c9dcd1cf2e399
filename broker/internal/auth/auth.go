// Package auth adds the authentication of a credential to a request.
//
// What a credential's vault.Auth says (a kind and some parameters) becomes a
// [Strategy]. It knows three things: which headers and query parameters are
// its own, so that policy keeps the caller's hands off them; how to add the
// authentication to a request; and what of it must not come back, so that the
// answer can be cleaned. A kind that is not implemented is refused when the
// credential is made, never approximated.
//
// Parameters hold templates such as "Bearer {{secret}}", in which a
// placeholder stands for a secret. A credential of one secret calls it
// "secret".
//
// No error names more than a field: neither a secret nor a part of one.
package auth

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"time"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// The kinds of authentication that New knows.
const (
	KindHeader = "header"
	KindQuery  = "query"
	KindBasic  = "basic"
)

// Placeholder is what a credential of one secret calls it in its templates.
const Placeholder = "secret"

// Values are the secrets of a credential by placeholder. They stay the
// caller's, who clears them.
type Values map[string]opaque.Bytes

// A Message is a request that is complete but for its authentication.
type Message struct {
	// Request has its final host, path, query and headers, and no body. Apply
	// may add headers, append to the query, and put something before the path
	// if Managed says so.
	*http.Request
	Body []byte    // what is sent; nil: none
	Time time.Time // when it is sent, for what is dated
}

// Managed are the parts of a request that a strategy keeps for itself: a
// caller who sends one of them is refused.
type Managed struct {
	Headers []string
	Query   []string
	Path    string // beginning of what Apply puts before the path, such as /bot; empty: nothing
}

// A Strategy authenticates requests in one way. It holds no secret, and is
// safe for concurrent use.
type Strategy interface {
	Managed() Managed
	// Apply adds the authentication. It returns everything that must be
	// redacted from the answer: the values used, and what was rendered from
	// them, which the caller clears too. What cannot travel is a
	// fault.InvalidRequest, and the request is then unchanged.
	Apply(m *Message, values Values) (secrets []opaque.Bytes, err error)
	// Preview adds what Apply would, with the names of the secrets in the
	// place of what they hold: <OPENAI_API_KEY>. Names are by placeholder.
	Preview(m *Message, names map[string]string) error

	// check refuses values that Apply would refuse.
	check(values Values) error
}

// A Certifier is a strategy that authenticates in the TLS handshake.
type Certifier interface {
	Strategy
	// Certificate returns the certificate and key to show to the server. What
	// must be redacted from the answer is what Apply returns.
	Certificate(values Values) (*tls.Certificate, error)
}

// New returns the strategy of a credential. A fault.InvalidRequest names the
// parameter that is wrong, or lists the kinds there are.
func New(cfg vault.Auth) (Strategy, error) {
	switch cfg.Kind {
	case KindHeader:
		return newHeader(cfg.Params)
	case KindQuery:
		return newQuery(cfg.Params)
	case KindBasic:
		return newBasic(cfg.Params)
	}
	if slices.Contains(laterKinds(), cfg.Kind) {
		return nil, invalid("authentication by %s is not supported yet", cfg.Kind).WithHint("choose %s", choices)
	}
	return nil, invalid("%q is no kind of authentication", cfg.Kind).WithHint("choose %s", choices)
}

// choices lists what New knows, for hints.
const choices = KindHeader + ", " + KindQuery + " or " + KindBasic

// laterKinds are the documented kinds that are not implemented.
func laterKinds() []string {
	return []string{"path", "multi-header", "multi-query", "oauth2", "o-auth2", "aws-sigv4", "hmac", "mtls"}
}

// Check refuses secrets that a credential could not send, such as a key that
// ends in a line break: when the credential is made, and not only when it is
// used. A fault.InvalidRequest names the placeholder, or the part of the
// secret, that is wrong.
func Check(cfg vault.Auth, values Values) error {
	s, err := New(cfg)
	if err != nil {
		return err
	}
	return s.check(values)
}

// Flags are the flags of `credential create` that say how to authenticate;
// empty ones were not given.
type Flags struct {
	HeaderName    string
	ValueTemplate string
	QueryParam    string
}

// FromFlags returns what a kind and the flags beside it mean, with the
// documented defaults: the header authorization with "Bearer {{secret}}", the
// parameter api_key, and a secret of the form user:password. A flag of another
// kind is a fault.Usage; everything else is for [New].
func FromFlags(kind string, flags Flags) (vault.Auth, error) {
	const secret = "{{" + Placeholder + "}}"
	cfg := vault.Auth{Kind: kind}
	switch kind {
	case KindHeader:
		cfg.Params = []vault.Param{{
			Name:  either(flags.HeaderName, "authorization"),
			Value: either(flags.ValueTemplate, "Bearer "+secret),
		}}
		flags.HeaderName, flags.ValueTemplate = "", ""
	case KindQuery:
		cfg.Params = []vault.Param{{Name: either(flags.QueryParam, "api_key"), Value: secret}}
		flags.QueryParam = ""
	}
	if _, err := New(cfg); err != nil {
		return vault.Auth{}, err
	}
	for _, left := range [...]struct{ name, value, kind string }{
		{"--header-name", flags.HeaderName, KindHeader},
		{"--value-template", flags.ValueTemplate, KindHeader},
		{"--query-param", flags.QueryParam, KindQuery},
	} {
		if left.value != "" {
			return vault.Auth{}, fault.New(fault.Usage, "%s does not go with --auth %s", left.name, kind).
				WithHint("it is for --auth %s", left.kind)
		}
	}
	return cfg, nil
}

func either(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
}

// checkText refuses a secret that cannot be part of a line of text. What names
// it in the error.
func checkText(what string, value []byte) error {
	for _, c := range value {
		switch {
		case c == '\r' || c == '\n':
			return invalid("%s has a line break, which cannot be sent", what).
				WithHint("store the secret again without it; `printf %%s KEY` prints none where `echo KEY` does")
		case c < ' ' && c != '\t' || c == 0x7f:
			return invalid("%s has a control character, which cannot be sent", what)
		}
	}
	return nil
}

// checkTrimmed is checkText for a secret that has no blanks around it, as they
// would get lost on the way.
func checkTrimmed(what string, value []byte) error {
	if len(value) == 0 {
		return invalid("%s is empty", what)
	}
	if text := string(value); strings.Trim(text, " \t") != text {
		return invalid("%s begins or ends with a space", what).WithHint("store the secret again without it")
	}
	return checkText(what, value)
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidRequest, format, args...)
}
