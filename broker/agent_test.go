package broker_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// An agent calls in the context that it was given, and is told how its call
// ended, but not why its outcome is not in the log of somebody else's vault.
func TestAgent(t *testing.T) {
	t.Parallel()
	r, store := newMemoryRig(t)
	r.acme(t)
	call := broker.Call{Capability: "acme/items", Method: "GET", Context: vault.Context{Workspace: "w"}}
	as := func(uid int) context.Context {
		return vault.WithCaller(t.Context(), vault.Caller{UID: uid, Agent: true})
	}
	if _, _, err := store.Grant(t.Context(), 1001, call.Context); err != nil {
		t.Fatal(err)
	}
	if answer, err := r.broker.Invoke(as(1001), call); err != nil || answer.Status != http.StatusOK {
		t.Errorf("%+v, %v", answer, err)
	}
	if _, err := r.broker.Invoke(as(1002), call); fault.CodeOf(err) != fault.PolicyViolation {
		t.Errorf("another user's call: %v", err)
	}
	const reason = "no space left on /the/owners/disk"
	r.up.Handle(func(http.ResponseWriter, *http.Request) { store.FailAudit(errors.New(reason)) })
	for _, test := range []struct {
		ctx  context.Context
		told bool
	}{{t.Context(), true}, {as(1001), false}} {
		store.FailAudit(nil)
		answer, err := r.broker.Invoke(test.ctx, call)
		if err != nil || fault.CodeOf(answer.Unrecorded) != fault.AuditUnavailable || strings.Contains(answer.Unrecorded.Error(), reason) != test.told {
			t.Errorf("an outcome that is not recorded: %+v, %v", answer, err)
		}
	}
	store.FailAudit(nil)
	if gone, err := store.Revoke(t.Context(), 1001, call.Context); !gone || err != nil {
		t.Fatal(gone, err)
	}
	if _, err := r.broker.Invoke(as(1001), call); fault.CodeOf(err) != fault.PolicyViolation {
		t.Errorf("after it was taken back: %v", err)
	}
}
