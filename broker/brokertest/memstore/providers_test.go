package memstore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
)

func TestProviders(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		put := func(what string, want fault.Code, hosts ...string) (p vault.Provider) {
			w.t.Helper()
			p, err := w.PutProvider(ctx, vault.Provider{ID: "boxes", Definition: fmt.Append(nil, hosts), Claims: []string{"BOXES_KEY"}, Hosts: hosts})
			w.said(what, err, want)
			return p
		}
		look := func() (recs []vault.ID, list []vault.Provider) {
			w.said("a look", w.View(ctx, func(r vault.Reader) (err error) {
				recs, err = r.ProviderRecords()
				for i := 0; i < len(recs) && err == nil; i++ {
					var p *vault.Provider
					if p, err = r.Provider(recs[i]); err == nil {
						list = append(list, *p)
					}
				}
				return err
			}), "")
			return recs, list
		}
		first := put("a provider", "", "a.test", "b.test")
		before, list := look()
		if diff := cmp.Diff(list, []vault.Provider{first}); diff != "" || !first.CreatedAt.Equal(w.now) {
			w.t.Errorf("listed (-got +want):\n%s", diff)
		}
		put("the same", "", "a.test", "b.test")
		if same, _ := look(); len(same) != 1 || same[0] != before[0] {
			w.t.Errorf("records %v, were %v", same, before)
		}
		for name, by := range map[string]string{"ACME_KEY": "acme", "BOXES_KEY": "boxes"} {
			_, err := w.PutProvider(ctx, vault.Provider{ID: "crates", Definition: []byte("{}"), Claims: []string{name}, Hosts: []string{"a.test"}})
			w.said("a name of "+by, err, fault.Conflict)
		}
		s := w.secret("BOXES_KEY", "made-up")
		if s.PinnedProvider != "boxes" {
			w.t.Errorf("it is pinned to %q", s.PinnedProvider)
		}
		put("a further host", fault.Conflict, "a.test", "c.test")
		put("fewer hosts", "", "a.test")
		if after, _ := look(); len(after) != 1 || after[0] == before[0] {
			w.t.Errorf("records %v, were %v", after, before)
		}
		_, err := w.DeleteProvider(ctx, "boxes")
		w.said("to remove it in use", err, fault.Conflict)
		if gone, err := w.DeleteProvider(ctx, "crates"); gone || err != nil {
			w.t.Errorf("what is not there: %t, %v", gone, err)
		}
		d, ok := w.Store.(interface {
			DeleteSecret(ctx context.Context, id vault.ID, rev vault.IfRevision) (vault.Removed, error)
		})
		if !ok {
			w.t.Fatal("it deletes nothing")
		}
		_, err = d.DeleteSecret(ctx, s.ID, 0)
		w.said("to delete it", err, "")
		_, err = w.SetPolicy(ctx, vault.Policy{Capability: "boxes/list", Rate: new(int64(1))}, 0)
		w.said("a policy", err, "")
		_, err = w.DisableCredential(ctx, "boxes:ws:w")
		w.said("to disable its credential", err, "")
		if gone, err := w.DeleteProvider(ctx, "boxes"); !gone || err != nil {
			w.t.Errorf("removed: %t, %v", gone, err)
		}
		w.said("a look", w.View(ctx, func(r vault.Reader) error {
			p, err := r.Policy("boxes/list")
			off, _ := r.IsDisabled("boxes:ws:w")
			if p != nil || off {
				w.t.Error("what was set for it is left")
			}
			return err
		}), "")
	})
}
