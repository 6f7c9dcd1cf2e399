//go:build !unix

package term

import (
	"io"
	"os"
)

// NewInput returns tty itself: on Windows, keys come as events of the console,
// which Bubble Tea reads.
func NewInput(tty *os.File) io.Reader { return tty }
