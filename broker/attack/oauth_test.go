package attack_test

import (
	"fmt"
	"os"
)

// workKilled makes a call, and is killed between the answer of the token
// endpoint and the moment when it is stored.
func workKilled(p *process) error {
	p.store.endRenewal = func() {
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		select {}
	}
	_, err := fmt.Fprintln(p.out, p.call())
	return err
}
