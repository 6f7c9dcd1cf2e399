package resolve_test

import (
	"slices"
	"strings"

	"aivault/broker/internal/resolve"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// A world is everything that a vault holds, as plain lists.
type world struct {
	secrets     []vault.Secret
	credentials []vault.Credential
	bindings    []vault.Binding
	disabled    []string
}

// An outcome is what a question comes to.
type outcome struct {
	Code       fault.Code
	Ambiguous  string // ids, sorted, where Code is credential_ambiguous
	Via        string
	Credential string
	Lender     string
	Host       string
	Secrets    []string // names with scopes
}

// entry is a credential in the oracle's eyes.
type entry struct {
	id           string
	made         bool
	order        int
	scope        vault.Scope
	hosts        []string
	capabilities []string
	private      bool
	secrets      []vault.Secret
	kind         string
}

// tierOf is the tier of a scope in a context: 0 where it does not cover it.
func tierOf(s vault.Scope, c vault.Context) int {
	if s.Workspace == "" && s.Group == "" {
		return 1
	}
	if s.Group == "" && s.Workspace == c.Workspace {
		return 2
	}
	if s.Group != "" && s.Workspace == c.Workspace && s.Group == c.Group {
		return 3
	}
	return 0
}

// secretTier is the tier of a secret in a context, and what it would be without
// its attachments.
func secretTier(s vault.Secret, c vault.Context) (tier, own int) {
	own = tierOf(s.Scope, c)
	if own == 1 && s.AttachedOnly {
		own = 0
	}
	tier = own
	for _, g := range s.Attached {
		if c.Group != "" && g.Workspace == c.Workspace && g.Group == c.Group {
			tier = 3
		}
	}
	return tier, own
}

// lowest is secretTier of several secrets together.
func lowest(list []vault.Secret, c vault.Context) (tier, own int) {
	tier, own = 3, 3
	for _, s := range list {
		t, o := secretTier(s, c)
		tier, own = min(tier, t), min(own, o)
	}
	return tier, own
}

// entries lists every credential of a provider there is: stored ones, and one
// for each template and scope where all its secrets are.
func (w world) entries(reg *registry.Registry, provider string) []entry {
	var out []entry
	for _, c := range w.credentials {
		if c.Provider == provider {
			out = append(out, entry{
				id: c.ID, scope: c.Scope, hosts: c.Hosts, capabilities: c.Capabilities, private: c.AllowPrivate,
				secrets: []vault.Secret{w.secret(c.Secret)}, kind: c.Auth.Kind,
			})
		}
	}
	p, ok := reg.Provider(provider)
	if !ok {
		return out
	}
	for order, t := range p.Credentials {
		for _, first := range w.secrets {
			if first.Name != t.Secrets[0].Name {
				continue
			}
			e := entry{
				id: resolve.MadeID(provider, t.ID, first.Scope), made: true, order: order, scope: first.Scope,
				hosts: p.Hosts, capabilities: t.Capabilities, kind: t.Auth.Kind,
			}
			for _, slot := range t.Secrets {
				for _, s := range w.secrets {
					if s.Name == slot.Name && s.Scope == first.Scope && s.PinnedProvider == provider {
						e.secrets = append(e.secrets, s)
					}
				}
			}
			if len(e.secrets) == len(t.Secrets) && !slices.Contains(w.disabled, e.id) {
				out = append(out, e)
			}
		}
	}
	return out
}

func (w world) secret(id vault.ID) vault.Secret {
	return w.secrets[slices.IndexFunc(w.secrets, func(s vault.Secret) bool { return s.ID == id })]
}

// hostOf is the host that a call with the secrets goes to; empty: none.
func hostOf(reg *registry.Registry, q resolve.Question, hosts []string, private bool, secrets []vault.Secret) string {
	var match []string
	for _, h := range hosts {
		if slices.Contains(q.Hosts, h) {
			match = append(match, h)
		}
	}
	if len(match) != 1 {
		return ""
	}
	for _, s := range secrets {
		if s.PinnedProvider == "" {
			continue
		}
		p, ok := reg.Provider(q.Provider)
		if s.PinnedProvider != q.Provider || private || !ok || !slices.Contains(p.Hosts, match[0]) {
			return ""
		}
	}
	return match[0]
}

func forCapability(list []string, id string) bool { return list == nil || slices.Contains(list, id) }

// A ranked entry is a candidate with what orders it.
type ranked struct {
	entry
	tier int
	rank int
}

// candidates ranks the entries that may serve a question.
func candidates(all []entry, q resolve.Question) (out []ranked) {
	for _, e := range all {
		seen, own := lowest(e.secrets, q.Context)
		covers := tierOf(e.scope, q.Context)
		if e.made {
			covers = seen
		}
		if covers == 0 || seen == 0 || !forCapability(e.capabilities, q.Capability) ||
			hostOf(q.Registry, q, e.hosts, e.private, e.secrets) == "" {
			continue
		}
		r := ranked{entry: e, tier: max(covers, seen)}
		r.rank = 10 * r.tier
		byOwn := own == 3 || !e.made && covers == 3
		if r.tier == 3 && byOwn {
			r.rank += 5
		}
		if e.made {
			r.rank++
		}
		out = append(out, r)
	}
	return out
}

func use(q resolve.Question, r ranked) outcome {
	return outcome{
		Via: resolve.ViaCredential, Credential: r.id, Lender: r.id, Secrets: names(r.secrets),
		Host: hostOf(q.Registry, q, r.hosts, r.private, r.secrets),
	}
}

// oracle answers a question by the letter of the rule, looking at everything.
func oracle(w world, q resolve.Question) outcome {
	if q.Context.Group != "" && q.Context.Workspace == "" {
		return outcome{Code: fault.InvalidRequest}
	}
	all := w.entries(q.Registry, q.Provider)
	list := candidates(all, q)
	if q.Credential != "" { // 1. the one that was named
		return w.named(q, all, list)
	}
	top, best := 0, 0 // 2. the best tier
	for _, r := range list {
		top, best = max(top, r.tier), max(best, r.rank)
	}
	if b := w.boundTo(q); b != nil && tierOf(b.Scope, q.Context) >= top { // 3. a binding
		return w.viaBinding(q, all, w.secret(b.Secret))
	}
	var winners []ranked // 4. the best candidate
	for _, r := range list {
		preferred := slices.ContainsFunc(list, func(o ranked) bool {
			return r.made && o.made && o.rank == best && o.scope == r.scope && o.order < r.order
		})
		if r.rank == best && !preferred {
			winners = append(winners, r)
		}
	}
	switch len(winners) {
	case 0:
		return outcome{Code: fault.CredentialNotFound}
	case 1:
		return use(q, winners[0])
	}
	var ids []string
	for _, r := range winners {
		ids = append(ids, r.id)
	}
	return ambiguous(ids)
}

// named is the outcome for a credential that the caller named.
func (w world) named(q resolve.Question, all []entry, list []ranked) outcome {
	is := func(e entry) bool { return e.id == q.Credential }
	for _, r := range list {
		if is(r.entry) {
			return use(q, r)
		}
	}
	if slices.ContainsFunc(all, is) {
		return outcome{Code: fault.SecretNotAccessible}
	}
	if slices.ContainsFunc(w.credentials, func(c vault.Credential) bool { return c.ID == q.Credential }) {
		return outcome{Code: fault.PolicyViolation}
	}
	for _, id := range q.Registry.Providers() {
		if slices.ContainsFunc(w.entries(q.Registry, id), is) {
			return outcome{Code: fault.PolicyViolation}
		}
	}
	return outcome{Code: fault.CredentialNotFound}
}

func ambiguous(ids []string) outcome {
	slices.Sort(ids)
	return outcome{Code: fault.CredentialAmbiguous, Ambiguous: strings.Join(ids, " ")}
}

// boundTo returns the binding that comes first, of whatever tier.
func (w world) boundTo(q resolve.Question) *vault.Binding {
	var found *vault.Binding
	rank := func(b vault.Binding) int {
		r := 2 * tierOf(b.Scope, q.Context)
		if b.Consumer != "" {
			r++
		}
		return r
	}
	for i, b := range w.bindings {
		if b.Capability != q.Capability || tierOf(b.Scope, q.Context) == 0 || b.Consumer != "" && b.Consumer != q.Context.Consumer {
			continue
		}
		if found == nil || rank(b) > rank(*found) {
			found = &w.bindings[i]
		}
	}
	return found
}

func (w world) viaBinding(q resolve.Question, all []entry, bound vault.Secret) outcome {
	if tier, _ := secretTier(bound, q.Context); tier == 0 {
		return outcome{Code: fault.SecretNotAccessible}
	}
	narrowest := 0
	var lenders []entry
	for _, e := range all {
		reach := tierOf(e.scope, q.Context)
		if e.made {
			reach, _ = lowest(e.secrets, q.Context)
		}
		if reach == 0 || !forCapability(e.capabilities, q.Capability) || hostOf(q.Registry, q, e.hosts, false, nil) == "" {
			continue
		}
		if reach > narrowest {
			narrowest, lenders = reach, nil
		}
		if reach == narrowest {
			lenders = append(lenders, e)
		}
	}
	if len(lenders) > 1 {
		var own []entry
		for _, e := range lenders {
			if slices.ContainsFunc(e.secrets, func(s vault.Secret) bool { return s.ID == bound.ID }) {
				own = append(own, e)
			}
		}
		if len(own) > 0 {
			lenders = own
		}
	}
	out := outcome{Via: resolve.ViaBinding, Secrets: names([]vault.Secret{bound})}
	var hosts []string
	private := false
	switch len(lenders) {
	case 0:
		p, ok := q.Registry.Provider(q.Provider)
		if !ok || hostOf(q.Registry, q, p.Hosts, false, nil) == "" {
			return outcome{Code: fault.CredentialNotFound}
		}
		out.Lender, hosts = "registry:"+q.Provider, p.Hosts
	case 1:
		e := lenders[0]
		if len(e.secrets) > 1 && e.kind != "basic" {
			return outcome{Code: fault.PolicyViolation}
		}
		out.Credential, out.Lender, hosts, private = e.id, e.id, e.hosts, e.private
	default:
		var ids []string
		for _, e := range lenders {
			ids = append(ids, e.id)
		}
		return ambiguous(ids)
	}
	if out.Host = hostOf(q.Registry, q, hosts, private, []vault.Secret{bound}); out.Host == "" {
		return outcome{Code: fault.PolicyViolation}
	}
	return out
}

func names(list []vault.Secret) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.Scope.String()+" "+s.Name)
	}
	slices.Sort(out)
	return out
}
