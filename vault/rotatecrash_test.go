package vault_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// workRotate gives the vault new root keys, a number of times.
func workRotate(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	for range n {
		if _, err := l.RotateMaster(ctx, vault.RotateOptions{}); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(out, "done")
	return err
}

// crowded returns a vault with n secrets and a second slot, and its directory.
func crowded(t *testing.T, n int) (*vault.Local, string) {
	t.Helper()
	l, dir := fresh(t)
	entries := make([]vault.ImportEntry, n)
	for i := range entries {
		entries[i] = vault.ImportEntry{Name: fmt.Sprint("KEY_", i), Value: val(fmt.Sprint("made-up-value-", i))}
	}
	_, err := l.ImportSecrets(t.Context(), vault.GlobalScope(), entries, false)
	must(t, err)
	return l, dir
}

// rotated returns how often a vault got a new root key, as its log tells.
func rotated(t *testing.T, l *vault.Local) int {
	t.Helper()
	events, err := l.Audit(t.Context(), vault.AuditQuery{Kind: vault.KindVaultRotate, Limit: 1 << 20})
	must(t, err)
	return len(events)
}

// TestRotateKilled: whenever it is killed, the vault opens with the old key or with
// the new one, whole, and what is left beside it is gone after the next rotation,
// or named by Doctor.
//
// Fault F1, F23.
func TestRotateKilled(t *testing.T) {
	t.Parallel()
	secrets, kills := 5000, 16
	if testing.Short() {
		secrets, kills = 500, 8
	}
	l, dir := crowded(t, secrets)
	start := time.Now()
	must(t, worker(t, "rotate", dir, "1").Run())
	takes := time.Since(start)
	rng := rand.New(rand.NewPCG(4, 5))
	found := map[string]int{}
	for i := range kills {
		before := rotated(t, l)
		// From at once to never, whatever the machine does beside.
		delay := takes*2*time.Duration(i)/time.Duration(kills) + time.Duration(rng.Int64N(int64(takes)/int64(kills)+1))
		switch i {
		case 0:
			delay = 0
		case kills - 1:
			delay = time.Minute
		}
		done := killed(t, worker(t, "rotate", dir, "1"), delay)
		other := open(t, dir)
		if list, err := other.Secrets(t.Context(), nil); len(list) != secrets || err != nil {
			t.Fatalf("kill %d: %d secrets, %v", i, len(list), err)
		}
		report, err := other.Doctor(t.Context())
		must(t, err)
		must(t, report.Err())
		for _, left := range leftBehind(t, other, dir) {
			found["left "+filepath.Ext(left)]++
			if !strings.Contains(fmt.Sprint(report), left) {
				t.Errorf("kill %d: doctor does not name %s", i, left)
			}
		}
		now := rotated(t, l) // a process that was open before
		found[fmt.Sprint("rotated: ", now > before)]++
		if done && now == before {
			t.Errorf("kill %d: it said that it was done, and nothing was", i)
		}
		other.Close()
	}
	t.Log(found)
	if found["rotated: true"] == 0 || found["rotated: false"] == 0 {
		t.Errorf("%v: the test shows little", found)
	}
	_, err := l.RotateMaster(t.Context(), vault.RotateOptions{})
	must(t, err)
	for _, left := range leftBehind(t, l, dir) {
		if strings.HasPrefix(left, store.File) {
			t.Errorf("%s is still there", left)
		}
	}
}

// leftBehind names what is beside the vault and not its own.
func leftBehind(t *testing.T, l *vault.Local, dir string) (names []string) {
	t.Helper()
	slots, err := l.Slots(t.Context())
	must(t, err)
	own := "run state vault.db vault.lock"
	for _, s := range slots {
		own += " " + filepath.Base(s.Key.Path)
	}
	for _, name := range list(t, dir) {
		if !strings.Contains(own, name) {
			names = append(names, name)
		}
	}
	return names
}

// TestRotateCutOff makes the states in which a rotation can be cut off, one by one.
//
// Fault F23.
func TestRotateCutOff(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := settled(t, keys.KindKeyring, keys.KindPassphrase)
	vaulttest.Create(t, h.now, vault.GlobalScope(), "ONE", "made-up-value")
	reopens := func(step string) {
		t.Helper()
		l := h.open()
		if got := names(t, l); got != "ONE" {
			t.Errorf("%s: secrets %s", step, got)
		}
		vaulttest.Healthy(t, l)
	}
	slots, err := h.now.Slots(ctx)
	must(t, err)
	k, err := h.now.NewRotationKey(ctx, slots, vault.RotateOptions{})
	must(t, err)
	reopens("the new key is stored")
	if text := doctorText(t, h.now); !strings.Contains(text, k.Config.Account) {
		t.Errorf("doctor does not name the new entry: %s", text)
	}
	must(t, os.WriteFile(filepath.Join(h.dir, store.RebuiltFile), []byte("half of a vault"), 0o600))
	reopens("the new file is there")
	if text := doctorText(t, h.now); !strings.Contains(text, store.RebuiltFile) {
		t.Errorf("doctor does not name the new file: %s", text)
	}
	r, err := h.now.RotateTo(ctx, k, nil)
	must(t, err)
	must(t, os.RemoveAll(filepath.Join(h.dir, "state")))
	reopens("the new file has its place")
	if text := doctorText(t, h.now); !strings.Contains(text, r.Old.Key.Account) {
		t.Errorf("doctor does not name the old entry: %s", text)
	}
	_, err = h.now.RotateTo(ctx, k, nil) // by somebody who does not know
	wantCode(t, err, fault.Conflict)
	h.now.DiscardRotationKey(ctx, k) // the same: it is in use
	reopens("again")
	must(t, h.now.DropOldKey(ctx, r, k))
	must(t, h.now.DropOldKey(ctx, r, k)) // twice does no harm
	reopens("the old key is removed")
	if text := doctorText(t, h.now); strings.Contains(text, "open nothing") || strings.Contains(text, store.RebuiltFile) {
		t.Errorf("doctor: %s", text)
	}

	// The old key stays where the new one cannot be had.
	slots, err = h.now.Slots(ctx)
	must(t, err)
	k, err = h.now.NewRotationKey(ctx, slots, vault.RotateOptions{})
	must(t, err)
	r, err = h.now.RotateTo(ctx, k, nil)
	must(t, err)
	must(t, h.ring.Delete(ctx, keys.KeyringService, k.Config.Account))
	wantCode(t, h.now.DropOldKey(ctx, r, k), fault.KeyUnavailable)
	h.ring.Put(keys.KeyringService, k.Config.Account, []byte(strings.Repeat("00", keys.KeySize)))
	wantCode(t, h.now.DropOldKey(ctx, r, k), fault.WrongKey)
	if h.ring.Entry(keys.KeyringService, r.Old.Key.Account) == nil {
		t.Error("the old key was removed, and the new one does not open the vault")
	}
	// A key that was made, and is of no use, goes.
	h.typed = "made-up words"
	l := h.open()
	k, err = l.NewRotationKey(ctx, openedBy(t, l, r.Old.ID), vault.RotateOptions{})
	wantCode(t, err, fault.Conflict) // that slot is no more
	entries := h.ring.Accounts(keys.KeyringService)
	k, err = l.NewRotationKey(ctx, openedBy(t, l, r.Slot.ID), vault.RotateOptions{})
	must(t, err)
	l.DiscardRotationKey(ctx, k)
	if n := h.ring.Accounts(keys.KeyringService); n != entries {
		t.Errorf("%d entries became %d", entries, n)
	}
}

// openedBy is how the slots look to who opened the vault by one of them.
func openedBy(t *testing.T, l *vault.Local, id vault.ID) []vault.Slot {
	t.Helper()
	slots, err := l.Slots(t.Context())
	must(t, err)
	for i := range slots {
		slots[i].Opened = slots[i].ID == id
	}
	return slots
}

func doctorText(t *testing.T, l *vault.Local) string {
	t.Helper()
	report, err := l.Doctor(t.Context())
	must(t, err)
	return fmt.Sprint(report)
}

// TestRotateAmongOthers: readers and writers in other processes, and in this one, go
// on while the vault gets one root key after the other. Nothing is lost.
//
// Fault F14.
func TestRotateAmongOthers(t *testing.T) {
	t.Parallel()
	l, dir := crowded(t, 200)
	shared := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	const writers, each, rotations = 6, 30, 8
	stop := make(chan struct{})
	failed := make(chan error, 1)
	go func() { // calls of this process, one after the other
		defer close(failed)
		for {
			select {
			case <-stop:
				return
			default:
			}
			grant, err := l.Authorize(context.Background(), decideUse(acme(shared.ID)))
			if err == nil {
				err = l.Finish(context.Background(), grant.Intent, ended)
			}
			if err != nil {
				failed <- err
				return
			}
		}
	}()
	texts := run(t, writers+1, func(i int) *exec.Cmd {
		if i == writers {
			return worker(t, "rotate", dir, strconv.Itoa(rotations))
		}
		return worker(t, "mixed", dir, strconv.Itoa(i), strconv.Itoa(each), shared.ID.String())
	})
	close(stop)
	if err := <-failed; err != nil {
		t.Errorf("a call of a process that was open: %v", err)
	}
	must(t, l.Flush(t.Context()))
	want := 201
	for i, text := range texts[:writers] {
		if n := len(lines(text)); n != each {
			t.Errorf("process %d did %d of %d", i, n, each)
		}
		want += strings.Count(text, vault.KindSecretCreate) - strings.Count(text, vault.KindSecretDelete)
	}
	if list, err := l.Secrets(t.Context(), nil); len(list) != want || err != nil {
		t.Errorf("%d secrets, want %d: %v", len(list), want, err)
	}
	if n := rotated(t, l); n != rotations {
		t.Errorf("%d rotations", n)
	}
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: 1 << 20})
	must(t, err)
	calls := map[uint64]int{}
	for _, e := range events {
		switch e.Kind {
		case vault.KindInvokeIntent:
			calls[e.Seq]++
		case vault.KindInvokeOutcome:
			calls[e.Intent]--
		}
	}
	for seq, n := range calls {
		if n != 0 {
			t.Errorf("the call of event %d has no outcome", seq)
		}
	}
	if len(calls) == 0 {
		t.Error("no call was made")
	}
	vaulttest.Healthy(t, l)
}

// TestRotateTwiceAtOnce: one waits for the other, and both are done.
func TestRotateTwiceAtOnce(t *testing.T) {
	t.Parallel()
	l, dir := crowded(t, 100)
	run(t, 4, func(int) *exec.Cmd { return worker(t, "rotate", dir, "2") })
	if n := rotated(t, l); n != 8 {
		t.Errorf("%d rotations", n)
	}
	if left := leftBehind(t, l, dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	vaulttest.Healthy(t, l)
}

// TestNoFirstUseAfterARotation: where the vault's file is gone, the key that a
// rotation made tells that there was one, though it has another name than the key
// of a new vault would have.
func TestNoFirstUseAfterARotation(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	opts := vaulttest.Options(dir)
	key := keys.Config{Kind: keys.KindFile, Path: filepath.Join(t.TempDir(), "keys", "kek.key")}
	opts.FirstUse = func(context.Context) (keys.Config, error) { return key, nil }
	l := vault.New(opts)
	t.Cleanup(l.Close)
	vaulttest.Create(t, l, vault.GlobalScope(), "ONE", "made-up")
	r, err := l.RotateMaster(t.Context(), vault.RotateOptions{})
	must(t, err)
	must(t, os.Rename(vaultFile(dir), filepath.Join(t.TempDir(), "away")))
	again := vault.New(opts)
	t.Cleanup(again.Close)
	_, err = again.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "TWO", "made-up"))
	wantCode(t, err, fault.VaultCorrupt)
	if err == nil || !strings.Contains(err.Error(), filepath.Base(r.Slot.Key.Path)) {
		t.Errorf("%v", err)
	}
}
