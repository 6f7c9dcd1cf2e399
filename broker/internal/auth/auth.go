package auth

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"time"

	"aivault/broker/internal/oauth"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// The kinds of authentication.
const (
	KindHeader      = "header"
	KindQuery       = "query"
	KindPath        = "path"
	KindBasic       = "basic"
	KindMultiHeader = "multi-header"
	KindMultiQuery  = "multi-query"
	KindOAuth2      = oauth.Kind
	KindSigV4       = "aws-sigv4"
	KindHMAC        = "hmac"
	KindMTLS        = "mtls"
)

// choices lists the kinds for hints.
const choices = KindHeader + ", " + KindQuery + ", " + KindPath + ", " + KindBasic + ", " + KindMultiHeader + ", " +
	KindMultiQuery + ", " + KindOAuth2 + ", " + KindSigV4 + ", " + KindHMAC + " or " + KindMTLS

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
	// fits refuses placeholders among which one that Apply needs is missing.
	fits(placeholders []string) error
}

// A Certifier is a strategy that authenticates in the TLS handshake.
type Certifier interface {
	Strategy
	// Certificate returns the certificate and key to show to the server. What
	// must be redacted from the answer is what Apply returns.
	Certificate(values Values) (*tls.Certificate, error)
}

// A Refuser is a strategy that cannot authenticate just any request.
type Refuser interface {
	Strategy
	// Refuse tells, before there is a secret, that Apply would refuse a
	// request with this path and query, which are as they are sent. It is a
	// fault.InvalidRequest.
	Refuse(path, rawQuery string) error
}

// New returns the strategy of a credential. A fault.InvalidRequest names the
// parameter that is wrong, or lists the kinds there are; a token endpoint that
// nobody may send to is a fault.PolicyViolation.
func New(cfg vault.Auth) (Strategy, error) {
	switch cfg.Kind {
	case KindHeader:
		return newHeader(cfg.Params)
	case KindQuery:
		return newQuery(cfg.Params)
	case KindPath:
		return newPath(cfg.Params)
	case KindBasic:
		return newBasic(cfg.Params)
	case KindMultiHeader:
		return newMultiHeader(cfg.Params)
	case KindMultiQuery:
		return newMultiQuery(cfg.Params)
	case KindOAuth2:
		return newOAuth2(cfg.Params)
	case KindSigV4:
		return newSigV4(cfg.Params)
	case KindHMAC:
		return newHMAC(cfg.Params)
	case KindMTLS:
		return newMTLS(cfg.Params)
	}
	return nil, invalid("%q is no kind of authentication", cfg.Kind).WithHint("choose %s", choices)
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

// SecretShape is [Check] for the one secret of a credential, whose value is
// about to be stored or changed.
func SecretShape(cfg vault.Auth, value opaque.Bytes) error {
	return Check(cfg, Values{Placeholder: value})
}

// CheckConfig refuses what [New] refuses, and an authentication that needs
// other secrets than those for the placeholders. It takes no values: see
// [Check].
func CheckConfig(cfg vault.Auth, placeholders []string) error {
	s, err := New(cfg)
	if err != nil {
		return err
	}
	return s.fits(placeholders)
}

// needs refuses placeholders without one that is needed.
func needs(placeholders []string, needed ...string) error {
	for _, name := range needed {
		if !slices.Contains(placeholders, name) {
			return errMissing(name)
		}
	}
	return nil
}

func errMissing(placeholder string) error {
	err := invalid("the credential has no secret for {{%s}}", placeholder)
	if placeholder != Placeholder {
		err = err.WithHint("a credential of one secret has {{%s}} for it", Placeholder)
	}
	return err
}

// oneSecret returns the value of a credential that has one secret.
func oneSecret(values Values) ([]byte, error) {
	value, ok := values[Placeholder]
	if !ok {
		return nil, errMissing(Placeholder)
	}
	return value.Reveal(), nil
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
