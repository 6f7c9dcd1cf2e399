package flat

import (
	"context"
	"errors"

	"aivault/broker"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// askCapability asks which of the capabilities that a secret serves is meant,
// and goes on with it.
func (t *talk) askCapability(ctx context.Context, secret vault.ID, then func(context.Context, string) error) error {
	uses, err := t.be.Uses(ctx, secret)
	switch {
	case err != nil:
		return err
	case len(uses.Capabilities) == 0:
		t.say("No capability can use it yet. Make a credential of it, or bind it to a capability.")
		return same
	case len(uses.Capabilities) == 1:
		return then(ctx, uses.Capabilities[0])
	}
	n, err := t.one(ctx, "Which capability?", uses.Capabilities, -1)
	if err != nil {
		return err
	}
	return then(ctx, uses.Capabilities[n])
}

// why tells which secret a capability uses where people look from, and from
// elsewhere if they ask.
func (t *talk) why(ctx context.Context, capability string) error {
	from := t.at
	return t.loop(ctx, func(ctx context.Context) (menu, error) {
		l, err := t.be.Explain(ctx, capability, from, "")
		if err != nil {
			return menu{}, err
		}
		t.ladder(l)
		t.line(ops.ExplainLine(capability, from, ""))
		return menu{title: "What next?", items: []choice{
			{"look from somewhere else", func(ctx context.Context) error {
				c, err := t.askContext(ctx, "From where?", from)
				if err == nil {
					from = c
				}
				return err
			}},
			{"make a test call from there", func(ctx context.Context) error {
				at := t.at
				t.at = from
				defer func() { t.at = at }()
				return t.test(ctx, capability)
			}},
		}}, nil
	})
}

// ladder says what was looked at, the narrowest scope first, and what is used.
func (t *talk) ladder(l *broker.Ladder) {
	t.print("")
	t.say("%s, called from %s.", l.Capability, contextText(l.Context))
	tier := vault.Level(99)
	for _, r := range l.Rungs {
		if r.Tier != tier {
			tier = r.Tier
			if tier == 0 {
				t.say("Not for this context:")
			} else {
				t.say("%s:", capital(tier.String()))
			}
		}
		what := r.Kind
		if r.ID != "" {
			what += " " + r.ID
		}
		if r.SecretName != "" {
			what += " with " + r.SecretName
		}
		taken := ""
		if r.Taken {
			taken = "taken: "
		}
		t.say("- %s%s; %s.", taken, what, r.Reason)
	}
	switch {
	case l.Err != nil:
		t.say("Nothing is used: %s.", l.Err)
	case l.Via == "binding":
		t.say("Used: %s by binding, with the authentication of %s.", l.SecretName, l.Lender)
	default:
		t.say("Used: %s by credential %s.", l.SecretName, l.Credential)
	}
}

// isBack reports whether somebody went back.
func isBack(err error) bool { return errors.Is(err, back) }
