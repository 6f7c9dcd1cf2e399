package ui_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
)

// TestMain also makes the test binary the aivault that scripts run.
func TestMain(m *testing.M) {
	time.Local = time.UTC // frames have times in them
	// Under the race detector, every process would wait a second at its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")); err != nil {
		panic(err)
	}
	testscript.Main(tidy{m}, map[string]func(){
		"aivault":  func() { os.Exit(testAivault()) },
		"aivaultd": func() { os.Exit(testAivault()) },
		"xdg-open": func() { os.Exit(consent(os.Args[1:])) },
		"probe":    func() { os.Exit(probeDaemon()) },
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
	// What is ignored here, as by a shell for what it starts in the background,
	// commands would ignore too: who ends them by it would wait for ever.
	for _, s := range [...]os.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
	return t.m.Run()
}

// updating has the goldens of the scripts rewritten.
var updating = flag.Bool("update", false, "rewrite the expected output in the scripts")

// Case 155.
func TestScripts(t *testing.T) {
	t.Parallel()
	params := scriptParams()
	params.Dir = filepath.Join("testdata", "script")
	testscript.Run(t, params)
}

// TestTUIScripts are stories of people at the screens, told in keys.
func TestTUIScripts(t *testing.T) {
	t.Parallel()
	params := scriptParams()
	params.Dir = filepath.Join("testdata", "tui")
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
			"tui":       cmdTUI,
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
	vaults   int               // that tui made
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
		"AIVAULTD_DISABLE": "1",                                                                                          // but where a script is about daemons
		"CANARIES":         outside, "GORACE": os.Getenv("GORACE"), varTranscript: transcript, varClock: "1767323045000", // 2026-01-02 03:04:05
	} {
		env.Setenv(name, value)
	}
	env.Defer(func() {
		vaults, _ := filepath.Glob(filepath.Join(env.WorkDir, "*"))
		endDaemons(tb, vaults...)
		brokertest.ScanDir(tb, env.WorkDir, st.secrets...)
		if b, err := os.ReadFile(transcript); err == nil {
			brokertest.Scan(tb, "what aivault printed", b, st.secrets...)
		}
	})
	return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700)
}

// cmdCanary makes up a secret: `canary NAME` puts it into the file
// $CANARIES/NAME, and `canary NAME=user:{}` a text with the secret in it. No
// script ever holds its value.
func cmdCanary(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: canary NAME... or NAME=TEXT...")
	}
	st := state(ts)
	for _, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		if !ok {
			text = "{}"
		}
		secret := brokertest.Word(st.t)
		st.secrets = append(st.secrets, secret)
		st.labels[secret] = name
		text = strings.ReplaceAll(text, "{}", secret)
		ts.Check(os.WriteFile(filepath.Join(ts.Getenv("CANARIES"), name), []byte(text+"\n"), 0o600))
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
