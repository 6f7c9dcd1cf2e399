package cli

import (
	"bytes"
	"context"
	"net/url"
	"os/exec"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/vault"
)

// loginFlags are the flags of oauth login.
type loginFlags struct {
	login      broker.Login
	provider   string
	secretFile string
	secretIn   bool
	clientAuth string
	params     []string
	workspace  string
	group      string
	caCert     string
	credential string
	hosts      []string
	browser    bool
	set        *pflag.FlagSet
}

func newOAuthLogin(sh *shell) *cobra.Command {
	var f loginFlags
	cmd := &cobra.Command{
		Use:   "login --provider NAME --client-id ID [--auth-url URL --token-endpoint URL --name SECRET] [--scope SCOPE] [--credential ID --host HOST]",
		Short: "get the tokens of an account, with its owner's consent",
		Long: `Prints an address at which the owner of an account consents, waits until that is
done, and stores the tokens as a secret: a new one, or a new value of the one
that has the name in that scope. Nobody sees a token. With --credential, it also
makes a credential for the hosts that are given and that of the tokens.

Of a provider that aivault knows by OAuth, addresses, scopes and the name of the
secret may be left out, and the credential makes itself.

The address may be opened on this machine only: the browser is sent back to it.`,
		Example: `aivault oauth login --provider spotify --client-id 7f31 --client-secret-file client.txt
aivault oauth login --provider acme --auth-url https://acme.example/authorize --token-endpoint https://acme.example/token --client-id 7f31 --client-secret-file client.txt --scope read --name ACME_OAUTH --credential acme --host api.acme.example`,

		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	f.add(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		l, err := f.parse(ctx, sh)
		defer l.ClientSecret.Clear()
		if err != nil {
			return err
		}
		if l.Credential, err = f.newCredential(&l); err != nil {
			return err
		}
		l.Open = func(url string) error { return sh.askConsent(url, f.browser) }
		s, err := be.Login(ctx, l)
		if err != nil {
			return err
		}
		return sh.printLogin(ctx, be, s, f.credential)
	})
	return cmd
}

func (f *loginFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.SortFlags = false
	f.set = fs
	l := &f.login
	text(fs, &f.provider, "provider", "NAME", "the service")
	text(fs, &l.AuthURL, "auth-url", "URL", "its authorization endpoint")
	text(fs, &l.TokenEndpoint, "token-endpoint", "URL", "its token endpoint")
	text(fs, &l.ClientID, "client-id", "ID", "the id of your application there")
	text(fs, &f.secretFile, "client-secret-file", "PATH", "read the application's secret from a file; a public one has none")
	fs.BoolVar(&f.secretIn, "client-secret-stdin", false, "read it from the standard input")
	text(fs, &f.clientAuth, "client-auth", "WAY", "how that secret is sent: basic (default) or body")
	many(fs, &l.Scopes, "scope", "SCOPE", "what to ask leave for")
	many(fs, &f.params, "auth-param", "NAME=VALUE", "a further parameter of the authorization, such as access_type=offline")
	text(fs, &l.Name, "name", "NAME", "the secret that takes the tokens")
	text(fs, &f.workspace, "workspace-id", "ID", "the workspace of the secret")
	text(fs, &f.group, "group-id", "ID", "its group in that workspace")
	text(fs, &f.credential, "credential", "ID", "make this credential, too")
	many(fs, &f.hosts, "host", "HOST", "of the credential: a host that may be called")
	fs.BoolVar(&l.AllowPrivate, "allow-private", false, "the hosts may be private or of this machine; needs --ca-cert")
	text(fs, &f.caCert, "ca-cert", "PATH", "the certificate authority of private hosts, as PEM")
	fs.BoolVar(&f.browser, "browser", false, "open the address in a browser")
	require(cmd, "provider", "client-id")
}

// parse turns the flags into a login, whose client secret the caller clears.
func (f *loginFlags) parse(ctx context.Context, sh *shell) (broker.Login, error) {
	l := f.login
	err := refuseEmpty(f.set, leaveOut, "workspace-id", "group-id", "client-secret-file", "client-auth", "scope", "credential", "host", "ca-cert",
		"auth-url", "token-endpoint", "name")
	switch {
	case err != nil:
		return l, err
	case f.secretFile != "" && f.secretIn:
		return l, fault.New(fault.Usage, "provide only one of --client-secret-file and --client-secret-stdin")
	case f.clientAuth != "" && f.clientAuth != "basic" && f.clientAuth != "body":
		return l, fault.New(fault.Usage, "--client-auth is basic or body")
	case (f.credential == "") != (len(f.hosts) == 0):
		return l, fault.New(fault.Usage, "--credential and --host go together")
	case l.TokenEndpoint == "" && f.clientAuth != "":
		return l, fault.New(fault.Usage, "--client-auth goes with --token-endpoint")
	}
	l.Provider = f.provider
	l.InBody = f.clientAuth == "body"
	if l.Scope, err = vault.NewScope(f.workspace, f.group); err != nil {
		return l, err
	}
	for i, p := range f.params {
		name, value, ok := cutPair(p)
		if !ok {
			return l, fault.New(fault.Usage, "parameter %d of --auth-param is not NAME=VALUE", i+1)
		}
		l.Extra = append(l.Extra, broker.Header{Name: name, Value: value})
	}
	if f.caCert != "" {
		if l.CACert, err = sh.env.ReadFile(ctx, f.caCert, maxCACert); err != nil {
			return l, err
		}
	}
	if f.secretIn {
		f.secretFile = "-"
	}
	if f.secretFile != "" {
		line, err := readValue(ctx, sh, f.secretFile)
		if err != nil {
			return l, err
		}
		l.ClientSecret = opaque.New(bytes.TrimRight(line.Reveal(), "\r\n"))
	}
	return l, nil
}

// newCredential returns the credential to make, or nil.
func (f *loginFlags) newCredential(l *broker.Login) (*broker.NewCredential, error) {
	if f.credential == "" {
		return nil, nil
	}
	if l.TokenEndpoint == "" { // the registry's, and so is how it is used
		return &broker.NewCredential{
			ID: f.credential, Provider: f.provider, Scope: l.Scope, Hosts: f.hosts,
			AllowPrivate: l.AllowPrivate, CACert: l.CACert,
		}, nil
	}
	endpoint, err := url.Parse(l.TokenEndpoint)
	if err != nil || endpoint.Host == "" {
		return nil, fault.New(fault.Usage, "--token-endpoint is no https address")
	}
	cfg, err := broker.ParseAuth("oauth2", broker.AuthFlags{TokenEndpoint: l.TokenEndpoint, Scopes: l.Scopes, ClientAuth: f.clientAuth})
	if err != nil {
		return nil, err
	}
	hosts := slices.Clone(f.hosts)
	if !slices.Contains(hosts, endpoint.Host) {
		hosts = append(hosts, endpoint.Host)
	}
	return &broker.NewCredential{
		ID: f.credential, Provider: f.provider, Scope: l.Scope, Auth: &cfg, Hosts: hosts,
		AllowPrivate: l.AllowPrivate, CACert: l.CACert,
	}, nil
}

// printLogin prints the secret of a login, and the credential of that id if it
// made one.
func (sh *shell) printLogin(ctx context.Context, be app.Backend, s vault.Secret, credential string) error {
	out := struct {
		secretJSON
		Credential *credentialJSON `json:"credential,omitempty"`
	}{secretJSON: toSecret(s)}
	var made broker.Credential
	if credential != "" {
		list, err := be.Credentials(ctx)
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.ID == credential {
				made = c
			}
		}
		out.Credential = new(toCredential(made))
	}
	if sh.out.json {
		return sh.out.printJSON(out)
	}
	if err := sh.printSecret(s, "holds the tokens"); err != nil {
		return err
	}
	if credential != "" {
		return sh.printMade(ctx, be, &made)
	}
	return sh.provisioned(ctx, be, s)
}

// askConsent shows the owner of an account where to consent.
func (sh *shell) askConsent(url string, browser bool) error {
	if sh.out.json {
		sh.out.message(map[string]string{"notice": "to consent, open the address on this machine", "consentUrl": url})
	} else {
		sh.out.noticef("to consent, open this address on this machine:\n%s", url)
	}
	if !browser {
		return nil
	}
	if err := openBrowser(url); err != nil {
		sh.out.noticef("no browser could be started: %v", err)
	}
	return nil
}

// openBrowser has the system's browser open an address.
func openBrowser(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	cmd := exec.Command(name, args...)
	cmd.Env = strangersEnv()
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // it is the person's from here on
	return nil
}
