package app_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aivault/keys/fault"
	"aivault/ui/app"
)

// Case 59: only what has an end is read, and what arrives is counted.
func TestReadFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(write("target", "linked"), link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	for _, test := range []struct {
		name, path string
		want       string
		code       fault.Code
	}{
		{"a file", write("f", "0123456789"), "0123456789", ""},
		{"an empty file", write("empty", ""), "", ""},
		{"a link to a file", link, "linked", ""},
		{"one byte too long", write("long", "0123456789a"), "", fault.RequestTooLarge},
		{"a directory", dir, "", fault.InvalidRequest},
		{"nothing", filepath.Join(dir, "nothing"), "", fault.InvalidRequest},
		{"the standard input", "-", "piped", ""},
		{"the standard input by its path", "/dev/stdin", "piped", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := &app.Env{Stdin: strings.NewReader("piped")}
			got, err := env.ReadFile(t.Context(), test.path, 10)
			if fault.CodeOf(err) != test.code {
				t.Fatalf("error %v, want code %q", err, test.code)
			}
			if string(got) != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// An input that never ends must not keep a command that was told to end.
func TestReadFileEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := (&app.Env{Stdin: r}).ReadFile(ctx, "-", 10)
	if fault.CodeOf(err) != fault.Canceled {
		t.Errorf("error %v, want code canceled", err)
	}
}

// A large input is read like a small one.
func TestReadFileLarge(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("x"), 1<<20)
	for _, limit := range []int64{1<<20 - 1, 1 << 20} {
		got, err := (&app.Env{Stdin: bytes.NewReader(content)}).ReadFile(t.Context(), "-", limit)
		if limit < 1<<20 {
			if fault.CodeOf(err) != fault.RequestTooLarge {
				t.Errorf("limit %d: error %v", limit, err)
			}
		} else if err != nil || !bytes.Equal(got, content) {
			t.Errorf("limit %d: %d bytes, %v", limit, len(got), err)
		}
	}
}

// On a screen, only files are files.
func TestReadPath(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "-")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := app.ReadPath(t.Context(), path, 10); string(b) != "text" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	for _, path := range []string{"", "-", "/dev/fd/0", "/dev/null", t.TempDir(), path + "x"} {
		if b, err := app.ReadPath(t.Context(), path, 10); b != nil || fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%q: %q, %v", path, b, err)
		}
	}
	if _, err := app.ReadPath(t.Context(), path, 3); fault.CodeOf(err) != fault.RequestTooLarge {
		t.Errorf("too long: %v", err)
	}
}
