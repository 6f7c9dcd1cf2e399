package flat

import (
	"context"
	"fmt"
	"strings"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// create stores a new secret.
func (t *talk) create(ctx context.Context) error {
	scope, err := t.askScope(ctx, "For which scope is the new secret?", t.at.Scope())
	if err != nil {
		return err
	}
	n := vault.NewSecret{Scope: scope}
	if n.Name, err = t.askName(ctx, scope); err != nil {
		return err
	}
	if n.Aliases, err = t.askAliases(ctx, nil); err != nil {
		return err
	}
	if scope.Level == vault.Global {
		if n.AttachedOnly, err = t.confirm(ctx, "Only for groups that it is attached to?", false); err != nil {
			return err
		}
	}
	if n.Value, err = t.askValue(ctx, "The value of "+n.Name+".", true); err != nil {
		return err
	}
	defer n.Value.Clear()
	if err := t.agree(ctx, "Store "+n.Name+" in "+ops.Place(scope)+"?"); err != nil {
		return err
	}
	d, _, err := ops.CreateSecret(ctx, t.be, n)
	if err == nil {
		t.done(d)
	}
	return err
}

// askName asks for the name of a new secret, until it is one that is free.
func (t *talk) askName(ctx context.Context, scope vault.Scope) (string, error) {
	for {
		name, err := t.askText(ctx, "Name, such as OPENAI_API_KEY", "", false)
		if err != nil {
			return "", err
		}
		claim, err := t.be.Claim(ctx, name, scope)
		switch {
		case fault.CodeOf(err) == fault.InvalidRequest:
			t.fail(err)
			continue
		case err != nil:
			return "", err
		case claim.Taken:
			t.say("There is a secret of that name or alias in %s already. Choose another name, or go back and rotate that one.", ops.Place(scope))
			continue
		}
		for _, s := range claimTexts(claim) {
			t.say("%s", s)
		}
		return name, nil
	}
}

// claimTexts says what storing a name would come to.
func claimTexts(c broker.Claim) []string {
	var out []string
	if c.Provider != "" {
		s := c.ProviderName + " claims the name: the secret will be pinned to it for good"
		switch {
		case c.NeedsHost != "":
			s += "; a credential is to name your host under " + c.NeedsHost
		case len(c.Missing) > 0:
			s += ", and wait for " + strings.Join(c.Missing, " and ") + " in the same scope"
		case c.Disabled:
			s += "; its credential " + c.Credential + " was deleted, and stays so"
		case c.Credential != "":
			s += "; credential " + c.Credential + " and " + text.Plural(c.Capabilities, "capability") + " follow"
		}
		out = append(out, s+".")
	}
	if len(c.LooksLike) > 0 {
		out = append(out, "Its values begin with "+strings.Join(c.LooksLike, " or ")+".")
	}
	if len(c.Shadows) > 0 {
		places := make([]string, len(c.Shadows))
		for i, s := range c.Shadows {
			places[i] = ops.Place(s)
		}
		out = append(out, "It overrides the secret of that name from "+strings.Join(places, " and ")+" there.")
	}
	return out
}

// askAliases asks for further names.
func (t *talk) askAliases(ctx context.Context, ret []string) ([]string, error) {
	what := "Aliases, with commas between them"
	if len(ret) > 0 {
		what += ", or - for none"
	}
	s, err := t.askText(ctx, what, strings.Join(ret, ", "), true)
	if err != nil || s == "" || s == "-" {
		return []string{}, err
	}
	var out []string
	for alias := range strings.SplitSeq(s, ",") {
		out = append(out, strings.TrimSpace(alias))
	}
	return out, nil
}

// rotate gives a secret a new value.
func (t *talk) rotate(ctx context.Context, s vault.Secret) error {
	uses, err := t.be.Uses(ctx, s.ID)
	if err != nil {
		return err
	}
	if len(uses.Capabilities) > 0 {
		t.say("The next calls of %s use the new value.", some(uses.Capabilities))
	}
	t.say("A rotation cannot be taken back.")
	v, err := t.askValue(ctx, "The new value of "+s.Name+".", true)
	if err != nil {
		return err
	}
	defer v.Clear()
	if err := t.agree(ctx, "Replace the value of "+s.Name+"?"); err != nil {
		return err
	}
	d, _, err := ops.RotateSecret(ctx, t.be, s.ID, v, vault.IfRevision(s.Revision))
	if err != nil {
		return err
	}
	t.done(d)
	if len(uses.Capabilities) == 0 {
		return nil
	}
	if try, err := t.confirm(ctx, "Make a test call with it?", false); err != nil || !try {
		return err
	}
	return t.askCapability(ctx, s.ID, t.test)
}

// edit renames a secret, or changes its aliases.
func (t *talk) edit(ctx context.Context, s vault.Secret) error {
	name, err := t.askText(ctx, "New name", s.Name, false)
	if err != nil {
		return err
	}
	if name != s.Name {
		claim, err := t.be.Claim(ctx, name, s.Scope)
		if err != nil {
			return err
		}
		if claim.Provider != "" && claim.Provider != s.PinnedProvider {
			t.say("%s claims the name: the secret will be pinned to it, and another name does not undo that.", claim.ProviderName)
		}
	}
	aliases, err := t.askAliases(ctx, s.Aliases)
	if err != nil {
		return err
	}
	d, _, err := ops.UpdateSecret(ctx, t.be, s.ID, vault.SecretChange{Name: &name, Aliases: &aliases}, vault.IfRevision(s.Revision))
	if err == nil {
		t.done(d)
	}
	return err
}

// delete deletes a secret, once its name was typed.
func (t *talk) delete(ctx context.Context, s vault.Secret) error {
	uses, err := t.be.Uses(ctx, s.ID)
	if err != nil {
		return err
	}
	effects, err := t.be.Effects(ctx, broker.Change{Delete: []vault.ID{s.ID}})
	if err != nil {
		return err
	}
	t.print("")
	t.say("Deleting %s from %s cannot be taken back. Its value is gone then.", s.Name, ops.Place(s.Scope))
	for _, c := range uses.Credentials {
		t.say("With it goes credential %s.", c.ID)
	}
	for _, b := range bindingTexts(uses.Bindings) {
		t.say("With it goes the binding of %s.", b)
	}
	t.effects(effects)
	name, err := t.askText(ctx, "To delete it, type its name", "", true)
	if err != nil {
		return err
	}
	if name != s.Name {
		t.say("That is not its name. Nothing was deleted.")
		return back
	}
	d, _, err := ops.DeleteSecrets(ctx, t.be, vault.SecretAt{ID: s.ID, Revision: vault.IfRevision(s.Revision)})
	if err == nil {
		t.done(d)
	}
	return err
}

// maxEffects is how many effects of a change are told.
const maxEffects = 30

// effects tells what a change does to calls.
func (t *talk) effects(list []broker.Effect) {
	if len(list) == 0 {
		t.say("%s.", capital(ops.NoEffects))
	}
	for i, e := range list {
		if i == maxEffects {
			t.say("And %s more.", fmt.Sprint(len(list)-i))
			return
		}
		t.say("%s.", capital(ops.EffectText(e)))
	}
}
