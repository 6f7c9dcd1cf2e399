package credential_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/broker/brokertest/upstream"
	"aivault/ui/tui/action"
	"aivault/ui/tui/page/credential"
	"aivault/ui/tui/page/pagetest"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// kinds are the ways to authenticate in the order of the form.
var kinds = [...]string{"", "header", "query", "path", "basic", "multi-header", "multi-query", "oauth2", "aws-sigv4", "hmac", "mtls"}

// open opens the form and fills in all but how to authenticate; the focus is
// there then.
func open(s *pagetest.Stage, id, provider, secret, kind string) {
	s.T.Helper()
	s.Show(credential.NewForm(s.Host, view.OpenCredential{}))
	for _, text := range []string{id, provider, secret} {
		s.Type(text)
		s.Keys("tab")
	}
	s.Keys("tab") // the scope
	for range slices.Index(kinds[:], kind) {
		s.Keys("right")
	}
	s.Want("▸ " + kind)
}

// Every kind has the fields that it needs, and means what the flags of the
// command line mean.
func TestKinds(t *testing.T) {
	t.Parallel()
	for kind, tt := range map[string]struct {
		typed []string // into the fields that appear, in their order; "" leaves one
		flags broker.AuthFlags
		shows []string
	}{
		"header":       {[]string{"x-key", "Key {{secret}}"}, broker.AuthFlags{HeaderName: "x-key", ValueTemplate: "Key {{secret}}"}, []string{"Header", "Its value"}},
		"query":        {[]string{"token"}, broker.AuthFlags{QueryParam: "token"}, []string{"Parameter"}},
		"path":         {[]string{"/key/{{secret}}"}, broker.AuthFlags{PathPrefixTemplate: "/key/{{secret}}"}, []string{"Path prefix"}},
		"basic":        {nil, broker.AuthFlags{}, []string{"user:password"}},
		"multi-header": {[]string{`x-id={{id}} "x-key=Key {{key}}"`}, broker.AuthFlags{AuthHeaders: []string{"x-id={{id}}", "x-key=Key {{key}}"}}, []string{"Headers"}},
		"multi-query":  {[]string{"key={{key}}, token={{token}}"}, broker.AuthFlags{AuthQuery: []string{"key={{key}}", "token={{token}}"}}, []string{"Parameters"}},
		"oauth2": {
			[]string{"https://api.acme.test/token", "\x00right", "\x00right", "read write"},
			broker.AuthFlags{TokenEndpoint: "https://api.acme.test/token", GrantType: "client_credentials", ClientAuth: "body", Scopes: []string{"read", "write"}},
			[]string{"Token endpoint", "Grant", "Client secret", "OAuth scopes"},
		},
		"aws-sigv4": {[]string{"sqs", "eu-west-1"}, broker.AuthFlags{AWSService: "sqs", AWSRegion: "eu-west-1"}, []string{"AWS service", "AWS region"}},
		"hmac": {
			[]string{"\x00right", "X-Sign", ""}, broker.AuthFlags{HMACAlgorithm: "sha512", HeaderName: "X-Sign"}, []string{"Algorithm", "Header", "Its value"},
		},
		"mtls": {nil, broker.AuthFlags{}, []string{"a client certificate"}},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := pagetest.New(t)
			s.Secret("FREE", "global")
			open(s, "acme-"+kind, "acme", "FREE", kind)
			s.Want(tt.shows...)
			s.Keys("tab")
			for _, text := range tt.typed {
				if len(text) > 0 && text[0] == 0 {
					s.Keys(text[1:])
				} else {
					s.Type(text)
				}
				s.Keys("tab")
			}
			s.Type("api.acme.test")
			s.Want("✓ " + kind + " at api.acme.test")
			s.Keys("ctrl+s")
			s.NoFailure()
			want, err := broker.ParseAuth(kind, tt.flags)
			if err != nil {
				t.Fatal(err)
			}
			got := account(s, "acme-"+kind)
			if diff := cmp.Diff(got.Auth, want); diff != "" || len(s.Done) != 1 {
				t.Errorf("%+v (-got +want):\n%s\n%s", s.Done, diff, s.View())
			}
		})
	}
}

// The provider's own way needs nothing but the secret, which brings its scope.
//
// Checklist 51.
func TestProvidersOwn(t *testing.T) {
	t.Parallel()
	s := pagetest.New(t)
	sec := s.Secret("OPENAI_API_KEY", "web-shop/payments")
	s.Show(credential.NewForm(s.Host, view.OpenCredential{Secret: sec.ID}))
	s.Want("OPENAI_API_KEY (web-shop/payments)", "openai", "web-shop/payments")
	s.Type("openai-lab")
	s.Want("✓ header at api.openai.com", "carries 22 capabilities: openai/assistants, openai/batch, openai/chat-completions and 19 more")
	s.Keys("ctrl+s")
	s.NoFailure()
	a := account(s, "openai-lab")
	if a.Provider != "openai" || a.Scope != sec.Scope || a.Secret != sec.ID {
		t.Errorf("made %+v", a)
	}
	if len(s.Done) != 1 || s.Done[0].Text != "made credential openai-lab in web-shop/payments, header at api.openai.com" || len(s.Screens) != 0 {
		t.Fatalf("%+v", s.Done)
	}
	if len(s.Asked) != 1 || s.Asked[0] != (view.ShowCredential{ID: "openai-lab"}) {
		t.Errorf("asked %+v", s.Asked)
	}
}

// Checklist 56. What is missing is told at its field; what is taken, too.
func TestWrong(t *testing.T) {
	t.Parallel()
	s := world(t)
	s.Show(credential.NewForm(s.Host, view.OpenCredential{}))
	s.Keys("ctrl+s")
	s.Want("✗ a name of your own", "✗ the service", "✗ the secret that it is made of", "field 1 of 7")
	s.Keys("esc")
	open(s, "acme-main", "acme", "ACME_TOKEN", "header")
	s.Keys("tab", "tab", "tab")
	s.Type("api.acme.example")
	s.Want("! there is a credential acme-main already")
	s.Keys("ctrl+s")
	s.Want("✗ there is a credential acme-main already", "ACME_TOKEN", "field 1 of 9")
	s.Keys("tab", "tab", "ctrl+u")
	s.Type("NONE_SUCH")
	s.Keys("ctrl+s")
	s.Want("NONE_SUCH", "✗ ")
	s.Keys("tab", "ctrl+u")
	s.Type("a/b/c")
	s.Keys("ctrl+s")
	s.Want("✗ ", "a/b/c")
	if len(s.Done) > 0 || len(s.Screens) != 1 {
		t.Errorf("done %+v", s.Done)
	}
	s.WantNot("--")
	s.Keys("esc")
	s.Want("Throw away what you typed?")
}

// Checklist 45. A further host costs the value, which is asked for and never
// shows; a wrong one is told, and the field can be filled again.
func TestProof(t *testing.T) {
	t.Parallel()
	s := world(t)
	open(s, "acme-two", "acme", "ACME_TOKEN", "header")
	s.WantNot("Value again")
	s.Keys("tab", "tab", "tab")
	s.Type("api.other.example")
	s.Want("Value again", "! needs the value of its secret again", "nothing may be called with it yet")
	s.Keys("ctrl+s")
	s.Want("✗ the value is needed", "field 10 of 10")
	s.Type("wrong-value")
	s.Want("••••••")
	s.WantNot("wrong-value")
	s.Keys("ctrl+s")
	s.Want("✗ that is not its value")
	s.Keys("ctrl+u")
	s.Type(pagetest.Canary)
	s.Keys("ctrl+s")
	s.NoFailure()
	if account(s, "acme-two").ID == "" {
		t.Fatal("it was not made")
	}
	for _, l := range s.Done[0].Lines {
		if slices.Contains(l, pagetest.Canary) {
			t.Error("the value is in the command line")
		}
	}
}

// A private host needs the certificate of its authority, from a file.
func TestPrivate(t *testing.T) {
	t.Parallel()
	ca, _, _, err := upstream.ClientCertificate("acme")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	s := world(t)
	s.Secret("LOCAL", "global")
	open(s, "local", "dev", "LOCAL", "header")
	s.Keys("tab", "tab", "tab")
	s.Type("localhost:8443")
	s.Want("! ")
	s.Keys("tab", "space")
	s.Want("CA file")
	s.Keys("ctrl+s")
	s.Want("✗ private hosts need the certificate of their authority")
	s.Type(path + "x")
	s.Want("no such file")
	s.Keys("backspace")
	s.Want("✓ header at localhost:8443", "Value again")
	s.Keys("tab")
	s.Type(pagetest.Canary)
	s.Keys("ctrl+s")
	s.NoFailure()
	a := account(s, "local")
	if !a.AllowPrivate || string(a.CACert) != string(ca) {
		t.Fatalf("made %+v", a)
	}
	if l := s.Done[0].Lines[0]; !slices.Contains(l, path) || !slices.Contains(l, "--allow-private") {
		t.Errorf("the line is %s", l)
	}
	s.W = 160
	show(s, "local")
	s.Want("! these hosts may be private ones", "trusts its own certificate authority only, sha256 "+vault.CADigest(ca)[:16], "by hand")
}

// The id of a disabled credential, alone, brings it back.
func TestBringBack(t *testing.T) {
	t.Parallel()
	s := world(t)
	s.Show(credential.NewForm(s.Host, view.OpenCredential{}))
	s.Type("openai:group:web-shop:payments")
	s.Want("✓ brings back what was disabled: header at api.openai.com")
	s.Keys("ctrl+s")
	s.NoFailure()
	if a := account(s, "openai:group:web-shop:payments"); a.Disabled || !a.Works() {
		t.Errorf("it is %+v", a)
	}
}

// Checklist 57.
func TestMadeOnce(t *testing.T) {
	t.Parallel()
	s := world(t)
	open(s, "acme-two", "acme", "ACME_TOKEN", "header")
	s.Keys("tab", "tab", "tab")
	s.Type("api.acme.example")
	save, ok := action.Find(s.Top().Actions(), "ctrl+s")
	if !ok {
		t.Fatal("there is no way to save")
	}
	first, second := save.Run(), save.Run()
	if second != nil {
		t.Error("a second save did something")
	}
	s.Run(first)
	s.NoFailure()
	if len(s.Done) != 1 || account(s, "acme-two").ID == "" {
		t.Errorf("%+v", s.Done)
	}
}

// What can be chosen is suggested.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	s := world(t)
	s.Show(credential.NewForm(s.Host, view.OpenCredential{}))
	s.Type("mine")
	s.Keys("tab")
	s.Type("tre")
	s.Want("trello")
	s.Keys("down", "tab", "tab")
	s.Type("api_k")
	s.Want("OPENAI_API_KEY (global)", "OPENAI_API_KEY (web-shop/payments)", "TRELLO_API_KEY (workspace web-shop)")
	s.Keys("down", "down", "down", "enter", "tab")
	s.Want("trello", "TRELLO_API_KEY (workspace web-shop)", "workspace web-shop")
	s.Type("zzz") // behind the workspace's name
	s.Keys("ctrl+u")
	s.Type("pay")
	s.Want("web-shop/payments")
}
