package auth

import (
	"bytes"
	"encoding/base64"
	"slices"

	"aivault/broker/internal/strictjson"
	"aivault/keys/opaque"
	"aivault/vault"
)

// A basic strategy is HTTP Basic authentication (RFC 7617), in UTF-8. User
// name and password come from two templates, or both from one secret.
type basic struct {
	username, password *template // nil: parts of the one secret
}

func newBasic(params []vault.Param) (Strategy, error) {
	if len(params) == 0 {
		return basic{}, nil
	}
	var b basic
	for _, p := range params {
		t, err := parseTemplate("the basic "+p.Name, p.Value)
		if err != nil {
			return nil, err
		}
		switch {
		case p.Name == "username" && b.username == nil:
			b.username = &t
		case p.Name == "password" && b.password == nil:
			b.password = &t
		default:
			return nil, invalid("basic authentication has the parameter %q, or has it twice", p.Name).
				WithHint("it takes username and password, or none")
		}
	}
	if b.username == nil || b.password == nil {
		return nil, invalid("basic authentication has one of username and password, and needs both")
	}
	if len(b.username.placeholders)+len(b.password.placeholders) == 0 {
		return nil, invalid("the templates of basic authentication have no placeholder").
			WithHint("write {{%s}} where the secret goes", Placeholder)
	}
	for _, literal := range b.username.literals {
		if bytes.IndexByte([]byte(literal), ':') >= 0 {
			return nil, invalid("the template of the basic username has a colon, which ends a user name")
		}
	}
	return b, nil
}

func (b basic) Managed() Managed { return Managed{Headers: []string{"Authorization"}} }

func (b basic) fits(placeholders []string) error {
	if b.username == nil {
		return needs(placeholders, Placeholder)
	}
	return needs(placeholders, slices.Concat(b.username.placeholders, b.password.placeholders)...)
}

func (b basic) check(values Values) error {
	user, password, err := b.parts(values)
	clear(user)
	clear(password)
	return err
}

// parts returns the user name and the password in buffers of their own.
func (b basic) parts(values Values) (user, password []byte, err error) {
	if b.username != nil {
		for _, t := range [...]*template{b.username, b.password} {
			if err := t.check(values, checkText); err != nil {
				return nil, nil, err
			}
		}
		user, password = b.username.render(values), b.password.render(values)
	} else if user, password, err = splitSecret(values); err != nil {
		return nil, nil, err
	}
	err = checkText("the user name", user)
	if err == nil {
		err = checkText("the password", password)
	}
	if err == nil && bytes.IndexByte(user, ':') >= 0 {
		err = invalid("the user name has a colon, which ends a user name")
	}
	if err != nil {
		clear(user)
		clear(password)
		return nil, nil, err
	}
	return user, password, nil
}

// splitSecret takes the one secret of a credential apart: JSON, or
// user:password.
func splitSecret(values Values) (user, password []byte, err error) {
	secret, err := oneSecret(values)
	if err != nil {
		return nil, nil, err
	}
	if isObject(secret) {
		return splitJSON(secret)
	}
	user, password, found := bytes.Cut(secret, []byte(":"))
	if !found {
		return nil, nil, invalid("the secret has no colon, so that it is no user:password").
			WithHint(`store it as user:password, or as {"username":"...","password":"..."}`)
	}
	return bytes.Clone(user), bytes.Clone(password), nil
}

// splitJSON reads a secret in JSON. What is wrong with it is not told in
// detail, as even its keys may be secret.
func splitJSON(secret []byte) (user, password []byte, err error) {
	var doc struct {
		Username  *string `json:"username"`
		UserName  *string `json:"userName"`
		UserName2 *string `json:"user_name"`
		Password  *string `json:"password"`
	}
	if strictjson.Unmarshal(secret, &doc) == nil {
		names := 0
		for _, name := range [...]*string{doc.Username, doc.UserName, doc.UserName2} {
			if name != nil {
				user = []byte(*name)
				names++
			}
		}
		if names == 1 && doc.Password != nil {
			return user, []byte(*doc.Password), nil
		}
	}
	return nil, nil, invalid("the secret is no JSON object of username and password").
		WithHint(`store it as {"username":"...","password":"..."}, or as user:password`)
}

// Apply also returns the pair in both its forms, and the password of a secret
// that holds both. The user name of such a secret may come back: it is a name,
// and often a common word.
func (b basic) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	user, password, err := b.parts(values)
	if err != nil {
		return nil, err
	}
	pair := make([]byte, 0, len(user)+1+len(password))
	pair = append(append(append(pair, user...), ':'), password...)
	token := base64.StdEncoding.AppendEncode(nil, pair)
	m.Header["Authorization"] = []string{"Basic " + string(token)}

	var secrets []opaque.Bytes
	if b.username == nil {
		secrets = append(secrets, values[Placeholder], opaque.New(password))
	} else {
		secrets = append(b.username.used(values), b.password.used(values)...)
		clear(password) // parts of the pair, or a constant of the registry such as X
	}
	clear(user)
	return append(secrets, opaque.New(pair), opaque.New(token)), nil
}

// Preview shows the pair as it is before it is encoded.
func (b basic) Preview(m *Message, names map[string]string) error {
	pair := "<" + names[Placeholder] + ">"
	if b.username != nil {
		values := standIns(names)
		pair = string(b.username.render(values)) + ":" + string(b.password.render(values))
	}
	m.Header["Authorization"] = []string{"Basic " + pair}
	return nil
}
