package flat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// credentials lists how secrets authenticate.
func (t *talk) credentials(ctx context.Context) (menu, error) {
	list, err := t.be.Credentials(ctx)
	m := menu{
		title: "Credentials: " + text.Plural(len(list), "credential") + ".",
		more:  []choice{{"n make a credential", t.newCredential}},
	}
	for _, c := range list {
		label := c.ID + ", " + c.Provider + ", " + c.Auth.Kind + ", " + ops.Place(c.Scope)
		if c.Auto {
			label += ", made by aivault"
		}
		m.items = append(m.items, choice{label, t.credentialMenu(c.ID)})
	}
	return m, err
}

// credentialMenu is what can be done with a credential.
func (t *talk) credentialMenu(id string) func(context.Context) error {
	return t.loopOf(func(ctx context.Context) (menu, error) {
		list, err := t.be.Credentials(ctx)
		if err != nil {
			return menu{}, err
		}
		i := slices.IndexFunc(list, func(c broker.Credential) bool { return c.ID == id })
		if i < 0 {
			t.say("The credential is there no more.")
			return menu{}, gone
		}
		c := &list[i]
		carried, err := t.carried(ctx, c)
		if err != nil {
			return menu{}, err
		}
		return menu{title: "Credential " + c.ID + " of " + c.Provider + ".", notes: t.credentialNotes(ctx, c, carried), items: []choice{
			{"delete it", func(ctx context.Context) error { return t.deleteCredential(ctx, c, carried) }},
		}}, nil
	})
}

// carried lists the capabilities that a credential carries.
func (t *talk) carried(ctx context.Context, c *broker.Credential) ([]string, error) {
	all, err := t.be.Capabilities(ctx)
	var out []string
	for _, a := range all {
		if a.Provider == c.Provider && (c.Capabilities == nil || slices.Contains(c.Capabilities, a.ID)) &&
			slices.ContainsFunc(a.Allow.Hosts, func(h string) bool { return slices.Contains(c.Hosts, h) }) {
			out = append(out, a.ID)
		}
	}
	return out, err
}

func (t *talk) credentialNotes(ctx context.Context, c *broker.Credential, carried []string) []string {
	var names []string
	for _, id := range c.Secrets {
		if s, err := t.be.FindSecret(ctx, id.String()); err == nil {
			names = append(names, s.Name+" of "+ops.Place(s.Scope))
		}
	}
	notes := []string{
		"Scope: " + ops.Place(c.Scope) + ". Secret: " + orNone(names) + ".",
		"It authenticates by " + c.Auth.Kind + ", at " + orNone(c.Hosts) + ".",
		"It carries: " + some(carried) + ".",
	}
	if c.AllowPrivate {
		notes = append(notes, "Its hosts may be private, and are known by a certificate of their own.")
	}
	if c.Auto {
		notes = append(notes, "aivault made it, of the name of the secret.")
	}
	return notes
}

// deleteCredential deletes a credential, once its id was typed.
func (t *talk) deleteCredential(ctx context.Context, c *broker.Credential, carried []string) error {
	t.say("Calls that use %s stop working, or use another credential: %s. Its secret stays.", c.ID, some(carried))
	if c.Auto {
		t.say("It does not come back by itself. To bring it back, make a credential of that id.")
	}
	typed, err := t.askText(ctx, "To delete it, type its id", "", true)
	if err != nil {
		return err
	}
	if typed != c.ID {
		t.say("That is not its id. Nothing was deleted.")
		return back
	}
	d, _, err := ops.DeleteCredential(ctx, t.be, c.ID)
	if err == nil {
		t.done(d)
	}
	return err
}

// newCredential asks for the secret of a new credential, or for the id of one
// that is to come back.
func (t *talk) newCredential(ctx context.Context) error {
	all, err := t.be.Secrets(ctx, nil)
	if err != nil {
		return err
	}
	q := question{
		text: "Of which secret?", letters: []letter{{"r", "none: bring one back that aivault made and that was deleted"}},
	}
	for _, s := range all {
		q.items = append(q.items, s.Name+", "+ops.Place(s.Scope)+t.rest(&s))
	}
	a, err := t.put(ctx, q)
	if err != nil {
		return err
	}
	if a.key == "r" {
		id, err := t.askText(ctx, "Its id, such as stripe or stripe:workspace:shop", "", false)
		if err != nil {
			return err
		}
		return t.makeCredential(ctx, broker.NewCredential{ID: id}, "")
	}
	return t.newCredentialOf(ctx, all[a.numbers[0]])
}

// newCredentialOf makes a credential of a secret.
func (t *talk) newCredentialOf(ctx context.Context, s vault.Secret) error {
	n := broker.NewCredential{Secret: s.ID, Provider: s.PinnedProvider}
	var err error
	if n.ID, err = t.askText(ctx, "Id of the credential", "", false); err != nil {
		return err
	}
	if n.Provider == "" {
		if n.Provider, err = t.askText(ctx, "Provider, such as openai or one of your own", n.ID, false); err != nil {
			return err
		}
	}
	providers, err := t.be.Providers(ctx)
	if err != nil {
		return err
	}
	known := slices.ContainsFunc(providers, func(p broker.Provider) bool { return p.ID == n.Provider })
	if n.Auth, err = t.askAuth(ctx, known); err != nil {
		return err
	}
	what := "Hosts, with spaces between them, each with a port if it is not 443"
	if known {
		what += "; none: those that aivault knows"
	}
	hosts, err := t.askText(ctx, what, "", known)
	if err != nil {
		return err
	}
	n.Hosts = strings.Fields(hosts)
	caFile := ""
	if n.AllowPrivate, err = t.confirm(ctx, "May the hosts be private, or of this machine?", false); err != nil {
		return err
	}
	if n.AllowPrivate {
		if caFile, n.CACert, err = t.askCA(ctx); err != nil {
			return err
		}
	}
	if n.Scope, err = t.askScope(ctx, "For calls from which scope?", s.Scope); err != nil {
		return err
	}
	return t.makeCredential(ctx, n, caFile)
}

// maxCACert is the size of the largest file of certificates, in bytes.
const maxCACert = 256 << 10

// askCA asks for the certificate authority of private hosts.
func (t *talk) askCA(ctx context.Context) (path string, pem []byte, err error) {
	for {
		path, err := t.askText(ctx, "File with the certificate of their authority, as PEM", "", false)
		if err != nil {
			return "", nil, err
		}
		pem, err := t.readFile(ctx, path, maxCACert)
		if err == nil || fault.CodeOf(err) == fault.Canceled {
			return path, pem, err
		}
		t.fail(err)
	}
}

// makeCredential makes a credential.
func (t *talk) makeCredential(ctx context.Context, n broker.NewCredential, caFile string) error {
	if err := t.agree(ctx, fmt.Sprintf("Make credential %s?", text.Line(n.ID))); err != nil {
		return err
	}
	return t.withProof(ctx, func(proof vault.Value) error {
		n.Proof = proof
		d, c, err := ops.CreateCredential(ctx, t.be, n, caFile)
		if err != nil {
			return err
		}
		t.done(d)
		carried, err := t.carried(ctx, &c)
		if err == nil && len(carried) == 0 {
			t.say("Nothing may be called with it yet: make a custom capability from it.")
		}
		return err
	})
}
