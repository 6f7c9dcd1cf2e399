package ui_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
)

// A strategy is a way to authenticate, with what its service has to receive.
type strategy struct {
	name    string
	flags   []string // of credential create
	options upstream.Options
	account func(testing.TB) account
	// headers are those that it adds, in canonical spelling.
	headers []string
	// target is what it makes of a path with its query; nil: nothing.
	target func(uri string, a account) string
	// verify is what the service does with the credentials of a request.
	verify func(seen, account) error
	// wrong are values that cannot be the secret, by the field that is named.
	wrong map[string]string
}

// An account is what a secret holds, and the parts that nobody may see.
type account struct {
	value  string
	parts  map[string]string
	hidden []string
}

// words makes an account of made-up parts: its value is the text with the words
// in the place of their names.
func words(text string, names ...string) func(testing.TB) account {
	return func(t testing.TB) account {
		a := account{value: text, parts: map[string]string{}}
		for _, name := range names {
			word := brokertest.Word(t)
			a.parts[name] = word
			a.value = strings.ReplaceAll(a.value, "$"+name, word)
			a.hidden = append(a.hidden, word)
		}
		return a
	}
}

// hasHeader verifies one header.
func hasHeader(r seen, name, want string) error {
	if r.get(name) != want {
		return fmt.Errorf("the header %s is another one", name)
	}
	return nil
}

const awsAccount = `{"accessKeyId":"AKIDEXAMPLE","secretAccessKey":"$secret"}`

func awsVerifier(service, region string) func(seen, account) error {
	return func(r seen, a account) error {
		return verifyAWS(r, awsKeys{"AKIDEXAMPLE", a.parts["secret"], a.parts["token"]}, service, region, time.Now())
	}
}

func awsWrong() map[string]string {
	return map[string]string{
		"secretAccessKey": `{"accessKeyId":"AKIDEXAMPLE"}`,
		"accessKeyId":     `{"secretAccessKey":"made-up-key"}`,
		"JSON":            "AKIDEXAMPLE:made-up-key",
	}
}

func strategies() []strategy {
	return []strategy{
		{
			name: "header", flags: []string{"--auth", "header"}, account: words("$key", "key"), headers: []string{"Authorization"},
			verify: func(r seen, a account) error { return hasHeader(r, "Authorization", "Bearer "+a.parts["key"]) },
			wrong:  map[string]string{"line break": "one\ntwo"},
		},
		{
			name: "header of its own", flags: []string{"--auth", "header", "--header-name", "x-acme-key", "--value-template", "Key {{secret}};v=1"},
			account: words("$key", "key"), headers: []string{"X-Acme-Key"},
			verify: func(r seen, a account) error { return hasHeader(r, "X-Acme-Key", "Key "+a.parts["key"]+";v=1") },
		},
		{
			name: "query", flags: []string{"--auth", "query", "--query-param", "access_key"}, account: words("$key", "key"),
			target: func(uri string, a account) string { return withPairs(uri, "access_key="+a.parts["key"]) },
			verify: func(r seen, a account) error { return endsIn(r, "access_key="+a.parts["key"]) },
		},
		{
			name: "path", flags: []string{"--auth", "path", "--path-prefix-template", "/bot{{secret}}"}, account: words("123:$key", "key"),
			target: func(uri string, a account) string { return "/bot" + a.value + uri },
			verify: func(r seen, a account) error {
				if !strings.HasPrefix(r.URI, "/bot"+a.value+"/v1/") {
					return errors.New("the path begins otherwise")
				}
				return nil
			},
			wrong: map[string]string{"{{secret}}": "a/b"},
		},
		{
			name: "basic", flags: []string{"--auth", "basic"}, account: words("operator:$key", "key"), headers: []string{"Authorization"},
			verify: func(r seen, a account) error {
				return hasHeader(r, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("operator:"+a.parts["key"])))
			},
			wrong: map[string]string{"password": "made-up-without-a-colon"},
		},
		{
			name:    "multi-header",
			flags:   []string{"--auth", "multi-header", "--auth-header", "x-app-id={{appId}}", "--auth-header", "x-app-key=Key {{keys.app_key}}"},
			account: words(`{"app_id":"$id","keys":{"appKey":"$key"}}`, "id", "key"), headers: []string{"X-App-Id", "X-App-Key"},
			verify: func(r seen, a account) error {
				return errors.Join(hasHeader(r, "X-App-Id", a.parts["id"]), hasHeader(r, "X-App-Key", "Key "+a.parts["key"]))
			},
			wrong: map[string]string{"keys.app_key": `{"appId":"made-up-id","keys":{}}`},
		},
		{
			name:  "multi-query",
			flags: []string{"--auth", "multi-query", "--auth-query", "key={{key}}", "--auth-query", "token={{token}}"}, account: words(`{"key":"$key","token":"$token"}`, "key", "token"),
			target: func(uri string, a account) string {
				return withPairs(uri, "key="+a.parts["key"]+"&token="+a.parts["token"])
			},
			verify: func(r seen, a account) error { return endsIn(r, "key="+a.parts["key"]+"&token="+a.parts["token"]) },
			wrong:  map[string]string{"token": `{"key":"made-up-key"}`},
		},
		{
			name: "aws-sigv4 s3", flags: []string{"--auth", "aws-sigv4"}, account: words(awsAccount, "secret"),
			headers: []string{"Authorization", "X-Amz-Content-Sha256", "X-Amz-Date"}, verify: awsVerifier("s3", "us-east-1"), wrong: awsWrong(),
		},
		{
			name: "aws-sigv4 of a session", flags: []string{"--auth", "aws-sigv4", "--aws-service", "execute-api", "--aws-region", "eu-west-1"},
			account: words(`{"access_key_id":"AKIDEXAMPLE","secret_access_key":"$secret","session_token":"$token"}`, "secret", "token"),
			headers: []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"}, verify: awsVerifier("execute-api", "eu-west-1"), wrong: awsWrong(),
		},
		{
			name: "hmac", flags: []string{"--auth", "hmac"}, account: words("$key", "key"), headers: []string{"X-Signature", "X-Signature-Timestamp"},
			verify: func(r seen, a account) error {
				return verifyHMAC(r, sha256.New, a.parts["key"], "X-Signature", "sha256=", time.Now())
			},
		},
		{
			name: "hmac sha512", flags: []string{"--auth", "hmac", "--hmac-algorithm", "sha512", "--header-name", "x-acme-sig", "--value-template", "v1 {{signature}}"},
			account: words("$key", "key"), headers: []string{"X-Acme-Sig", "X-Acme-Sig-Timestamp"},
			verify: func(r seen, a account) error {
				return verifyHMAC(r, sha512.New, a.parts["key"], "X-Acme-Sig", "v1 ", time.Now())
			},
		},
	}
}

// withCertificate is mtls, for two accounts of one name: the certificate and its
// key as they come, and as JSON.
func withCertificate(t *testing.T) strategy {
	t.Helper()
	s := strategy{
		name: "mtls", flags: []string{"--auth", "mtls"}, options: upstream.Options{RequireClientCert: true},
		wrong: map[string]string{"no key in PEM": "", "keyPem": `{"certPem":"-----BEGIN CERTIFICATE-----"}`},
		// The handshake has proven that the client has the key.
		verify: func(r seen, a account) error {
			block, _ := pem.Decode([]byte(a.parts["certificate"]))
			if len(r.Certificates) != 1 || !bytes.Equal(r.Certificates[0], block.Bytes) {
				return errors.New("the client showed another certificate")
			}
			return nil
		},
	}
	var accounts []account
	for i := range 2 {
		ca, cert, key, err := upstream.ClientCertificate("robot")
		if err != nil {
			t.Fatal(err)
		}
		s.options.ClientCA = append(s.options.ClientCA, ca...)
		a := account{value: string(cert) + string(key), parts: map[string]string{"certificate": string(cert)}}
		if i == 1 {
			value, err := json.Marshal(map[string]string{"certPem": string(cert), "keyPem": string(key)})
			if err != nil {
				t.Fatal(err)
			}
			a.value = string(value)
			s.wrong["the key in the secret is not that of"] = accounts[0].parts["certificate"] + string(key)
		} else {
			s.wrong["no key in PEM"] = string(cert)
		}
		lines := strings.Split(strings.TrimSpace(string(key)), "\n")
		a.hidden = lines[1 : len(lines)-1]
		accounts = append(accounts, a)
	}
	s.account = func(testing.TB) account {
		a := accounts[0]
		accounts = accounts[1:]
		return a
	}
	return s
}

// withPairs appends to a query.
func withPairs(uri, pairs string) string {
	if strings.Contains(uri, "?") {
		return uri + "&" + pairs
	}
	return uri + "?" + pairs
}

// endsIn verifies what is appended to a query, or is the whole of it.
func endsIn(r seen, pairs string) error {
	if _, query := r.target(); query != pairs && !strings.HasSuffix(query, "&"+pairs) {
		return errors.New("the query ends otherwise")
	}
	return nil
}
