package auditrow_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/ui/auditrow"
	"aivault/vault"
)

func TestMergeCalls(t *testing.T) {
	t.Parallel()
	events := []vault.Event{
		{Seq: 7, Kind: vault.KindInvokeOutcome, Intent: 1, Outcome: vault.OutcomeOK, Status: 201}, // its intent is not listed: no row
		{Seq: 6, Kind: vault.KindInvokeOutcome, Intent: 3, Outcome: vault.OutcomeError, Code: fault.Timeout, Duration: time.Second},
		{Seq: 5, Kind: vault.KindSecretCreate, Outcome: vault.OutcomeOK},
		{Seq: 4, Kind: vault.KindInvokeIntent, Capability: "a/left-open"},
		{Seq: 3, Kind: vault.KindInvokeIntent, Capability: "a/slow", Method: "GET"},
		{Seq: 2, Kind: vault.KindInvokeDenied, Outcome: vault.OutcomeDenied, Code: fault.PolicyViolation},
		{Seq: 1, Kind: vault.KindOAuthRefresh, Intent: 9, Outcome: vault.OutcomeOK},
		{Seq: 1, Kind: vault.KindOAuthRefresh, Intent: 9},
		{Seq: 1, Kind: vault.KindOAuthRefresh, Intent: 8},
	}
	want := []vault.Event{
		events[2],
		{Seq: 4, Kind: vault.KindInvokeIntent, Capability: "a/left-open", Outcome: vault.OutcomeUnknown},
		{Seq: 3, Kind: vault.KindInvokeIntent, Capability: "a/slow", Method: "GET", Outcome: vault.OutcomeError, Code: fault.Timeout, Duration: time.Second},
		events[5],
		events[6],
		{Seq: 1, Kind: vault.KindOAuthRefresh, Intent: 8, Outcome: vault.OutcomeUnknown},
	}
	if diff := cmp.Diff(want, auditrow.Merge(events, true)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	want[1].Outcome, want[5].Outcome = "later", ""
	if diff := cmp.Diff(want, auditrow.Merge(events, false)); diff != "" {
		t.Errorf("rows of a list that ends before now (-want +got):\n%s", diff)
	}
}
