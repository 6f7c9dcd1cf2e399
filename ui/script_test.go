package ui_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/ui"
	"aivault/ui/app"
)

// Variables by which a script tells the aivault of the test binary what its
// Env is; the real program knows none of them.
const (
	varClock      = "TEST_CLOCK_MS"   // the time of day
	varKeyring    = "TEST_KEYRING"    // absent, locked, hanging, or a directory that is one
	varUpstream   = "TEST_UPSTREAM"   // where all connections go
	varRoots      = "TEST_ROOTS"      // a file of certificates that are trusted
	varTranscript = "TEST_TRANSCRIPT" // a file that gets all output
)

// TestMain also makes the test binary the aivault that scripts run.
func TestMain(m *testing.M) {
	// Under the race detector, every process would wait a second at its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")); err != nil {
		panic(err)
	}
	testscript.Main(tidy{m}, map[string]func(){
		"aivault": func() { os.Exit(testAivault()) },
	})
}

// tidy removes what the tests share, once they are over.
type tidy struct{ m *testing.M }

func (t tidy) Run() int {
	defer func() {
		if builtIn != "" {
			_ = os.RemoveAll(builtIn)
		}
	}()
	return t.m.Run()
}

// testAivault is main, in an environment of the test's.
func testAivault() int {
	ctx, stop := app.WithSignals(context.Background())
	defer stop()
	env := app.System()
	env.KDF = cheapKDF
	env.Keyring = func(time.Duration) keys.Keyring { return dirKeyring(os.Getenv(varKeyring)) }
	if ms, err := strconv.ParseInt(os.Getenv(varClock), 10, 64); err == nil {
		env.Now = func() time.Time { return time.UnixMilli(ms) }
	}
	if addr := os.Getenv(varUpstream); addr != "" {
		env.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
		env.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.AddrFrom4([4]byte{1, 1, 1, 1})}, nil // any public one
		}
	}
	if path := os.Getenv(varRoots); path != "" {
		env.Roots, _ = os.ReadFile(path)
	}
	if path := os.Getenv(varTranscript); path != "" {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		defer f.Close()
		if !env.IsTerminal(env.Stdout) {
			env.Stdout = io.MultiWriter(env.Stdout, f)
		}
		if !env.IsTerminal(env.Stderr) {
			env.Stderr = io.MultiWriter(env.Stderr, f)
		}
	}
	return ui.Main(ctx, env, os.Args[1:])
}

// cheapKDF is the least that a passphrase may cost.
func cheapKDF() (keys.KDF, error) {
	salt := make([]byte, 16)
	_, err := rand.Read(salt)
	return keys.KDF{Time: 1, MemoryKiB: 19 << 10, Threads: 1, Salt: salt}, err
}

// A dirKeyring is a keyring whose entries are files in a directory, or one that
// fails in the way that its name says. The empty one is absent.
type dirKeyring string

func (k dirKeyring) Present(context.Context) (bool, error) {
	switch k {
	case "", "absent":
		return false, nil
	case "locked", "hanging":
		return true, k.fail()
	}
	return true, nil
}

func (k dirKeyring) fail() error {
	switch k {
	case "", "absent":
		return fault.New(fault.KeyUnavailable, "there is no keyring")
	case "locked":
		return fault.New(fault.KeyUnavailable, "the keyring is locked").WithHint("unlock it")
	case "hanging":
		return fault.New(fault.KeyUnavailable, "the keyring does not answer")
	}
	return nil
}

func (k dirKeyring) path(service, account string) string {
	return filepath.Join(string(k), service+"."+account)
}

func (k dirKeyring) Get(_ context.Context, service, account string) ([]byte, error) {
	if err := k.fail(); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(k.path(service, account))
	if errors.Is(err, os.ErrNotExist) {
		err = keys.ErrNoEntry
	}
	return b, err
}

func (k dirKeyring) Set(_ context.Context, service, account string, secret []byte) error {
	if err := k.fail(); err != nil {
		return err
	}
	return os.WriteFile(k.path(service, account), secret, 0o600)
}

func (k dirKeyring) Delete(_ context.Context, service, account string) error {
	return os.Remove(k.path(service, account))
}

// updating has the goldens of the scripts rewritten.
var updating = flag.Bool("update", false, "rewrite the expected output in the scripts")

func TestScripts(t *testing.T) {
	t.Parallel()
	params := scriptParams()
	params.Dir = filepath.Join("testdata", "script")
	testscript.Run(t, params)
}

// scriptParams says what every script can do.
func scriptParams() testscript.Params {
	return testscript.Params{
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *updating,
		Setup:               setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"canary":    cmdCanary,
			"exits":     cmdExits,
			"id":        cmdID,
			"normalize": cmdNormalize,
			"received":  cmdReceived,
			"upstream":  cmdUpstream,
		},
	}
}

// A scriptState is what the commands of one script share.
type scriptState struct {
	t        testing.TB
	secrets  []string
	upstream *upstream.Server
	labels   map[string]string // canary to its name
}

type stateKey struct{}

func state(ts *testscript.TestScript) *scriptState { return ts.Value(stateKey{}).(*scriptState) }

// setupScript gives a script a vault of its own and a directory for canaries,
// which is not part of what is scanned for them at its end.
func setupScript(env *testscript.Env) error {
	tb, ok := env.T().(testing.TB)
	if !ok {
		return errors.New("testscript runs without a *testing.T")
	}
	st := &scriptState{t: tb, labels: map[string]string{}}
	env.Values[stateKey{}] = st
	outside := tb.TempDir()
	transcript := filepath.Join(outside, "transcript")
	for name, value := range map[string]string{
		"HOME": filepath.Join(env.WorkDir, "home"), "AIVAULT_DIR": filepath.Join(env.WorkDir, "vault"), "TZ": "UTC",
		"CANARIES": outside, "GORACE": os.Getenv("GORACE"), varTranscript: transcript, varClock: "1767323045000", // 2026-01-02 03:04:05
	} {
		env.Setenv(name, value)
	}
	env.Defer(func() {
		brokertest.ScanDir(tb, env.WorkDir, st.secrets...)
		if b, err := os.ReadFile(transcript); err == nil {
			brokertest.Scan(tb, "what aivault printed", b, st.secrets...)
		}
	})
	return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700)
}

// cmdCanary makes up a secret: `canary NAME` puts it into the file
// $CANARIES/NAME. No script ever holds its value.
func cmdCanary(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: canary NAME...")
	}
	st := state(ts)
	for _, name := range args {
		secret := brokertest.Word(st.t)
		st.secrets = append(st.secrets, secret)
		st.labels[secret] = name
		ts.Check(os.WriteFile(filepath.Join(ts.Getenv("CANARIES"), name), []byte(secret+"\n"), 0o600))
	}
}

// cmdExits runs a command that must end with a status: `exits 2 aivault ...`.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if want, err := strconv.Atoi(args[0]); err != nil || got != want {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// cmdID sets a variable to the id in the last output: `id VAR`.
func cmdID(ts *testscript.TestScript, neg bool, args []string) {
	id := uuids.FindString(ts.ReadFile("stdout"))
	if neg || len(args) != 1 || id == "" {
		ts.Fatalf("usage: id VAR, after a command that printed an id")
	}
	ts.Setenv(args[0], id)
}

var (
	uuids    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	shortIDs = regexp.MustCompile(`\b[0-9a-f]{8}\b`)
	ports    = regexp.MustCompile(`localhost:[0-9]+`)
	pids     = regexp.MustCompile(`"(pid|uid)": [0-9]+`)
	took     = regexp.MustCompile(`\n *"durationMs": [0-9]+,?`)
)

// cmdNormalize makes the last output the same in every run: ids, ports, process
// numbers and the directory are replaced, ids by as many characters.
func cmdNormalize(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: normalize")
	}
	s := ts.ReadFile("stdout")
	x := func(s string) string {
		return strings.Map(func(r rune) rune { return map[bool]rune{true: '-', false: 'x'}[r == '-'] }, s)
	}
	s = uuids.ReplaceAllStringFunc(s, x)
	s = shortIDs.ReplaceAllStringFunc(s, x)
	s = ports.ReplaceAllString(s, "localhost:PORT")
	s = pids.ReplaceAllString(s, `"$1": 1`)
	s = took.ReplaceAllString(s, "")
	s = strings.ReplaceAll(s, ts.Getenv("WORK"), "/work")
	_, _ = io.WriteString(ts.Stdout(), s)
}

// cmdUpstream starts the service that scripts call. It is $HOST, its authority
// $CA; with `upstream everywhere` it is whatever host is called. It answers a
// request with its method, path and body, and the name of the canary that it
// was sent; under some paths it misbehaves.
func cmdUpstream(ts *testscript.TestScript, neg bool, args []string) {
	st := state(ts)
	names := []string{"localhost"}
	if len(args) > 1 && args[0] == "everywhere" {
		names = args[1:]
	} else if neg || len(args) > 0 {
		ts.Fatalf("usage: upstream [everywhere HOST...]")
	}
	st.upstream = brokertest.New(st.t, names...)
	st.upstream.Handle(func(w http.ResponseWriter, r *http.Request) { st.answer(w, r) })
	ca := ts.MkAbs("ca.pem")
	ts.Check(os.WriteFile(ca, st.upstream.CAPEM(), 0o600))
	ts.Setenv("CA", ca)
	ts.Setenv("HOST", fmt.Sprintf("localhost:%d", st.upstream.Port()))
	if len(args) > 0 {
		ts.Setenv(varUpstream, st.upstream.Addr())
		ts.Setenv(varRoots, ca)
	}
}

func (st *scriptState) answer(w http.ResponseWriter, r *http.Request) {
	auth := r.Header.Get("Authorization") + r.URL.Query().Get("api_key")
	user, password, _ := r.BasicAuth()
	used := "none"
	for secret, name := range st.labels {
		if strings.Contains(auth, secret) || password == secret || user+":"+password == secret {
			used = name
		}
	}
	body, _ := io.ReadAll(r.Body)
	switch {
	case strings.HasSuffix(r.URL.Path, "/missing"):
		w.WriteHeader(http.StatusNotFound)
	case strings.HasSuffix(r.URL.Path, "/empty"):
		w.WriteHeader(http.StatusNoContent)
		return
	case strings.HasSuffix(r.URL.Path, "/text"):
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "no JSON\n")
		return
	case strings.HasSuffix(r.URL.Path, "/binary"):
		_, _ = w.Write([]byte{0xff, 0x1b, '[', '3', '1', 'm', 0})
		return
	case strings.HasSuffix(r.URL.Path, "/echo"):
		_, _ = fmt.Fprintf(w, "{\"auth\":%q}\n", auth)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, "{\"used\":%q,\"method\":%q,\"path\":%q,\"type\":%q,\"body\":%q}\n",
		used, r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), body)
}

// cmdReceived checks how many requests the upstream got: `received 3`.
func cmdReceived(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: received N")
	}
	if got := strconv.Itoa(len(state(ts).upstream.Requests())); got != args[0] {
		ts.Fatalf("the upstream received %s requests, want %s", got, args[0])
	}
}

// A script's own scan is worth something only if it would find a canary.
func TestTranscriptHoldsOutput(t *testing.T) {
	t.Parallel()
	exe, err := exec.LookPath("aivault")
	if err != nil {
		t.Fatal(err)
	}
	transcript := filepath.Join(t.TempDir(), "transcript")
	cmd := exec.Command(exe, "--version")
	cmd.Env = append(os.Environ(), varTranscript+"="+transcript)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(transcript)
	if err != nil || len(out) == 0 || !bytes.Equal(b, out) {
		t.Errorf("transcript %q, %v; output %q", b, err, out)
	}
}
