package keys

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/zalando/go-keyring"
)

// What the helper is asked to do. A request's fields are service, account and,
// for opSet, the secret.
const (
	opPresent byte = 'p'
	opGet     byte = 'g'
	opSet     byte = 's'
	opDelete  byte = 'd'
)

// What became of it. The one field of a reply is the secret for an opGet that
// is done, a text for outcomeFailed, and empty otherwise.
const (
	outcomeDone    byte = 'k'
	outcomeNone    byte = 'n' // there is no keyring
	outcomeNoEntry byte = 'e'
	outcomeLocked  byte = 'l'
	outcomeForgot  byte = 'f' // stored without complaint, and not there
	outcomeFailed  byte = 'x'
)

// maxDetail is the length of the longest text of outcomeFailed, in bytes.
const maxDetail = 300

// probeAccount is an account that has no entry: asking for it shows whether
// the keyring can be used.
const probeAccount = "aivault-probe"

// A library is what the helper calls: go-keyring, or a test's.
type library interface {
	// reachable reports whether there is a keyring; without launching one.
	reachable() (bool, error)
	Get(service, account string) (string, error)
	Set(service, account, secret string) error
	Delete(service, account string) error
}

// RunHelper is the helper of HelperKeyring: it reads one request from stdin,
// does it, writes the reply to stdout and returns the exit status. It also
// returns when ctx is done or stdin ends, as that is how the parent's end
// shows; the caller must then exit, since a call into a keyring cannot be
// cancelled.
//
// It gives nobody more than they have: whoever may start it as this user may
// ask the keyring themselves.
func RunHelper(ctx context.Context, stdin io.Reader, stdout io.Writer) int {
	return serve(ctx, stdin, stdout, goKeyring{})
}

func serve(ctx context.Context, stdin io.Reader, stdout io.Writer, lib library) int {
	request, err := readFrame(stdin, 3)
	if err != nil {
		return 2
	}
	done := make(chan frame, 1)
	go func() { done <- do(lib, request) }()
	parentGone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		close(parentGone)
	}()

	var reply frame
	select {
	case reply = <-done:
	case <-parentGone:
		return 1
	case <-ctx.Done():
		return 1
	}
	request.clear()
	b, err := reply.encode()
	if err != nil { // nothing that we stored: ours are short
		b, err = frame{outcomeFailed, [][]byte{[]byte("the entry is too long")}}.encode()
	}
	reply.clear()
	if err != nil {
		return 1
	}
	defer clear(b)
	if _, err := stdout.Write(b); err != nil {
		return 1
	}
	return 0
}

// do carries out a request. The strings that go-keyring takes and gives stay
// in memory until this process ends, which it is about to do.
func do(lib library, request frame) frame {
	service, account, secret := string(request.fields[0]), string(request.fields[1]), string(request.fields[2])
	answer, err := "", error(nil)
	there, err := lib.reachable()
	switch {
	case err != nil:
	case !there:
		return frame{outcomeNone, [][]byte{nil}}
	case request.kind == opPresent:
		if _, err = lib.Get(KeyringService, probeAccount); errors.Is(err, keyring.ErrNotFound) {
			err = nil
		}
	case request.kind == opGet:
		answer, err = lib.Get(service, account)
	case request.kind == opSet:
		// A dismissed prompt counts as success with go-keyring.
		if err = lib.Set(service, account, secret); err == nil {
			var kept string
			kept, err = lib.Get(service, account)
			if errors.Is(err, keyring.ErrNotFound) || err == nil && kept != secret {
				return frame{outcomeForgot, [][]byte{nil}}
			}
		}
	case request.kind == opDelete:
		err = lib.Delete(service, account)
	default:
		err = errors.New("unknown operation")
	}
	if err != nil {
		return failure(err, secret)
	}
	return frame{outcomeDone, [][]byte{[]byte(answer)}}
}

// failure tells the outcomes of an error apart. Errors of keyrings are free
// text: one that repeats the secret is not passed on.
func failure(err error, secret string) frame {
	detail := []byte(err.Error())
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return frame{outcomeNoEntry, [][]byte{nil}}
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return frame{outcomeNone, [][]byte{nil}}
	case isLocked(err), strings.HasPrefix(err.Error(), "failed to unlock"):
		return frame{outcomeLocked, [][]byte{nil}}
	case secret != "" && bytes.Contains(detail, []byte(secret)):
		detail = []byte("an error that cannot be shown")
	}
	return frame{outcomeFailed, [][]byte{detail[:min(len(detail), maxDetail)]}}
}

// goKeyring is the keyring as go-keyring reaches it.
type goKeyring struct{}

func (goKeyring) reachable() (bool, error) { return serviceReachable() }

func (goKeyring) Get(service, account string) (string, error) { return keyring.Get(service, account) }

func (goKeyring) Set(service, account, secret string) error {
	return keyring.Set(service, account, secret)
}

func (goKeyring) Delete(service, account string) error { return keyring.Delete(service, account) }
