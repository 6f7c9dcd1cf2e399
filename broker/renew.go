package broker

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"aivault/broker/internal/auth"
	"aivault/broker/internal/oauth"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// How access tokens are renewed.
const (
	// freshFor is how much longer a token must be valid to be used: it has to
	// arrive. Where a token lives for less than two of it, half its life is.
	freshFor = time.Minute
	// renewEvery is how long after a renewal a service that refuses the new
	// token too is not asked for another one (case 90).
	renewEvery = time.Minute
	// renewTimeout bounds one renewal. It goes on when its caller leaves, as
	// the token that is exchanged may be worth nothing afterwards.
	renewTimeout = 30 * time.Second
	// maxCutOff is how many renewals of one token may have got lost between the
	// service and us. After that it is not tried again (case 89).
	maxCutOff = 2
)

// freshen sees to it that the secret of an OAuth credential has an access token
// that can be used.
func (x *exchange) freshen(ctx context.Context) error {
	if x.plan.choice.Auth.Kind != oauth.Kind {
		return nil
	}
	secret, err := oauth.ParseSecret(x.values[auth.Placeholder].Reveal())
	if err != nil {
		return err
	}
	defer secret.Clear()
	if x.isFresh(secret, time.Time{}) {
		return nil
	}
	_, err = x.renew(ctx, false)
	return err
}

// isFresh reports whether an access token is there and not about to expire. One
// whose end is not known is used until it is refused. Since is when it was got,
// zero if that is not known: else a service whose tokens live for a minute would
// be asked for one by each call.
func (x *exchange) isFresh(s *oauth.Secret, since time.Time) bool {
	if s.AccessToken.Len() == 0 || s.ExpiresAt.IsZero() {
		return s.AccessToken.Len() > 0
	}
	spare := freshFor
	if !since.IsZero() {
		spare = max(0, min(spare, s.ExpiresAt.Sub(since)/2))
	}
	return s.ExpiresAt.After(x.broker.cfg.Now().Add(spare))
}

// renew gets a new access token, or takes one that another call got meanwhile.
// One process at a time does so for a secret: who comes second finds the work
// done. Refused says that the service did not take the token there is; renew
// is false if it was got too short a time ago for another one to help.
func (x *exchange) renew(ctx context.Context, refused bool) (renewed bool, err error) {
	reached(x.tell, StageRenewing)
	cfg, err := oauth.ConfigOf(x.plan.choice.Auth)
	if err != nil {
		return false, err
	}
	use := x.plan.use(0)
	use.Host.Name, _, _ = cfg.Endpoint()
	release, err := x.broker.store.Exclusive(ctx, "oauth "+use.Secret.String())
	if err != nil {
		return false, err
	}
	defer release()
	value, known, err := x.broker.store.Reopen(ctx, x.permit.Intent, use)
	if err != nil {
		return false, err
	}
	other := known.Version != x.version
	x.adopt(value, known.Version)
	secret, err := oauth.ParseSecret(value.Reveal())
	if err != nil {
		return false, err
	}
	defer secret.Clear()
	if err := cfg.Check(secret); err != nil {
		return false, err
	}
	switch {
	case refused && other && secret.AccessToken.Len() > 0, !refused && x.isFresh(secret, known.LastAt):
		return true, nil
	case known.Refused:
		return false, errRefused(cfg, use.Secret)
	case refused && x.broker.cfg.Now().Sub(known.LastAt) < renewEvery:
		return false, nil
	case cfg.GrantType == oauth.RefreshToken && known.Begun >= maxCutOff:
		return false, errConsent("was asked for new tokens twice, and the answers were lost", use.Secret)
	}
	r := renewal{x: x, cfg: cfg, use: use, secret: secret}
	if err := r.run(ctx); err != nil {
		return false, err
	}
	x.notes = append(x.notes, "token renewed")
	return true, nil
}

// adopt has the call use another value of its secret.
func (x *exchange) adopt(value opaque.Bytes, version uint64) {
	x.secrets = append(x.secrets, x.values[auth.Placeholder]) // to be wiped at the end
	x.values[auth.Placeholder], x.version = value, version
}

// errRefused is for what the service refused for good before. A client that acts
// for itself has no owner to consent (RFC 6749, section 4.4).
func errRefused(cfg oauth.Config, secret vault.ID) *fault.Error {
	if cfg.GrantType == oauth.RefreshToken {
		return errConsent("refused the refresh token before", secret)
	}
	return fault.New(fault.OAuthRefreshRequired, "the token endpoint refused the client before").
		WithHint("check its id, secret and scopes at the service, and store what is right: `aivault secrets rotate --id %s`", secret)
}

func errConsent(why string, secret vault.ID) *fault.Error {
	return fault.New(fault.OAuthRefreshRequired, "the token endpoint %s: its owner must consent again", why).
		WithHint("see `aivault oauth login --help`; a new refresh token from elsewhere is stored by `aivault secrets rotate --id %s`", secret)
}

// A renewal is one exchange with a token endpoint.
type renewal struct {
	x      *exchange
	cfg    oauth.Config
	use    vault.Use
	secret *oauth.Secret
}

// run asks for a token and stores it. That it asks is on record before, so that
// a renewal which was cut off is known.
func (r *renewal) run(ctx context.Context) error {
	late := fault.New(fault.Timeout, "%s handed out no token within %s", r.use.Host.Name, renewTimeout).WithHint("try again later")
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), renewTimeout, late)
	defer cancel()
	x, store := r.x, r.x.broker.store
	if err := store.BeginRenewal(ctx, x.permit.Intent, r.use, x.version); err != nil {
		return err
	}
	end := vault.RenewalEnd{Version: x.version}
	var err error
	if end.Value, err = r.ask(ctx); isLost(err) {
		return err // whether it was exchanged is not known, and stays so on record
	} else if err != nil {
		end.Code, end.Refused = fault.CodeOf(err), oauth.IsRefused(err)
		return cmp.Or(store.EndRenewal(ctx, x.permit.Intent, r.use, end), err)
	}
	switch err := r.keep(ctx, end); {
	case fault.CodeOf(err) == fault.Conflict:
		// An operator stored another value meanwhile, which counts; the token
		// is good for this call all the same.
	case err != nil:
		end.Value.Clear()
		return err
	}
	x.adopt(end.Value, x.version+1)
	return nil
}

// keep stores what came back. The token that was exchanged may be void by now,
// so a vault that is busy is asked again.
func (r *renewal) keep(ctx context.Context, end vault.RenewalEnd) error {
	const tries = 3
	for i := 1; ; i++ {
		err := r.x.broker.store.EndRenewal(ctx, r.x.permit.Intent, r.use, end)
		switch fault.CodeOf(err) {
		case fault.VaultBusy, fault.IO, fault.DiskFull:
			if i < tries {
				continue
			}
			return fault.Wrap(fault.CodeOf(err), err, "new tokens came, and cannot be stored").WithHint("%s", fault.HintOf(err))
		}
		return err
	}
}

// ask gets a token by the connections of the credential, and returns the value
// that the secret has with it.
func (r *renewal) ask(ctx context.Context) (vault.Value, error) {
	client, err := r.x.broker.client(r.x.plan, r.x.values)
	if err != nil {
		return nil, err
	}
	header, body := oauth.TokenRequest(r.cfg, r.secret)
	token, err := askToken(ctx, client, r.cfg, header, body)
	if err != nil {
		return nil, err
	}
	defer token.Clear()
	return r.secret.Renewed(token, r.x.broker.cfg.Now())
}

// askToken sends a token request once, and clears its body. No redirect is
// followed, and of the answer nothing but the tokens leaves.
func askToken(ctx context.Context, client *wire.Client, cfg oauth.Config, header http.Header, body []byte) (*oauth.Token, error) {
	defer clear(body)
	host, judged, err := tokenRequest(cfg)
	if err != nil {
		return nil, err
	}
	var written atomic.Bool
	resp, err := client.Do(ctx, wire.Request{
		Method: judged.Method, Host: host, Path: judged.Path, RawQuery: judged.RawQuery,
		Header: header, Body: body, MaxBody: oauth.MaxAnswer, Written: func() { written.Store(true) },
	})
	switch {
	case fault.CodeOf(err) == fault.ResponseTooLarge:
		return nil, fault.New(fault.AuthFailed, "the answer of the token endpoint is longer than %d KiB", oauth.MaxAnswer>>10)
	case err != nil && written.Load() && isTransport(err):
		return nil, lost{err}
	case err != nil:
		return nil, err
	}
	defer clear(resp.Body)
	return oauth.ParseToken(resp.Status, resp.Header.Get("Content-Type"), resp.Body)
}

// A lost is the error of a token request that may have been carried out, and
// whose answer did not come.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

func isLost(err error) bool {
	_, ok := errors.AsType[lost](err)
	return ok
}

// isTransport reports whether an error is of a request without an answer.
func isTransport(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Timeout, fault.UpstreamUnreachable, fault.Canceled:
		return true
	}
	return false
}
