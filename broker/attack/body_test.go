package attack_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/keys/fault"
)

// exits of the program, by class.
const (
	exitInvalid = 2
	exitLimits  = 11
)

// refuseCommand has the program refuse a call, before anything is sent.
func (w *world) refuseCommand(t *testing.T, status int, args ...string) {
	t.Helper()
	before := w.mark(t)
	stdout, stderr, got := w.run(t, aivault, nil, append([]string{"invoke", capability}, args...)...)
	if got != status || stdout != "" || stderr == "" || strings.Contains(stderr, "goroutine") {
		t.Errorf("%q: exit status %d, want %d; output %q, errors %q", args, got, status, stdout, stderr)
	}
	if n := w.up.Connections() - before.conns; n != 0 {
		t.Errorf("%q: %d connections", args, n)
	}
}

func TestCase057TwoBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("made-up"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.refuseCommand(t, exitInvalid, "--body", "made-up", "--body-file-path", file)
	w.refuseCommand(t, exitInvalid, "--request", `{"method":"POST","path":"/v1/files"}`, "--body", "made-up")
	w.refuseCommand(t, exitInvalid, "--request", `{"method":"POST","path":"/v1/files"}`, "--request-file", file)
	both := parts(broker.Part{Field: "a", Data: []byte("made-up")})
	for _, body := range []string{"made-up", ""} {
		both.Body = []byte(body)
		w.deny(t, both, fault.InvalidRequest)
	}
	path, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{
		`{"method":"POST","path":"/v1/files","body":"a","bodyFilePath":` + string(path) + `}`,
		`{"request":{"method":"POST","path":"/v1/files","body":"","bodyFilePath":` + string(path) + `}}`,
		`{"method":"POST","path":"/v1/files","body":"a","body":"b"}`,
		`{"method":"POST","path":"/v1/files","body":"a","Body":"b"}`,
	} {
		w.refuse(t, payload, fault.InvalidRequest, func() error {
			_, err := broker.ParsePayload([]byte(payload))
			return err
		})
		w.refuseCommand(t, exitInvalid, "--request", payload)
	}
}

func TestCase064OpaqueBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id, n := range map[string]broker.NewCapability{
		"api/graphql":  {Paths: []string{"/graphql"}},
		"api/gql":      {Paths: []string{"/api/gql"}},
		"api/rpc":      {Paths: []string{"/jsonrpc/v2"}},
		"api/batch":    {Paths: []string{"/v1/items", "/v1/$batch"}},
		"api/verb":     {Paths: []string{"/v1/items:batchUpdate"}},
		"api/webhooks": {Paths: []string{"/v1/webhook_endpoints"}, Methods: []string{"PUT"}},
		"api/all":      {Paths: []string{"/"}},
	} {
		n.ID = id
		w.capability(t, n)
	}
	w.capability(t, broker.NewCapability{ID: "api/hooks-read", Paths: []string{"/hooks"}, Methods: []string{"GET"}})
	all, err := w.broker.Capabilities(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var flagged []string
	for _, c := range all {
		d, err := w.broker.Describe(context.Background(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if d.OpaqueBody {
			flagged = append(flagged, c.ID)
		}
	}
	for _, id := range []string{
		"api/graphql", "api/gql", "api/rpc", "api/batch", "api/verb", "api/webhooks", "api/all",
		"github/graphql", "linear/graphql", "openai/batch", "gemini/batches", "resend/webhooks",
	} {
		if !slices.Contains(flagged, id) {
			t.Errorf("%s is not flagged", id)
		}
	}
	for _, id := range []string{capability, "api/hooks-read", "openai/models", "openai/chat-completions", "github/user"} {
		if slices.Contains(flagged, id) {
			t.Errorf("%s is flagged", id)
		}
	}
	t.Logf("flagged: %q", flagged)

	// And people and programs see it.
	human, _, _ := w.run(t, aivault, nil, "capability", "describe", "github/graphql")
	if !strings.Contains(human, "Body:") || !strings.Contains(human, "the paths do not limit that") {
		t.Errorf("the description is %q", human)
	}
	text, _, _ := w.run(t, aivault, nil, "capability", "describe", "github/graphql", "--json")
	if !strings.Contains(text, `"opaqueBody": true`) && !strings.Contains(text, `"opaqueBody":true`) {
		t.Errorf("the description is %s", text)
	}
}
