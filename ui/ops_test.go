package ui_test

import (
	"context"
	"strings"
	"testing"

	"aivault/broker/brokertest"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// An opsCase is an operation.
type opsCase struct {
	do    func(ctx context.Context, w *opsWorld) (ops.Done, error)
	text  string
	lines string // with the names of secrets in the place of their ids
	value string // the file with the value that its lines ask for
	// foreign is what somebody else does before it is taken back; nil: it
	// cannot be.
	foreign func(ctx context.Context, w *opsWorld) error
}

// Checklist 38, 51, 55.
func TestOperations(t *testing.T) {
	t.Parallel()
	world := newOpsWorld(t)
	before := world.state()
	for name, c := range opsCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, byHand := world.copied(t), world.copied(t)
			done, err := c.do(t.Context(), w)
			w.check(err)
			var lines []string
			for _, l := range done.Lines {
				brokertest.Scan(t, "a command line", []byte(l.String()), w.word)
				byHand.shell(l, c.value)
				lines = append(lines, w.named(l.String()))
			}
			if got := strings.Join(lines, "\n"); got != c.lines || done.Text != c.text {
				t.Errorf("got %s\n%s\nwant %s\n%s", done.Text, got, c.text, c.lines)
			}
			after := w.state()
			if diff := differs(byHand.state(), after); diff != "" {
				t.Errorf("the lines did something else (-lines +operation):\n%s", diff)
			}
			if (done.Undo != nil) != (c.foreign != nil) {
				t.Fatalf("it can be taken back: %v", done.Undo != nil)
			}
			if done.Undo != nil {
				takeBack(t, w, done, before, after)
				refusedUndo(t, world, c)
			}
		})
	}
}

// named puts names in the place of ids.
func (w *opsWorld) named(line string) string {
	for name, id := range w.ids {
		line = strings.ReplaceAll(strings.ReplaceAll(line, id.String(), "<all of "+name+">"), id.String()[:8], "<"+name+">")
	}
	return line
}

// takeBack takes an operation back and does it again, twice.
func takeBack(t *testing.T, w *opsWorld, done ops.Done, before, after opsState) {
	t.Helper()
	for i := range 4 {
		want := before
		if i%2 == 1 {
			want = after
		}
		var err error
		if done, err = done.Undo.Run(t.Context()); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if diff := differs(w.state(), want); diff != "" {
			t.Errorf("step %d (-got +want):\n%s", i, diff)
		}
		if done.Undo == nil || done.Text == "" || len(done.Lines) == 0 {
			t.Fatalf("step %d has %+v", i, done)
		}
	}
}

// refusedUndo expects that what somebody else changed, or deleted, is not taken
// back.
func refusedUndo(t *testing.T, world *opsWorld, c opsCase) {
	t.Helper()
	for what, foreign := range map[string]func(context.Context, *opsWorld) error{"changed": c.foreign, "deleted": deleteAll} {
		w := world.copied(t)
		done, err := c.do(t.Context(), w)
		w.check(err)
		w.check(foreign(t.Context(), w))
		left := w.state()
		_, err = done.Undo.Run(t.Context())
		if fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), "not taken back") || what == "changed" && !strings.Contains(err.Error(), what) {
			t.Errorf("taking back what somebody changed (%s): %v", what, err)
		}
		if diff := differs(w.state(), left); diff != "" {
			t.Errorf("the refused undo changed something (-got +want):\n%s", diff)
		}
	}
}

// deleteAll is somebody who deletes everything.
func deleteAll(ctx context.Context, w *opsWorld) error {
	for _, id := range w.ids {
		if _, err := w.be.DeleteSecret(ctx, id, 0); err != nil {
			return err
		}
	}
	_, err := w.be.DeleteCapability(ctx, "acme/items")
	return err
}

// A rename to a name that a provider claims is taken back, and the pin stays.
func TestUndoKeepsPin(t *testing.T) {
	t.Parallel()
	w := newOpsWorld(t)
	done, s, err := ops.UpdateSecret(t.Context(), w.be, w.ids["db"], vault.SecretChange{Name: new("GITHUB_TOKEN")}, 0)
	w.check(err)
	if !strings.Contains(done.Text, "pinned to github") || s.PinnedProvider != "github" {
		t.Errorf("%s", done.Text)
	}
	_, err = done.Undo.Run(t.Context())
	w.check(err)
	s, err = w.be.FindSecret(t.Context(), w.ids["db"].String())
	w.check(err)
	if s.Name != "DB_URL" || s.PinnedProvider != "github" {
		t.Errorf("it is %s, pinned to %q", s.Name, s.PinnedProvider)
	}
}

// Somebody who changes what a form shows is told by the revision.
func TestOperationAtRevision(t *testing.T) {
	t.Parallel()
	w := newOpsWorld(t)
	before := w.state()
	for name, err := range map[string]error{
		"update": third(ops.UpdateSecret(t.Context(), w.be, w.ids["db"], vault.SecretChange{Name: new("X")}, 9)),
		"rotate": third(ops.RotateSecret(t.Context(), w.be, w.ids["db"], opaque.New([]byte("another-value")), 9)),
		"delete": third(ops.DeleteSecrets(t.Context(), w.be, vault.SecretAt{ID: w.ids["risk"]}, vault.SecretAt{ID: w.ids["db"], Revision: 9})),
		"share":  third(ops.Share(t.Context(), w.be, vault.Sharing{Secret: w.ids["db"], Group: payments, Revision: 9})),
		"policy": third(ops.SetPolicy(t.Context(), w.be, vault.Policy{Capability: "acme/items"}, 9)),
	} {
		if fault.CodeOf(err) != fault.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	if diff := differs(w.state(), before); diff != "" {
		t.Errorf("something changed (-got +want):\n%s", diff)
	}
}

func third[A, B any](_ A, _ B, err error) error { return err }
