//go:build !linux

package term

import "os"

// openWriter returns the file itself: only Linux opens a descriptor again so
// that the new one may be non-blocking by itself.
func openWriter(tty *os.File) terminalWriter { return kept{tty} }
