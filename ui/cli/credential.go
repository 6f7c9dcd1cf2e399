package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/vault"
)

// maxCACert is the size of the largest file of certificates, in bytes.
const maxCACert = 256 << 10

func newCredential(sh *shell) *cobra.Command {
	return family("credential", `A credential is a provider's account: a secret, how to authenticate with it, and
the hosts that it is for. Secrets whose names a provider claims get theirs by
themselves; for other APIs, and for a second account, make one here.`,
		newCredentialCreate(sh), newCredentialList(sh), newCredentialDelete(sh))
}

// credentialFlags are the flags of credential create.
type credentialFlags struct {
	provider, secretRef string
	workspace, group    string
	auth                string
	hosts               []string
	how                 broker.AuthFlags
	allowPrivate        bool
	caCert              string
	proof               valueFlags
	set                 *pflag.FlagSet
}

func newCredentialCreate(sh *shell) *cobra.Command {
	var f credentialFlags
	cmd := &cobra.Command{
		Use:                   "create ID --provider NAME --secret-ref REF [--auth KIND] [--host HOST]",
		Short:                 "make a credential",
		Long:                  credentialHelp,
		Example:               credentialExamples,
		DisableFlagsInUseLine: true,
		Args:                  oneArg("credential's id"),
	}
	f.add(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, args []string) error {
		n, err := f.parse(ctx, sh, be, args[0])
		if err != nil {
			return err
		}
		return f.proof.withProof(ctx, sh, func(proof opaque.Bytes) error {
			n.Proof = proof
			c, err := be.CreateCredential(ctx, n)
			if err != nil {
				return err
			}
			if sh.out.json {
				return sh.out.printJSON(toCredential(c))
			}
			return sh.printMade(ctx, be, &c)
		})
	})
	return cmd
}

// printMade says what a new credential is for: its own scope, or that of its
// secret where the secret's is narrower.
func (sh *shell) printMade(ctx context.Context, be app.Backend, c *broker.Credential) error {
	s, err := be.FindSecret(ctx, c.Secret.String())
	if err != nil {
		return err
	}
	scope := c.Scope
	if s.Scope.Level > scope.Level {
		scope = s.Scope
	}
	sh.out.printf("credential %s made: %s with %s", sh.out.strong(c.ID), c.Auth.Kind, s.Name)
	sh.out.printf("at %s, %s", someHosts(c.Hosts), scope)
	list, err := be.Capabilities(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(a broker.Capability) bool { return c.Carries(&a) }) {
		sh.out.noticef("nothing may be called with it yet: say what with `aivault capability create %s/NAME --credential %s`", c.Provider, c.ID)
	}
	return nil
}

// someHosts names the first of several hosts, and how many more there are.
func someHosts(hosts []string) string {
	switch len(hosts) {
	case 0:
		return "-"
	case 1:
		return hosts[0]
	}
	return fmt.Sprintf("%s and %d more", hosts[0], len(hosts)-1)
}

func (f *credentialFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.SortFlags = false
	f.set = fs
	text(fs, &f.provider, "provider", "NAME", "the service, such as openai or one of your own")
	text(fs, &f.secretRef, "secret-ref", "REF", "the secret: vault:secret:ID, its id, or the first digits of its id")
	text(fs, &f.workspace, "workspace-id", "ID", "for calls from this workspace only")
	text(fs, &f.group, "group-id", "ID", "for calls from this group of the workspace only")
	text(fs, &f.auth, "auth", "KIND", "how to authenticate, one of those above")
	many(fs, &f.hosts, "host", "HOST", "a host that the secret may be sent to, with a port if it is not 443")
	f.addAuth(fs)
	fs.BoolVar(&f.allowPrivate, "allow-private", false, "the hosts may be private or of this machine; needs --ca-cert")
	text(fs, &f.caCert, "ca-cert", "PATH", "the certificate authority of private hosts, as PEM")
	f.proof.addSources(cmd)

	// Documented, and for a provider that is still to come.
	var later string
	fs.StringVar(&later, laterFlag, "", "")
	fs.Lookup(laterFlag).Hidden = true
}

const laterFlag = "max-policy-mode"

// parse turns the flags into a request.
func (f *credentialFlags) parse(ctx context.Context, sh *shell, be app.Backend, id string) (broker.NewCredential, error) {
	n := broker.NewCredential{ID: id, Provider: f.provider, Hosts: f.hosts, AllowPrivate: f.allowPrivate}
	if f.set.Changed(laterFlag) {
		return n, fault.New(fault.InvalidRequest, "--%s is not supported yet", laterFlag).WithHint("it is for databases, which no provider is so far")
	}
	err := refuseEmpty(f.set, widerScope, "workspace-id", "group-id")
	if err != nil {
		return n, err
	}
	if err := refuseEmpty(f.set, leaveOut, "host", "ca-cert"); err != nil {
		return n, err
	}
	if n.Auth, err = f.parseAuth(); err != nil {
		return n, err
	}
	if n.Scope, err = vault.NewScope(f.workspace, f.group); err != nil {
		return n, err
	}
	reserved := false
	if f.provider == "" && f.secretRef == "" {
		if reserved, err = isReserved(ctx, be, id); err != nil {
			return n, err
		}
	}
	switch {
	case reserved:
		return n, nil // brings back what the registry made
	case f.provider == "":
		return n, fault.New(fault.Usage, "--provider is required")
	case f.secretRef == "":
		return n, fault.New(fault.Usage, "--secret-ref is required")
	}
	if f.caCert != "" {
		if n.CACert, err = sh.env.ReadFile(ctx, f.caCert, maxCACert); err != nil {
			return n, err
		}
	}
	s, err := be.FindSecret(ctx, f.secretRef)
	n.Secret = s.ID
	return n, err
}

// isReserved reports whether only the registry makes a credential of this id.
func isReserved(ctx context.Context, be app.Backend, id string) (bool, error) {
	if strings.Contains(id, ":") {
		return true, nil
	}
	all, err := be.Providers(ctx)
	return slices.ContainsFunc(all, func(p broker.Provider) bool { return p.ID == id }), err
}

func newCredentialList(sh *shell) *cobra.Command {
	var scope scopeFlags
	cmd := &cobra.Command{
		Use:   "list [--workspace-id ID [--group-id ID]]",
		Short: "list credentials",
		Long: `Lists credentials: those that were made by hand, and those that aivault makes of
secrets whose names a provider claims. With ids, those of that scope only.`,
		Example:               "aivault credential list",
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	cmd.Flags().SortFlags = false
	scope.add(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		s, err := scope.parse()
		if err != nil {
			return err
		}
		list, err := be.Credentials(ctx)
		if err != nil {
			return err
		}
		if scope.given() {
			list = slices.DeleteFunc(list, func(c broker.Credential) bool { return c.Scope != s })
		}
		return sh.printCredentials(ctx, be, list)
	})
	return cmd
}

func (sh *shell) printCredentials(ctx context.Context, be app.Backend, list []broker.Credential) error {
	if sh.out.json {
		path, err := storePath(ctx, be)
		if err != nil {
			return err
		}
		return sh.out.printJSON(struct {
			Credentials []credentialJSON `json:"credentials"`
			Path        string           `json:"path"`
		}{mapTo(list, toCredential), path})
	}
	if len(list) == 0 {
		sh.out.printf("No credentials. Store a secret under a name that a provider claims, such as")
		sh.out.printf("OPENAI_API_KEY, or make one with: aivault credential create")
		return nil
	}
	rows := [][]cell{heading("ID", "PROVIDER", "AUTH", "SCOPE", "HOSTS")}
	for _, c := range list {
		hosts := someHosts(c.Hosts)
		if c.AllowPrivate {
			hosts += " (private)"
		}
		rows = append(rows, cells(c.ID, c.Provider, c.Auth.Kind, c.Scope.String(), hosts))
	}
	sh.out.table(rows)
	sh.out.printf("%s", count(len(list), "credential"))
	return nil
}

// storePath is where credentials, capabilities and bindings are kept.
func storePath(ctx context.Context, be app.Backend) (string, error) {
	st, err := be.Status(ctx)
	return st.File, err
}

func newCredentialDelete(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "delete a credential",
		Long: `Deletes a credential; its secret stays. One that aivault made does not come back
by itself: 'aivault credential create' with its id brings it back.`,
		Example:               "aivault credential delete intranet",
		DisableFlagsInUseLine: true,
		Args:                  oneArg("credential's id"),
		RunE: sh.run(func(ctx context.Context, be app.Backend, args []string) error {
			removed, err := be.DeleteCredential(ctx, args[0])
			if err != nil {
				return err
			}
			return sh.printGone(removed, "credential", args[0])
		}),
	}
}

// goneJSON says whether something was there to remove.
type goneJSON struct {
	Removed bool   `json:"removed"`
	ID      string `json:"id"`
}

// printGone says whether a thing of that id was there to remove.
func (sh *shell) printGone(removed bool, kind, id string) error {
	if sh.out.json {
		return sh.out.printJSON(goneJSON{removed, id})
	}
	sh.out.removed(removed, kind+" "+id)
	return nil
}

// removed says whether something was there to remove.
func (o *output) removed(was bool, what string) {
	if was {
		o.printf("%s deleted", what)
	} else {
		o.printf("there is no %s", what)
	}
}
