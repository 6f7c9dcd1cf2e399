//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aivault/keys/fault"
)

// Fault F3. On a disk that has so many bytes left, in a file system of its own, a
// command is done or says that the disk is full; when there is room again, the
// vault is in order and the command can be given again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a file system for the test")
	}
	if out, err := exec.Command("unshare", "-m", "true").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no file system can be mounted: %v: %s", err, out)
		}
		t.Skipf("no file system can be mounted: %v: %s", err, out)
	}
	// $1 is where it is mounted, $2 the world, $3 how many KiB are left.
	const script = `
mount -t tmpfs -o size=4m,mode=700 none "$1" && cp -a "$2"/. "$1"/ && cd "$1" || exit 99
free=$(($(stat -f -c '%a * %S' .) / 1024))
head -c $(((free - $3) * 1024)) /dev/zero > ballast
shift 3
error=$("$0" "$@" 2>&1 >/dev/null)
first=$?
test $first -eq 0 || echo "$error"
rm ballast
"$0" doctor >doctor 2>&1 || cat doctor
doctor=$?
"$0" "$@" >again 2>&1
again=$?
echo "STATUS $first $doctor $again"
test $again -eq 0 || cat again`
	step := 12
	if full() {
		step = 4
	}
	for _, c := range commands() {
		switch c.name {
		case "init with a file", "first use", "secrets rotate", "secrets import", "backup", "restore", "compaction", "invoke", "doctor --salvage", "key add":
		default:
			continue // they write as one of these does
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := worlds()[c.world](t)
			ends := map[string]int{}
			for left := 0; left <= 96; left += step {
				cmd := w.command(w.named(c.args), c.env...)(w.copy(t))
				mount := scratch(t)
				for i, v := range cmd.Env {
					cmd.Env[i] = strings.ReplaceAll(v, cmd.Dir, mount)
				}
				cmd.Args = append([]string{"unshare", "-m", "sh", "-c", script, w.exe, mount, cmd.Dir, fmt.Sprint(left)}, cmd.Args[1:]...)
				unshare, err := exec.LookPath("unshare")
				must(t, err)
				cmd.Path = unshare
				out, err := cmd.CombinedOutput()
				var first, doctor, again int
				_, tail, _ := strings.Cut(string(out), "STATUS ")
				if _, serr := fmt.Sscan(tail, &first, &doctor, &again); serr != nil || err != nil && again == 0 {
					t.Fatalf("%d KiB left: %v: %s", left, err, out)
				}
				code, _ := lastError(strings.Split(string(out), "STATUS ")[0])
				ends[string(code)]++
				full := first == 8 && code == fault.DiskFull || first == 12 && code == fault.AuditUnavailable || first == 8 && code == fault.OutcomeUnknown
				if first != 0 && !full || doctor != 0 || again != 0 && first != 0 && c.again == nil {
					t.Errorf("%d KiB left: %s", left, out)
				}
			}
			t.Logf("%v", ends)
		})
	}
}

// Fault F3, with a limit on the size of files, which ends a program by SIGXFSZ
// that does not know of it.
func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	s := newSweep(t, writing{args: []string{"secrets", "import", "--file", "import.env", "--rotate-existing"}}, furnish(t))
	size := len(s.w.files[vaultDir+"/vault.db"])
	for _, blocks := range []int{0, 1, 8, size/512 - 8, size/512 - 1, size / 512, size/512 + 8} {
		dir := s.w.copy(t)
		cmd := s.w.command(s.args)(dir)
		cmd.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -f %d && exec "$0" "$@"`, blocks), cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		state := s.state(look(t, s.w, dir), "")
		if code, _ := lastError(out.String()); err == nil && state != isNew || err != nil && (state != isOld || code != fault.DiskFull) {
			t.Errorf("files of %d blocks: %v, and the state is the %s one: %s", blocks, err, state, out.String())
		}
	}
}

// Fault F5. Where nothing may be written, all can be read, and who writes is told
// so; no mode of anything is changed.
func TestReadOnlyVault(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("setpriv is not in PATH")
	}
	w := furnish(t)
	for name, modes := range map[string]map[string]os.FileMode{
		"a directory":          {vaultDir: 0o500},
		"a file":               {vaultDir + "/vault.db": 0o400},
		"both":                 {vaultDir: 0o500, vaultDir + "/vault.db": 0o400},
		"what is remembered":   {vaultDir + "/state": 0o500},
		"all that there is":    {vaultDir: 0o500, vaultDir + "/vault.db": 0o400, vaultDir + "/vault.lock": 0o400, vaultDir + "/state": 0o500},
		"what is unremembered": {vaultDir + "/state": 0},
	} {
		dir := readable(t, w)
		for path, mode := range modes {
			must(t, os.Chmod(filepath.Join(dir, path), mode))
		}
		writable := name == "what is remembered" || name == "what is unremembered" || name == "a directory"
		for _, args := range [][]string{{"secrets", "list"}, {"capability", "list"}, {"audit"}, {"secrets", "create", "--name", "NEW", "--value-file", "value"}} {
			out, err := asNobody(w.command(args)(dir)).CombinedOutput()
			code, hint := lastError(string(out))
			wrote := len(args) > 2
			if (err == nil) != (!wrote || writable) || err != nil && (code != fault.IO || hint == "") {
				t.Errorf("%s is read only: %v: %v: %s", name, args, err, out)
			}
		}
		for path, mode := range modes {
			if fi, err := os.Stat(filepath.Join(dir, path)); err != nil || fi.Mode().Perm() != mode {
				t.Errorf("%s is %v now, %v", path, fi.Mode(), err)
			}
		}
	}
}

const nobody = 65534

// readable is a copy of the world that belongs to nobody.
func readable(t *testing.T, w *world) string {
	t.Helper()
	shared, err := sharedDir()
	must(t, err)
	must(t, os.Chmod(shared, 0o711))
	dir := w.copy(t)
	must(t, filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	}))
	return dir
}

// asNobody has a command run as an unprivileged user.
func asNobody(cmd *exec.Cmd) *exec.Cmd {
	id := fmt.Sprint(nobody)
	cmd.Args = append([]string{"setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups", cmd.Path}, cmd.Args[1:]...)
	cmd.Path, _ = exec.LookPath("setpriv") // its absence was seen before
	return cmd
}

// Case 153. Fault F8, F9. A file that is no vault, or another one, is not touched by any
// command, and said to be what it is.
func TestFilesThatAreNoVault(t *testing.T) {
	t.Parallel()
	const file = vaultDir + "/vault.db"
	w := furnish(t)
	other := furnish(t)
	for name, test := range map[string]struct {
		content []byte
		size    int64 // where it is longer
		codes   []fault.Code
	}{
		"empty":             {[]byte{}, 0, []fault.Code{fault.VaultCorrupt}},
		"garbage":           {bytes.Repeat([]byte("garbage "), 4000), 0, []fault.Code{fault.VaultCorrupt}},
		"sparse":            {[]byte{}, 1 << 40, []fault.Code{fault.VaultCorrupt}},
		"another vault":     {other.files[file], 0, []fault.Code{fault.WrongKey}},
		"a sparse vault":    {w.files[file][:8192], 1 << 40, []fault.Code{fault.VaultCorrupt}},
		"cut after 2 pages": {w.files[file][:8192], 0, []fault.Code{fault.VaultCorrupt}},
	} {
		dir := w.copy(t)
		path := filepath.Join(dir, file)
		must(t, os.WriteFile(path, test.content, 0o600))
		if test.size > 0 && os.Truncate(path, test.size) != nil {
			continue // this file system has no such files
		}
		before, err := os.Stat(path)
		must(t, err)
		inits := []writing{{name: "init", args: []string{"init"}}, {name: "init with a passphrase", args: []string{"init", "--provider", "passphrase", "--passphrase-file", "pass"}}}
		for _, c := range append(commands(), inits...) {
			if c.world != "" || c.name == "doctor --salvage" && name == "another vault" {
				continue
			}
			out, err := w.command(w.named(c.args), c.env...)(dir).CombinedOutput()
			code, hint := lastError(string(out))
			ok := hint != ""
			for _, want := range test.codes {
				ok = ok && (code == want || code == fault.AlreadyExists && c.args[0] == "init")
			}
			if err == nil || !ok {
				t.Errorf("%s: %s: %v: %.500s", name, c.name, err, out)
			}
		}
		after, err := os.Stat(path)
		if err != nil || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) || !os.SameFile(before, after) {
			t.Errorf("%s: the file was written", name)
		}
	}
}
