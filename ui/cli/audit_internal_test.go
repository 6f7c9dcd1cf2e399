package cli

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
)

func TestParseSince(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	for in, want := range map[string]time.Time{
		"2026-02-01T10:00:00Z":      time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC),
		"2026-02-01T10:00:00+02:00": time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC),
		"2026-02-01":                time.Date(2026, 2, 1, 0, 0, 0, 0, time.Local),
		"90m":                       now.Add(-90 * time.Minute),
		"0s":                        now,
		"7d":                        time.Date(2026, 2, 22, 12, 0, 0, 0, time.Local),
	} {
		if got, err := parseSince(in, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "yesterday", "-2h", "2", "d", "-1d", "99999999d", "2026-13-01", "12:00"} {
		if got, err := parseSince(in, now); fault.CodeOf(err) != fault.Usage {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
}

// A row of a call comes with its outcome, or after a while without it.
func TestFollowerRows(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	e := env(t, "", io.Discard, io.Discard)
	e.Now = func() time.Time { return now }
	f := &follower{
		sh: &shell{env: e}, keep: func(vault.Event) bool { return true },
		waiting: map[uint64]vault.Event{}, late: map[uint64]vault.Event{},
	}
	intent := func(seq uint64) vault.Event { return vault.Event{Seq: seq, Kind: vault.KindInvokeIntent, Time: now} }
	outcome := func(seq, of uint64) vault.Event {
		return vault.Event{Seq: seq, Kind: vault.KindInvokeOutcome, Intent: of, Outcome: vault.OutcomeOK, Status: 200}
	}
	other := vault.Event{Seq: 3, Kind: vault.KindSecretCreate, Time: now}
	want := func(name string, got []vault.Event, want ...string) {
		t.Helper()
		texts := mapTo(got, func(e vault.Event) string { return fmt.Sprintf("%d %s", e.Seq, e.Outcome) })
		if diff := cmp.Diff(append([]string{}, want...), texts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	want("an outcome without its intent", f.rows([]vault.Event{outcome(1, 0)}))
	want("two calls begin", f.rows([]vault.Event{intent(2), other, intent(4)}), "3 ")
	want("the second ends", f.rows([]vault.Event{outcome(5, 4)}), "4 ok")
	want("nothing more", f.rows(nil))
	now = now.Add(followAwait)
	want("the first takes long", f.rows(nil), "2 unknown")
	want("it is not said again", f.rows(nil))
	want("it ends at last", f.rows([]vault.Event{outcome(6, 2)}), "2 ok")
	if len(f.waiting)+len(f.late) > 0 {
		t.Errorf("kept: %v, %v", f.waiting, f.late)
	}
}
