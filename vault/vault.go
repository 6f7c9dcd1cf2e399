package vault

import (
	"context"

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
	// State stands for what the vault holds now: it is another one after each
	// change, by whatever process. Who takes it before reading can tell later
	// whether that is still so. It needs no key, takes no lock, waits for
	// nobody, and costs microseconds.
	State(ctx context.Context) (State, error)
	// Unlock fetches the key now, which other methods do when they need it. Its
	// error also tells of a vault that cannot be used, damaged or older than it was.
	Unlock(ctx context.Context) error
	// Lock makes this process forget the key, once those who are using it are
	// done. What needs it next fetches it again. The error is that of Flush in
	// [Store]: the key is forgotten all the same.
	Lock(ctx context.Context) error
	// Init makes a new vault whose key lives where cfg says.
	// fault.AlreadyExists if there is one.
	Init(ctx context.Context, cfg keys.Config) (Status, error)

	// Slots lists the ways to unlock the vault, in the order in which they are
	// tried: those that ask nobody come first.
	Slots(ctx context.Context) ([]Slot, error)
	// AddSlot makes another one, whose key lives where cfg says, and makes that
	// key. A keyring entry without an account gets one of its own. A slot whose
	// key lived in the same place goes, as that key is no more there;
	// fault.AlreadyExists if it is the same key.
	AddSlot(ctx context.Context, cfg keys.Config) (Slot, error)
	// RemoveSlot removes one; false if there is none of that id. What its key
	// was made of stays where it is, and it opens copies of the vault that were
	// made before. The last one, and one without which nothing that can be tried
	// now opens the vault, stays: fault.Conflict.
	RemoveSlot(ctx context.Context, id ID) (bool, error)

	// RotateMaster makes a new root key, seals everything anew, and has a new key
	// take the place of the one by which the vault was opened; every other slot
	// opens it as before. The old key is removed when the new one has opened the
	// vault; where nobody but a person can put the new one in its place, both open
	// it until FinishRotation (fault.Conflict: one is unfinished already). What does
	// not open ends it, with nothing changed (fault.VaultCorrupt). Others wait
	// meanwhile, some 3 s for 100,000 secrets.
	//
	// Copies of the vault from before open with the keys of then, and no later one.
	RotateMaster(ctx context.Context, opts RotateOptions) (Rotation, error)
	// FinishRotation has the old key of a rotation open the vault no more, once the
	// new one has opened it: fault.Conflict.
	FinishRotation(ctx context.Context) (Rotation, error)

	CreateSecret(ctx context.Context, s NewSecret) (Secret, error)
	// FindSecret resolves what people type: an id, a reference, or a prefix
	// of an id that is unique and at least six hex digits long.
	FindSecret(ctx context.Context, ref string) (Secret, error)
	// Secrets lists the secrets of one scope, or of all if scope is nil, by
	// scope and name.
	Secrets(ctx context.Context, scope *Scope) ([]Secret, error)
	// Scopes counts the secrets of every scope that has any, its own or
	// attached ones, of every workspace with such a group, and of the global
	// scope, which comes first; then by workspace and group.
	Scopes(ctx context.Context) ([]ScopeCount, error)
	// Effective lists what a context sees, by name, the winner of each name
	// first and what it shadows after it.
	Effective(ctx context.Context, c Context) ([]Effective, error)
	UpdateSecret(ctx context.Context, id ID, change SecretChange, rev IfRevision) (Secret, error)
	RotateSecret(ctx context.Context, id ID, value Value, rev IfRevision) (Secret, error)
	// DeleteSecret removes the secret with its credentials, attachments and
	// bindings, and frees the name.
	DeleteSecret(ctx context.Context, id ID, rev IfRevision) (Removed, error)
	// DeleteSecrets does so with each of them, all or none, in one transaction.
	// One that is named more than once is deleted once, and its first revision
	// counts.
	DeleteSecrets(ctx context.Context, which []SecretAt) ([]Removed, error)
	// AttachGroup shares a secret with a group; false if it was so already.
	AttachGroup(ctx context.Context, id ID, g GroupRef, rev IfRevision) (Secret, bool, error)
	DetachGroup(ctx context.Context, id ID, g GroupRef, rev IfRevision) (Secret, bool, error)
	// Share attaches and detaches groups, one change after the other, all or
	// none, in one transaction. It returns the secrets as they are then, each
	// once, in the order in which they were first named. A change that changes
	// nothing has no event, and the revision of a secret grows by one at most.
	Share(ctx context.Context, changes []Sharing) ([]Secret, error)
	// ImportSecrets creates each entry as CreateSecret does, all in one
	// transaction, and reports what became of every one. An entry that cannot
	// be stored does not keep the others from it.
	ImportSecrets(ctx context.Context, scope Scope, entries []ImportEntry, rotateExisting bool) (ImportResult, error)

	// Grants lists in which contexts other users of this machine may make
	// calls, by user id and context.
	Grants(ctx context.Context) ([]Grant, error)
	// Grant allows a user to make calls in a context, which has a workspace and
	// no consumer, and in no other: false if that was so already. A vault has
	// 1,000 grants at the most: fault.Conflict.
	Grant(ctx context.Context, uid int, c Context) (Grant, bool, error)
	// Revoke takes that back, for calls that do not run yet; false if there is
	// no such grant.
	Revoke(ctx context.Context, uid int, c Context) (bool, error)

	// Audit lists events, newest first.
	Audit(ctx context.Context, q AuditQuery) ([]Event, error)
	// VerifyAudit verifies the whole chain. fault.AuditBroken names the first
	// event that does not verify.
	VerifyAudit(ctx context.Context) (AuditState, error)
	// Doctor verifies everything there is, and changes nothing. That the vault
	// was in order, and how far it had come, is remembered.
	Doctor(ctx context.Context) (Report, error)
	// AcceptOlder takes a file for the vault that is older than what was here
	// before (fault.VaultRollback), from then on. It returns the sequence number
	// of the event that says so. fault.Conflict if the file is not older.
	AcceptOlder(ctx context.Context) (uint64, error)
	// Salvage makes a new vault in a directory that holds nothing, of all of a
	// damaged one that verifies, and tells what does not. It opens with the same
	// keys. The damaged one is only read.
	Salvage(ctx context.Context, dir string) (Salvaged, error)

	// Backup writes a copy of the vault's file, as it is at one moment, to a file
	// that does not exist, or with replace takes its place. It opens with the
	// keys of the vault, and was verified when Backup returns.
	Backup(ctx context.Context, file string, replace bool) (Backup, error)
	// Compare verifies a backup, and tells what restoring it would change.
	Compare(ctx context.Context, file string) (Comparison, error)
	// Restore puts a backup in the place of the vault, whether that is in order,
	// damaged or missing. fault.Conflict: it is of another vault, or would lose
	// what opts do not allow.
	Restore(ctx context.Context, file string, opts RestoreOptions) (Restored, error)
}

// Status is what can be said of a vault without opening it, and whether it
// could be opened.
type Status struct {
	Initialized bool
	Locked      bool      // it cannot be used now: KeyError says why
	KeyError    error     // nil unless locked
	Provider    keys.Kind // where the key lives that opened it, or is tried first; empty if not initialised
	Key         keys.Config
	KeyID       string // the slot's id
	Slots       []Slot // all of them; as long as it is locked, what the file says and nobody verified
	VaultID     string
	Root        string // the directory
	File        string // the vault file
}

// Typed tells which of the things that people type open the vault.
func (s *Status) Typed() keys.Typed {
	var t keys.Typed
	for _, slot := range s.Slots {
		t.Add(slot.Key.Kind)
	}
	return t
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

// A Report is what Doctor found.
type Report struct {
	Checks []Check
}

// A Check is one thing that Doctor verified.
type Check struct {
	Name   string // permissions, leftovers, pages (if damaged), keyring, key, slots, records, set hash, indexes, audit chain, anchor
	OK     bool
	Detail string     // what was verified, or what is wrong
	Code   fault.Code // unless OK
	Remedy string     // what to do; where it is OK, what could be done
}

// Err returns nil if all checks passed, else an error with the code of the
// first that tells of damage, or the first that did not pass.
func (r Report) Err() error {
	for _, any := range []bool{false, true} {
		for _, c := range r.Checks {
			damage := c.Code == fault.VaultCorrupt || c.Code == fault.VaultRollback || c.Code == fault.AuditBroken
			if !c.OK && (damage || any) {
				return fault.New(c.Code, "%s: %s", c.Name, c.Detail).WithHint("%s", c.Remedy)
			}
		}
	}
	return nil
}
