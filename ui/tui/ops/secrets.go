package ops

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// CreateSecret stores a secret. Its command line asks for the value, which the
// caller clears.
func CreateSecret(ctx context.Context, be app.Backend, n vault.NewSecret) (Done, vault.Secret, error) {
	s, err := be.CreateSecret(ctx, n)
	if err != nil {
		return Done{}, s, err
	}
	l := line("secrets", "create", "--name", s.Name).scope(s.Scope).each("--alias", s.Aliases)
	if s.AttachedOnly {
		l = append(l, "--attached-only")
	}
	return Done{
		Text:  "stored " + s.Name + " " + in(s.Scope) + provisioned(ctx, be, s) + short(n.Value),
		Lines: []Line{l},
	}, s, nil
}

// provisioned says what the registry made of a secret. That it cannot be told
// is no reason to call what was done a failure.
func provisioned(ctx context.Context, be app.Backend, s vault.Secret) string {
	p, err := be.Provisioned(ctx, s)
	if err != nil || p == nil {
		return ""
	}
	pinned := ", pinned to " + p.Provider
	switch {
	case p.NeedsHost != "":
		return pinned + "; a credential is to name your host under " + p.NeedsHost
	case len(p.Missing) > 0:
		return pinned + ", which waits for " + strings.Join(p.Missing, " and ") + " in the same scope"
	case p.Disabled:
		return pinned + ", whose credential " + p.Credential + " was deleted"
	case p.Credential != "":
		return pinned + ", credential " + p.Credential + ", " + text.Plural(p.Capabilities, "capability")
	}
	return pinned
}

// shortValue is under how many bytes a value is short, as the command line has
// it: it is removed from an answer only where it stands alone.
const shortValue = 8

// short warns of a value that was stored and is short.
func short(v vault.Value) string {
	if n := len(bytes.TrimRight(v.Reveal(), "\r\n")); n < shortValue {
		return "; the value is so short that it can be guessed"
	}
	return ""
}

// RotateSecret gives a secret a new value, which the caller clears.
func RotateSecret(ctx context.Context, be app.Backend, id vault.ID, v vault.Value, rev vault.IfRevision) (Done, vault.Secret, error) {
	s, err := be.RotateSecret(ctx, id, v, rev)
	if err != nil {
		return Done{}, s, err
	}
	return Done{
		Text:  fmt.Sprintf("rotated %s %s to version %d", s.Name, in(s.Scope), s.Version) + short(v),
		Lines: []Line{line("secrets", "rotate", "--id", ref(ctx, be, id))},
	}, s, nil
}

// UpdateSecret renames a secret, or changes its aliases.
//
// Taken back, a rename leaves the secret pinned to the provider that claims the
// name which it had in between: a pin is for good.
func UpdateSecret(ctx context.Context, be app.Backend, id vault.ID, c vault.SecretChange, rev vault.IfRevision) (Done, vault.Secret, error) {
	was, err := be.FindSecret(ctx, id.String())
	if err != nil {
		return Done{}, was, err
	}
	if rev == 0 {
		rev = vault.IfRevision(was.Revision) // what is taken back must be what was there
	}
	s, err := be.UpdateSecret(ctx, id, c, rev)
	if err != nil {
		return Done{}, s, err
	}
	l := line("secrets", "update", "--id", ref(ctx, be, id))
	var back vault.SecretChange
	var did, undo []string
	if s.Name != was.Name {
		l = l.with("--name", s.Name)
		back.Name = &was.Name
		did, undo = append(did, "renamed "+was.Name+" to "+s.Name), append(undo, "rename "+was.Name+" to "+s.Name)
	}
	if !slices.Equal(s.Aliases, was.Aliases) {
		if len(s.Aliases) == 0 {
			l = append(l, "--clear-aliases")
		}
		l = l.each("--alias", s.Aliases)
		back.Aliases = new(slices.Clone(was.Aliases))
		did, undo = append(did, "changed the aliases of "+s.Name), append(undo, "change the aliases of "+s.Name)
	}
	if did == nil {
		return Done{Text: "nothing changed: " + s.Name + " has that name and those aliases"}, s, nil
	}
	d := Done{Text: strings.Join(did, ", ") + " " + in(s.Scope), Lines: []Line{l}}
	if s.Name != was.Name {
		d.Text += provisioned(ctx, be, s)
	}
	d.Undo = &Undo{Text: strings.Join(undo, ", "), Run: func(ctx context.Context) (Done, error) {
		d, _, err := UpdateSecret(ctx, be, id, back, vault.IfRevision(s.Revision))
		return d, refused(err)
	}}
	return d, s, nil
}

// refused says of an error that it kept something from being taken back, where it
// comes of what somebody did meanwhile.
func refused(err error) error {
	switch fault.CodeOf(err) {
	case fault.Conflict, fault.AlreadyExists, fault.SecretNotFound, fault.CapabilityNotFound:
		return fault.Wrap(fault.Conflict, err, "it is not taken back").WithHint("look at it again; you can change it by hand")
	}
	return err
}

// DeleteSecrets deletes secrets with all that depends on them, all or none.
func DeleteSecrets(ctx context.Context, be app.Backend, which ...vault.SecretAt) (Done, []vault.Removed, error) {
	refs := map[vault.ID]string{} // found while they are there
	for _, w := range which {
		refs[w.ID] = ref(ctx, be, w.ID)
	}
	removed, err := be.DeleteSecrets(ctx, which)
	if err != nil {
		return Done{}, nil, err
	}
	var d Done
	var creds []string
	bindings := 0
	for _, r := range removed {
		d.Lines = append(d.Lines, line("secrets", "delete", "--id", refs[r.Secret.ID]))
		creds = append(creds, r.Credentials...)
		bindings += len(r.Bindings)
	}
	if len(removed) == 1 {
		d.Text = "deleted " + removed[0].Secret.Name + " " + in(removed[0].Secret.Scope)
	} else {
		d.Text = "deleted " + text.Plural(len(removed), "secret")
	}
	switch {
	case len(creds) == 1:
		d.Text += ", with credential " + creds[0]
	case len(creds) > 1:
		d.Text += ", with " + text.Plural(len(creds), "credential")
	}
	if bindings > 0 {
		d.Text += ", with " + text.Plural(bindings, "binding")
	}
	return d, removed, nil
}
