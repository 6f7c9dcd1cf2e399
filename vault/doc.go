// Package vault keeps secrets, their scopes and groups, and what an operator
// made of them: credentials, capabilities, bindings, policies. It resolves
// nothing and sends nothing; that is the broker's. What it gives to people is
// everything but the values ([Vault]); what it gives to the broker is a value
// for a call that was recorded before ([Store.Authorize], [Store.Reopen]).
//
// # The file
//
// One bbolt file, vault.db, in a directory of mode 0700. Several processes use
// it, and none holds it open: each operation takes vault.lock beside it, opens,
// runs one transaction, and closes. Locks that outlast a transaction are files
// in run/ beside it ([Local.Exclusive]).
//
//	1 meta      "format"    u32: version of this schema, now 4
//	            "vault"     id of the vault, 16 random bytes
//	            "manifest"  sealed: the state of the whole, rewritten by each transaction
//	            "chain" | generation u32   sealed: keys of that generation's audit events, from the first of them on
//	2 slots     slot id                       -> seal.Slot: one way to the root key, in clear
//	                                             (of formats 1 and 2: one, never of kind recovery)
//	3 records   kind u8 | record id [16]      -> sealed record
//	               1 secret      all but the value
//	               2 usage       when a secret was last used (same id as the secret)
//	               3 credential  made by hand
//	               4 capability  made by hand
//	               5 binding
//	               6 disabled    a registry-made credential that is not to be made
//	               7 policy      limits of a capability
//	               8 renewal     exchanges of a secret's value for a new one (same id as the secret)
//	               9 rate        calls of a capability in the last minute, or refused ones (id: keyed hash)
//	              10 denials     refused calls of the last minute by kind, those that are no events yet (id: 0)
//	              11 slot        when a slot was made, and whether it is to go (same id as the slot)
//	              12 grant       that another user may call in a context
//	              13 provider    an operator's own definition of one (id: another one for another definition)
//	4 values    secret id [16]                -> data key and value, sealed
//	5 index     kind u8 | keyed hash [16]     -> record id         (unique ones)
//	            kind u8 | keyed hash [16] | record id -> nothing   (others)
//	               1 secret by scope and name or alias (unique; value: id, is it an alias)
//	               2 secret by scope            3 secret by group attached
//	               4 secret by group attached and provider
//	               5 secret by provider pinned  6 credential by id (unique)
//	               7 credential by provider and scope
//	               8 credential by secret       9 capability by id (unique)
//	              10 binding by capability, scope and consumer (unique)
//	              11 binding by capability     12 binding by secret
//	              13 disabled by id (unique)
//	              14 policy by capability (unique)
//	              15 grant by user and context (unique)
//	              16 provider by id (unique)   17 provider by secret name claimed (unique)
//	6 audit     sequence number u64           -> sealed event | chain value [32]
//
// Change this picture together with the format version and a migration.
// Format 1 had no records of kinds 7 to 10, and no count of denials at the end of
// an event. Formats 1 and 2 had one slot and no record of kind 11, and no hash of
// the slots at the end of the manifest. Format 3 had one root key, no slot that is
// to go, and no records of kinds 12 and 13. They are read as they are, and become format 4
// when something is written.
//
// # Slots
//
// Any slot opens the vault. Those whose key asks nobody are tried first, then
// somebody is asked, once, for what the others take; a slot that cannot be used
// hides no other. The manifest holds a hash of all slots, so that opening the
// vault tells when one was added, changed, taken away or put back. To remove a
// slot does not change the root key: with a copy of the file from before, and the
// key of the slot, that copy can be opened.
//
// # A new root key
//
// [Local.RotateMaster] makes a new root key and seals everything anew, in a new file
// beside vault.db that is verified before it takes its place: nothing that was
// sealed before is in it, but for the events of the log, whose keys are sealed anew.
// The slots give back the new root key, as it is sealed to their public keys; that
// by which the vault was opened has another key, too. Each process that has the
// earlier root key at hand opens the vault anew. What a backup or a copy from before
// holds opens with the keys of then, and with no other.
//
// # Calls
//
// A call costs one durable commit, or a share of one: calls that come at once are
// decided on one after the other in one transaction. It holds the intent of each,
// and what that counts for: the use of its secrets, the rate of its capability.
// No value is decrypted before it is durable. Outcomes wait in memory for the
// next such transaction, or 50 ms, or [Local.Flush]. Those of a process that is
// killed before are lost: of such a call the log has the intent, which reads
// "unknown".
//
// The rate holds for all processes, as what was called in the last minute is in
// the file. A minute is one by the clock of the machine's boot, which nobody can
// set, and across boots by the time of day: where that was set back, no time has
// passed.
//
// # Callers
//
// One process may hold the vault open for others, and acts then for whom the
// context names ([WithCaller]). Keys come into it, and go nowhere: it opens the
// vault by a key that another process loaded ([Local.FetchKey],
// [Local.UnlockWith]), and makes a slot for one that another process made
// ([Local.NewKey], [Local.AddSlotKey]). Other users of the machine may make
// calls, if they may at all, in contexts that were granted to them ([Grant]); the
// broker asks about that in the transaction that records the call.
//
// # Providers
//
// Which secret names belong to a provider is for the broker to say ([Options]), and
// for an operator, whose own definitions are kept here as they were given. A secret
// whose name one of them claims is pinned to it from the transaction on in which it
// gets the name. While any is, another definition may take hosts away, and adds
// none; and a definition that is in use stays.
//
// # What is found
//
// Every record is sealed to its id, kind and revision, so an edit is found by
// whoever reads the record. The manifest holds a keyed hash over the set of all
// slots, records and values, updated at a constant cost by each transaction:
// deletion, exchange and rollback of one are found by [Local.Doctor], which computes it anew.
// Indexes are derived: a lookup checks that the record is the one asked for,
// and Doctor that the index is complete. Events form a chain, whose head the
// manifest holds. Which pages of the file are free only who writes looks at, and
// Doctor.
//
// A whole file replaced by an older copy of itself verifies. So it is remembered
// outside the file how far the vault had come, by the number of its transactions,
// which the manifest holds:
//
//   - in state/ beside the vault ([Options.State]), in a file of 112 bytes that the
//     vault's key authenticates: each transaction writes it, once it is durable
//     itself, and each one reads it, which takes microseconds;
//   - in every process, for as long as it runs;
//   - beside a key of the vault that is in the keyring, which takes longer: Init,
//     Doctor, Backup, Restore and AcceptOlder write it, and Doctor and the last two
//     read it.
//
// Who finds the file older than that, or come as far in another way, does not use
// it (fault.VaultRollback). [Local.Restore] and [Local.AcceptOlder] are the ways
// on: they go on counting behind all that was seen, so that no memory, in whatever
// process, calls their file older, and all call older what they replaced.
//
// A memory that was lost, is older or does not verify keeps nobody out: it tells
// less. Who can write the vault's file and state/ alike can put older copies of
// both back; only a process that was running, and Doctor where there is a keyring,
// find that. Who has the vault's key can do anything.
//
// # Backups
//
// A backup is the file as one transaction sees it, and opens with the same keys. To
// restore one is to rename a copy of it that was made beside the vault, verified,
// and given the event that says so, under the lock that all take: at every moment
// one of the two files is there, whole. What was replaced stays beside it, as
// vault.db.before-restore, until the next restore.
package vault
