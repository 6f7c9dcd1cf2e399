package keys

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// openKeyFile opens path for reading, unless it is a link.
func openKeyFile(path string) (*os.File, error) {
	if isSymlink(path) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: windows.ERROR_CANT_ACCESS_FILE}
	}
	return os.Open(path)
}

// Who may read a file is for Windows a matter of access lists, which a
// profile directory restricts to its user; mode bits say nothing there.
func ownedByUs(fs.FileInfo) bool     { return true }
func othersMayRead(fs.FileInfo) bool { return false }

// syncDir does nothing: NTFS journals its names.
func syncDir(string) error { return nil }

func isDiskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
