package resolve

import (
	"cmp"
	"slices"
	"strings"

	"aivault/broker/internal/auth"
	"aivault/vault"
)

// A Ladder is a choice together with everything that was looked at for it.
type Ladder struct {
	Choice *Choice // nil if Err
	Rungs  []Rung  // the best first
	Err    error   // why nothing was taken
}

// A Rung is a credential or a binding of a ladder.
type Rung struct {
	Tier   vault.Level // 0: does not apply in this context
	Kind   string      // ViaCredential or ViaBinding
	ID     string      // of the credential, or scope and consumer of the binding
	Parts  []Part      // the secrets that it is about
	Taken  bool
	Reason string // why it was taken, or why not
}

// Explain answers a question as Resolve does, and tells why. It also looks at
// the provider's credentials in other scopes, so its cost grows with their
// number. The error is of the question or of the reader; that of the choice is
// in the Ladder.
func Explain(r vault.Reader, q Question) (*Ladder, error) {
	s, err := look(r, q)
	if err != nil {
		return nil, err
	}
	l := new(Ladder)
	l.Choice, l.Err = s.choose()
	if err := s.findOutside(); err != nil {
		return nil, err
	}
	for _, a := range s.accounts {
		l.Rungs = append(l.Rungs, s.accountRung(a, l.Choice))
	}
	bindings, err := r.Bindings(s.Capability)
	if err != nil {
		return nil, err
	}
	for _, b := range bindings {
		rung, err := s.bindingRung(b, l)
		if err != nil {
			return nil, err
		}
		l.Rungs = append(l.Rungs, rung)
	}
	slices.SortStableFunc(l.Rungs, compareRungs)
	return l, nil
}

// compareRungs sorts what was taken first, then by tier; bindings before
// credentials, as they come before them at equal tier.
func compareRungs(a, b Rung) int {
	return cmp.Or(
		compareBool(b.Taken, a.Taken),
		cmp.Compare(b.Tier, a.Tier),
		strings.Compare(a.Kind, b.Kind),
		strings.Compare(a.ID, b.ID))
}

// findOutside adds the provider's credentials that the context does not reach.
func (s *search) findOutside() error {
	all, err := s.r.Credentials()
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, a := range s.accounts {
		known[a.id] = true
	}
	for _, c := range all {
		if c.Provider != s.Provider || known[c.ID] {
			continue
		}
		a, err := s.stored(c)
		if err != nil {
			return err
		}
		s.accounts = append(s.accounts, a)
	}
	if s.provider == nil {
		return nil
	}
	pinned, err := s.r.Pinned(s.Provider)
	if err != nil {
		return err
	}
	made, err := MadeOf(s.r, s.provider, pinned)
	if err != nil {
		return err
	}
	for _, m := range made {
		if !known[m.ID] {
			s.accounts = append(s.accounts, s.made(m))
		}
	}
	return nil
}

// accountRung tells what became of an account.
func (s *search) accountRung(a *account, taken *Choice) Rung {
	rung := Rung{Kind: ViaCredential, ID: a.id, Parts: a.parts, Reason: a.why}
	if !a.isCandidate() {
		return rung
	}
	rung.Tier = a.tier
	among := slices.Contains(s.best, a)
	switch {
	case taken != nil && taken.Via == ViaCredential && taken.Credential == a.id:
		rung.Taken = true
		rung.Reason = s.whyTaken(a)
	case s.Credential != "":
		rung.Reason = "--credential names another"
	case s.bindingApplies() && taken != nil && taken.Credential == a.id:
		rung.Reason = "lends authentication and host to the binding"
	case s.bindingApplies():
		rung.Reason = "a binding at the tier " + s.binding.Scope.Level.String() + " comes before it"
	case among:
		rung.Reason = "as good as another: name one with --credential"
	default:
		rung.Reason = s.whyBehind(a)
	}
	return rung
}

func (s *search) whyTaken(a *account) string {
	switch {
	case s.Credential != "":
		return "named with --credential"
	case a.tier == vault.Group && !a.own:
		return "the narrowest: its secret is attached to the group"
	}
	return "the narrowest: tier " + a.tier.String()
}

// whyBehind says what puts a candidate behind the best.
func (s *search) whyBehind(a *account) string {
	best := s.best[0]
	switch {
	case a.tier < best.tier:
		return "credential " + best.id + " is narrower"
	case a.own != best.own:
		return "reached by attachment only, " + best.id + " is the group's own"
	case a.made != best.made:
		return best.id + " is the provider's default: name this one with --credential to use it"
	}
	return "the registry prefers " + best.id
}

// bindingRung tells what became of a binding.
func (s *search) bindingRung(b *vault.Binding, l *Ladder) (Rung, error) {
	sec, err := s.r.Secret(b.Secret)
	if err != nil {
		return Rung{}, err
	}
	rung := Rung{Kind: ViaBinding, ID: b.Scope.String(), Parts: []Part{{auth.Placeholder, sec}}}
	if b.Consumer != "" {
		rung.ID += " consumer:" + b.Consumer
	}
	tier := b.Scope.Tier(s.Context)
	mine := b.Consumer == "" || b.Consumer == s.Context.Consumer
	if tier > 0 && mine {
		rung.Tier = tier
	}
	chosen := s.binding != nil && s.binding.Scope == b.Scope && s.binding.Consumer == b.Consumer
	switch {
	case tier == 0:
		rung.Reason = "its scope does not cover " + describe(s.Context)
	case !mine:
		rung.Reason = "for consumer " + b.Consumer + " only"
	case s.Credential != "":
		rung.Reason = "--credential passes bindings by"
	case !chosen && s.binding.Scope == b.Scope:
		rung.Reason = "the one for consumer " + s.binding.Consumer + " comes before it"
	case !chosen:
		rung.Reason = "a narrower binding comes before it"
	case !s.bindingApplies():
		rung.Reason = "credential " + s.best[0].id + " is narrower"
	case l.Err != nil:
		rung.Reason = "chosen, and fails: " + l.Err.Error()
	default:
		rung.Taken = true
		rung.Reason = "the narrowest binding, at the tier of the best credential or above"
	}
	return rung, nil
}
