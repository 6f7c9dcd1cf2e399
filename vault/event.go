package vault

import (
	"time"

	"aivault/keys/fault"
)

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
	KindVaultUnlock       = "vault.unlock"            // a key was handed over, to be kept; the note names its slot
	KindVaultLock         = "vault.lock"              // and is forgotten
	KindVaultBackup       = "vault.backup"            // a copy of the file was made, or with an error was not
	KindVaultRestore      = "vault.restore"           // this file, a backup, took the place of another one
	KindVaultAccept       = "vault.accept"            // this file was taken for the vault, though a newer one was here before
	KindVaultSalvage      = "vault.salvage"           // this file is what could be read of a damaged one
	KindVaultRotate       = "vault.rotate_master_key" // a new root key, and the note says which slot has a new key
	KindKeyAdd            = "key.add"                 // a slot; the note names its kind and the beginning of its id
	KindKeyRemove         = "key.remove"
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
	KindGrantAdd          = "grant.add" // another user may call in a context, which the note names
	KindGrantRemove       = "grant.remove"
	KindProviderAdd       = "provider.add" // an operator's own definition, or another one of the same id, which the note names
	KindProviderRemove    = "provider.remove"
	KindOAuthRefresh      = "oauth.refresh" // the beginning of an exchange, or with an outcome its end
)

// An AuditQuery selects events. Zero fields select all.
//
// The sequence orders events, and their times do not where the clock was set
// back. Since therefore does not end at the first event that is too old, but
// after 5,000 such in a row: what is older than a stretch of that length, in
// which the clock was wrong, is not found by it.
//
// With UpTo reading starts there, at the same cost wherever that is. Each event
// that is read is verified to be the one that the next one read follows; what
// is newer than UpTo is not verified by this query.
//
// Outcome is that of an event, and of the beginning of a call or of a renewal
// that of its end: unknown where none is in the log. Ends are looked for among
// the 5,000 events after UpTo.
type AuditQuery struct {
	Limit      int       // at most so many; 0: 200
	Before     time.Time // strictly older ones only
	Since      time.Time // of that time or later only; see below
	After      uint64    // of a higher sequence number only
	UpTo       uint64    // of that sequence number or lower only
	Kind       string    // of that kind, or, with a dot at its end, of a family of kinds
	Capability string
	Secret     ID
	Workspace  string // of the caller, or of the scope at which something was changed
	Group      string
	Actor      string
	Outcome    string // ok, denied, error or unknown, or a code such as rate_limited
}

// An AuditState is what VerifyAudit found.
type AuditState struct {
	Events      uint64
	First, Last time.Time
}
