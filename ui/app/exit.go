package app

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"aivault/keys/fault"
)

// Exit statuses. Scripts match them: a number is never given another meaning.
const (
	exitOK       = 0
	exitUsage    = 2
	exitPolicy   = 3
	exitNotFound = 5
	exitLocked   = 6
	exitDamaged  = 7
	exitStorage  = 8
	exitBusy     = 9
	exitUpstream = 10
	exitLimit    = 11
	exitAudit    = 12
	exitInternal = 70
	exitSignal   = 128 // and the number of the signal
)

// ExitStatus returns the exit status for what a command returned. The context
// tells whether, and by which signal, the command was ended.
func ExitStatus(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	code := fault.CodeOf(err)
	switch {
	case IsBrokenPipe(err):
		return exitSignal + int(syscall.SIGPIPE)
	case code == fault.Canceled:
		return exitSignal + signalOf(ctx)
	}
	return statusOf(code)
}

// IsBrokenPipe reports whether a command ended because nobody reads its output
// any more, as in `aivault audit | head`: a canceled one, with that cause.
func IsBrokenPipe(err error) bool {
	return fault.CodeOf(err) == fault.Canceled && errors.Is(err, syscall.EPIPE)
}

// statusOf is the one table of codes and statuses.
func statusOf(code fault.Code) int {
	switch code {
	case fault.InvalidRequest, fault.Usage:
		return exitUsage
	case fault.PolicyViolation, fault.OperatorAuthRequired, fault.TokenInvalid:
		return exitPolicy
	case fault.CapabilityNotFound, fault.CredentialNotFound, fault.SecretNotFound,
		fault.CredentialAmbiguous, fault.SecretNotAccessible:
		return exitNotFound
	case fault.VaultLocked, fault.KeyUnavailable, fault.WrongKey:
		return exitLocked
	case fault.VaultCorrupt, fault.VaultRollback, fault.VaultNewer, fault.AuditBroken:
		return exitDamaged
	case fault.IO, fault.DiskFull, fault.OutcomeUnknown:
		return exitStorage
	case fault.VaultBusy, fault.AlreadyExists, fault.Conflict:
		return exitBusy
	case fault.Timeout, fault.UpstreamUnreachable, fault.AuthFailed, fault.OAuthRefreshRequired, fault.UpstreamStatus:
		return exitUpstream
	case fault.RateLimited, fault.RequestTooLarge, fault.ResponseTooLarge:
		return exitLimit
	case fault.AuditUnavailable:
		return exitAudit
	}
	return exitInternal
}

// A signalError says which signal ended a context.
type signalError struct{ signal syscall.Signal }

func (e signalError) Error() string { return "signal: " + e.signal.String() }

// Is makes the cause of a context look like what ended it.
func (e signalError) Is(target error) bool { return target == context.Canceled }

// signalOf returns the number of the signal that ended ctx, SIGINT's if it was
// ended otherwise.
func signalOf(ctx context.Context) int {
	if e, ok := errors.AsType[signalError](context.Cause(ctx)); ok {
		return int(e.signal)
	}
	return int(syscall.SIGINT)
}

// sameSignal is how long after a signal another one is taken for the same:
// timeout(1) sends its own to a process and again to the group of it.
const sameSignal = 250 * time.Millisecond

// WithSignals returns a context that ends when the process is asked to end,
// and knows by which signal. A moment later signals do what they do by default,
// so that a second one ends the process at once. The function that it returns
// has that effect too.
//
// A signal that is ignored, as SIGHUP is under nohup, stays ignored. SIGPIPE no
// longer ends the process: a write to a closed pipe is an error, so that what a
// call came to is still recorded.
func WithSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	c := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM} {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		select {
		case s := <-c:
			if number, ok := s.(syscall.Signal); ok {
				cancel(signalError{number})
			}
			time.Sleep(sameSignal)
		case <-ctx.Done():
		}
		signal.Stop(c)
	}()
	return ctx, func() { cancel(nil) }
}
