package broker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/registry"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// I1: whatever is asked of a broker, by whom, and whatever the upstream sends,
// no secret shows: not in results, errors, the audit log or the vault's
// directory. Only the upstream has it.
func TestNoSecretShowsAnywhere(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := vaulttest.Dir(t)
	opts := vaulttest.Options(dir)
	opts.Claims = registry.Builtin()
	local := vault.New(opts)
	defer local.Close()
	r := newRig(t, func(testing.TB) secretStore { return local })
	free := r.acme(t)
	r.capability(t, "acme/files", "files.acme.test")
	pinned := r.put(t, "OPENAI_API_KEY", mustScope(t, "w", ""), false)
	canaries := []string{free.value, pinned.value}
	r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("X-Echo", req.Header.Get("Authorization"))
		w.Header().Set("Set-Cookie", "key="+req.Header.Get("Authorization"))
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":"invalid key %s"}`, req.Header.Get("Authorization"))
	})

	scan := func(name string, result any, err error) {
		t.Helper()
		brokertest.Scan(t, name, fmt.Appendf(nil, "%+v %#v %v", result, result, err), canaries...)
		if b, failed := json.Marshal(result); failed == nil {
			brokertest.Scan(t, name+" as JSON", b, canaries...)
		}
	}
	for _, call := range []broker.Call{
		{Capability: "acme/items", Method: "GET"},
		{Capability: "acme/items", Method: "GET", Credential: "acme-main", Context: inWA},
		{Capability: "openai/models", Context: inW},
		{Capability: "openai/models"},
		{Capability: "acme/items", Method: "PUT"},
		{Capability: "acme/files", Method: "GET"},
	} {
		answer, err := r.broker.Invoke(ctx, call)
		scan("Invoke "+call.Capability, answer, err)
		if answer != nil {
			scan("the body", string(answer.Body), nil)
			if answer.Redactions == 0 {
				t.Errorf("%s: nothing was redacted, though the upstream echoes", call.Capability)
			}
		}
		l, err := r.broker.Explain(ctx, call.Capability, call.Context, call.Credential)
		scan("Explain", l, err)
		d, err := r.broker.Describe(ctx, call.Capability)
		scan("Describe", d, err)
	}
	creds, err := r.broker.Credentials(ctx)
	scan("Credentials", creds, err)
	capabilities, err := r.broker.Capabilities(ctx)
	scan("Capabilities", capabilities, err)
	for _, proof := range []vault.Value{nil, vaultValue(pinned.value), vaultValue(free.value)} {
		n := broker.NewBinding{Capability: "acme/files", Secret: free.id, Scope: vault.GlobalScope(), Proof: proof}
		b, err := r.broker.Bind(ctx, n)
		scan("Bind", b, err)
		scan("what Bind was asked", n, nil)
	}
	bindings, err := r.broker.Bindings(ctx, "")
	scan("Bindings", bindings, err)
	events, err := local.Audit(ctx, vault.AuditQuery{})
	scan("the audit log", events, err)
	local.Close()
	brokertest.ScanDir(t, dir, canaries...)

	for i, want := range canaries { // the control: it did arrive
		found := false
		for _, req := range r.up.Requests() {
			found = found || req.Get("Authorization") == "Bearer "+want
		}
		if !found {
			t.Errorf("secret %d never reached the upstream", i)
		}
	}
}
