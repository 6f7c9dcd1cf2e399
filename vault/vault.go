package vault

import (
	"context"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
)

// A Vault is what people and scripts may do with secrets and the audit log.
// [Local] implements it in this process; because every argument and result is
// a plain value, an implementation that speaks to another process can stand in
// its place. No method returns the value of a secret.
//
// Every change is one transaction that holds its audit event. Methods that
// take an [IfRevision] refuse with fault.Conflict what has changed since.
type Vault interface {
	// Status tells what can be told without changing anything. It fails only
	// where the vault file itself cannot be looked at.
	Status(ctx context.Context) (Status, error)
	// Unlock fetches the key now, which other methods do when they need it.
	Unlock(ctx context.Context) error
	// Init makes a new vault whose key lives where cfg says.
	// fault.AlreadyExists if there is one.
	Init(ctx context.Context, cfg keys.Config) (Status, error)

	CreateSecret(ctx context.Context, s NewSecret) (Secret, error)
	// FindSecret resolves what people type: an id, a reference, or a prefix
	// of an id that is unique and at least six hex digits long.
	FindSecret(ctx context.Context, ref string) (Secret, error)
	// Secrets lists the secrets of one scope, or of all if scope is nil, by
	// scope and name.
	Secrets(ctx context.Context, scope *Scope) ([]Secret, error)
	// Effective lists what a context sees, by name, the winner of each name
	// first and what it shadows after it.
	Effective(ctx context.Context, c Context) ([]Effective, error)
	UpdateSecret(ctx context.Context, id ID, change SecretChange, rev IfRevision) (Secret, error)
	RotateSecret(ctx context.Context, id ID, value Value, rev IfRevision) (Secret, error)
	// DeleteSecret removes the secret with its credentials, attachments and
	// bindings, and frees the name.
	DeleteSecret(ctx context.Context, id ID, rev IfRevision) (Removed, error)
	// AttachGroup shares a secret with a group; false if it was so already.
	AttachGroup(ctx context.Context, id ID, g GroupRef, rev IfRevision) (Secret, bool, error)
	DetachGroup(ctx context.Context, id ID, g GroupRef, rev IfRevision) (Secret, bool, error)
	// ImportSecrets creates each entry as CreateSecret does, all in one
	// transaction, and reports what became of every one. An entry that cannot
	// be stored does not keep the others from it.
	ImportSecrets(ctx context.Context, scope Scope, entries []ImportEntry, rotateExisting bool) (ImportResult, error)

	// Audit lists events, newest first.
	Audit(ctx context.Context, q AuditQuery) ([]Event, error)
	// VerifyAudit verifies the whole chain. fault.AuditBroken names the first
	// event that does not verify.
	VerifyAudit(ctx context.Context) (AuditState, error)
	// Doctor verifies everything there is, and changes nothing.
	Doctor(ctx context.Context) (Report, error)
}

// Status is what can be said of a vault without opening it, and whether it
// could be opened.
type Status struct {
	Initialized bool
	Locked      bool      // its key is not at hand: KeyError says why
	KeyError    error     // nil unless locked
	Provider    keys.Kind // where the key lives; empty if not initialised
	Key         keys.Config
	KeyID       string // the slot's id
	VaultID     string
	Root        string // the directory
	File        string // the vault file
}

// Effective is a secret as a context sees it.
type Effective struct {
	Secret
	Tier       Level
	Attached   bool // reached by attachment, not by its own scope
	ShadowedBy *ID  // the secret of the same name that stands before it
}

// From says in a word or two where an effective secret comes from: own,
// attached, workspace or global.
func (e *Effective) From(c Context) string {
	switch {
	case e.Attached:
		return "attached"
	case e.Scope == c.Scope():
		return "own"
	}
	return e.Scope.Level.String()
}

// An ImportEntry is one name and value to import. The value is not cleared.
type ImportEntry struct {
	Name  string
	Value Value
}

// ImportResult says what became of each entry of an import, by name.
type ImportResult struct {
	Created []Secret
	Rotated []Secret
	Skipped []string // exist in that scope
	Failed  []ImportFailure
}

// An ImportFailure is an entry that could not be imported.
type ImportFailure struct {
	Name string
	Err  error
}

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
	Authorize(ctx context.Context, decide func(Reader) (Decision, error)) (Grant, error)
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

// A Grant is the leave to make one call.
type Grant struct {
	Intent uint64  // the sequence number of its intent in the audit log
	Values []Value // one for each Use
}

// A Reader looks at what is stored, through indexes: the cost of a lookup does
// not grow with the number of secrets. What it returns is the caller's to
// keep. Where a method returns a pointer alone, nil means that there is none.
type Reader interface {
	Secret(id ID) (*Secret, error) // fault.SecretNotFound
	SecretNamed(scope Scope, name string) (*Secret, error)
	// Attached lists the secrets pinned to a provider that are attached to g.
	Attached(g GroupRef, provider string) ([]*Secret, error)
	// Pinned lists the secrets pinned to a provider, in every scope.
	Pinned(provider string) ([]*Secret, error)

	Credential(id string) (*Credential, error)
	// CredentialsOf lists a provider's credentials whose own scope it is.
	CredentialsOf(provider string, scope Scope) ([]*Credential, error)
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
}

// An Event is one entry of the audit log. Zero fields are left out of JSON.
// It holds no query, header, body, or value of a secret.
type Event struct {
	Seq           uint64        `json:"seq"`
	Time          time.Time     `json:"-"` // tsMs in JSON
	Kind          string        `json:"kind"`
	Outcome       string        `json:"outcome,omitempty"` // ok, denied, error, unknown
	Code          fault.Code    `json:"code,omitempty"`
	Actor         string        `json:"actor,omitempty"`
	UID           int           `json:"uid"`
	PID           int           `json:"pid"`
	Workspace     string        `json:"workspaceId,omitempty"`
	Group         string        `json:"groupId,omitempty"`
	Consumer      string        `json:"consumer,omitempty"`
	Capability    string        `json:"capability,omitempty"`
	Credential    string        `json:"credential,omitempty"`
	Secret        ID            `json:"-"` // secretId in JSON
	SecretVersion uint64        `json:"secretVersion,omitempty"`
	Scope         string        `json:"scope,omitempty"`
	Method        string        `json:"method,omitempty"`
	Host          string        `json:"host,omitempty"`
	Path          string        `json:"path,omitempty"`
	Status        int           `json:"status,omitempty"`
	RequestBytes  int64         `json:"requestBytes,omitempty"`
	ResponseBytes int64         `json:"responseBytes,omitempty"`
	Duration      time.Duration `json:"-"` // durationMs in JSON
	Redactions    int           `json:"redactions,omitempty"`
	Intent        uint64        `json:"intentSeq,omitempty"` // of an outcome: the event that announced the call
	Note          string        `json:"note,omitempty"`
	// Count is how many denials like this one there were, the event of the
	// first one included, until Last; zero for a single one.
	Count uint64    `json:"count,omitempty"`
	Last  time.Time `json:"-"` // lastMs in JSON
}

// Outcomes of an event.
const (
	OutcomeOK      = "ok"
	OutcomeDenied  = "denied"
	OutcomeError   = "error"
	OutcomeUnknown = "unknown" // an intent whose outcome was never recorded
)

// Kinds of events. The first part names what it is about.
const (
	KindVaultInit         = "vault.init"
	KindSecretCreate      = "secret.create"
	KindSecretUpdate      = "secret.update"
	KindSecretRotate      = "secret.rotate"
	KindSecretDelete      = "secret.delete"
	KindSecretAttach      = "secret.attach"
	KindSecretDetach      = "secret.detach"
	KindSecretHosts       = "secret.hosts" // hosts were sealed with an unpinned secret
	KindCredentialCreate  = "credential.create"
	KindCredentialDelete  = "credential.delete"
	KindCredentialDisable = "credential.disable"
	KindCredentialEnable  = "credential.enable"
	KindCapabilityCreate  = "capability.create"
	KindCapabilityDelete  = "capability.delete"
	KindCapabilityBind    = "capability.bind"
	KindCapabilityUnbind  = "capability.unbind"
	KindInvokeIntent      = "invoke.intent"
	KindInvokeOutcome     = "invoke.outcome"
	KindInvokeDenied      = "invoke.denied"
	KindCapabilityPolicy  = "capability.policy"
	KindOAuthRefresh      = "oauth.refresh" // the beginning of an exchange, or with an outcome its end
)

// An AuditQuery selects events. Zero fields select all.
//
// The sequence orders events, and their times do not where the clock was set
// back. Since therefore does not end at the first event that is too old, but
// after 5,000 such in a row: what is older than a stretch of that length, in
// which the clock was wrong, is not found by it.
type AuditQuery struct {
	Limit      int       // at most so many; 0: 200
	Before     time.Time // strictly older ones only
	Since      time.Time // of that time or later only; see below
	After      uint64    // of a higher sequence number only
	Kind       string    // of that kind, or, with a dot at its end, of a family of kinds
	Capability string
	Secret     ID
	Workspace  string // of the caller, or of the scope at which something was changed
	Group      string
}

// An AuditState is what VerifyAudit found.
type AuditState struct {
	Events      uint64
	First, Last time.Time
}

// A Report is what Doctor found.
type Report struct {
	Checks []Check
}

// A Check is one thing that Doctor verified.
type Check struct {
	Name   string // slots, records, set hash, indexes, audit chain, permissions
	OK     bool
	Detail string     // what was verified, or what is wrong
	Code   fault.Code // unless OK
	Remedy string     // unless OK: what to do
}

// Err returns nil if all checks passed, else an error with the code of the
// first that did not.
func (r Report) Err() error {
	for _, c := range r.Checks {
		if !c.OK {
			return fault.New(c.Code, "%s: %s", c.Name, c.Detail).WithHint("%s", c.Remedy)
		}
	}
	return nil
}
