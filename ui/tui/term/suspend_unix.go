//go:build unix

package term

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// unstopped is how long after SIGTSTP the program has been stopped if it is to
// be: the system drops the signal where no shell could continue the program.
const unstopped = 300 * time.Millisecond

// Run stops the process group, as the terminal would have done by ctrl+z.
func (suspension) Run() error {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGCONT)
	defer signal.Stop(c)
	if err := syscall.Kill(0, syscall.SIGTSTP); err != nil {
		return err
	}
	for _, d := range []time.Duration{unstopped, unstopped / 6} { // time passes while it is stopped
		select {
		case <-c:
			return nil
		case <-time.After(d):
		}
	}
	return errNobody
}
