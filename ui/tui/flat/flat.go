// Package flat is the terminal interface for people whom screens do not serve:
// with a screen reader, a braille line, or a terminal that can do nothing but
// print. It asks questions and prints answers, one line after the other.
// Nothing is drawn, nothing moves, nothing that was printed changes.
//
// Everything that can be done on screens can be done here, by the same
// operations (package ops), and each says which command line does the same. A
// question says what return stands for; at every one b goes back to the one
// before, and q ends the program. The end of the input ends it, too.
//
// Values of secrets are typed where the terminal does not show them, or come
// from files; they are no lines of the conversation.
package flat

import (
	"context"
	"errors"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// Options are what a conversation needs to know besides the vault. The session
// of the vault asks for passphrases on the terminal by itself.
type Options struct {
	ASCII bool // the terminal draws ASCII only
	// Idle is how long a vault with a passphrase stays open while nothing is
	// typed; 0: 15 minutes.
	Idle time.Duration
	// FirstUse says where the key of a new vault goes when nobody chooses.
	FirstUse func(ctx context.Context) (keys.Config, error)
	// KeyConfig turns a choice into a configuration.
	KeyConfig func(c app.KeyChoice) (keys.Config, error)
}

// A way is how a question was left without an answer. It is the error of
// everything that asked it.
type way string

const (
	back way = "back" // to the question before
	quit way = "quit" // the program
	over way = "over" // the input ended
)

func (w way) Error() string { return string(w) }

// A talk is one conversation.
type talk struct {
	env  *app.Env
	be   app.Backend
	opts Options
	in   *app.Lines
	at   vault.Context // where people look from
	undo *ops.Undo     // of the last change; nil: it cannot be taken back
	// locks says that the vault is locked when nothing is typed for long.
	locks bool
	err   error // of writing, the first
}

// Run holds a conversation until it is ended, or its input is. Its error is one
// that keeps it from going on; what fails on the way is told, and asked again.
func Run(ctx context.Context, env *app.Env, be app.Backend, o Options) error {
	t := &talk{env: env, be: be, opts: o, in: app.NewLines(env.Stdin)}
	t.say("This is aivault in plain lines. At every question return takes what is said to be the default, b goes back, q quits, and ? tells more.")
	err := t.open(ctx)
	if err == nil {
		err = t.loop(ctx, t.mainMenu)
	}
	switch {
	case t.err != nil:
		return t.err
	case errors.Is(err, quit), errors.Is(err, back), err == nil:
		t.say("Goodbye.")
		return t.err
	case errors.Is(err, over):
		t.print("") // the question is still on its line
		return t.err
	case fault.CodeOf(err) == fault.Canceled:
		t.print("")
	}
	return err
}

// mainMenu is where everything begins.
func (t *talk) mainMenu(context.Context) (menu, error) {
	place := ops.Place(t.at.Scope())
	return menu{
		title: "Main menu. You look from " + place + ".",
		items: []choice{
			{"secrets: what is effective in " + place, t.loopOf(t.secrets)},
			{"another scope to look from", t.moveTo},
			{"capabilities: what may be called, and test calls", t.loopOf(t.providers)},
			{"credentials: how secrets authenticate, and where", t.loopOf(t.credentials)},
			{"audit log: who did what", t.audit},
			{"lock: forget the key of the vault", t.lock},
		},
		ret: "1",
		top: true,
	}, nil
}

// moveTo asks where to look from.
func (t *talk) moveTo(ctx context.Context) error {
	scope, err := t.askScope(ctx, "Which scope do you want to look from?", t.at.Scope())
	if err == nil {
		t.at = vault.Context{Workspace: scope.Workspace, Group: scope.Group}
	}
	return err
}

// done tells what was done.
func (t *talk) done(d ops.Done) {
	if len(d.Lines) == 0 { // nothing was
		t.say("%s.", capital(d.Text))
		return
	}
	t.say("Done: %s.", d.Text)
	for _, l := range d.Lines {
		t.line(l)
	}
	t.undo = d.Undo
	if d.Undo != nil {
		t.say("In a menu, z takes it back.")
	}
}

// takeBack takes the last change back.
func (t *talk) takeBack(ctx context.Context) error {
	u := t.undo
	t.undo = nil
	d, err := u.Run(ctx)
	if err == nil {
		t.done(d)
	}
	return err
}

// ends reports whether an error ends the conversation, rather than what was
// being done.
func ends(err error) bool {
	return errors.Is(err, quit) || errors.Is(err, over) || fault.CodeOf(err) == fault.Canceled
}
