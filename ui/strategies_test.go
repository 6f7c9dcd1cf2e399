package ui_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aivault/broker/brokertest"
)

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
	if s.target != nil {
		uri = s.target(uri, a)
	}
	if got.Method != method || string(got.Body) != body || got.Host != s.host[1] || got.URI != uri {
		s.t.Errorf("the service got %s %s for %s, with %d bytes; want %s %s, %d bytes", got.Method, got.URI, got.Host, len(got.Body), method, uri, len(body))
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
			outcome.Outcome != "ok" || outcome.Status/100 > 3 || outcome.SecretVersion != version {
			s.t.Errorf("call %d: recorded are %+v and %+v", i/2, intent, outcome)
		}
	}
}
