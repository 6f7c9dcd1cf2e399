package vault

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault/internal/codec"
)

// A Grant is an operator's leave for another user of this machine to make calls
// in one context.
type Grant struct {
	UID       int     // 0 to [MaxUID]
	Context   Context // a workspace, or a workspace and a group; of no consumer
	CreatedAt time.Time
}

const (
	// MaxUID is the highest id that a user has; the one above stands for none
	// (POSIX, chown).
	MaxUID = math.MaxUint32 - 1
	// maxGrants is how many grants a vault has at the most.
	maxGrants = 1_000
)

// Grants implements Vault.
func (l *Local) Grants(ctx context.Context) ([]Grant, error) {
	var out []Grant
	err := l.view(ctx, func(t *txn) error {
		if t == nil {
			return nil
		}
		recs, err := t.all(kindGrant)
		if err != nil {
			return err
		}
		for _, rec := range recs {
			g, err := t.grant(rec)
			if err != nil {
				return err
			}
			out = append(out, *g)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Grant) int {
		return cmp.Or(cmp.Compare(a.UID, b.UID), compareScopes(a.Context.Scope(), b.Context.Scope()))
	})
	return out, nil
}

// Grant implements Vault.
func (l *Local) Grant(ctx context.Context, uid int, c Context) (Grant, bool, error) {
	if err := checkGrant(uid, c); err != nil {
		return Grant{}, false, err
	}
	out, made := Grant{UID: uid, Context: c}, false
	err := l.update(ctx, func(t *txn) (err error) {
		out, made, err = t.addGrant(&out)
		return err
	})
	if err != nil {
		return Grant{}, false, err
	}
	return out, made, nil
}

// addGrant stores a grant with its event, and returns it as it is stored: false
// if it was there already.
func (t *txn) addGrant(g *Grant) (Grant, bool, error) {
	_, old, err := t.findGrant(g.UID, g.Context)
	if err != nil {
		return Grant{}, false, err
	}
	if old != nil {
		return *old, false, nil
	}
	all, err := t.all(kindGrant)
	if err != nil {
		return Grant{}, false, err
	}
	if len(all) >= maxGrants {
		return Grant{}, false, fault.New(fault.Conflict, "the vault has %d grants, and that is the most", len(all)).
			WithHint("take some back with `aivault setup agent-access --remove`")
	}
	rec := uuid.New()
	made := Grant{UID: g.UID, Context: g.Context, CreatedAt: t.time()}
	if err := t.reindex(nil, t.grantEntries(rec, &made)); err != nil {
		return Grant{}, false, err
	}
	if err := t.save(kindGrant, rec, 1, encodeGrant(&made)); err != nil {
		return Grant{}, false, err
	}
	return made, true, t.record(grantEvent(KindGrantAdd, &made))
}

// Revoke implements Vault.
func (l *Local) Revoke(ctx context.Context, uid int, c Context) (bool, error) {
	if err := checkGrant(uid, c); err != nil {
		return false, err
	}
	return l.removal(ctx, func(t *txn) (*Event, error) {
		rec, g, err := t.findGrant(uid, c)
		if g == nil || err != nil {
			return nil, err
		}
		if err := t.reindex(t.grantEntries(rec, g), nil); err != nil {
			return nil, err
		}
		return grantEvent(KindGrantRemove, g), t.drop(kindGrant, rec)
	})
}

// checkGrant refuses what cannot be granted.
func checkGrant(uid int, c Context) error {
	if uid < 0 || int64(uid) > MaxUID {
		return fault.New(fault.InvalidRequest, "%d is no user id", uid).WithHint("a user id is a number from 0 to %d", int64(MaxUID))
	}
	if err := c.Validate(); err != nil {
		return err
	}
	switch {
	case c.Workspace == "":
		return fault.New(fault.InvalidRequest, "a user is granted a workspace, or a group of one").WithHint("add --workspace-id")
	case c.Consumer != "":
		return fault.New(fault.InvalidRequest, "a user is granted a context whatever its consumer, which anybody can state").
			WithHint("leave the consumer out")
	}
	return nil
}

// Granted implements Reader.
func (r reader) Granted(uid int, c Context) (bool, error) {
	c.Consumer = ""
	if r.t == nil || checkGrant(uid, c) != nil {
		return false, nil
	}
	_, g, err := r.t.findGrant(uid, c)
	return g != nil && err == nil, err
}

// findGrant returns a grant and the id of its record: nil if there is none.
func (t *txn) findGrant(uid int, c Context) (rec ID, g *Grant, err error) {
	rec, ok, err := t.find(ixGrant, strconv.Itoa(uid), c.Workspace, c.Group)
	if !ok || err != nil {
		return rec, nil, err
	}
	g, err = t.grant(rec)
	if err == nil && (g.UID != uid || g.Context != c) {
		err = errCorrupt("an index of the vault")
	}
	if err != nil {
		return rec, nil, err
	}
	return rec, g, nil
}

// grant loads a grant that an index names.
func (t *txn) grant(rec ID) (*Grant, error) {
	b, _, err := t.load(kindGrant, rec)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errCorrupt("an index of the vault")
	}
	g, err := decodeGrant(b)
	if err != nil {
		return nil, errCorrupt("a grant")
	}
	return g, nil
}

func (t *txn) grantEntries(rec ID, g *Grant) []entry {
	return []entry{t.unique(rec, ixGrant, strconv.Itoa(g.UID), g.Context.Workspace, g.Context.Group)}
}

func encodeGrant(g *Grant) []byte {
	var w codec.Writer
	w.Uint32(uint32(g.UID))
	w.Text(g.Context.Workspace)
	w.Text(g.Context.Group)
	writeTime(&w, g.CreatedAt)
	return w.Bytes()
}

func decodeGrant(b []byte) (*Grant, error) {
	r := codec.NewReader(b)
	g := &Grant{UID: int(r.Uint32()), Context: Context{Workspace: r.Text(), Group: r.Text()}, CreatedAt: readTime(r)}
	if checkGrant(g.UID, g.Context) != nil {
		r.Fail()
	}
	return g, r.Close()
}

// String says who may call where.
func (g *Grant) String() string {
	if g.Context.Group == "" {
		return fmt.Sprintf("user %d in workspace %s", g.UID, g.Context.Workspace)
	}
	return fmt.Sprintf("user %d in workspace %s, group %s", g.UID, g.Context.Workspace, g.Context.Group)
}

func grantEvent(kind string, g *Grant) *Event {
	return &Event{Kind: kind, Outcome: OutcomeOK, Scope: g.Context.Scope().String(), Note: g.String()}
}
