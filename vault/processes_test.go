package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

func workFirstUse(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	s, err := l.CreateSecret(ctx, newSecret(vault.GlobalScope(), "by-"+args[0], "made-up"))
	if err == nil {
		_, err = fmt.Fprintln(out, s.ID)
	}
	return err
}

// run starts workers at once, waits for all, and returns what each wrote.
func run(t *testing.T, n int, command func(i int) *exec.Cmd) []string {
	t.Helper()
	cmds, outs, errs := make([]*exec.Cmd, n), make([]bytes.Buffer, n), make([]bytes.Buffer, n)
	for i := range n {
		cmds[i] = command(i)
		cmds[i].Stdout, cmds[i].Stderr = &outs[i], &errs[i]
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	texts := make([]string, n)
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v: %s", i, err, errs[i].String())
		}
		texts[i] = outs[i].String()
	}
	return texts
}

// TestFirstUseOfManyProcesses: eight at once make one vault, with one key.
func TestFirstUseOfManyProcesses(t *testing.T) {
	for range 5 {
		dir := vaulttest.Dir(t)
		run(t, 8, func(i int) *exec.Cmd { return worker(t, "first-use", dir, strconv.Itoa(i)) })
		l := open(t, dir)
		secrets, err := l.Secrets(t.Context(), nil)
		if len(secrets) != 8 || err != nil {
			t.Errorf("%d secrets, %v", len(secrets), err)
		}
		if diff := cmp.Diff(list(t, dir), []string{"kek.key", "state", "vault.db", "vault.lock"}); diff != "" {
			t.Errorf("files (-got +want):\n%s", diff)
		}
		events, err := l.Audit(t.Context(), vault.AuditQuery{})
		if err != nil || len(events) != 9 || events[8].Kind != vault.KindVaultInit {
			t.Errorf("%d events, %v", len(events), err)
		}
		vaulttest.Healthy(t, l)
	}
}

// workMixed does a number of operations, on secrets of its own and on one that
// all share, and writes down each that was acknowledged.
func workMixed(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	me := args[0]
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(me, 10, 64)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 7))
	var own []vault.Secret
	for i := range n {
		var kind string
		switch what := rng.IntN(10); {
		case what < 4 || len(own) == 0:
			s, err := l.CreateSecret(ctx, newSecret(workspace("w"+me), fmt.Sprint("n", i), fmt.Sprintf("made-up-%s-%d", me, i)))
			if err != nil {
				return err
			}
			own = append(own, s)
			kind = vault.KindSecretCreate + " " + s.ID.String() + " " + s.Name
		case what < 6:
			s, err := l.RotateSecret(ctx, own[rng.IntN(len(own))].ID, val(fmt.Sprintf("made-up-%s-%d", me, i)), 0)
			if err != nil {
				return err
			}
			kind = fmt.Sprint(vault.KindSecretRotate, " ", s.ID, " ", s.Version)
		case what < 7:
			k := rng.IntN(len(own))
			if _, err := l.DeleteSecret(ctx, own[k].ID, 0); err != nil {
				return err
			}
			kind = vault.KindSecretDelete + " " + own[k].ID.String()
			own = slices.Delete(own, k, k+1)
		case what < 9: // the one that all share
			id, err := vault.ParseSecretRef(args[2])
			if err != nil {
				return err
			}
			ref := vault.GroupRef{Workspace: "w" + me, Group: fmt.Sprint("g", i)}
			if _, _, err := l.AttachGroup(ctx, id, ref, 0); err != nil {
				return err
			}
			kind = vault.KindSecretAttach + " " + ref.String()
		default:
			secrets, err := l.Secrets(ctx, nil)
			if err != nil {
				return err
			}
			kind = fmt.Sprint("list ", len(secrets))
		}
		if _, err := fmt.Fprintln(out, kind); err != nil {
			return err
		}
	}
	return nil
}

// TestManyProcesses runs 64 processes that do 1,000 operations together, and
// compares what is there afterwards with what they say they did.
// Fault F14.
func TestManyProcesses(t *testing.T) {
	t.Parallel()
	processes, each := 64, 16
	if testing.Short() {
		processes, each = 8, 8
	}
	l, dir := fresh(t)
	shared := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	texts := run(t, processes, func(i int) *exec.Cmd {
		return worker(t, "mixed", dir, strconv.Itoa(i), strconv.Itoa(each), shared.ID.String())
	})

	secrets := map[string]string{} // id -> workspace, name and version
	var attached []string
	counts := map[string]int{vault.KindVaultInit: 1, vault.KindSecretCreate: 1}
	for i, text := range texts {
		done := lines(text)
		if len(done) != each {
			t.Errorf("process %d did %d of %d", i, len(done), each)
		}
		for _, line := range done {
			f := strings.Fields(line)
			if f[0] != "list" {
				counts[f[0]]++
			}
			switch f[0] {
			case vault.KindSecretCreate:
				secrets[f[1]] = fmt.Sprintf("w%d %s 1", i, f[2])
			case vault.KindSecretRotate:
				was := strings.Fields(secrets[f[1]])
				secrets[f[1]] = was[0] + " " + was[1] + " " + f[2]
			case vault.KindSecretDelete:
				delete(secrets, f[1])
			case vault.KindSecretAttach:
				attached = append(attached, f[1])
			}
		}
	}
	got := map[string]string{}
	list, err := l.Secrets(t.Context(), nil)
	must(t, err)
	for _, s := range list {
		if s.ID != shared.ID {
			got[s.ID.String()] = fmt.Sprint(s.Scope.Workspace, " ", s.Name, " ", s.Version)
			continue
		}
		var groups []string
		for _, g := range s.Attached {
			groups = append(groups, g.String())
		}
		slices.Sort(groups)
		slices.Sort(attached)
		if diff := cmp.Diff(groups, attached); diff != "" || s.Revision != uint64(1+len(attached)) {
			t.Errorf("the shared one, of revision %d, is attached (-got +want):\n%s", s.Revision, diff)
		}
	}
	if diff := cmp.Diff(got, secrets); diff != "" {
		t.Errorf("secrets (-got +want):\n%s", diff)
	}
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: 1 << 20})
	must(t, err)
	recorded := map[string]int{}
	for _, e := range events {
		recorded[e.Kind]++
	}
	if diff := cmp.Diff(recorded, counts); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	vaulttest.Healthy(t, l)
}

// workWrite writes until it is killed.
func workWrite(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	for i := 0; ; i++ {
		s, err := l.CreateSecret(ctx, newSecret(workspace("w"+args[0]), fmt.Sprint("n", i), "made-up"))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, s.ID); err != nil {
			return err
		}
		if i%3 == 0 {
			if _, err := l.DeleteSecret(ctx, s.ID, 0); err != nil {
				return err
			}
			if _, err := fmt.Fprintln(out, "deleted", s.ID); err != nil {
				return err
			}
		}
	}
}

// An output is what a process wrote; wrote is closed at the first of it.
type output struct {
	text  bytes.Buffer // not embedded: a copy would go round Write
	once  sync.Once
	wrote chan struct{}
}

func (o *output) Write(b []byte) (int, error) {
	defer o.once.Do(func() { close(o.wrote) })
	return o.text.Write(b)
}

// TestKill kills writers at random moments. What they were told is done is
// there, what they were doing is done or not, and the vault is in order.
// Fault F1.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 100
	if testing.Short() {
		kills = 10
	}
	l, dir := fresh(t)
	rng := rand.New(rand.NewPCG(8, 9))
	there := map[string]bool{}
	for i := range kills {
		cmd := worker(t, "write", dir, strconv.Itoa(i))
		out := &output{wrote: make(chan struct{})}
		cmd.Stdout = out
		must(t, cmd.Start())
		if i%4 != 0 { // otherwise perhaps before the first write
			<-out.wrote
		}
		// Not a wait for a condition: any moment will do.
		time.Sleep(time.Duration(rng.IntN(20_000)) * time.Microsecond)
		must(t, cmd.Process.Kill())
		if err := cmd.Wait(); err == nil {
			t.Fatal("a writer ended by itself")
		}
		done := lines(out.text.String())
		for _, line := range done {
			if id, deleted := strings.CutPrefix(line, "deleted "); deleted {
				delete(there, id)
			} else {
				there[line] = true
			}
		}
		list, err := l.Secrets(t.Context(), nil)
		must(t, err)
		extra := 0
		for _, s := range list {
			if !there[s.ID.String()] { // committed, and killed before it could say so
				there[s.ID.String()] = true
				extra++
			}
		}
		missing := len(there) - len(list)
		if missing > 1 || extra > 1 || missing+extra > 1 {
			t.Fatalf("kill %d: %d acknowledged secrets are gone, %d unknown ones are there", i, missing, extra)
		}
		if missing == 1 { // a deletion that it could not report
			last := done[len(done)-1]
			if slices.ContainsFunc(list, func(s vault.Secret) bool { return s.ID.String() == last }) {
				t.Fatalf("kill %d: an acknowledged secret is gone that was not being deleted", i)
			}
			delete(there, last)
		}
		if i%10 == 0 {
			vaulttest.Healthy(t, l)
		}
	}
	if len(there) == 0 {
		t.Errorf("nothing was written before %d kills", kills)
	}
	vaulttest.Healthy(t, l)
}

// TestABusyVault: while another holds it, whoever cannot wait is told so, and
// a cancelled wait ends at once.
func TestABusyVault(t *testing.T) {
	l, _ := fresh(t)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
	ctx, cancel := context.WithCancel(t.Context())
	err := l.View(t.Context(), func(vault.Reader) error {
		cancel()
		_, err := l.RotateSecret(ctx, s.ID, val("x"), 0)
		if !errors.Is(err, context.Canceled) || fault.CodeOf(err) != fault.Canceled {
			t.Errorf("a cancelled wait: %v", err)
		}
		_, err = l.FindSecret(t.Context(), s.ID.String()) // readers do not wait for readers
		return err
	})
	must(t, err)
}
