package broker

import (
	"context"
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
	// Explain tells which credential a call would use, and why. The error of
	// the choice, if it is one, is in Ladder.Err; the error returned is of the
	// question itself (unknown capability, bad context).
	Explain(ctx context.Context, capability string, c vault.Context, credential string) (*Ladder, error)

	CreateCredential(ctx context.Context, c NewCredential) (Credential, error)
	// Credentials lists stored and registry-made credentials by id.
	Credentials(ctx context.Context) ([]Credential, error)
	// DeleteCredential removes a stored credential, or disables a
	// registry-made one; false if there is none of that id.
	DeleteCredential(ctx context.Context, id string) (bool, error)

	CreateCapability(ctx context.Context, c NewCapability) (Capability, error)
	// Capabilities lists all, stored and built-in, by id.
	Capabilities(ctx context.Context) ([]Capability, error)
	Describe(ctx context.Context, id string) (*Description, error)
	// DeleteCapability removes a stored capability with its bindings; false
	// if there is none, or it is a built-in one.
	DeleteCapability(ctx context.Context, id string) (bool, error)

	Bind(ctx context.Context, b NewBinding) (Binding, error)
	Unbind(ctx context.Context, capability string, scope vault.Scope, consumer string) (bool, error)
	// Bindings lists the bindings of one capability, or of all if it is
	// empty: the operator's, and what provisioning gave (Auto).
	Bindings(ctx context.Context, capability string) ([]Binding, error)

	// Provisioned tells what the registry makes of a secret that was just
	// stored or renamed: nothing if no provider claims its name.
	Provisioned(ctx context.Context, s vault.Secret) (*Provision, error)
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
	Timeout    time.Duration // of the whole call; 0: the broker's own limits
	ClientIP   string        // audit context; empty, or a loopback address
}

// A Header is one header of a request, as its caller gave it.
type Header struct {
	Name, Value string
}

// An Answer is what came back, cleaned.
type Answer struct {
	Capability string
	Credential string // id; empty where the registry lent auth and hosts to a binding
	Secret     string // name of the secret used
	Method     string
	URL        string // as sent, but REDACTED for what the broker added
	Status     int
	MediaType  string // of the Content-Type, without parameters
	Body       []byte
	Redactions int // how often an injected secret was found in the answer
	Duration   time.Duration
	Intent     uint64 // sequence number in the audit log
	// Unrecorded is why the outcome could not be written to the audit log,
	// which then says "unknown" of the call; nil if it was.
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
	Builtin     bool
	Ready       bool // a credential of its provider carries it, in some scope
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
	Headers     []Header // static ones that the broker adds
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

// A Provision is what the registry makes of a secret.
type Provision struct {
	Provider     string
	Credential   string   // id of the credential that it completes; empty while names are missing
	Capabilities int      // how many the credential carries
	Missing      []string // names of further secrets that the credential waits for, in the same scope
	Disabled     bool     // the credential would be made, but was deleted before
}
