// Package fault is the vocabulary of what can go wrong: one [Code] for each
// kind of failure that a caller may want to tell from another, and an [Error]
// that carries it together with what happened and what to do next.
//
// A code is stable: scripts match it, and the exit status of the command line
// follows from it. The text of an error is for people, and may change.
//
// Nothing here ever holds a secret. An error text names things (a secret's
// name, a file, a host), never the value of a secret, a query or a body.
package fault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A Code names a kind of failure. It is itself an error, so that
// errors.Is(err, fault.SecretNotFound) tells whether err is of that kind.
type Code string

// Error makes a Code usable as the target of errors.Is.
func (c Code) Error() string { return string(c) }

// The request is malformed, or is no request that can ever succeed.
const (
	InvalidRequest Code = "invalid_request" // a value that cannot be right
	Usage          Code = "usage"           // a command line that does not parse
)

// The request is well formed and refused.
const (
	PolicyViolation      Code = "policy_violation"       // the capability does not allow it
	OperatorAuthRequired Code = "operator_auth_required" // only the vault's owner may do this
	TokenInvalid         Code = "token_invalid"          // a token that is unknown, expired or of another scope
)

// What was named is not there, or not for this context.
const (
	CapabilityNotFound  Code = "capability_not_found"
	CredentialNotFound  Code = "credential_not_found"
	SecretNotFound      Code = "secret_not_found"
	CredentialAmbiguous Code = "credential_ambiguous"
	SecretNotAccessible Code = "secret_not_accessible"
)

// The key-encryption key is not to be had.
const (
	VaultLocked    Code = "vault_locked"    // a passphrase is needed
	KeyUnavailable Code = "key_unavailable" // the keyring, file or variable does not answer or holds no key
	WrongKey       Code = "wrong_key"       // there is a key, and it is not this vault's
)

// The vault file is not what was written.
const (
	VaultCorrupt  Code = "vault_corrupt"
	VaultRollback Code = "vault_rollback" // an older state than one that was seen before
	VaultNewer    Code = "vault_newer"    // written by a later version of aivault
	AuditBroken   Code = "audit_broken"   // the audit chain does not verify
)

// The disk does not do what it should.
const (
	IO             Code = "io_error"
	DiskFull       Code = "disk_full"
	OutcomeUnknown Code = "outcome_unknown" // a write reported an error and may have happened
)

// Somebody else was faster.
const (
	VaultBusy     Code = "vault_busy"     // another process holds the vault for too long
	AlreadyExists Code = "already_exists" // the name or id is taken
	Conflict      Code = "conflict"       // it changed since it was read, or contradicts what is there
)

// The upstream service, or the way to it.
const (
	Timeout              Code = "timeout"
	UpstreamUnreachable  Code = "upstream_unreachable"
	AuthFailed           Code = "auth_failed"
	OAuthRefreshRequired Code = "oauth_refresh_required"
	UpstreamStatus       Code = "upstream_status" // an answer of 400 and above, where the caller asked for it to count
)

// A limit was reached.
const (
	RateLimited      Code = "rate_limited"
	RequestTooLarge  Code = "request_too_large"
	ResponseTooLarge Code = "response_too_large"
)

const (
	AuditUnavailable Code = "audit_unavailable" // the call was not made, because it could not be recorded
	Canceled         Code = "canceled"          // the caller went away, or a signal came
	Internal         Code = "internal"          // a bug in aivault
)

// Codes returns every code, in the order in which they are declared.
func Codes() []Code {
	return []Code{
		InvalidRequest, Usage,
		PolicyViolation, OperatorAuthRequired, TokenInvalid,
		CapabilityNotFound, CredentialNotFound, SecretNotFound, CredentialAmbiguous, SecretNotAccessible,
		VaultLocked, KeyUnavailable, WrongKey,
		VaultCorrupt, VaultRollback, VaultNewer, AuditBroken,
		IO, DiskFull, OutcomeUnknown,
		VaultBusy, AlreadyExists, Conflict,
		Timeout, UpstreamUnreachable, AuthFailed, OAuthRefreshRequired, UpstreamStatus,
		RateLimited, RequestTooLarge, ResponseTooLarge,
		AuditUnavailable, Canceled, Internal,
	}
}

// An Error is a failure with its code, what happened, and what to do next.
type Error struct {
	Code Code
	Msg  string // what happened; lower case, no full stop
	Hint string // what to do next, a command where there is one; may be empty
	Err  error  // the cause, if it is an error of its own; its text is part of Error()
}

// New returns an Error with the given code and message.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...)}
}

// Wrap returns an Error whose cause is err. The text of err must be free of
// secrets, as it becomes part of the message.
func Wrap(code Code, err error, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...), Err: err}
}

// Afterwards returns the error of what is only looked at once a change was made:
// it must not read as if nothing had changed. Nil stays nil.
func Afterwards(err error) error {
	if err == nil {
		return nil
	}
	return Wrap(CodeOf(err), err, "the change was made, and what came of it cannot be shown").WithHint("look whether it is as it should be; it need not be made again")
}

// WithoutPath returns the error of a call of the system without the path, where
// our own text has that.
func WithoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// WithHint returns a copy of e that says what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Msg
	case e.Msg == "":
		return e.Err.Error()
	}
	return e.Msg + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is e's code.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && e.Code == code
}

// CodeOf returns the code of the outermost Error in err's chain. A cancelled
// or expired context without a code of its own is Canceled or Timeout; any
// other error without a code is Internal. CodeOf(nil) is the empty Code.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if c, ok := errors.AsType[Code](err); ok {
		return c
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.Is(err, context.Canceled):
		return Canceled
	}
	return Internal
}

// HintOf returns the first hint in err's chain, or the empty string.
func HintOf(err error) string {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}
