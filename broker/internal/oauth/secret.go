package oauth

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"aivault/broker/internal/strictjson"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// shape is the hint to whoever stored something else.
const shape = `store it as {"clientId":"...","clientSecret":"...","refreshToken":"..."}, or log in with "aivault oauth login"`

// A field is one that the package knows.
type field int

const (
	fieldClientID field = iota
	fieldClientSecret
	fieldRefreshToken
	fieldAccessToken
	fieldExpiresAt
	fieldCount
	fieldUnknown field = -1
)

// nameOf returns how a field is written.
func nameOf(f field, snake bool) string {
	camel := [fieldCount]string{"clientId", "clientSecret", "refreshToken", "accessToken", "accessTokenExpiresAtMs"}[f]
	if !snake {
		return camel
	}
	var b strings.Builder
	for _, c := range []byte(camel) {
		if 'A' <= c && c <= 'Z' {
			b.WriteByte('_')
			c |= 0x20
		}
		b.WriteByte(c)
	}
	return b.String()
}

// fieldOf returns the field that a key stands for. A key that differs from its
// two spellings by case, underscores or dashes only is refused: whoever wrote
// it meant the field.
func fieldOf(key string) (f field, snake bool, err error) {
	plain := strings.NewReplacer("_", "", "-", "").Replace(key)
	for known := range fieldCount {
		switch name := nameOf(known, false); {
		case key == name:
			return known, false, nil
		case key == nameOf(known, true):
			return known, true, nil
		case strings.EqualFold(plain, name):
			return fieldUnknown, false, invalid("the secret has the field %s in another spelling", name).
				WithHint("write %s or %s", name, nameOf(known, true))
		}
	}
	return fieldUnknown, false, nil
}

// A Secret is what the JSON of a secret says. A field that is not there, or is
// an empty text, is empty here.
type Secret struct {
	ClientID     string
	ClientSecret opaque.Bytes // empty: a public client
	RefreshToken opaque.Bytes
	AccessToken  opaque.Bytes
	ExpiresAt    time.Time // of the access token; zero: not known

	doc   opaque.Bytes // the JSON itself
	parts object       // where everything is in it
	snake bool         // the spelling that it uses
}

// ParseSecret reads the JSON of a secret, of which it keeps a copy; the caller
// clears both. A fault.InvalidRequest names the field that is wrong, but no
// field that the package does not know.
func ParseSecret(b []byte) (*Secret, error) {
	var top map[string]json.RawMessage
	// The error would name keys, and where the shape is wrong a key may well
	// be the secret.
	if err := strictjson.Unmarshal(b, &top); err != nil || top == nil {
		return nil, invalid("the secret is no JSON object, or one that can be read in two ways").WithHint("%s", shape)
	}
	s := &Secret{doc: opaque.Clone(b)}
	doc := s.doc.Reveal()
	s.parts = scan(doc)
	if err := s.read(doc); err != nil {
		s.Clear()
		return nil, err
	}
	return s, nil
}

// read fills the fields from the members of the document.
func (s *Secret) read(doc []byte) error {
	var seen [fieldCount]bool
	spelled := false
	for i := range s.parts.members {
		m := &s.parts.members[i]
		var key string
		if err := json.Unmarshal(doc[m.key:m.keyEnd], &key); err != nil {
			return invalid("the secret has a key that is no text") // not reached: the grammar was checked
		}
		f, snake, err := fieldOf(key)
		if err != nil {
			return err
		}
		if m.field = f; f == fieldUnknown {
			continue
		}
		if seen[f] {
			return invalid("the secret has the field %s in two spellings", nameOf(f, false)).WithHint("keep one of them")
		}
		seen[f] = true
		if !spelled {
			s.snake, spelled = snake, true
		}
		if err := s.set(f, doc[m.value:m.valueEnd]); err != nil {
			return err
		}
	}
	return nil
}

// set reads the value of one field.
func (s *Secret) set(f field, value []byte) error {
	if f == fieldExpiresAt {
		ms, err := strconv.ParseUint(string(value), 10, 63)
		if err != nil || ms > maxMs {
			return invalid("the field %s is no whole number of milliseconds since 1970", nameOf(f, false))
		}
		s.ExpiresAt = time.UnixMilli(int64(ms)).UTC()
		return nil
	}
	var text string
	if value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return invalid("the field %s is no text", nameOf(f, false)).WithHint("leave it out if there is none")
	}
	if ok := isText([]byte(text)); !ok || f == fieldAccessToken && !isVisible([]byte(text)) {
		return invalid("the field %s has a character that cannot be sent", nameOf(f, false)).
			WithHint("it may have ASCII characters only, and an access token no space")
	}
	switch f {
	case fieldClientID:
		s.ClientID = text
	case fieldClientSecret:
		s.ClientSecret = opaque.New([]byte(text))
	case fieldRefreshToken:
		s.RefreshToken = opaque.New([]byte(text))
	case fieldAccessToken:
		s.AccessToken = opaque.New([]byte(text))
	}
	return nil
}

// maxMs is the end of the year 9999, in milliseconds since 1970.
const maxMs = 253402300799999

// Clear overwrites the secret parts of s, which must not be used again.
func (s *Secret) Clear() {
	for _, b := range []opaque.Bytes{s.ClientSecret, s.RefreshToken, s.AccessToken, s.doc} {
		b.Clear()
	}
}

// Renewed returns the JSON with the tokens of t in it: the access token, when
// it expires (nothing, where t does not say), and the refresh token if t has
// one. Every other byte stays as it is. The caller clears the result; s is as
// it was. A fault.InvalidRequest says that no vault would hold the result.
func (s *Secret) Renewed(t *Token, now time.Time) (opaque.Bytes, error) {
	var edits [fieldCount]edit
	edits[fieldAccessToken] = edit{changed: true, value: quote(t.AccessToken)}
	edits[fieldExpiresAt].changed = true
	if t.ExpiresIn > 0 {
		edits[fieldExpiresAt].value = strconv.AppendInt(nil, now.Add(t.ExpiresIn).UnixMilli(), 10)
	}
	if t.RefreshToken.Len() > 0 {
		edits[fieldRefreshToken] = edit{changed: true, value: quote(t.RefreshToken)}
	}
	out := opaque.New(s.parts.edited(s.doc.Reveal(), edits, s.snake))
	for _, e := range edits {
		clear(e.value)
	}
	if out.Len() > vault.MaxValue {
		out.Clear()
		return nil, invalid("with its new tokens the secret is longer than %d KiB", vault.MaxValue>>10)
	}
	return out, nil
}

// NewSecret returns the JSON of a secret for the tokens of a login. The
// client's secret may be empty. The caller clears the result; a
// fault.InvalidRequest names the field that is wrong.
func NewSecret(clientID string, clientSecret opaque.Bytes, t *Token, now time.Time) (opaque.Bytes, error) {
	if clientID == "" || !isText([]byte(clientID)) || !isText(clientSecret.Reveal()) {
		return nil, invalid("the client's id or secret is not of ASCII characters, or the id is empty")
	}
	doc := make([]byte, 0, 2*(len(clientID)+clientSecret.Len())+64)
	doc = appendQuoted(append(doc, `{"clientId":`...), []byte(clientID))
	if clientSecret.Len() > 0 {
		doc = appendQuoted(append(doc, `,"clientSecret":`...), clientSecret.Reveal())
	}
	doc = append(doc, '}')
	defer clear(doc)
	s, err := ParseSecret(doc)
	if err != nil {
		return nil, fault.Wrap(fault.CodeOf(err), err, "making the secret")
	}
	defer s.Clear()
	return s.Renewed(t, now)
}

// quote returns text as JSON. It is ASCII without control characters.
func quote(text opaque.Bytes) []byte {
	return appendQuoted(make([]byte, 0, 2*text.Len()+2), text.Reveal())
}

func appendQuoted(out, text []byte) []byte {
	out = append(out, '"')
	for _, c := range text {
		if c == '"' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return append(out, '"')
}
