package vault

import (
	"context"
	"time"

	"aivault/keys/fault"
)

// A Store is what the broker needs of a vault: consistent looks at what is
// stored, changes to credentials, capabilities and bindings, and the one way
// to the values of secrets. [Local] implements it.
type Store interface {
	// View calls f with a consistent view, which is valid during the call
	// only. A vault that does not exist yet is seen as an empty one.
	View(ctx context.Context, f func(Reader) error) error

	// CreateCredential stores c, whose id must be free (fault.AlreadyExists),
	// whose secret must exist and, if pinned, be pinned to c.Provider
	// (fault.PolicyViolation). The hosts of an unpinned secret are sealed with
	// it by its first credential; a further host, or any private one, needs
	// its value again as proof (fault.OperatorAuthRequired if it is nil or
	// another). It also takes back a DisableCredential of the id.
	//
	// A host is forgotten when nothing uses it any more; after that it, too,
	// is a further one.
	CreateCredential(ctx context.Context, c Credential, proof Value) (Credential, error)
	// DeleteCredential removes a credential; false if there was none.
	DeleteCredential(ctx context.Context, id string) (bool, error)
	// DisableCredential keeps a registry-made credential from being made,
	// until EnableCredential; false if it was so already.
	DisableCredential(ctx context.Context, id string) (bool, error)
	EnableCredential(ctx context.Context, id string) (bool, error)

	// CreateCapability stores c, whose id must be free.
	CreateCapability(ctx context.Context, c Capability) (Capability, error)
	// DeleteCapability removes a stored capability with its policy and its
	// bindings, and tells what there was (those of a built-in one stay).
	DeleteCapability(ctx context.Context, id string) (RemovedCapability, error)
	// SetPolicy makes or replaces the policy of a capability, stored or not,
	// whole: one that limits nothing is removed, and has no revision then. The
	// event tells what it was and what it is.
	SetPolicy(ctx context.Context, p Policy, rev IfRevision) (Policy, error)

	// PutBinding makes or replaces the binding of a capability at a scope for
	// a consumer. Its hosts are sealed with an unpinned secret as
	// CreateCredential does.
	PutBinding(ctx context.Context, b Binding, proof Value) (Binding, error)
	// DeleteBinding removes it; false if there was none.
	DeleteBinding(ctx context.Context, capability string, scope Scope, consumer string) (bool, error)

	// PutProvider stores an operator's own provider, in the place of the one of its
	// id if there is one. The same definition changes nothing. fault.Conflict: a
	// name that it claims is another provider's; there are [MaxProviders] already;
	// or it has a host that it did not have, and a secret is pinned to it, which
	// goes to none that it was not stored for.
	PutProvider(ctx context.Context, p Provider) (Provider, error)
	// DeleteProvider removes it, with the limits of its capabilities; false if
	// there was none. fault.Conflict lists what uses it: secrets that are pinned
	// to it, credentials, capabilities and bindings.
	DeleteProvider(ctx context.Context, id string) (bool, error)

	// Authorize calls decide with a consistent view, records the intent that
	// it returns together with the use of its secrets in the same
	// transaction, and only when that is durable decrypts their values, in
	// the order of Decision.Uses. The caller clears them.
	//
	// Where decide fails, its error is returned after the denial, with what
	// Decision.Event then holds, was recorded. Where the intent cannot be
	// recorded the error is fault.AuditUnavailable and nothing is decrypted.
	// A call over Decision.Rate is a denial of fault.RateLimited, and so is a
	// refusal by decide when there were too many of them.
	//
	// Calls that come at once share one transaction; decide may be called
	// again where it fails.
	Authorize(ctx context.Context, decide func(Reader) (Decision, error)) (Permit, error)
	// Finish records the outcome of a call that Authorize granted: with the
	// next intent, or after 50 ms, or at Flush. Its error is that of a record
	// that could not be written earlier, or of this one where too many of them
	// wait; an outcome that waits is tried again with each of these.
	Finish(ctx context.Context, intent uint64, outcome Event) error
	// Flush makes the outcomes durable that Finish took. The error tells that
	// some are not in the audit log, which says "unknown" of these calls, as it
	// does of those of a process that ends without Flush.
	Flush(ctx context.Context) error

	// CreateSecret and RotateSecret are those of [Vault].
	CreateSecret(ctx context.Context, s NewSecret) (Secret, error)
	RotateSecret(ctx context.Context, id ID, value Value, rev IfRevision) (Secret, error)

	// Exclusive waits for its turn at a name among all processes that use the
	// vault, and holds it until release is called or the process ends.
	// fault.VaultBusy if that takes longer than a minute.
	Exclusive(ctx context.Context, name string) (release func(), err error)
	// Reopen returns the value of a secret as it is now, for a call whose
	// intent is recorded, and what is known of its renewals. The caller clears
	// the value.
	Reopen(ctx context.Context, intent uint64, use Use) (Value, Renewal, error)
	// BeginRenewal notes durably, before anything is sent, that a new value is
	// asked for in exchange for the secret's version.
	BeginRenewal(ctx context.Context, intent uint64, use Use, version uint64) error
	// EndRenewal notes what came of it, even if ctx is done. A new value
	// replaces that of the version, or is dropped (fault.Conflict) where an
	// operator was faster. What an operator rotates starts with no renewals.
	EndRenewal(ctx context.Context, intent uint64, use Use, end RenewalEnd) error
}

// RemovedCapability says what went away with a capability.
type RemovedCapability struct {
	Capability, Policy bool
}

// A Renewal is what is known of the exchanges of a secret's value for a new
// one, as OAuth refreshes are.
type Renewal struct {
	Version uint64    // of the value now
	Begun   int       // exchanges of this version that began and whose end is not known
	Refused bool      // the service refused this version for good
	LastAt  time.Time // when an exchange of whatever version last ended; zero if never
}

// A RenewalEnd is what came of an exchange.
type RenewalEnd struct {
	Version uint64 // the one that was exchanged
	Value   Value  // what came back; nil: nothing. Not cleared
	Refused bool   // the service refused it for good
	Code    fault.Code
}

// A Decision is what a call needs once it was found to be allowed.
type Decision struct {
	Event Event  // context, consumer, capability, credential, method, host, path
	Uses  []Use  // the secrets whose values the call needs
	Rate  *int64 // how many calls of Event.Capability may be granted in any 60 s; nil: no limit
}

// A Use is a secret that a call sends to a host.
type Use struct {
	Secret   ID
	Provider string // of the capability: a pinned secret serves no other
	Host     Host   // an unpinned secret goes to its sealed hosts only, a pinned one to no private one
}

// A Permit is the leave to make one call.
type Permit struct {
	Intent uint64  // the sequence number of its intent in the audit log
	Values []Value // one for each Use
}

// A Reader looks at what is stored, through indexes: the cost of a lookup does
// not grow with the number of secrets. What it returns is the caller's to
// keep. Where a method returns a pointer alone, nil means that there is none.
type Reader interface {
	Secret(id ID) (*Secret, error) // fault.SecretNotFound
	SecretNamed(scope Scope, name string) (*Secret, error)
	// NameTaken reports whether a secret of the scope has a name, or has it for
	// an alias.
	NameTaken(scope Scope, name string) (bool, error)
	// Attached lists the secrets pinned to a provider that are attached to g.
	Attached(g GroupRef, provider string) ([]*Secret, error)
	// Pinned lists the secrets pinned to a provider, in every scope.
	Pinned(provider string) ([]*Secret, error)

	Credential(id string) (*Credential, error)
	// CredentialsOf lists a provider's credentials whose own scope it is.
	CredentialsOf(provider string, scope Scope) ([]*Credential, error)
	// CredentialsWith lists the credentials of a secret, by id.
	CredentialsWith(secret ID) ([]*Credential, error)
	Credentials() ([]*Credential, error) // by id
	Disabled() ([]string, error)         // ids of disabled registry-made credentials, sorted
	IsDisabled(id string) (bool, error)

	Capability(id string) (*Capability, error)
	Capabilities() ([]*Capability, error) // by id

	Policy(capability string) (*Policy, error)
	Policies() ([]*Policy, error) // by capability

	Binding(capability string, scope Scope, consumer string) (*Binding, error)
	// Bindings lists the bindings of a capability, or all if it is empty, by
	// capability, scope and consumer.
	Bindings(capability string) ([]*Binding, error)
	// BindingsWith lists the bindings of a secret, in the same order.
	BindingsWith(secret ID) ([]*Binding, error)

	// Granted reports whether another user may make calls in a context: in
	// exactly that workspace and group, whatever the consumer.
	Granted(uid int, c Context) (bool, error)

	// ProviderRecords lists the records of the vault's own providers, in an order
	// that means nothing. It decrypts none: the id of a record stands for what is
	// in it, as another definition has another one.
	ProviderRecords() ([]ID, error)
	Provider(record ID) (*Provider, error)
}
