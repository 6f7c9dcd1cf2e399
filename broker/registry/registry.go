// Package registry knows the providers that aivault supports out of the box:
// their hosts, the names under which their secrets are usually kept, how each
// secret authenticates, and which operations there are to allow.
//
// A provider is one JSON file under providers, embedded in the program and
// decoded when it is first asked for; starting up costs nothing. The files are
// data that people write by hand, so [Decode] is strict; a test puts every
// file through it, and the program may then trust its own. What must be known
// without decoding, which secret names are claimed and which providers exist,
// is an index in Go, generated from the files and compared with them by a test.
//
// The fields of a file, in order; schema.json says the same to an editor:
//
//	id            provider id: lower case, digits, dashes
//	name          what people call it
//	docs_url      the documentation that the file follows; https
//	verified_on   the day on which hosts, authentication and main paths were last
//	              compared with that or with public clients of the service, 2006-01-02
//	notes         optional: what a reader should know
//	hosts         every host of the provider's, for all its credentials, the
//	              main one first. *.example.com is a pattern of tenants: each
//	              credential names its own host, one label before the dot
//	other_hosts   optional: [{host, instead_of, description}]: hosts of a region,
//	              a plan or a sandbox, which a credential may name instead
//	              of one of hosts; patterns, too
//	headers       optional: [{name, value}] added to each request, unless
//	              the caller sends its own
//	credentials   the ways to authenticate, in order of preference:
//	  id            "" for the primary way, which is the first; else a suffix,
//	                as in github:gh-token
//	  secrets       [{placeholder, name, looks_like}]: the secrets needed, all of
//	                one scope; looks_like, optional: how values begin, if they
//	                all begin in one of a few ways
//	  auth          {kind, params: [{name, value}]}, see [Auth]
//	  login         optional, of oauth2 by refresh_token: how the owner of an
//	                account consents, {authorization_endpoint, scopes, params}
//	  hosts         optional: those of the provider's that it is for, else all
//	  capabilities  optional: the ones that it is good for, else all
//	capabilities  what can be allowed, by id:
//	  id            PROVIDER/NAME
//	  description   what it gives access to, in one line
//	  hosts         its one host of the provider's; left out: the main one
//	  methods       HTTP methods, upper case
//	  paths         path prefixes that match whole segments
//	  raw_paths     path prefixes that may end within a segment, for services
//	                that put a family of methods there, as in /api/chat.
//	  except        optional: path prefixes within those that are not allowed,
//	                where a service has a dangerous route among harmless ones
//	  headers       optional: the only request headers that may pass
//	  encoded_slash optional: true where a segment may hold a slash as %2F
//	  opaque_body   optional: true where a body, or a query, says itself what is
//	                done or where to, as in GraphQL, batches and webhooks
//	  overlaps      optional: capabilities of the provider that admit some of
//	                the same requests, so that an overlap is never by accident
//	  whole_host    optional: true where a prefix is "/", for the same reason
//	  example       optional: a method and a path with its query
//	  example_body  optional: its body, JSON or fields of a form
//	  example_parts optional: its body as multipart, [FIELD=VALUE or FIELD=@FILE]
package registry

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"aivault/keys/fault"
)

//go:embed providers/*.json
var files embed.FS

// A Provider is a service with an API. It is shared and read only.
type Provider struct {
	ID           string       `json:"id"`
	Name         string       `json:"name"`
	DocsURL      string       `json:"docs_url"`
	VerifiedOn   string       `json:"verified_on"` // 2006-01-02
	Notes        string       `json:"notes"`
	Hosts        []string     `json:"hosts"`        // canonical, or patterns; of all credentials, the main one first
	OtherHosts   []OtherHost  `json:"other_hosts"`  // that a credential may name instead
	Headers      []Header     `json:"headers"`      // added unless the caller sends its own
	Credentials  []Credential `json:"credentials"`  // in order of preference, the primary one first
	Capabilities []Capability `json:"capabilities"` // by id
}

// An OtherHost is one that a credential may name instead of one of the
// provider's hosts: of a region, a plan, a sandbox.
type OtherHost struct {
	Host        string `json:"host"`       // canonical, or a pattern
	InsteadOf   string `json:"instead_of"` // one of the provider's hosts
	Description string `json:"description"`
}

// A Header is one header field that a provider wants with each request.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Credential is a way to authenticate: which secrets it takes, and how.
type Credential struct {
	ID           string       `json:"id"`           // suffix; empty for the primary one
	Secrets      []SecretSlot `json:"secrets"`      // all needed, in one scope
	Auth         Auth         `json:"auth"`         // with their placeholders
	Login        *Login       `json:"login"`        // nil: not known, or not by OAuth
	Hosts        []string     `json:"hosts"`        // nil: all of the provider
	Capabilities []string     `json:"capabilities"` // nil: all of the provider
}

// Carries reports whether the credential is good for a capability of that id;
// [Credential.Serves] asks for its host, too.
func (c *Credential) Carries(capability string) bool {
	return c.Capabilities == nil || slices.Contains(c.Capabilities, capability)
}

// A SecretSlot is a secret that a credential needs.
type SecretSlot struct {
	Placeholder string `json:"placeholder"` // what stands for its value in the Auth
	Name        string `json:"name"`        // the name by which the provider claims it
	// LooksLike are the beginnings of all values there are, so that one that
	// begins otherwise is most likely something else; nil: not known.
	LooksLike []string `json:"looks_like"`
}

// A Login is how the owner of an OAuth account consents (RFC 6749, section 4.1).
type Login struct {
	AuthorizationEndpoint string   `json:"authorization_endpoint"` // https
	Scopes                []string `json:"scopes"`                 // to ask leave for, unless others are named
	Params                []Param  `json:"params"`                 // further ones of the request, such as access_type
}

// An Auth says how a credential authenticates. Templates have {{placeholder}}
// where the value of a secret goes; every secret of the credential is in one.
//
//	header        one Param: the header's name, and a template
//	query         one Param: the parameter's name, and a template
//	path          one Param, prefix: a template of what goes before the path
//	basic         Params username and password, both templates, the password
//	              empty where a service takes a key for the user; or none
//	multi-header  Params as for header, one or more
//	multi-query   Params as for query, one or more
//
// The one secret of a multi-header or multi-query, if its placeholder is
// secret, may also be a JSON object whose fields are the placeholders.
//
// The other kinds, and basic without Params, have no template. Their one
// secret, whose placeholder is secret, holds all that they need.
//
//	basic      user:password, or a JSON object of both
//	oauth2     Params grant_type (refresh_token or client_credentials),
//	           token_endpoint (https, at one of the provider's hosts), any
//	           number of scope, and client_auth (basic or body) if not basic
//	aws-sigv4  Params service and region
//	hmac       Params algorithm (sha256 or sha512), header_name and
//	           value_template, which has {{signature}} and may have {{timestamp}}
//	mtls       no Params
type Auth struct {
	Kind   string  `json:"kind"`
	Params []Param `json:"params"`
}

// A Param is one setting of an Auth.
type Param struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Capability is an operation, or a family of them, that can be allowed.
type Capability struct {
	ID           string   `json:"id"` // provider/name
	Description  string   `json:"description"`
	Hosts        []string `json:"hosts"` // one of the provider's, and those that stand for it
	Methods      []string `json:"methods"`
	Paths        []string `json:"paths"`     // prefixes of whole segments
	RawPaths     []string `json:"raw_paths"` // prefixes that may end within one
	Except       []string `json:"except"`    // prefixes within those, not allowed
	Headers      []string `json:"headers"`   // the only ones that may pass; nil: no such limit
	EncodedSlash bool     `json:"encoded_slash"`
	OpaqueBody   bool     `json:"opaque_body"`
	Overlaps     []string `json:"overlaps"`      // ids of capabilities that admit some of the same
	WholeHost    bool     `json:"whole_host"`    // a path prefix is "/"
	Example      string   `json:"example"`       // method, space, path with query; may be empty
	ExampleBody  string   `json:"example_body"`  // JSON, or fields of a form; may be empty
	ExampleParts []string `json:"example_parts"` // FIELD=VALUE or FIELD=@FILE, instead of a body
}

// A Registry finds providers, and what belongs to them, by id and name. It is
// safe for concurrent use.
type Registry struct {
	given  map[string]*Provider // nil: the built-in ones
	claims map[string]string    // secret name to provider, of the given ones
	cache  sync.Map             // id to *Provider, of the built-in ones

	base *Registry // that own are added to; nil: none are
	own  owned
}

// Builtin returns the registry of the providers that come with the program.
// It decodes nothing yet.
func Builtin() *Registry { return &Registry{} }

// New returns a registry of the given providers. It is for tests, and refuses
// only what no registry could answer for: an id or a secret name that two
// providers share, and a capability that is not named after its provider.
func New(providers ...*Provider) (*Registry, error) {
	r := &Registry{given: map[string]*Provider{}, claims: map[string]string{}}
	for _, p := range providers {
		if _, taken := r.given[p.ID]; taken {
			return nil, fault.New(fault.InvalidRequest, "two providers have the id %s", p.ID)
		}
		r.given[p.ID] = p
		for _, name := range p.Claims() {
			if other, taken := r.claims[name]; taken {
				return nil, fault.New(fault.InvalidRequest, "%s and %s both claim %s", other, p.ID, name)
			}
			r.claims[name] = p.ID
		}
		for i := range p.Capabilities {
			if id := p.Capabilities[i].ID; !strings.HasPrefix(id, p.ID+"/") {
				return nil, fault.New(fault.InvalidRequest, "the capability %s is not named after its provider %s", id, p.ID)
			}
		}
	}
	return r, nil
}

// Provider returns a provider by id.
func (r *Registry) Provider(id string) (*Provider, bool) {
	if r.base != nil {
		if p, own := r.own.provider(id); own {
			return p, p != nil
		}
		return r.base.Provider(id)
	}
	if r.given != nil {
		p, ok := r.given[id]
		return p, ok
	}
	if p, ok := r.cache.Load(id); ok {
		return p.(*Provider), true
	}
	data, err := files.ReadFile("providers/" + id + ".json")
	if err != nil {
		return nil, false
	}
	p, err := parse(data) // a test puts each of these very bytes through Decode
	if err != nil {
		panic(fmt.Sprintf("registry: %s: %v", id, err))
	}
	shared, _ := r.cache.LoadOrStore(id, p)
	return shared.(*Provider), true
}

// Providers returns the ids of all providers, sorted. It decodes nothing.
func (r *Registry) Providers() []string {
	if r.base != nil {
		return r.own.among(r.base.Providers())
	}
	if r.given != nil {
		return slices.Sorted(maps.Keys(r.given))
	}
	return builtinIDs()
}

// Claim returns the provider that a secret of that name belongs to, if any
// claims it. Names are compared exactly. It decodes nothing.
func (r *Registry) Claim(secretName string) (provider string, ok bool) {
	if r.base != nil {
		if provider, ok = r.base.Claim(secretName); !ok {
			provider, ok = r.own.claims[secretName]
		}
		return provider, ok
	}
	if r.given != nil {
		provider, ok = r.claims[secretName]
		return provider, ok
	}
	provider = builtinClaim(secretName)
	return provider, provider != ""
}

// Capability returns a capability by id, with its provider. It decodes that
// provider only.
func (r *Registry) Capability(id string) (*Capability, *Provider, bool) {
	provider, _, ok := strings.Cut(id, "/")
	if !ok {
		return nil, nil, false
	}
	p, ok := r.Provider(provider)
	if !ok {
		return nil, nil, false
	}
	for i := range p.Capabilities {
		if p.Capabilities[i].ID == id {
			return &p.Capabilities[i], p, true
		}
	}
	return nil, nil, false
}

// LooksLike returns how values of a secret that the provider claims begin; nil
// if that is not known.
func (p *Provider) LooksLike(secretName string) []string {
	for i := range p.Credentials {
		for _, slot := range p.Credentials[i].Secrets {
			if slot.Name == secretName {
				return slot.LooksLike
			}
		}
	}
	return nil
}

// Claims lists the secret names of all credentials, each once, sorted.
func (p *Provider) Claims() []string {
	var names []string
	for i := range p.Credentials {
		for _, slot := range p.Credentials[i].Secrets {
			names = append(names, slot.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
