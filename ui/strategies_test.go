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
	"net/http"
	"slices"
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

var awsWrong = map[string]string{
	"secretAccessKey": `{"accessKeyId":"AKIDEXAMPLE"}`,
	"accessKeyId":     `{"secretAccessKey":"made-up-key"}`,
	"JSON":            "AKIDEXAMPLE:made-up-key",
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
			verify: func(r seen, a account) error { return endsIn(r, "access_key="+a.parts["key"]) },
		},
		{
			name: "path", flags: []string{"--auth", "path", "--path-prefix-template", "/bot{{secret}}"}, account: words("123:$key", "key"),
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
			verify: func(r seen, a account) error { return endsIn(r, "key="+a.parts["key"]+"&token="+a.parts["token"]) },
			wrong:  map[string]string{"token": `{"key":"made-up-key"}`},
		},
		{
			name: "aws-sigv4 s3", flags: []string{"--auth", "aws-sigv4"}, account: words(awsAccount, "secret"),
			headers: []string{"Authorization", "X-Amz-Content-Sha256", "X-Amz-Date"}, verify: awsVerifier("s3", "us-east-1"), wrong: awsWrong,
		},
		{
			name: "aws-sigv4 of a session", flags: []string{"--auth", "aws-sigv4", "--aws-service", "execute-api", "--aws-region", "eu-west-1"},
			account: words(`{"access_key_id":"AKIDEXAMPLE","secret_access_key":"$secret","session_token":"$token"}`, "secret", "token"),
			headers: []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"}, verify: awsVerifier("execute-api", "eu-west-1"), wrong: awsWrong,
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

// endsIn verifies what is appended to a query, or is the whole of it.
func endsIn(r seen, pairs string) error {
	if _, query := r.target(); query != pairs && !strings.HasSuffix(query, "&"+pairs) {
		return errors.New("the query ends otherwise")
	}
	return nil
}

// TestStrategies tells the story of each way to authenticate: a secret is
// stored, a credential is made for it, and calls arrive at a service that
// verifies them, with the new secret once it was rotated. The service repeats
// all that it got, and yet nobody sees the secret.
func TestStrategies(t *testing.T) {
	t.Parallel()
	for _, s := range append(strategies(), withCertificate(t)) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			newStory(t, s).tell()
		})
	}
}

// A story is that of one strategy.
type story struct {
	*realVault
	strategy
	id    string // of the secret
	calls int
}

func newStory(t *testing.T, s strategy) *story {
	t.Helper()
	service := brokertest.NewWith(t, s.options)
	service.Handle(repeat)
	return &story{realVault: newEmptyVault(t, service), strategy: s}
}

// repeat answers with all of a request, and redirects what was moved.
func repeat(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/moved") {
		http.Redirect(w, r, "here?b=2", http.StatusFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_ = r.Write(w)
}

// hide makes an account whose parts must not show.
func (s *story) hide() account {
	a := s.account(s.t)
	s.hidden = append(s.hidden, a.hidden...)
	return a
}

func (s *story) tell() {
	first := s.hide()
	file := s.file("account", first.value)
	s.id = s.create("ACME_ACCOUNT", file)
	s.credential("acme", s.id, file, s.flags...)
	s.run(nil, "capability", "create", "acme/items", "--credential", "acme", "--method", "GET", "--method", "POST", "--path", "/v1/items")
	s.refusesWrongShapes()
	s.showsDryRun()
	s.callsWith(first)

	second := s.hide()
	s.run(nil, "secrets", "rotate", "--id", s.id, "--value-file", s.file("account", second.value))
	s.callsWith(second)
	if s.verify(s.last(), first) == nil {
		s.t.Error("the service would take the old secret for the new one")
	}
	s.isRecorded()
}

// refusesWrongShapes stores what cannot be the secret: the credential knows.
func (s *story) refusesWrongShapes() {
	for field, value := range s.wrong {
		file := s.file("wrong", value)
		s.refused(2, field, "secrets", "rotate", "--id", s.id, "--value-file", file)
		other := s.create("WRONG", file)
		s.refused(2, field, s.credentialArgs("wrong", other, file, s.flags)...)
		s.run(nil, "secrets", "delete", "--id", other)
	}
}

// showsDryRun looks at what would be sent: the secret's name, not its value.
func (s *story) showsDryRun() {
	args := []string{"invoke", "acme/items", "--dry-run", "--path", "/v1/items/7?a=1", "--method", "GET"}
	people, notice := s.run(nil, args...)
	programs, _ := s.run(nil, append(args, "--json")...)
	if !strings.HasPrefix(people, "GET https://"+s.host[1]+"/") || !strings.Contains(people+notice, "<ACME_ACCOUNT") || !strings.Contains(programs, "<ACME_ACCOUNT") {
		s.t.Errorf("a dry run shows\n%s%s%s", people, notice, programs)
	}
	if got := s.service.Connections(); got != 0 {
		s.t.Errorf("a dry run made %d connections", got)
	}
}

// callsWith makes calls that the service has to verify with the account.
func (s *story) callsWith(a account) {
	s.t.Helper()
	const path = "/v1/items/a%20b(1)%C3%A9:x?b=%2F&a=x%20y&c="
	body := `{"name":"caf\u00e9"}`
	out, _ := s.run(nil, "invoke", "acme/items", "--method", "GET", "--path", path, "--header", "X-Note: one")
	s.arrived(a, out, "GET", path, "", "X-Note")
	out, _ = s.run(nil, "invoke", "acme/items", "--path", "/v1/items", "--body", body)
	s.arrived(a, out, "POST", "/v1/items", body, "Content-Type", "Content-Length")

	// A form is signed as it is sent, whatever its boundary is.
	out, _ = s.run(nil, "invoke", "acme/items", "--path", "/v1/items", "--multipart-field", "a=b", "--multipart-file", "f=ca.pem")
	s.arrived(a, out, "POST", "/v1/items", string(s.last().Body), "Content-Type", "Content-Length")
	if !bytes.Contains(s.last().Body, s.service.CAPEM()) {
		s.t.Error("the form is without its file")
	}
	s.calls += 3

	// What was moved is signed anew. With a secret in the path it stays.
	out, _ = s.run(nil, "invoke", "acme/items", "--method", "GET", "--path", "/v1/items/moved?a=1")
	s.calls++
	if s.name == "path" {
		s.arrived(a, out, "GET", "/v1/items/moved?a=1", "")
	} else {
		s.arrived(a, out, "GET", "/v1/items/here?b=2", "")
	}
}

// arrived checks the last request, and that its answer does not repeat the
// secret but all the rest.
func (s *story) arrived(a account, answer, method, uri, body string, headers ...string) {
	s.t.Helper()
	got := s.last()
	moved := "[REDACTED]/v1/items/here" // of a redirect that is the answer
	if err := s.verify(got, a); err != nil {
		s.t.Errorf("%s %s: %v", method, uri, err)
	}
	if got.Method != method || string(got.Body) != body || got.Host != s.host[1] || !strings.Contains(got.URI, uri) {
		s.t.Errorf("the service got %s for %s, with %d bytes; want %s, %d bytes", got.Method, got.Host, len(got.Body), method, len(body))
	}
	var names []string
	for _, h := range got.Headers {
		names = append(names, h[0])
	}
	want := slices.Concat([]string{"Host", "User-Agent", "Accept-Encoding"}, headers, s.headers)
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		s.t.Errorf("%s %s has the headers %q, want %q", method, uri, names, want)
	}
	brokertest.Scan(s.t, "the answer", []byte(answer), a.hidden...)
	if !strings.Contains(answer, "User-Agent: aivault/") && !strings.Contains(answer, moved) {
		s.t.Errorf("the answer is %q", answer)
	}
}

// isRecorded looks for every call in the audit log: what was meant before it,
// and what came of it.
func (s *story) isRecorded() {
	var rows []auditRow
	for _, r := range s.audit("invoke") {
		if r.Capability != "acme/items" || r.Credential != "acme" || r.SecretID != s.id || strings.Contains(r.Path, "?") {
			s.t.Errorf("recorded is %+v", r)
		}
		rows = append(rows, r)
	}
	if len(rows) != 2*s.calls {
		s.t.Fatalf("%d events of %d calls", len(rows), s.calls)
	}
	for i := 0; i < len(rows); i += 2 {
		intent, outcome, version := rows[i], rows[i+1], 1
		if i >= s.calls {
			version = 2
		}
		if intent.Kind != "invoke.intent" || outcome.Kind != "invoke.outcome" || outcome.IntentSeq != intent.Seq ||
			outcome.Outcome != "ok" || outcome.Status/100 > 3 || outcome.SecretVersion < version {
			s.t.Errorf("call %d: recorded are %+v and %+v", i/2, intent, outcome)
		}
	}
}
