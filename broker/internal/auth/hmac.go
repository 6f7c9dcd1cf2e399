package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"aivault/keys/opaque"
	"aivault/vault"
)

// Parameters of hmac, and what they are if they are left out.
const (
	paramAlgorithm     = "algorithm"
	paramHeaderName    = "header_name"
	paramValueTemplate = "value_template"

	algorithmSHA256        = "sha256"
	algorithmSHA512        = "sha512"
	defaultSignatureHeader = "x-signature"
	placeholderSignature   = "signature"
	placeholderTimestamp   = "timestamp"
)

// signatureVersion is the first line of what is signed, and changes with it.
const signatureVersion = "aivault-hmac-v1"

// An hmacSignature strategy signs the request with a key that both sides know.
// The package comment says what is signed.
type hmacSignature struct {
	hash      func() hash.Hash
	header    string // canonical
	timestamp string // the header of the time, canonical
	value     template
}

func newHMAC(params []vault.Param) (Strategy, error) {
	settings := map[string]string{paramHeaderName: defaultSignatureHeader}
	given := map[string]bool{}
	for _, p := range params {
		known := p.Name == paramAlgorithm || p.Name == paramHeaderName || p.Name == paramValueTemplate
		if !known || given[p.Name] {
			return nil, invalid("authentication by hmac has the parameter %q, or has it twice", p.Name).
				WithHint("it takes %s, %s and %s", paramAlgorithm, paramHeaderName, paramValueTemplate)
		}
		settings[p.Name], given[p.Name] = p.Value, true
	}
	s := hmacSignature{}
	algorithm := either(settings[paramAlgorithm], algorithmSHA256)
	switch algorithm {
	case algorithmSHA256:
		s.hash = sha256.New
	case algorithmSHA512:
		s.hash = sha512.New
	default:
		return nil, invalid("%q is no hmac algorithm", algorithm).WithHint("choose %s or %s", algorithmSHA256, algorithmSHA512)
	}
	header := vault.Param{
		Name:  settings[paramHeaderName],
		Value: either(settings[paramValueTemplate], algorithm+"={{"+placeholderSignature+"}}"),
	}
	var err error
	if s.value, err = parseHeader(header); err != nil {
		return nil, err
	}
	if !slices.Contains(s.value.placeholders, placeholderSignature) || needs([]string{placeholderSignature, placeholderTimestamp}, s.value.placeholders...) != nil {
		return nil, invalid("the template of the header %s needs {{%s}}, and takes nothing else but {{%s}}",
			header.Name, placeholderSignature, placeholderTimestamp)
	}
	s.header = textproto.CanonicalMIMEHeaderKey(header.Name)
	s.timestamp = textproto.CanonicalMIMEHeaderKey(header.Name + "-Timestamp")
	return s, nil
}

func (s hmacSignature) Managed() Managed { return Managed{Headers: []string{s.header, s.timestamp}} }

func (s hmacSignature) fits(placeholders []string) error { return needs(placeholders, Placeholder) }

// check lets any bytes pass: a key is never sent.
func (s hmacSignature) check(values Values) error {
	key, err := oneSecret(values)
	if err == nil && len(key) == 0 {
		err = invalid("the secret for {{%s}} is empty, and an empty key signs nothing", Placeholder)
	}
	return err
}

// Apply returns the key, which no answer can know, and the signature, with
// which the request could be sent once more.
func (s hmacSignature) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	if err := s.check(values); err != nil {
		return nil, err
	}
	text, err := s.canonical(m)
	if err != nil {
		return nil, err
	}
	key := values[Placeholder]
	signature := mac(s.hash, key.Reveal(), text)
	seconds := unixSeconds(m)
	rendered := s.value.render(Values{placeholderSignature: opaque.New(signature), placeholderTimestamp: opaque.New([]byte(seconds))})
	m.Header[s.header] = []string{string(rendered)}
	m.Header[s.timestamp] = []string{seconds}
	return []opaque.Bytes{key, opaque.New(signature), opaque.New(rendered)}, nil
}

// canonical returns the text that is signed.
func (s hmacSignature) canonical(m *Message) ([]byte, error) {
	pairs := strings.Split(m.URL.RawQuery, "&")
	slices.Sort(pairs)
	body := s.hash()
	body.Write(m.Body)
	lines := []string{
		signatureVersion, m.Method, hostOf(m), m.URL.EscapedPath(), strings.Join(pairs, "&"),
		unixSeconds(m), hex.EncodeToString(body.Sum(nil)),
	}
	for _, line := range lines {
		if strings.Contains(line, "\n") {
			return nil, invalid("a request with a line break before its headers cannot be signed")
		}
	}
	return []byte(strings.Join(lines, "\n")), nil
}

// mac returns the HMAC of text in lower-case hexadecimal.
func mac(h func() hash.Hash, key, text []byte) []byte {
	m := hmac.New(h, key)
	m.Write(text)
	return hex.AppendEncode(nil, m.Sum(nil))
}

// hostOf is the host of a message as it is sent.
func hostOf(m *Message) string { return either(m.Host, m.URL.Host) }

func unixSeconds(m *Message) string { return strconv.FormatInt(m.Time.Unix(), 10) }

// Preview shows the name of the key in the place of the signature.
func (s hmacSignature) Preview(m *Message, names map[string]string) error {
	seconds := unixSeconds(m)
	rendered := s.value.render(Values{
		placeholderSignature: standIns(names)[Placeholder], placeholderTimestamp: opaque.New([]byte(seconds)),
	})
	m.Header[s.header] = []string{string(rendered)}
	m.Header[s.timestamp] = []string{seconds}
	return nil
}
