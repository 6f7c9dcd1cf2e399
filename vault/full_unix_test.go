//go:build unix

package vault_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
	"testing"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// workFull limits the size of files to that of the vault and a given number of
// bytes more, writes until that is too little, and prints how it ended.
func workFull(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	more, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return err
	}
	st, err := l.Status(ctx)
	if err != nil {
		return err
	}
	fi, err := os.Stat(st.File)
	if err != nil {
		return err
	}
	limit := uint64(fi.Size() + more)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	for i := range 10_000 {
		_, err := l.CreateSecret(ctx, newSecret(workspace("full"), fmt.Sprint("n", i), string(make([]byte, 4000))))
		if err == nil {
			continue
		}
		_, auth := l.Authorize(ctx, decideUse())
		_, err = fmt.Fprintf(out, "%d %s %t %q\n", i, fault.CodeOf(err), fault.HintOf(err) != "", fault.CodeOf(auth))
		return err
	}
	return nil
}

// TestNoSpace: where the disk takes no more, the old state stays, and the next
// change works when there is space again.
// Fault F3.
func TestNoSpace(t *testing.T) {
	for _, more := range []int{-8192, 0, 1, 4096, 40_000} {
		l, dir := fresh(t)
		for i := range 30 {
			vaulttest.Create(t, l, vault.GlobalScope(), fmt.Sprint("n", i), string(make([]byte, 3000)))
		}
		before, err := l.Secrets(t.Context(), nil)
		must(t, err)
		out, err := worker(t, "full", dir, strconv.Itoa(more)).Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var (
			n         int
			code      fault.Code
			hint      bool
			authorize string
		)
		if _, err := fmt.Sscanf(string(out), "%d %s %t %q\n", &n, (*string)(&code), &hint, &authorize); err != nil || code != fault.DiskFull || !hint {
			t.Errorf("with %d bytes more it ended so: %s(%v)", more, out, err)
		}
		if authorize != string(fault.AuditUnavailable) && authorize != "" {
			t.Errorf("a call ended with %s", authorize)
		}
		after, err := l.Secrets(t.Context(), nil)
		if err != nil || len(after) != len(before)+n {
			t.Errorf("with %d bytes more: %d secrets were there and %d were written, now there are %d, %v", more, len(before), n, len(after), err)
		}
		vaulttest.Create(t, l, vault.GlobalScope(), "afterwards", "made-up")
		vaulttest.Healthy(t, l)
	}
}

// workSpoiled makes calls, lets the disk be full for a while, and prints what it
// was told of their outcomes.
func workSpoiled(ctx context.Context, l *vault.Local, _ []string, out io.Writer) error {
	var intents []uint64
	for range 3 {
		grant, err := l.Authorize(ctx, decideUse())
		if err != nil {
			return err
		}
		intents = append(intents, grant.Intent)
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	full := syscall.Rlimit{Cur: 100, Max: was.Max} // not even a page that is there
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		return err
	}
	told := []error{l.Finish(ctx, intents[0], ended), l.Finish(ctx, intents[1], ended), l.Flush(ctx), l.Flush(ctx)}
	_, err := l.Authorize(ctx, decideUse())
	told = append(told, err, l.Finish(ctx, intents[2], ended))
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	told = append(told, l.Flush(ctx), l.Flush(ctx))
	for _, err := range told {
		if _, err := fmt.Fprintf(out, "%q\n", fault.CodeOf(err)); err != nil {
			return err
		}
	}
	return nil
}

// TestOutcomesOnAFullDisk: Flush tells of them, and so does the next Finish.
// When there is space, each is recorded once.
func TestOutcomesOnAFullDisk(t *testing.T) {
	l, dir := fresh(t)
	out, err := worker(t, "spoiled", dir).Output()
	const no = string(fault.AuditUnavailable)
	want := fmt.Sprintf("%q\n%q\n%q\n%q\n%q\n%q\n%q\n%q\n", "", "", no, no, no, no, "", "")
	if err != nil || string(out) != want {
		t.Errorf("it was told (%v):\n%s", err, out)
	}
	got := recorded(t, dir)
	if len(got) != 3 {
		t.Errorf("outcomes of %d calls", len(got))
	}
	for intent, n := range got {
		if n != 1 {
			t.Errorf("the outcome of %d is there %d times", intent, n)
		}
	}
	vaulttest.Healthy(t, l)
}

// workCramped makes the first use of a vault with room for its key and the
// beginning of its file only, and prints how that ended.
func workCramped(ctx context.Context, l *vault.Local, _ []string, out io.Writer) error {
	const limit = 20_000 // a new bbolt file has 16 KiB; with records it has more
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	_, err := l.CreateSecret(ctx, newSecret(vault.GlobalScope(), "n", string(make([]byte, 4000))))
	_, err = fmt.Fprintln(out, fault.CodeOf(err))
	return err
}

// TestFirstUseWithoutSpace: a vault that could not be made for want of space,
// when its key was there already, is made when there is some.
// Fault F3.
func TestFirstUseWithoutSpace(t *testing.T) {
	dir := vaulttest.Dir(t)
	out, err := worker(t, "cramped", dir).Output()
	if err != nil || string(out) != string(fault.DiskFull)+"\n" {
		t.Fatalf("it ended so: %s(%v)", out, err)
	}
	if _, err := os.Stat(keyFile(dir).Path); err != nil {
		t.Fatalf("the key was not made, so this tests nothing: %v", err)
	}
	l := vault.New(vaulttest.Options(dir))
	t.Cleanup(l.Close)
	if list, err := l.Secrets(t.Context(), nil); len(list) != 0 || err != nil {
		t.Errorf("%d secrets, %v", len(list), err)
	}
	vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
	vaulttest.Healthy(t, l)
}
