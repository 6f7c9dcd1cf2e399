package audit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/ui/auditrow"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// tangle fills a log with calls that overlap, between changes of other kinds.
func tangle(d *driver) {
	r := rand.New(rand.NewPCG(7, 8))
	s := d.store("ACME_TOKEN")
	other := d.store("OTHER_TOKEN")
	var open []uint64
	for i := range 120 {
		d.now = d.now.Add(time.Second)
		c := payments
		if i%3 == 0 {
			c = vault.Context{Workspace: "infra"}
		}
		open = append(open, d.begin(fmt.Sprint("acme/c", i%4), s, c))
		for len(open) > r.IntN(12) {
			at := r.IntN(len(open))
			d.end(open[at], 200*r.IntN(2))
			open = slices.Delete(open, at, at+1)
		}
		list := make([]vault.Sharing, 2*r.IntN(25)+2)
		for j := range list {
			list[j] = vault.Sharing{Secret: other.ID, Group: vault.GroupRef{Workspace: "shop", Group: "ops"}, Detach: j%2 == 1}
		}
		if _, err := d.local.Share(d.t.Context(), list); err != nil {
			d.t.Fatal(err)
		}
	}
	d.now = d.now.Add(time.Hour)
}

// told is what a row says: all of it but for where it is.
func told(e vault.Event) string {
	s := auditrow.What(e) + " " + auditrow.Outcome(e)
	return strings.TrimRight(s, " ") + fmt.Sprint(" #", e.Seq)
}

// Whatever way people take through a log, they see the rows that the command
// line lists: none twice, none left out, each call with its own end.
//
// Checklist 61.
func TestWalk(t *testing.T) {
	t.Parallel()
	d := newDriver(t, tangle)
	all, err := d.local.Audit(t.Context(), vault.AuditQuery{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 3_000 {
		t.Fatalf("the log has %d events only", len(all))
	}
	rows := auditrow.Merge(all, true)
	only := func(keep func(vault.Event) bool) (out []string) {
		for _, e := range rows {
			if keep(e) {
				out = append(out, told(e))
			}
		}
		return out
	}
	for name, tc := range map[string]struct {
		q    vault.AuditQuery
		keep func(vault.Event) bool
	}{
		"all":        {vault.AuditQuery{}, func(vault.Event) bool { return true }},
		"capability": {vault.AuditQuery{Capability: "acme/c1"}, func(e vault.Event) bool { return e.Capability == "acme/c1" }},
		"workspace":  {vault.AuditQuery{Workspace: "infra"}, func(e vault.Event) bool { return e.Workspace == "infra" }},
		"timeouts":   {vault.AuditQuery{Outcome: "timeout"}, func(e vault.Event) bool { return e.Code == "timeout" }},
		"unknown":    {vault.AuditQuery{Outcome: vault.OutcomeUnknown}, func(e vault.Event) bool { return e.Outcome == vault.OutcomeUnknown }},
		"attached":   {vault.AuditQuery{Kind: vault.KindSecretAttach}, func(e vault.Event) bool { return e.Kind == vault.KindSecretAttach }},
		"since":      {vault.AuditQuery{Since: all[500].Time}, func(e vault.Event) bool { return !e.Time.Before(all[500].Time) }},
	} {
		want := only(tc.keep)
		d.do(d.page.(view.Shower).Show(view.ShowAudit{Query: tc.q}))
		if len(want) == 0 {
			t.Fatalf("%s: the log has nothing of that", name)
		}
		if diff := cmp.Diff(want, d.walk("j", len(want))); diff != "" {
			t.Fatalf("%s, down (-want +got):\n%s", name, diff)
		}
		d.press(named("G"))
		back := d.walk("k", len(want))
		slices.Reverse(back)
		if diff := cmp.Diff(want, back); diff != "" {
			t.Fatalf("%s, up from the end (-want +got):\n%s", name, diff)
		}
	}
}

// walk presses a key again and again, and returns what each row says.
func (d *driver) walk(key string, most int) []string {
	var out []string
	for range most + 10 {
		say := d.page.Say()
		what, rest, _ := strings.Cut(say, ", ")
		_, seq, _ := strings.Cut(rest, "event ")
		seq, _, _ = strings.Cut(strings.ReplaceAll(seq, " of ", ";"), ";")
		seq, _, _ = strings.Cut(seq, ", row")
		line := what + " #" + strings.ReplaceAll(seq, ",", "")
		if len(out) > 0 && out[len(out)-1] == line {
			break
		}
		out = append(out, line)
		d.press(named(key))
		d.timers = nil
	}
	return out
}
