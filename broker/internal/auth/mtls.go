package auth

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"time"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// An mtls strategy shows a client certificate in the TLS handshake, and adds
// nothing to the request. The secret is PEM: the certificate, those between it
// and the authority, and its key in any order; or certificates and key in the
// fields of a JSON object.
type mtls struct{}

func newMTLS(params []vault.Param) (Strategy, error) {
	if len(params) > 0 {
		return nil, invalid("authentication by mtls has the parameter %q, and takes none", params[0].Name)
	}
	return mtls{}, nil
}

func (mtls) Managed() Managed { return Managed{} }

func (mtls) fits(placeholders []string) error { return needs(placeholders, Placeholder) }

func (mtls) check(values Values) error {
	k, err := readKeyPair(values)
	k.clear()
	return err
}

// Certificate implements Certifier.
func (mtls) Certificate(values Values) (*tls.Certificate, error) {
	k, err := readKeyPair(values)
	k.clear()
	if err != nil {
		return nil, err
	}
	return &k.certificate, nil
}

// Apply returns the key for redaction, as PEM and as one line of base64. It
// was never sent.
func (mtls) Apply(_ *Message, values Values) ([]opaque.Bytes, error) {
	k, err := readKeyPair(values)
	if err != nil {
		k.clear()
		return nil, err
	}
	return []opaque.Bytes{k.pem, k.base64}, nil
}

// Preview adds nothing, as Apply does.
func (mtls) Preview(*Message, map[string]string) error { return nil }

// A keyPair is what an mtls secret holds.
type keyPair struct {
	certificate tls.Certificate
	pem, base64 opaque.Bytes // of the key
}

func (k keyPair) clear() {
	k.pem.Clear()
	k.base64.Clear()
}

// readKeyPair reads the secret and checks it (case 92). The caller clears the
// copies of the key, whatever the error is.
func readKeyPair(values Values) (k keyPair, err error) {
	const form = `{"certPem":"-----BEGIN CERTIFICATE-----...","keyPem":"-----BEGIN PRIVATE KEY-----..."}`
	secret, err := oneSecret(values)
	if err != nil {
		return k, err
	}
	certText, keyText, where := secret, secret, [2]string{"the secret", "the secret"}
	if isObject(secret) {
		object, err := parseObject(secret, form, "certPem", "keyPem")
		if err != nil {
			return k, err
		}
		defer object.clear()
		certField, err := object.text("certPem")
		if err != nil {
			return k, err
		}
		keyField, err := object.text("keyPem")
		if err != nil {
			return k, err
		}
		defer keyField.Clear()
		certText, keyText = certField.Reveal(), keyField.Reveal()
		where = [2]string{"the field certPem of the secret", "the field keyPem of the secret"}
	}
	leaf, err := k.readCertificates(where[0], certText)
	if err != nil {
		return k, err
	}
	signer, err := k.readKey(where[1], keyText)
	if err != nil {
		return k, err
	}
	public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(signer.Public()) {
		return k, invalid("the key in %s is not that of the first certificate in %s", where[1], where[0]).
			WithHint("the certificate of the key comes first, those of authorities after it")
	}
	k.certificate.PrivateKey, k.certificate.Leaf = signer, leaf
	return k, nil
}

// readCertificates reads the chain, and returns its first certificate.
func (k *keyPair) readCertificates(where string, text []byte) (leaf *x509.Certificate, err error) {
	now := time.Now()
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			clear(block.Bytes) // the key, which is read by itself
			continue
		}
		n := len(k.certificate.Certificate) + 1
		c, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			return nil, invalid("certificate %d in %s cannot be read", n, where)
		case now.After(c.NotAfter):
			return nil, invalid("certificate %d in %s expired on %s", n, where, c.NotAfter.UTC().Format(time.DateOnly)).
				WithHint("store the renewed certificate with its key: `aivault secrets rotate`")
		case now.Before(c.NotBefore):
			return nil, invalid("certificate %d in %s is not valid before %s", n, where, c.NotBefore.UTC().Format(time.DateTime)).
				WithHint("check the clock of this machine")
		}
		if leaf == nil {
			leaf = c
		}
		k.certificate.Certificate = append(k.certificate.Certificate, block.Bytes)
	}
	if leaf == nil {
		return nil, invalid("%s has no certificate in PEM", where).
			WithHint("it begins with -----BEGIN CERTIFICATE-----, and is stored from a file with its line breaks")
	}
	return leaf, nil
}

// readKey reads the one key that there must be, and notes it for redaction.
func (k *keyPair) readKey(where string, text []byte) (crypto.Signer, error) {
	var signer crypto.Signer
	for rest := text; ; {
		begin := len(text) - len(rest)
		block, after := pem.Decode(rest)
		if block == nil {
			break
		}
		found := text[begin : len(text)-len(after)]
		rest = after
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		defer clear(block.Bytes)
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, invalid("the key in %s is encrypted, and nobody could be asked for its passphrase", where).
				WithHint("store it decrypted (`openssl pkey -in key.pem`): the vault encrypts it")
		case signer != nil:
			return nil, invalid("%s has more than one key", where)
		}
		var err error
		if signer, err = parseKey(block.Bytes); err != nil {
			return nil, invalid("the key in %s cannot be read: %v", where, err)
		}
		found = found[bytes.LastIndex(found, []byte("-----BEGIN ")):]
		k.pem = opaque.Clone(bytes.TrimSpace(found))
		k.base64 = opaque.New(base64.StdEncoding.AppendEncode(nil, block.Bytes))
	}
	if signer == nil {
		return nil, invalid("%s has no key in PEM", where).WithHint("it begins with -----BEGIN PRIVATE KEY-----")
	}
	return signer, nil
}

// parseKey reads a key in one of the forms that its PEM may have: PKCS #8, PKCS
// #1, SEC 1. The types say no more than that it is a key.
func parseKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, errKeyKind
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errKeyKind
}

var errKeyKind = fault.New(fault.InvalidRequest, "it is no RSA, ECDSA or Ed25519 key")
