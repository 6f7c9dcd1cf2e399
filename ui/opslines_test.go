package ui_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/keys"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// The line of a new vault makes one whose key is in the same place.
func TestInitLine(t *testing.T) {
	t.Parallel()
	w, byHand := openOps(t, t.TempDir()), openOps(t, t.TempDir())
	cfg := keys.Config{Kind: keys.KindFile, Path: filepath.Join(w.home, "vault", "my key")}
	done, st, err := ops.Init(t.Context(), w.be, cfg)
	w.check(err)
	l := slices.Clone(done.Lines[0])
	for i := range l {
		l[i] = strings.ReplaceAll(l[i], w.home, byHand.home)
	}
	byHand.shell(l, "")
	got, err := byHand.be.Status(t.Context())
	w.check(err)
	if want := strings.ReplaceAll(st.Key.Path, w.home, byHand.home); got.Provider != st.Provider || got.Key.Path != want || got.Locked {
		t.Errorf("%s made %+v, want a key in %s", l, got, want)
	}
}

// The lines of what is only looked at are commands that work.
func TestReadLines(t *testing.T) {
	t.Parallel()
	w := newOpsWorld(t)
	group := vault.Context{Workspace: "web-shop", Group: "payments", Consumer: "bot"}
	for _, c := range []struct {
		line  ops.Line
		shows string
	}{
		{ops.StatusLine(), "vault.db"},
		{ops.ListLine(group), "DB_URL"},
		{ops.ListLine(vault.Context{}), "1 secret"},
		{ops.ScopeLine(payments.Scope()), "4 secrets"},
		{ops.ExplainLine("stripe/charges", group, ""), "consumer bot"},
		{ops.ExplainLine("acme/items", vault.Context{Workspace: "infra"}, "acme"), "Used: secret RISK_TOKEN"},
		{ops.CapabilitiesLine(), "acme/items"},
		{ops.DescribeLine("acme/items"), "api.acme.example"},
		{ops.PolicyLine("acme/items"), "7 calls"},
		{ops.BindingsLine("stripe/charges"), "workspace:web-shop"},
		{ops.BindingsLine(""), "workspace:web-shop"},
		{ops.CredentialsLine(), "acme"},
		{ops.VerifyLine(), "none was changed"},
		{ops.AuditLine(vault.AuditQuery{}), "secret.create"},
		{ops.PreviewLine(broker.Call{Capability: "acme/items", Context: vault.Context{Workspace: "infra"}, Headers: []broker.Header{{Name: "X-Odd", Value: "it's"}}}), "X-Odd: it's"},
	} {
		if out := w.shell(c.line, ""); !strings.Contains(out, c.shows) {
			t.Errorf("%s shows no %q:\n%s", c.line, c.shows, out)
		}
	}
	events, err := w.be.Audit(t.Context(), vault.AuditQuery{})
	w.check(err)
	first := events[len(events)-1].Time
	q := vault.AuditQuery{
		Secret: w.ids["risk"], Kind: "secret.", Workspace: "infra", Since: first, Before: first.Add(1 << 40), Limit: 3, Actor: "operator", Outcome: "ok",
	}
	if out := w.shell(ops.AuditLine(q), ""); strings.Count(out, "secret.") != 3 {
		t.Errorf("%s shows\n%s", ops.AuditLine(q), out)
	}
	if got := fmt.Sprint(ops.AuditLine(q)); strings.Contains(got, "secret. ") {
		t.Errorf("%s", got)
	}
}

// The line of a call sends what the call sent.
func TestInvokeLine(t *testing.T) {
	t.Parallel()
	service := brokertest.New(t, "localhost")
	service.Reply(200, nil, []byte("{}"))
	v := newRealVault(t, service)
	v.run(nil, "capability", "create", "acme/all", "--credential", "acme", "--method", "GET", "--method", "POST", "--path", "/")
	w := openOps(t, filepath.Dir(v.dir))
	v.file("blob", "x\n")
	long := strings.Repeat("a long body ", 1000)
	for name, c := range map[string]struct {
		call broker.Call
		file string // what request.json must hold
	}{
		"plain":     {broker.Call{Path: "/items?q=a%20b&x='1'"}, ""},
		"headers":   {broker.Call{Path: "/", Headers: []broker.Header{{Name: "X-A", Value: "it's; $HOME `x`"}, {Name: "X-B", Value: "two"}}}, ""},
		"text":      {broker.Call{Path: "/", Method: "POST", Body: []byte("a 'b' \\n \"c\" é")}, ""},
		"empty":     {broker.Call{Path: "/", Method: "POST", Body: []byte{}}, ""},
		"dash":      {broker.Call{Path: "/", Method: "POST", Body: []byte("-")}, "-"},
		"lines":     {broker.Call{Path: "/", Method: "POST", Body: []byte("a\nb")}, "a\nb"},
		"long":      {broker.Call{Path: "/", Method: "POST", Body: []byte(long)}, long},
		"binary":    {broker.Call{Path: "/", Method: "POST", Body: []byte{0xff, 0}}, "\xff\x00"},
		"multipart": {broker.Call{Path: "/", Method: "POST", Parts: []broker.Part{{Field: "a", Data: []byte("1=2")}, {Field: "f", File: "blob", Data: []byte("x\n")}}}, ""},
		"rest": {broker.Call{
			Path: "/", Context: vault.Context{Workspace: "web-shop", Group: "payments", Consumer: "bot"}, Credential: "acme",
			Timeout: 90 * time.Second, ClientIP: "127.0.0.1",
		}, ""},
	} {
		t.Run(name, func(t *testing.T) { // one after the other: the upstream has one list
			w.t, c.call.Capability = t, "acme/all"
			_, err := w.be.Invoke(t.Context(), c.call)
			w.check(err)
			want := v.last()
			v.file("request.json", c.file)
			line := ops.InvokeLine(c.call)
			w.shell(line, "")
			if diff := cmp.Diff(sameBoundary(v.last()), sameBoundary(want)); diff != "" {
				t.Errorf("%s (-line +call):\n%s", line, diff)
			}
			w.shell(ops.PreviewLine(c.call), "")
			if named := strings.Contains(line.String(), "request.json"); named != (c.file != "") {
				t.Errorf("%s", line)
			}
		})
	}
}

// sameBoundary gives a multipart body a boundary that is always the same.
func sameBoundary(r seen) seen {
	_, boundary, ok := strings.Cut(r.get("Content-Type"), "boundary=")
	if !ok {
		return r
	}
	r.Body = bytes.ReplaceAll(r.Body, []byte(boundary), []byte("B"))
	for i := range r.Headers {
		r.Headers[i][1] = strings.ReplaceAll(r.Headers[i][1], boundary, "B")
	}
	return r
}

// JSON that an editor spread over lines is one line of the same JSON.
func TestInvokeLineCompacts(t *testing.T) {
	t.Parallel()
	got := ops.InvokeLine(broker.Call{Capability: "a/b", Body: []byte("{\n\t\"a b\": [1,\n 2]\n}\n")}).String()
	if want := `aivault invoke a/b --body '{"a b":[1,2]}'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
