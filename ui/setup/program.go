package setup

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode"

	"aivault/keys/fault"
)

// checkProgram checks a program that the system will start as a user: nobody
// but that user and root may be able to write to it, or put another one in its
// place.
func (h *Host) checkProgram(program string, u User) error {
	if err := checkPath("the program", program); err != nil {
		return err
	}
	for path := program; ; path = filepath.Dir(path) {
		st, err := h.Stat(h.Base + path)
		switch {
		case err != nil:
			return fault.Wrap(fault.InvalidRequest, fault.WithoutPath(err), "looking at %s", path)
		case st.Mode&fs.ModeSymlink != 0:
			return refuseProgram(program, path, "is a symbolic link")
		case path == program && !st.Mode.IsRegular():
			return refuseProgram(program, path, "is not a file")
		case st.UID != 0 && st.UID != u.UID:
			return refuseProgram(program, path, fmt.Sprintf("belongs to user %d", st.UID))
		// A group of the user's own has nobody else in it.
		case st.Mode.Perm()&0o002 != 0, st.Mode.Perm()&0o020 != 0 && st.GID != 0 && st.GID != u.GID:
			return refuseProgram(program, path, "can be written to by others")
		case path == filepath.Dir(path):
			return nil
		}
	}
}

func refuseProgram(program, path, why string) error {
	return fault.New(fault.InvalidRequest, "%s %s: the system would start what somebody else puts there", path, why).
		WithHint("install it where only root can write, and set it up from there: sudo install -m 0755 %s /usr/local/bin/", filepath.Base(program))
}

// checkPath checks that a path means in a unit file what it is. Quoting would
// do for most of what is refused, and differs between kinds of settings.
func checkPath(what, path string) error {
	bad := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+@,:=~", r)
	}
	if !filepath.IsAbs(path) || strings.ContainsFunc(path, bad) {
		return fault.New(fault.InvalidRequest, "the path of %s, %.200q, cannot stand in the settings of a service", what, path).
			WithHint("move it to where the path is made of letters, digits and . _ - + @ , : = ~")
	}
	return nil
}
