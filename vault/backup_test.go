package vault_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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

// beside opens the vault in a copy of its file, with its key, somewhere else.
func beside(t testing.TB, dir, file string) (*vault.Local, string) {
	t.Helper()
	elsewhere := vaulttest.Dir(t)
	must(t, os.WriteFile(vaultFile(elsewhere), []byte(read(t, file)), 0o600))
	must(t, os.WriteFile(keyFile(elsewhere).Path, []byte(read(t, keyFile(dir).Path)), 0o600))
	return open(t, elsewhere), elsewhere
}

// TestBackup: the copy holds all that the vault does, its own making included,
// opens with the same key, and is for its owner alone.
// Case 119.
func TestBackup(t *testing.T) {
	t.Parallel()
	l, dir, _ := furnished(t)
	file := filepath.Join(t.TempDir(), "backup")
	b, err := l.Backup(t.Context(), file, false)
	must(t, err)
	fi, err := os.Stat(file)
	must(t, err)
	if fi.Mode().Perm() != 0o600 || fi.Size() != b.Bytes || b.File != file {
		t.Errorf("mode %v, %d bytes; %+v", fi.Mode(), fi.Size(), b)
	}
	copied, _ := beside(t, dir, file)
	want, err := take(t.Context(), l)
	must(t, err)
	got, err := take(t.Context(), copied)
	if diff := cmp.Diff(got, want); diff != "" || err != nil {
		t.Errorf("%v; it holds (-got +want):\n%s", err, diff)
	}
	if last := want.Events[0]; last.Kind != vault.KindVaultBackup || last.Note != file || last.Seq != b.Events || !last.Time.Equal(b.Last) {
		t.Errorf("the last event is %+v, and the backup %+v", last, b)
	}
	vaulttest.Healthy(t, copied)
	if files := list(t, filepath.Dir(file)); len(files) != 1 {
		t.Errorf("beside it: %v", files)
	}
}

// TestWhereABackupMayGo: never over what is there unless told so, and only
// where a file can be. What is refused beforehand is not in the log.
func TestWhereABackupMayGo(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	there := filepath.Join(t.TempDir(), "there")
	must(t, os.WriteFile(there, []byte("precious"), 0o644))
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(there, link))
	tests := []struct {
		name, path string
		force      bool
		code       fault.Code
	}{
		{"an existing file", there, false, fault.AlreadyExists},
		{"a link", link, false, fault.InvalidRequest},
		{"a link, by force", link, true, fault.InvalidRequest},
		{"a directory", t.TempDir(), true, fault.InvalidRequest},
		{"a directory that is not there", filepath.Join(t.TempDir(), "new") + "/", true, fault.InvalidRequest},
		{"a file in no directory", filepath.Join(t.TempDir(), "no", "file"), true, fault.InvalidRequest},
		{"a device", os.DevNull, true, fault.InvalidRequest},
		{"no name", "", true, fault.InvalidRequest},
		{"the standard output", "-", true, fault.InvalidRequest},
		{"the vault itself", vaultFile(dir), true, fault.InvalidRequest},
		{"beside the vault", filepath.Join(dir, "backup"), false, fault.InvalidRequest},
		{"the existing file, by force", there, true, ""},
	}
	for _, test := range tests {
		before := len(lastEvents(t, l, 100))
		_, err := l.Backup(t.Context(), test.path, test.force)
		if code := fault.CodeOf(err); code != test.code || err != nil && fault.HintOf(err) == "" && test.code == fault.AlreadyExists {
			t.Errorf("%s: %q (%v), want %q", test.name, code, err, test.code)
		}
		if after := len(lastEvents(t, l, 100)); (after > before) != (test.code == "") {
			t.Errorf("%s: %d events became %d", test.name, before, after)
		}
		if err != nil && read(t, there) != "precious" {
			t.Errorf("%s: it was written", test.name)
		}
	}
	fi, err := os.Stat(there)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	copied, _ := beside(t, dir, there)
	vaulttest.Healthy(t, copied)
}

// TestBackupOfNothing, of a damaged vault and of an older one: no file is made,
// and one that is there is not replaced.
func TestBackupOfNothing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "backup")
	must(t, os.WriteFile(file, []byte("the last good one"), 0o600))
	none := open(t, vaulttest.Dir(t))
	_, err := none.Backup(t.Context(), file, true)
	wantCode(t, err, fault.InvalidRequest)

	l, dir, secrets := furnished(t)
	old := read(t, vaultFile(dir))
	damage(t, dir, secrets[0].ID)
	_, err = l.Backup(t.Context(), file, true)
	wantCode(t, err, fault.VaultCorrupt)
	if e := lastEvents(t, l, 1)[0]; e.Kind != vault.KindVaultBackup || e.Outcome != vault.OutcomeError || e.Code != fault.VaultCorrupt {
		t.Errorf("the log ends with %+v", e)
	}
	must(t, os.WriteFile(vaultFile(dir), []byte(old), 0o600))
	_, err = l.Backup(t.Context(), file, true)
	wantCode(t, err, fault.VaultRollback)
	if read(t, file) != "the last good one" || len(list(t, filepath.Dir(file))) != 1 {
		t.Errorf("beside the backup: %v", list(t, filepath.Dir(file)))
	}
}

// workAppend creates secrets one after the other, and prints the name of each
// that was acknowledged, until it is killed.
func workAppend(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	for i := 0; ; i++ {
		name := fmt.Sprintf("n%s-%d", args[0], i)
		if _, err := l.CreateSecret(ctx, newSecret(workspace("w"), name, "made-up")); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, name); err != nil {
			return err
		}
	}
}

// TestBackupWhileOthersWrite: each copy verifies and holds a beginning of the
// history, all of it that was acknowledged when it began.
// Fault F26.
func TestBackupWhileOthersWrite(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	const writers = 10
	outs := make([]syncBuffer, writers)
	for i := range writers {
		cmd := worker(t, "append", dir, strconv.Itoa(i))
		cmd.Stdout = &outs[i]
		must(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	backups := filepath.Join(t.TempDir(), "b")
	for i := range 5 {
		for outs[i].String() == "" { // until they write
			time.Sleep(time.Millisecond)
		}
		var known []string
		for w := range writers {
			known = append(known, lines(outs[w].String())...)
		}
		file := fmt.Sprint(backups, i)
		b, err := l.Backup(t.Context(), file, false)
		must(t, err)
		copied, _ := beside(t, dir, file)
		vaulttest.Healthy(t, copied)
		got, err := copied.Audit(t.Context(), vault.AuditQuery{Limit: 1 << 20})
		must(t, err)
		want, err := l.Audit(t.Context(), vault.AuditQuery{Limit: 1 << 20, UpTo: b.Events})
		if diff := cmp.Diff(got, want); diff != "" || err != nil {
			t.Errorf("%v; backup %d holds another history (-got +want):\n%s", err, i, diff)
		}
		ws := workspace("w")
		secrets, err := copied.Secrets(t.Context(), &ws)
		must(t, err)
		names := map[string]bool{}
		for _, s := range secrets {
			names[s.Name] = true
		}
		for _, name := range known {
			if !names[name] {
				t.Errorf("backup %d lacks %s, which was there when it began", i, name)
			}
		}
	}
}

// A syncBuffer is a buffer that one writes while another reads.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// workBackup makes a backup, over one that is there.
func workBackup(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	_, err := l.Backup(ctx, args[0], true)
	if err == nil {
		_, err = fmt.Fprintln(out, "done")
	}
	return err
}

// killed starts a worker and kills it after a while; it reports whether the
// worker said that it was done.
func killed(t *testing.T, cmd *exec.Cmd, after time.Duration) (done bool) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout = &out
	must(t, cmd.Start())
	late := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait()
	return strings.Contains(out.String(), "done")
}

// TestBackupKilled: whenever it is killed, the earlier backup is there or the
// new one, whole, and the vault is unharmed.
// Fault F1.
func TestBackupKilled(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	for i := range 40 {
		vaulttest.Create(t, l, vault.GlobalScope(), fmt.Sprint("n", i), strings.Repeat("v", 30_000))
	}
	file := filepath.Join(t.TempDir(), "backup")
	_, err := l.Backup(t.Context(), file, false)
	must(t, err)
	n := 24
	if testing.Short() {
		n = 8
	}
	for i := range n {
		done := killed(t, worker(t, "backup", dir, file), time.Duration(2+i*4)*time.Millisecond)
		copied, elsewhere := beside(t, dir, file)
		vaulttest.Healthy(t, copied)
		vaulttest.Healthy(t, l)
		if done && len(lastEvents(t, copied, 100)) != len(lastEvents(t, l, 100)) {
			t.Errorf("run %d: it said that it was done, and an earlier backup is there", i)
		}
		copied.Close()
		must(t, os.RemoveAll(elsewhere))
	}
}

// TestLeftoversOfBackups: what was cut off is removed by a later backup, once
// it is old enough to be nobody's, and nothing else is.
func TestLeftoversOfBackups(t *testing.T) {
	t.Parallel()
	l, _ := fresh(t)
	dir := t.TempDir()
	names := []string{".aivault-backup-OLD.tmp", ".aivault-backup-NEW.tmp", ".aivault-backup-mine", "backup.tmp"}
	for _, name := range names {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, nil, 0o600))
		if name != names[1] {
			must(t, os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)))
		}
	}
	_, err := l.Backup(t.Context(), filepath.Join(dir, "b"), false)
	must(t, err)
	if diff := cmp.Diff(list(t, dir), []string{names[1], names[2], "b", names[3]}); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
}
