package invoke_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/tui/view"
	"aivault/vault"
)

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }

// A call is sent as it is filled in, and its answer shows with all that is known
// of it.
// Checklist 59.
func TestSend(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.want("✓ allowed")
	r.want("ACME_TOKEN (global)")
	r.up.Reply(200, http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"q2"}}, []byte(`{"z":[1,12345678901234567890.0000],"b":"é\u00e9"}`))
	r.set("Path", "/v1/items/7?deep=1")
	r.field("Body")
	r.write(`{"name":"a"}`)
	r.field("Headers")
	r.write("X-Trace: t1")
	r.key("ctrl+s")
	r.want("200 OK")
	r.want("X-Request-Id: q2")
	for _, s := range []string{`"z": [`, "12345678901234567890.0000", `"b": "é\u00e9"`, "application/json · 50 B ·", "wait ", "POST https://api.acme.test/v1/items/7?deep=1", "credential acme-main"} {
		r.want(s)
	}
	if z, b := strings.Index(r.frame, `"z"`), strings.Index(r.frame, `"b"`); z > b {
		t.Error("the members are in another order than they came in")
	}
	got := r.up.Requests()
	if len(got) != 1 || got[0].Method != "POST" || got[0].URI != "/v1/items/7?deep=1" || got[0].Get("Authorization") != "Bearer "+r.secret ||
		string(got[0].Body) != `{"name":"a"}` || got[0].Get("X-Trace") != "t1" {
		t.Errorf("the service got %d requests, and not the one that was filled in", len(got))
	}
	r.key("p")
	r.want(`{"z":[1,12345678901234567890.0000],"b":"é\u00e9"}`)
	r.key("p")
	r.want(`"z": [`)
}

// The answer is searched, and leads to the audit log.
func TestAnswerActions(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.up.Reply(200, jsonHeader(), []byte(`["one","two","one more","end"]`))
	r.key("ctrl+s")
	r.want("event ")
	r.key("/")
	r.write("one")
	r.want("match 1 of 2")
	r.key("enter", "n")
	r.want("match 2 of 2")
	r.key("N")
	r.want("match 1 of 2")
	r.key("/")
	r.write("zero")
	r.want("no match")
	r.key("esc")
	r.without("match")
	r.key("i")
	r.settle(func() bool { return len(r.audits) > 0 }, "the audit log")
	events, err := r.vault.Audit(t.Context(), vault.AuditQuery{Limit: 2, Kind: "invoke."})
	if err != nil || len(events) == 0 || r.audits[0].Seq != events[len(events)-1].Seq {
		t.Errorf("shows event %d, and the events of the call are %v (%v)", r.audits[0].Seq, events, err)
	}
}

// A status is an answer of the service, whatever it is, and says so in words.
func TestStatus(t *testing.T) {
	t.Parallel()
	r := acme(t)
	for _, c := range []struct {
		status int
		words  []string
	}{
		{404, []string{"404 Not Found", "the service refused the request"}},
		{401, []string{"401 Unauthorized", "the service does not take the secret"}},
		{500, []string{"500 Internal Server Error", "the service failed"}},
		{302, []string{"302 Found", "a redirect that was not followed"}},
		{204, []string{"204 No Content", "The answer has no body."}},
	} {
		r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
		})
		r.key("ctrl+s")
		for _, s := range c.words {
			r.want(s)
		}
		r.settle(func() bool { return strings.Contains(r.frame, "The call") }, "the end")
		r.without("Code:")
	}
}

// What the policy refuses is refused before anything is sent: live as it is
// typed, and when it is sent all the same.
// Checklist 59.
func TestRefused(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.set("Path", "/v2/items")
	r.want("✗ refused: ")
	r.want("Next")
	r.key("ctrl+d")
	r.want("refused before anything was sent")
	r.want("r tries the dry run again.")
	r.key("r")
	r.idle()
	r.key("ctrl+s")
	r.want("r or ctrl+s tries again.")
	r.want("Code: policy_violation")
	if n := len(r.up.Requests()); n > 0 {
		t.Errorf("%d requests reached the service", n)
	}
	r.key("esc")
	r.set("Path", "/v1/items")
	r.want("✓ allowed")
	r.key("ctrl+s")
	r.want("200 OK")
}

// The context decides which secret is used, and that shows before.
func TestContext(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.set("Workspace", "web shop!")
	r.want("✗ refused: ")
	r.set("Workspace", "web-shop")
	r.want("✓ allowed")
	r.set("Group", "payments")
	r.want("web-shop/payments")
	r.set("Credential", "nobody")
	r.want("✗ refused: ")
	if n := len(r.up.Requests()); n > 0 {
		t.Errorf("%d requests reached the service", n)
	}
}

// A dry run shows the request, with the name of the secret in the place of its
// value, and sends nothing.
// Checklist 59.
func TestDryRun(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.field("Body")
	r.write(`{"a":1}`)
	r.key("ctrl+d")
	r.want("Dry run")
	r.want("Authorization: Bearer <ACME_TOKEN>")
	r.want(`{"a":1}`)
	r.want("nothing was sent")
	if n := len(r.up.Requests()); n > 0 {
		t.Errorf("%d requests reached the service", n)
	}
	events, err := r.vault.Audit(t.Context(), vault.AuditQuery{Limit: 10, Kind: "invoke."})
	if err != nil || len(events) > 0 {
		t.Errorf("a dry run is in the audit log: %v (%v)", events, err)
	}
	r.idle()
	r.key("@")
	r.want("--dry-run")
}

// The command line that does the same is at hand, and holds no value.
// Checklist 38.
func TestLine(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.set("Workspace", "web-shop")
	r.want("--workspace-id web-shop")
	r.key("ctrl+s")
	r.want("200 OK")
	r.idle()
	r.key("@")
	r.want("The same on a command line")
	r.want("aivault invoke acme/items --method POST --path /v1/items ")
}

// What cannot be done just now says why: to its key, and in the palette.
// Checklist 31, 32.
func TestReasons(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.key("shift+tab") // to the other pane
	r.want("before it is sent, allowed")
	for key, why := range map[string]string{
		"i": "nothing was sent yet", "n": "search for something first", "p": "the answer is no JSON", "/": "there is no answer to search in",
		"ctrl+r": "no call was made yet", "r": "there is nothing to try again",
	} {
		r.key(key)
		r.want(why)
	}
	r.size(160, 40)
	r.key(":")
	r.want("Commands")
	r.write("try again")
	r.want("there is nothing to try")
}

// What is wrong with a field shows there, and nothing is sent.
func TestFields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ field, typed, says string }{
		{"Headers", "no header", "line 1: a header has neither a colon"},
		{"Timeout", "soon", "this is no time"},
		{"Timeout", "48h", "a call is given between"},
	} {
		r := acme(t)
		r.field(c.field)
		r.write(c.typed)
		r.key("ctrl+s")
		r.want(c.says)
		r.want(c.field + ", ")
		if n := len(r.up.Requests()); n > 0 {
			t.Errorf("%s %q: %d requests reached the service", c.field, c.typed, n)
		}
	}
	r := acme(t)
	r.field("Body")
	r.write(`{"a":}`)
	r.want("not JSON: line 1, column 6")
}

// What another process changes shows by itself, and what was typed stays.
// Checklist 63.
func TestOutsideChange(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.set("Path", "/v1/items/9")
	r.want("the broker's own")
	known := time.Now().Add(time.Second) // by then the program knows how the vault was
	r.settle(func() bool { return time.Now().After(known) }, "a second")
	rate := int64(7)
	if _, err := r.host.Backend.SetPolicy(t.Context(), vault.Policy{Capability: "acme/items", Rate: &rate}, 0); err != nil {
		t.Fatal(err)
	}
	r.want("7 calls in any 60 s")
	r.want("/v1/items/9")
	r.want("Path, /v1/items/9, field 2")
	if _, err := r.host.Backend.DeleteCapability(t.Context(), "acme/items"); err != nil {
		t.Fatal(err)
	}
	r.want("✗ refused: ")
	r.want("Path, /v1/items/9, field 2")
}

// A key that is pressed twice sends once.
// Checklist 57.
func TestTwice(t *testing.T) {
	t.Parallel()
	r := acme(t)
	hold := make(chan struct{})
	r.up.Handle(func(http.ResponseWriter, *http.Request) { <-hold })
	r.key("ctrl+s", "ctrl+s")
	r.want("a call is under way; esc stops it")
	r.want("waiting for the answer")
	r.key("tab", "tab") // the fields are at hand meanwhile
	r.want("Path, /v1/items, field 2 of 9, waiting")
	r.field("Timeout")
	r.key("tab")
	close(hold)
	r.want("200 OK")
	r.idle()
	if n := len(r.up.Requests()); n != 1 {
		t.Errorf("%d requests reached the service", n)
	}
}

// Without a capability there is a choice, those that the secret serves first.
func TestChoose(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, err := r.vault.CreateSecret(t.Context(), vault.NewSecret{Name: "OPENAI_API_KEY", Value: opaque.New([]byte(r.secret + "2")), Scope: vault.GlobalScope()})
	if err != nil {
		t.Fatal(err)
	}
	r.update(view.OpenTest{Secret: s.ID})
	r.want("Which capability?")
	lines := strings.Split(r.frame, "\n")
	if first := strings.Join(lines[2:5], "\n"); !strings.Contains(first, "openai/") || !strings.Contains(first, "uses it") {
		t.Errorf("the first choices are\n%s", first)
	}
	r.write("acme items")
	r.want("1 of ")
	r.key("enter")
	r.want("Before it is sent")
	r.want("/v1/items")
}

// A request that was changed and not sent is not lost by a key.
// Checklist 56.
func TestDirty(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.field("Body")
	r.write("text")
	r.key("esc")
	r.want("Throw away the request?")
	r.key("enter") // the button that does nothing
	r.settle(func() bool { return !strings.Contains(r.frame, "Throw") }, "the end of the dialog")
	r.want("text")
	r.key("ctrl+s")
	r.want("The call")
	r.key("esc", "esc")
	r.want("nothing")
	r.without("Timeout")
}

// A capability that cannot be read is an error with its next step, also on the
// page, and is read again by a key.
// Checklist 69.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.broken.Store(fault.New(fault.VaultBusy, "another process holds the vault").WithHint("try again in a moment"))
	r.update(openAcme())
	r.want("reading capability acme/items did not work: another process holds the vault")
	r.want("This did not work")
	r.want("Next: try again in a moment")
	r.key("esc")
	r.idle()
	r.want("could not be read, r tries again")
	r.broken.Store(nil)
	r.key("r")
	r.want("✓ allowed")
}

// Every frame fits, whatever is pressed at whatever size.
// Checklist 12, 13.
func TestAnyKeys(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.up.Reply(200, jsonHeader(), []byte(`{"list":[`+strings.Repeat(`{"name":"世界 e\u0301","n":1},`, 200)+`{}]}`))
	for seed := range uint64(3) {
		r.size(120, 40)
		r.key("ctrl+s")
		r.idle()
		r.random(120, seed)
		r.size(120, 40)
		r.want("acme/items") // it is still the page that had the keys
	}
}
