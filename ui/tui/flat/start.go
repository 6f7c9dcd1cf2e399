package flat

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"time"

	"aivault/keys"
	"aivault/ui/app"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// open sees to it that there is a vault, and that it is open.
func (t *talk) open(ctx context.Context) error {
	for {
		st, err := t.be.Status(ctx)
		switch {
		case err != nil:
			return err
		case !st.Initialized:
			err = t.makeVault(ctx, st)
		case st.Locked:
			err = t.unlock(ctx, st)
		default:
			t.say("The vault in %s is open.", st.Root)
			t.locks = st.Provider.Typed()
			return nil
		}
		switch {
		case err == nil, errors.Is(err, back):
		case ends(err):
			return err
		default:
			t.fail(err)
		}
	}
}

// makeVault makes a vault where there is none.
func (t *talk) makeVault(ctx context.Context, st vault.Status) error {
	t.print("")
	t.say("There is no vault yet in %s.", st.Root)
	own, err := t.opts.FirstUse(ctx)
	if err != nil {
		t.fail(err) // another place can be chosen all the same
	}
	kinds := []keys.Kind{keys.KindKeyring, keys.KindFile, keys.KindPassphrase, keys.KindEnv}
	labels := []string{
		"in the keyring of the system",
		"in a file that only you can read",
		"nowhere: it is made of a passphrase that you type each time",
		"in an environment variable",
	}
	q := question{text: "To make one: where is its key to be kept?", items: labels, top: true}
	for i, k := range kinds {
		if own.Kind == k {
			q.ret = strconv.Itoa(i + 1)
		}
	}
	a, err := t.put(ctx, q)
	if err != nil {
		return err
	}
	c := app.KeyChoice{Kind: kinds[a.numbers[0]]}
	if c.Kind == keys.KindEnv {
		if c.Var, err = t.askText(ctx, "Name of the variable, which holds the key already", keys.DefaultVar, false); err != nil {
			return err
		}
	}
	cfg, err := t.opts.KeyConfig(c)
	if err != nil {
		return err
	}
	d, _, err := ops.Init(ctx, t.be, cfg)
	if err == nil {
		t.done(d)
	}
	return err
}

// unlock fetches the key of a locked vault; a passphrase or a recovery key is asked
// for on the terminal, by the vault.
func (t *talk) unlock(ctx context.Context, st vault.Status) error {
	q := question{items: []string{"try again"}, ret: "1", top: true}
	t.print("")
	typed := st.Typed()
	switch {
	case st.Provider.Typed():
		t.say("The vault is locked: a %s opens it. It is in %s.", typed, st.Root)
		q.items[0] = "type the " + typed.String() + ", where it does not show"
	case typed.Any():
		t.fail(st.KeyError)
		q.items[0] = "try again, or type the " + typed.String() + ", where it does not show"
	default:
		t.fail(st.KeyError)
	}
	if _, err := t.put(ctx, q); err != nil {
		return err
	}
	return t.be.Unlock(ctx)
}

// lock forgets the key, and waits for somebody to want it again.
func (t *talk) lock(ctx context.Context) error {
	if err := t.be.Lock(ctx); err != nil {
		t.fail(err) // it is forgotten all the same
	}
	t.undo = nil
	t.print("")
	t.say("The vault is locked.")
	if _, err := t.put(ctx, question{items: []string{"open it again"}, ret: "1", top: true}); err != nil {
		return err
	}
	return t.open(ctx)
}

// idle is how long a vault with a passphrase stays open by itself.
const idle = 15 * time.Minute

// watch has a vault with a passphrase locked when the answer to a prompt does
// not come. Whatever needs the vault then asks for the passphrase.
func (t *talk) watch(ctx context.Context, prompt string) {
	t.in.Idle = nil
	if !t.locks {
		return
	}
	t.in.IdleAfter = cmp.Or(t.opts.Idle, idle)
	t.in.Idle = func() {
		err := t.be.Lock(ctx)
		t.print("")
		t.say("The vault was locked, as nothing was typed for %s.", text.Duration(t.in.IdleAfter))
		if err != nil {
			t.fail(err) // it is locked all the same
		}
		t.write(prompt)
	}
}
