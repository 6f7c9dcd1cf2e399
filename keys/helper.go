package keys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"aivault/keys/fault"
)

// HelperArg is the one argument with which HelperKeyring starts our own
// executable, whose main function then calls RunHelper.
const HelperArg = "__keyring"

// defaultTimeout is how long a call into the keyring may take where nobody is
// there to answer a prompt.
const defaultTimeout = 5 * time.Second

// HelperKeyring is the keyring of the operating system, reached through a
// helper process for each call. The libraries that speak to it wait without
// a limit for prompts and for services that hang, and a call that hangs blocks
// the next one in its process; a process can be killed.
//
// The entry's content goes through pipes, never through the arguments or the
// environment. No process is left behind: the helper is killed, with all that
// it started, when the call's time is over, and ends by itself when ours does.
//
// Where there is no session bus (Linux and the BSDs), no helper is started:
// the libraries would launch a bus and leave it running.
type HelperKeyring struct {
	Command []string      // the helper: a program and its arguments
	Env     []string      // its whole environment, as in exec.Cmd
	Timeout time.Duration // for each call; 5 s if 0
}

// NewHelperKeyring returns the keyring of this session. The helper is our own
// executable. Of the environment that getenv shows, it gets what a keyring
// needs and nothing else. A timeout of 0 is 5 seconds.
func NewHelperKeyring(getenv func(name string) string, timeout time.Duration) HelperKeyring {
	k := HelperKeyring{Timeout: timeout}
	for _, name := range helperVars {
		if v := getenv(name); v != "" {
			k.Env = append(k.Env, name+"="+v)
		}
	}
	if exe := executable(); exe != "" {
		k.Command = []string{exe, HelperArg}
	}
	return k
}

// executable returns the path of the program that is running, or "". On Linux
// that stays right even after an update replaced the file.
func executable() string {
	const self = "/proc/self/exe"
	if runtime.GOOS == "linux" {
		if _, err := os.Stat(self); err == nil {
			return self
		}
	}
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	return exe
}

// Present implements Keyring. A keyring that is locked is asked to unlock,
// which may open its prompt.
func (k HelperKeyring) Present(ctx context.Context) (bool, error) {
	reply, err := k.call(ctx, opPresent, "", "", nil)
	if errors.Is(err, errNone) {
		return false, nil
	}
	reply.clear()
	return err == nil, helperFault(ctx, err, "keyring")
}

// Get implements Keyring.
func (k HelperKeyring) Get(ctx context.Context, service, account string) ([]byte, error) {
	reply, err := k.call(ctx, opGet, service, account, nil)
	if err != nil {
		return nil, helperFault(ctx, err, entryName(service, account))
	}
	return reply.fields[0], nil
}

// Set implements Keyring. The entry is read back.
func (k HelperKeyring) Set(ctx context.Context, service, account string, secret []byte) error {
	_, err := k.call(ctx, opSet, service, account, secret)
	return helperFault(ctx, err, entryName(service, account))
}

// Delete implements Keyring.
func (k HelperKeyring) Delete(ctx context.Context, service, account string) error {
	_, err := k.call(ctx, opDelete, service, account, nil)
	return helperFault(ctx, err, entryName(service, account))
}

// What became of a call, beside ErrNoEntry.
var (
	errNone     = errors.New("no keyring")
	errLocked   = errors.New("locked")
	errForgot   = errors.New("the keyring did not keep the entry")
	errNoAnswer = errors.New("the helper ended without an answer")
)

// call has a helper do op, and returns its reply, whose one field the caller
// owns, if op succeeded.
func (k HelperKeyring) call(ctx context.Context, op byte, service, account string, secret []byte) (frame, error) {
	env, ok := sessionEnv(k.Env)
	if !ok {
		return frame{}, errNone
	}
	request, err := frame{op, [][]byte{[]byte(service), []byte(account), secret}}.encode()
	if err != nil {
		return frame{}, err
	}
	defer clear(request)
	ctx, cancel := context.WithTimeout(ctx, k.timeout())
	defer cancel()
	reply, err := exchange(ctx, k.Command, env, request)
	if err != nil {
		return frame{}, err
	}
	if reply.kind == outcomeDone {
		return reply, nil
	}
	defer reply.clear()
	switch reply.kind {
	case outcomeNone:
		err = errNone
	case outcomeNoEntry:
		err = ErrNoEntry
	case outcomeLocked:
		err = errLocked
	case outcomeForgot:
		err = errForgot
	default:
		err = fmt.Errorf("%s", printableOnly(reply.fields[0]))
	}
	return frame{}, err
}

func (k HelperKeyring) timeout() time.Duration {
	if k.Timeout <= 0 {
		return defaultTimeout
	}
	return k.Timeout
}

// exchange starts the helper, sends the request and returns the reply. When it
// returns, the helper is gone.
func exchange(ctx context.Context, command, env []string, request []byte) (frame, error) {
	if len(command) == 0 {
		return frame{}, errors.New("the path of this program is unknown")
	}
	// On Linux a helper dies with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = env
	cmd.WaitDelay = time.Second // for pipes that somebody else holds open
	isolate(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return frame{}, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return frame{}, err
	}
	if err := cmd.Start(); err != nil {
		return frame{}, err
	}
	// A pipe holds more than a request: this does not block. What could go
	// wrong shows in the reply. The pipe stays open: the helper takes its end
	// for ours.
	_, _ = stdin.Write(request)
	reply, err := readFrame(stdout, 1)
	_ = cmd.Wait() // closes both pipes
	if err == nil {
		return reply, nil
	}
	if ctx.Err() != nil {
		return frame{}, ctx.Err()
	}
	return frame{}, errNoAnswer
}

// helperFault turns an error of call into one that says what it means for what.
// ErrNoEntry, which callers look for, passes.
func helperFault(ctx context.Context, err error, what string) error {
	switch {
	case err == nil, errors.Is(err, ErrNoEntry):
		return err
	case errors.Is(err, errNone):
		return fault.Wrap(fault.KeyUnavailable, noKeyring(), "using the %s", what)
	case errors.Is(err, errLocked):
		return fault.New(fault.KeyUnavailable, "using the %s: the keyring is locked, or has no default collection", what).
			WithHint("unlock the keyring, or answer its prompt, and try again")
	case errors.Is(ctx.Err(), context.Canceled):
		return fault.Wrap(fault.Canceled, ctx.Err(), "using the %s", what)
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.KeyUnavailable, "using the %s: the keyring did not answer in time", what).
			WithHint("answer the keyring's prompt if one is open, and try again")
	}
	return fault.Wrap(fault.KeyUnavailable, err, "using the %s", what).
		WithHint("see whether the keyring of this session works")
}

// printableOnly returns text of another program, made fit for a message.
func printableOnly(b []byte) string {
	s := strings.ToValidUTF8(string(b), "?")
	return strings.Map(func(r rune) rune {
		if !printable(string(r)) {
			return '?'
		}
		return r
	}, s)
}
