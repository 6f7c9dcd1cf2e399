package broker

import (
	"context"
	"net/http"
	"time"

	"aivault/vault"
)

// A Service is what people, scripts and agents may ask of a broker. [Broker]
// implements it in this process; arguments and results are plain values, so
// that an implementation that speaks to another process can stand in its
// place. No method returns the value of a secret.
type Service interface {
	// Invoke makes a call: it finds the capability and the credential for the
	// context, checks the policy, records the intent, adds the authentication,
	// sends the request once, and returns the cleaned answer. An answer of
	// whatever status is no error.
	Invoke(ctx context.Context, call Call) (*Answer, error)
	// Stream makes a call as Invoke does, and hands the answer over as it
	// arrives. The Answer that it returns has no body. An error of the sink
	// ends the call, upstream too. After the sink was begun an error may come
	// together with an Answer: what was handed over is then not all.
	Stream(ctx context.Context, call Call, to Sink) (*Answer, error)
	// Preview returns the request that a call would send, with the name of
	// each secret in the place of its value. It records, decrypts and sends
	// nothing.
	Preview(ctx context.Context, call Call) (*Preview, error)
	// Login gets the tokens of an OAuth account with its owner's consent, and
	// stores them as a secret.
	Login(ctx context.Context, l Login) (vault.Secret, error)
	// Explain tells which credential a call would use, and why. The error of
	// the choice, if it is one, is in Ladder.Err; the error returned is of the
	// question itself (unknown capability, bad context).
	Explain(ctx context.Context, capability string, c vault.Context, credential string) (*Ladder, error)

	CreateCredential(ctx context.Context, c NewCredential) (Credential, error)
	// CheckCredential tells what CreateCredential would make, or fails as that
	// would, but for the proof, which it does not look at. Nothing is changed.
	CheckCredential(ctx context.Context, c NewCredential) (Draft, error)
	// Credentials lists stored and registry-made credentials by id.
	Credentials(ctx context.Context) ([]Credential, error)
	// Accounts lists them with the names of their secrets, and besides those
	// that the registry would make: disabled ones, and such as wait for a secret.
	Accounts(ctx context.Context) ([]Account, error)
	// DeleteCredential removes a stored credential, or disables a
	// registry-made one; false if there is none of that id.
	DeleteCredential(ctx context.Context, id string) (bool, error)

	CreateCapability(ctx context.Context, c NewCapability) (Capability, error)
	// CheckCapability tells what CreateCapability would make, or fails as that
	// would. Nothing is changed.
	CheckCapability(ctx context.Context, c NewCapability) (Capability, error)
	// Capabilities lists all, stored and built-in, by id.
	Capabilities(ctx context.Context) ([]Capability, error)
	Describe(ctx context.Context, id string) (*Description, error)
	// DeleteCapability removes a stored capability with its policy and its
	// bindings, and tells what there was; a built-in one stays with its own.
	DeleteCapability(ctx context.Context, id string) (vault.RemovedCapability, error)
	// SetPolicy replaces the limits of a capability, built-in or not.
	SetPolicy(ctx context.Context, p vault.Policy, rev vault.IfRevision) (vault.Policy, error)
	// Policy returns the limits of a capability: the zero Policy, but for its
	// id, if none were set.
	Policy(ctx context.Context, capability string) (vault.Policy, error)
	// Policies lists those that were set, by capability.
	Policies(ctx context.Context) ([]vault.Policy, error)

	Bind(ctx context.Context, b NewBinding) (Binding, error)
	Unbind(ctx context.Context, capability string, scope vault.Scope, consumer string) (bool, error)
	// Bindings lists the bindings of one capability, or of all if it is
	// empty: the operator's, and what provisioning gave (Auto).
	Bindings(ctx context.Context, capability string) ([]Binding, error)

	// Providers lists the built-in ones and the vault's own, by id.
	Providers(ctx context.Context) ([]Provider, error)
	// CheckProvider tells what AddProvider would do, or fails as that would.
	// Nothing is changed.
	CheckProvider(ctx context.Context, definition []byte) (ProviderChange, error)
	// AddProvider keeps an operator's own provider: a definition as package
	// registry has it. From then on secrets that get a name which it claims are
	// pinned to it. One of its id takes the place of an earlier definition.
	// fault.AlreadyExists: the id is that of a built-in one. fault.Conflict: a
	// name or an id in it is taken, or a secret is pinned to the provider, and
	// would get to a further host.
	AddProvider(ctx context.Context, definition []byte) (ProviderChange, error)
	// RemoveProvider removes one of the vault's own; false if there is none of
	// that id. fault.Conflict lists what uses it.
	RemoveProvider(ctx context.Context, id string) (bool, error)

	// Provisioned tells what the registry makes of a secret that was just
	// stored or renamed: nothing if no provider claims its name.
	Provisioned(ctx context.Context, s vault.Secret) (*Provision, error)
	// Claim tells what storing a secret of a name in a scope would come to. A
	// name that is none is fault.InvalidRequest. Nothing is changed.
	Claim(ctx context.Context, name string, scope vault.Scope) (Claim, error)
	// Uses tells what there is of a secret's, and would go with it.
	// fault.SecretNotFound if there is no such secret.
	Uses(ctx context.Context, secret vault.ID) (Uses, error)
	// Effects tells what a change would do to the calls in the contexts that it
	// touches, and changes nothing. What the change itself would be refused for
	// is an error, but for revisions and for the proof of a binding's secret.
	Effects(ctx context.Context, c Change) ([]Effect, error)
}

// A Call is one request of a caller that nobody trusts.
type Call struct {
	Capability string
	Context    vault.Context
	Credential string // the one to use; empty: the broker chooses
	Method     string // empty: see policy.Choose
	Path       string // origin form, with the query; empty: see policy.Choose
	Headers    []Header
	Body       []byte        // nil: none
	Parts      []Part        // a multipart body instead of Body
	Timeout    time.Duration // of the whole call; 0: the broker's own limits
	ClientIP   string        // audit context; empty, or a loopback address
}

// A Header is one header of a request, as its caller gave it.
type Header struct {
	Name, Value string
}

// A Part is a field or a file of a multipart body (RFC 7578).
type Part struct {
	Field     string
	File      string // name of the file, without directories; empty: a field
	MediaType string // of a file; empty: application/octet-stream
	Data      []byte
}

// A Sink takes an answer as it arrives. One that is a [Watcher], too, is told how
// far the call is.
type Sink interface {
	// Begin is called once, before the body, with everything but the body,
	// the sizes and the times.
	Begin(a *Answer) error
	// Write takes the next piece of the body, cleaned.
	Write(p []byte) (int, error)
}

// A Preview is a request as it would be sent.
type Preview struct {
	Capability string
	Credential string
	Secret     string // names of the secrets
	// Certificate stands for the client certificate in the handshake, as the
	// name of its secret does elsewhere; empty: none.
	Certificate string
	Method      string
	URL         string
	Headers     []Header // in the order of their names
	Body        []byte   // nil: none; of a multipart body with a boundary of this preview only
}

// A Login is how to get the tokens of an OAuth account.
type Login struct {
	Provider      string // of the registry: it gives the addresses, scopes and name that are left out
	AuthURL       string // authorization endpoint
	TokenEndpoint string // https; where it is left out, InBody is the registry's, too
	ClientID      string
	ClientSecret  vault.Value // nil: a public client. Not cleared
	InBody        bool        // the client's secret goes into the body instead of HTTP Basic
	Scopes        []string
	Extra         []Header // further parameters of the authorization request, such as access_type

	Name         string // of the secret that takes the tokens: a new one, or one to be rotated
	Scope        vault.Scope
	AllowPrivate bool // the token endpoint may be private; needs CACert
	CACert       []byte

	// Credential is one to make for the secret, which need not be named; nil:
	// none. It is checked before anybody consents. Where it is not made all the
	// same, its error comes together with the secret, which is stored by then.
	Credential *NewCredential

	// Open shows the owner where to consent, and returns at once.
	Open func(url string) error `rpc:"-"`
}

// An Answer is what came back, cleaned.
type Answer struct {
	Capability                  string
	Credential                  string // id; empty where the registry lent auth and hosts to a binding
	Secret                      string // name of the secret used
	Method                      string
	URL                         string // as sent, but REDACTED for what the broker added
	Status                      int
	MediaType                   string      // of the Content-Type, without parameters
	Header                      http.Header // what may leave of the answer's header, cleaned
	Body                        []byte
	Redactions                  int // how often an injected secret was found in the answer
	Blocked                     int // how many fields the policy kept back
	Redirects                   int // how many were followed
	RequestBytes, ResponseBytes int64
	Duration                    time.Duration
	Timing                      Timing // of the last request that was sent
	Intent                      uint64 // sequence number in the audit log
	// Unrecorded is why an outcome could not be written to the audit log,
	// which then says "unknown" of the call; nil as far as is known yet.
	Unrecorded error
}

// A Ladder is the explanation of a choice: every candidate and binding by
// tier, the one taken, and why the others were not.
type Ladder struct {
	Capability string
	Provider   string
	Context    vault.Context
	Via        string // credential, binding, or empty if nothing was found
	Credential string // id of the credential taken, or that lends auth and hosts; may be empty
	Lender     string // registry:PROVIDER where no credential lends, else Credential
	Secret     vault.ID
	SecretName string
	Tier       vault.Level // 0: nothing was found
	Rungs      []Rung      // the best first
	Err        error       // why nothing was taken
}

// A Rung is a credential or binding that was looked at.
type Rung struct {
	Tier       vault.Level // 0: does not apply in this context
	Kind       string      // credential or binding
	ID         string      // the credential's id, or the binding's scope and consumer
	Secret     vault.ID
	SecretName string
	Taken      bool
	Reason     string // why it was taken, or why not
}

// A NewCredential is what a hand-made credential is made from.
type NewCredential struct {
	ID           string
	Provider     string
	Secret       vault.ID
	Scope        vault.Scope
	Auth         *vault.Auth // nil: the registry's for the provider
	Hosts        []string    // none: the registry's for the provider
	AllowPrivate bool
	CACert       []byte      // PEM
	Proof        vault.Value // the secret's value, where a new host needs it; not cleared
}

// A Credential is a stored or registry-made credential.
type Credential struct {
	vault.Credential
	Auto bool // made by the registry from secrets whose names it claims
	// Secrets are the secrets that it needs: one, or for an Auto one of
	// several parts, all of them.
	Secrets []vault.ID
}

// A NewCapability is what a custom capability is made from.
type NewCapability struct {
	ID         string
	Provider   string   // empty: that of FromCred, or the first part of the id
	FromCred   string   // id of a credential that gives provider and host where they are missing
	Hosts      []string // one; none: the host of FromCred
	Methods    []string
	Paths      []string
	AllowHeads []string // request headers that may pass; none: all that policy lets pass
}

// A Capability is a stored or built-in capability.
type Capability struct {
	ID          string
	Provider    string
	Description string
	Allow       vault.Allow
	RawPaths    []string // prefixes of Allow.Paths that need not end at a segment
	Except      []string // prefixes within Allow.Paths that are not allowed
	// EncodedSlash says that a segment of a path may hold a slash, as %2F.
	EncodedSlash bool
	Builtin      bool // its provider lists it; it was not made by hand
	Own          bool // its provider is the operator's own
	Ready        bool // a credential of its provider carries it, in some scope
}

// A Description is what a caller needs to know to use a capability.
type Description struct {
	Capability
	ProviderName string
	DocsURL      string
	// SecretNames are the conventional names whose secrets make it ready, one
	// list per way: each name of a list is needed.
	SecretNames [][]string
	Method      string // the default, or empty if one must be chosen
	Path        string
	Example     string // a method, a space, and a path with its query; may be empty
	// ExampleBody is the body of the example, JSON or fields of a form; or it is
	// ExampleParts, each FIELD=VALUE or FIELD=@FILE. Both may be empty.
	ExampleBody  string
	ExampleParts []string
	Headers      []Header // static ones that the broker adds
	Slots        []Slot   // what each of the SecretNames stands for
	// Hosts of the provider's that a credential may name instead of its usual
	// one; where NeedsHost is a pattern such as *.example.com, one under it is
	// needed, and a secret alone makes no credential.
	OtherHosts []OtherHost
	NeedsHost  string
	// OpaqueBody says that a body may name operations or addresses of its own,
	// so that the paths do not tell what a call can do.
	OpaqueBody bool
}

// A Slot is a secret name that a provider claims, in its place.
type Slot struct {
	Name        string
	Placeholder string // what stands for the value in the templates of the authentication
	Login       bool   // it comes by its owner's consent
}

// An OtherHost is one that a credential may name: of a region, a plan, a
// sandbox.
type OtherHost struct {
	Host        string // or a pattern such as *.example.com
	Description string
}

// A NewBinding is what a binding is made from.
type NewBinding struct {
	Capability string
	Secret     vault.ID
	Scope      vault.Scope
	Consumer   string
	Proof      vault.Value // the secret's value, where a new host needs it; not cleared
}

// A Binding is an operator's choice, or what provisioning gave.
type Binding struct {
	vault.Binding
	Auto bool // without weight in resolution
}
