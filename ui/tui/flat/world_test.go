//go:build unix

package flat_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/ui/tui/flat"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// updating has the goldens rewritten.
var updating = flag.Bool("update", false, "rewrite the transcripts in testdata")

// A world is a vault, a service on this machine, and somebody who types.
type world struct {
	t       *testing.T
	home    string
	env     *app.Env
	service *upstream.Server
	session *app.Session
	be      app.Backend
	word    string            // the value of every secret
	ids     map[string]string // what the transcript shows for an id
	hidden  []string          // what is typed where it does not show, in order
	seen    bytes.Buffer      // the transcript
	between map[int]func()    // what happens before a line is typed, by its number from 1
}

// newWorld returns one whose vault is still to be made.
func newWorld(t *testing.T) *world {
	t.Helper()
	// A short path, as where lines are broken depends on it.
	home, err := os.MkdirTemp("/tmp", "f")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	w := &world{t: t, home: home, word: brokertest.Word(t), ids: map[string]string{}, between: map[int]func(){}}
	w.service = brokertest.New(t, "api.stripe.com", "localhost")
	w.env = &app.Env{
		Stdout: &w.seen, Stderr: io.Discard,
		Getenv: func(name string) string {
			return map[string]string{"AIVAULT_DIR": filepath.Join(w.home, "vault")}[name]
		},
		Now:        func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		IsTerminal: func(any) bool { return false },
		OpenTTY:    w.openTTY,
		Home:       func() (string, error) { return w.home, nil },
		Keyring:    func(time.Duration) keys.Keyring { return noKeyring{} },
		KDF:        cheapKDF,
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("1.1.1.1")}, nil
		},
		Dial:  w.service.Dial,
		Roots: w.service.CAPEM(),
	}
	w.file("value", w.word)
	w.file("ca.pem", string(w.service.CAPEM()))
	w.session, err = app.Open(w.env, app.Options{Notice: func(s string) { fmt.Fprintf(&w.seen, "notice: %s\n", s) }})
	w.check(err)
	w.be = w.session.Backend()
	t.Cleanup(func() {
		w.session.Close()
		w.check(os.Remove(filepath.Join(w.home, "value")))
		brokertest.ScanDir(t, w.home, w.word)
	})
	return w
}

// noKeyring is the keyring of a session that has none.
type noKeyring struct{}

func (noKeyring) Present(context.Context) (bool, error) { return false, nil }

var errNoKeyring = fault.New(fault.KeyUnavailable, "this session has no keyring").WithHint("choose another place for the key")

func (noKeyring) Get(context.Context, string, string) ([]byte, error) { return nil, errNoKeyring }
func (noKeyring) Set(context.Context, string, string, []byte) error   { return errNoKeyring }
func (noKeyring) Delete(context.Context, string, string) error        { return errNoKeyring }

// cheapKDF is the least that a passphrase may cost.
func cheapKDF() (keys.KDF, error) {
	salt := make([]byte, 16)
	_, err := rand.Read(salt)
	return keys.KDF{Time: 1, MemoryKiB: 19 << 10, Threads: 1, Salt: salt}, err
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) file(name, content string) string {
	w.t.Helper()
	path := filepath.Join(w.home, name)
	w.check(os.WriteFile(path, []byte(content), 0o600))
	return path
}

// openTTY opens a terminal on which somebody has typed the next of what is
// hidden.
func (w *world) openTTY() (in, out *os.File, err error) {
	if len(w.hidden) == 0 {
		return nil, nil, os.ErrNotExist
	}
	person, tty, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	w.t.Cleanup(func() { _ = person.Close() })
	fmt.Fprintf(&w.seen, "(something is typed that does not show)\n")
	_, err = io.WriteString(person, w.hidden[0]+"\n")
	w.hidden = w.hidden[1:]
	return tty, tty, err
}

// A typist is the input: a line for each read, as a terminal hands them over,
// which the terminal shows.
type typist struct {
	w     *world
	lines []string
	n     int
}

func (p *typist) Read(b []byte) (int, error) {
	if p.n == len(p.lines) {
		p.w.seen.WriteString("<end of input>\n")
		return 0, io.EOF
	}
	line := strings.NewReplacer("PORT", strconv.Itoa(p.w.service.Port()), "HOME", p.w.home).Replace(p.lines[p.n]) + "\n"
	p.n++
	if act := p.w.between[p.n]; act != nil {
		act()
	}
	p.w.seen.WriteString(text.Line(strings.TrimSuffix(line, "\n")) + "\n")
	return copy(b, line), nil
}

// talk holds a conversation in which these lines are typed.
func (w *world) talk(lines ...string) error {
	w.t.Helper()
	p := &typist{w: w, lines: lines}
	w.env.Stdin = p
	err := flat.Run(w.t.Context(), w.env, w.be, flat.Options{FirstUse: w.session.FirstUse, KeyConfig: w.session.KeyConfig})
	if p.n < len(lines) {
		w.t.Errorf("the conversation ended before line %d, %q", p.n+1, lines[p.n])
	}
	return err
}

// secret stores a secret.
func (w *world) secret(name, workspace, group string) vault.ID {
	w.t.Helper()
	scope, err := vault.NewScope(workspace, group)
	w.check(err)
	s, err := w.be.CreateSecret(w.t.Context(), vault.NewSecret{Name: name, Scope: scope, Value: opaque.New([]byte(w.word))})
	w.check(err)
	w.learn()
	return s.ID
}

// damage changes events of the audit log behind the vault's back.
func (w *world) damage(events ...byte) {
	w.t.Helper()
	db, err := bbolt.Open(filepath.Join(w.home, "vault", "vault.db"), 0o600, nil)
	w.check(err)
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			for _, seq := range events {
				key := []byte{7: seq} // eight bytes, big-endian
				if entry := bytes.Clone(b.Get(key)); entry != nil {
					entry[len(entry)-1] ^= 1
					if err := b.Put(key, entry); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
	w.check(err)
	w.check(db.Close())
}

// learn gives names to the ids that there are.
func (w *world) learn() {
	list, err := w.be.Secrets(context.Background(), nil)
	w.check(err)
	for _, s := range list {
		if w.ids[s.ID.String()] == "" {
			w.ids[s.ID.String()] = fmt.Sprintf("id%d", len(w.ids)+1)
		}
	}
}

// furnish puts something of every kind into the vault.
func (w *world) furnish() {
	w.t.Helper()
	w.secret("STRIPE_API_KEY", "", "")
	w.secret("STRIPE_API_KEY", "shop", "payments")
	w.secret("DB_URL", "shop", "")
	risk := w.secret("RISK_TOKEN", "infra", "")
	host := fmt.Sprintf("localhost:%d", w.service.Port())
	_, err := w.be.CreateCredential(w.t.Context(), broker.NewCredential{
		ID: "risk", Provider: "risk", Secret: risk, Scope: vault.Scope{Level: vault.Workspace, Workspace: "infra"}, Hosts: []string{host},
		Auth:         &vault.Auth{Kind: "header", Params: []vault.Param{{Name: "X-Key", Value: "{{secret}}"}}},
		AllowPrivate: true, CACert: w.service.CAPEM(), Proof: opaque.New([]byte(w.word)),
	})
	w.check(err)
	_, err = w.be.CreateCapability(w.t.Context(), broker.NewCapability{ID: "risk/scores", FromCred: "risk", Methods: []string{"GET", "POST"}, Paths: []string{"/scores"}})
	w.check(err)
	_, _, err = w.be.AttachGroup(w.t.Context(), risk, vault.GroupRef{Workspace: "shop", Group: "research"}, 0)
	w.check(err)
}

// golden compares the transcript with the one in testdata. What differs between
// runs has names in it.
func (w *world) golden() {
	w.t.Helper()
	w.learn()
	got := w.seen.String()
	if i := strings.IndexFunc(got, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfffd }); i >= 0 {
		w.t.Errorf("the transcript has %q in it", got[max(i-40, 0):i+1])
	}
	for line := range strings.Lines(got) {
		if len([]rune(line)) > 81 && !strings.HasPrefix(line, "Command line: ") && !strings.Contains(line, "]: ") {
			w.t.Errorf("a line is too long: %s", line)
		}
	}
	brokertest.Scan(w.t, "the transcript", []byte(got), w.word)
	for id, name := range w.ids {
		got = strings.ReplaceAll(strings.ReplaceAll(got, id, "<"+name+">"), id[:8], "<"+name+">")
	}
	got = strings.ReplaceAll(got, w.home, "/home")
	got = strings.ReplaceAll(got, fmt.Sprintf("localhost:%d", w.service.Port()), "localhost:PORT")
	for pattern, by := range map[string]string{
		`\d+(\.\d)? (µs|ms|s)([,.\n])`: "N ms$3",
		`process \d+`:                  "process N",
		`user \d+`:                     "user N",
		`Id: [0-9a-f-]{36}`:            "Id: <id>",
		`User-Agent: \S+`:              "User-Agent: aivault/VERSION",
	} {
		got = regexp.MustCompile(pattern).ReplaceAllString(got, by)
	}
	path := filepath.Join("testdata", strings.ReplaceAll(strings.TrimPrefix(w.t.Name(), "TestConversations/"), "/", "_")+".txt")
	if *updating {
		w.check(os.WriteFile(path, []byte(got), 0o644)) //nolint:gosec // as all sources
		return
	}
	want, err := os.ReadFile(path)
	w.check(err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
