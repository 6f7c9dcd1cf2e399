package broker

import (
	"context"
	"slices"
	"strings"
	"time"

	"aivault/broker/internal/oauth"
	"aivault/broker/internal/resolve"
	"aivault/broker/policy"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// loginTimeout is how long the owner of an account has to consent.
const loginTimeout = 10 * time.Minute

// Login implements Service: the authorization code grant with PKCE (RFC 6749,
// section 4.1; RFC 7636), for a native application (RFC 8252). The tokens go
// straight into the vault.
func (b *Broker) Login(ctx context.Context, l Login) (vault.Secret, error) {
	if err := l.Scope.Validate(); err != nil {
		return vault.Secret{}, err
	}
	if err := b.view(ctx, func(r look) error { return r.completeLogin(&l) }); err != nil {
		return vault.Secret{}, err
	}
	cfg, err := l.config()
	if err != nil {
		return vault.Secret{}, err
	}
	if err := l.checkSecret(); err != nil {
		return vault.Secret{}, err
	}
	if err := checkCACert(l.AllowPrivate, l.CACert); err != nil {
		return vault.Secret{}, err
	}
	if err := b.checkLoginCredential(ctx, &l); err != nil {
		return vault.Secret{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	token, err := b.askOwner(ctx, &l, cfg)
	if err != nil {
		return vault.Secret{}, err
	}
	defer token.Clear()
	value, err := oauth.NewSecret(l.ClientID, l.ClientSecret, token, b.cfg.Now())
	if err != nil {
		return vault.Secret{}, err
	}
	defer value.Clear()
	s, err := b.storeTokens(ctx, &l, value)
	if err != nil || l.Credential == nil {
		return s, err
	}
	n := *l.Credential
	n.Secret, n.Proof = s.ID, value
	if _, err := b.CreateCredential(ctx, n); err != nil {
		return s, fault.Wrap(fault.CodeOf(err), err, "%s holds the tokens, but its credential could not be made", s.Name)
	}
	return s, nil
}

// completeLogin fills in what the registry knows of a provider's logins: by the
// credential whose secret has the name, else by the first that has a login.
func (r look) completeLogin(l *Login) error {
	p, ok := r.reg.Provider(l.Provider)
	var template *registry.Credential
	if ok {
		for i := range p.Credentials {
			t := &p.Credentials[i]
			if t.Login != nil && (template == nil || t.Secrets[0].Name == l.Name) {
				template = t
			}
		}
	}
	if template == nil {
		if l.AuthURL != "" && l.TokenEndpoint != "" {
			return nil
		}
		return fault.New(fault.InvalidRequest, "where an account of %.64q consents and gets its tokens is not known", l.Provider).
			WithHint("say it with --auth-url and --token-endpoint")
	}
	if l.AuthURL == "" {
		l.AuthURL = template.Login.AuthorizationEndpoint
	}
	if l.Name == "" {
		l.Name = template.Secrets[0].Name
	}
	if len(l.Scopes) == 0 {
		l.Scopes = template.Login.Scopes
	}
	for _, p := range template.Login.Params {
		if !slices.ContainsFunc(l.Extra, func(h Header) bool { return h.Name == p.Name }) {
			l.Extra = append(slices.Clone(l.Extra), Header(p))
		}
	}
	if l.TokenEndpoint != "" {
		return nil
	}
	cfg, err := oauth.ConfigOf(resolve.Auth(template))
	l.TokenEndpoint, l.InBody = cfg.TokenEndpoint, cfg.ClientAuth == oauth.InBody
	return err
}

// askOwner has the owner of an account consent, and exchanges the code that
// comes of it for tokens.
func (b *Broker) askOwner(ctx context.Context, l *Login, cfg oauth.Config) (*oauth.Token, error) {
	listener, err := oauth.Listen()
	if err != nil {
		return nil, err
	}
	defer func() { _ = listener.Close() }()
	verifier, state := oauth.NewVerifier(), oauth.NewState()
	defer verifier.Clear()
	url, err := oauth.ConsentURL(l.AuthURL, l.consent(listener.RedirectURI(), state, oauth.Challenge(verifier)))
	if err != nil {
		return nil, err
	}
	if err := l.Open(url); err != nil {
		return nil, err
	}
	code, err := listener.Wait(ctx, state)
	if err != nil {
		return nil, err
	}
	defer code.Clear()
	header, body := oauth.CodeRequest(cfg, l.ClientID, l.ClientSecret, code, verifier, listener.RedirectURI())
	client := b.newClient(l.AllowPrivate, l.CACert, nil)
	defer client.Close()
	return askToken(ctx, client, cfg, header, body)
}

// checkLoginCredential checks what can be checked of the credential of a login
// before there is its secret.
func (b *Broker) checkLoginCredential(ctx context.Context, l *Login) error {
	n := l.Credential
	if n == nil {
		return nil
	}
	return b.view(ctx, func(r look) error {
		if resolve.Reserved(r.reg, n.ID) {
			return fault.New(fault.InvalidRequest, "the id %q is reserved for what the registry makes", n.ID).
				WithHint("choose one without a colon that is no provider's name")
		}
		sec := &vault.Secret{Name: l.Name, Scope: l.Scope}
		sec.PinnedProvider, _ = r.reg.Claim(l.Name)
		if _, err := r.newCredential(*n, sec); err != nil {
			return err
		}
		there, err := r.Credential(n.ID)
		if err == nil && there != nil {
			err = fault.New(fault.AlreadyExists, "there is a credential %q already", n.ID).
				WithHint("to renew the tokens of its secret, log in without making one")
		}
		return err
	})
}

// config returns how the token endpoint is asked.
func (l *Login) config() (oauth.Config, error) {
	a := vault.Auth{Kind: oauth.Kind, Params: []vault.Param{
		{Name: oauth.ParamGrantType, Value: oauth.RefreshToken}, {Name: oauth.ParamTokenEndpoint, Value: l.TokenEndpoint},
	}}
	if l.InBody {
		a.Params = append(a.Params, vault.Param{Name: oauth.ParamClientAuth, Value: oauth.InBody})
	}
	cfg, err := oauth.ConfigOf(a)
	if err != nil {
		return cfg, err
	}
	switch host, _, _ := cfg.Endpoint(); {
	case l.ClientID == "":
		return cfg, fault.New(fault.InvalidRequest, "a login needs the id of the client").WithHint("add --client-id")
	case l.Name == "":
		return cfg, fault.New(fault.InvalidRequest, "a login needs the name of a secret for the tokens").WithHint("add --name")
	default:
		_, err = policy.ParseHost(host, l.AllowPrivate)
	}
	if err == nil {
		_, _, err = tokenRequest(cfg)
	}
	return cfg, err
}

// checkSecret checks what can be checked of the secret that takes the tokens
// before they are there, and would be lost.
func (l *Login) checkSecret() (err error) {
	if l.Name, err = vault.ParseName(l.Name); err != nil {
		return err
	}
	token := oauth.Token{AccessToken: opaque.New([]byte("x"))}
	value, err := oauth.NewSecret(l.ClientID, l.ClientSecret, &token, time.Time{})
	value.Clear()
	return err
}

// consent lists the parameters of the authorization request.
func (l *Login) consent(redirect, state, challenge string) [][2]string {
	params := [][2]string{{"response_type", "code"}, {"client_id", l.ClientID}, {"redirect_uri", redirect}}
	if len(l.Scopes) > 0 {
		params = append(params, [2]string{"scope", strings.Join(l.Scopes, " ")})
	}
	params = append(params, [][2]string{{"state", state}, {"code_challenge", challenge}, {"code_challenge_method", "S256"}}...)
	for _, p := range l.Extra {
		params = append(params, [2]string{p.Name, p.Value})
	}
	return params
}

// storeTokens makes the secret that takes the tokens, or gives the one of that
// name a new value.
func (b *Broker) storeTokens(ctx context.Context, l *Login, value opaque.Bytes) (vault.Secret, error) {
	var there *vault.Secret
	err := b.view(ctx, func(r look) (err error) {
		there, err = r.SecretNamed(l.Scope, l.Name)
		return err
	})
	switch {
	case err != nil:
		return vault.Secret{}, err
	case there != nil:
		return b.store.RotateSecret(ctx, there.ID, value, 0)
	}
	return b.store.CreateSecret(ctx, vault.NewSecret{Name: l.Name, Scope: l.Scope, Value: value})
}
