package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/ui/app"
)

func newOAuth(sh *shell) *cobra.Command {
	return family("oauth", `For accounts that are reached by OAuth: their owner consents in a browser, and
aivault keeps the tokens that come of it, and renews them.`,
		newOAuthLogin(sh), newOAuthSetup(sh))
}

func newOAuthSetup(sh *shell) *cobra.Command {
	var c broker.Consent
	var provider string
	cmd := &cobra.Command{
		Use:   "setup --provider NAME --auth-url URL --client-id ID --redirect-uri URI [--scope SCOPE]",
		Short: "print the address at which to consent",
		Long: `Prints the address at which the owner of an account consents. What comes back is
for a program of yours to exchange for tokens; 'aivault oauth login' does all of
that by itself.`,
		Example: `aivault oauth setup --provider acme --auth-url https://acme.example/authorize --client-id 7f31 --redirect-uri http://127.0.0.1:8912/callback --scope read`,

		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &provider, "provider", "NAME", "the service")
	text(fs, &c.AuthURL, "auth-url", "URL", "its authorization endpoint")
	text(fs, &c.ClientID, "client-id", "ID", "the id of your application there")
	text(fs, &c.RedirectURI, "redirect-uri", "URI", "where the code is sent, as the application is registered")
	many(fs, &c.Scopes, "scope", "SCOPE", "what to ask leave for")
	text(fs, &c.State, "state", "TEXT", "what comes back with the code, to know it by")
	require(cmd, "provider", "auth-url", "client-id", "redirect-uri")
	cmd.RunE = sh.run(func(context.Context, app.Backend, []string) error {
		if err := refuseEmpty(fs, leaveOut, "scope", "state"); err != nil {
			return err
		}
		url, err := broker.ConsentURL(c)
		if err != nil {
			return err
		}
		if !sh.out.json {
			sh.out.printf("%s", url)
			sh.out.printf("")
			for _, note := range setupNotes() {
				sh.out.write([]byte(paragraph("- "+note, sh.out.outWidth)))
			}
			return nil
		}
		return sh.out.printJSON(struct {
			Provider string   `json:"provider"`
			URL      string   `json:"consentUrl"`
			Outside  bool     `json:"exchangeOutsideBroker"`
			Notes    []string `json:"notes"`
		}{strings.TrimSpace(provider), url, true, setupNotes()})
	})
	return cmd
}

// setupNotes say what is to be done with a consent URL.
func setupNotes() []string {
	return []string{
		"open the address in a browser, and consent as the owner of the account",
		"exchange the code that comes back for tokens; `aivault oauth login` does both",
		"store clientId, clientSecret and refreshToken as one secret in JSON, and make a credential with --auth oauth2",
	}
}
