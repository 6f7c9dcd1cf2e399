//go:build unix

package app

import (
	"os"

	"golang.org/x/sys/unix"
)

// openTTY opens the controlling terminal.
func openTTY() (in, out *os.File, err error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	return f, f, err
}

// hideInput has the terminal not show what is typed, until restore is called.
// It works through the file's raw connection, as File.Fd would make reads that
// nothing can interrupt.
func hideInput(tty *os.File) (restore func(), err error) {
	raw, err := tty.SyscallConn()
	if err != nil {
		return nil, err
	}
	var old *unix.Termios
	set := func(t *unix.Termios) (err error) {
		ctrlErr := raw.Control(func(fd uintptr) { err = unix.IoctlSetTermios(int(fd), ioctlSetTermios, t) })
		if ctrlErr != nil {
			return ctrlErr
		}
		return err
	}
	ctrlErr := raw.Control(func(fd uintptr) { old, err = unix.IoctlGetTermios(int(fd), ioctlGetTermios) })
	if ctrlErr != nil {
		return nil, ctrlErr
	}
	if err != nil {
		return nil, err
	}
	hidden := *old
	hidden.Lflag &^= unix.ECHO
	hidden.Lflag |= unix.ICANON | unix.ISIG
	hidden.Iflag |= unix.ICRNL
	if err := set(&hidden); err != nil {
		return nil, err
	}
	return func() { _ = set(old) }, nil
}
