package setup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"aivault/keys/fault"
)

// mark is in every file that is written here. What does not have it is somebody
// else's.
const mark = "Made by aivault setup"

// fileStep makes the step of writing a file. One that is there already and is
// not ours is fault.Conflict: it is not replaced.
func (h *Host) fileStep(what string, f File) (Step, error) {
	s := Step{What: what, File: &f}
	st, err := h.Stat(h.Base + f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return s, fault.Wrap(fault.IO, fault.WithoutPath(err), "looking at %s", f.Path)
	case !st.Mode.IsRegular():
		return s, fault.New(fault.Conflict, "%s is %s, and no file of aivault's", f.Path, kindOf(st.Mode)).
			WithHint("remove it, if nothing needs it, and try again")
	}
	b, err := os.ReadFile(h.Base + f.Path)
	switch {
	case err != nil:
		return s, fault.Wrap(fault.IO, fault.WithoutPath(err), "reading %s", f.Path)
	case !strings.Contains(string(b), mark):
		return s, fault.New(fault.Conflict, "%s is there already, and was not made by aivault", f.Path).
			WithHint("look at it, remove it if nothing needs it, and try again")
	}
	s.Done = string(b) == f.Content && st.Mode.Perm() == f.Mode
	return s, nil
}

// write writes a file in one go: nobody ever finds half of it.
func (h *Host) write(f *File) (err error) {
	path := h.Base + f.Path
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fault.Wrap(fault.IO, fault.WithoutPath(err), "making the directory of %s", f.Path)
	}
	defer func() {
		if err != nil {
			err = fault.Wrap(fault.IO, fault.WithoutPath(err), "writing %s", f.Path)
		}
	}()
	// Its name ends such that nothing which reads the directory takes it for one
	// of its files.
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.WriteString(f.Content); err != nil {
		return err
	}
	if err = tmp.Chmod(f.Mode); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// kindOf is what a file that is not a regular one is.
func kindOf(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m.IsDir():
		return "a directory"
	}
	return "a special file"
}
