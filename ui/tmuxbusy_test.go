//go:build linux

package ui_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aivault/broker/brokertest"
)

// hold keeps the vault from everybody else, until it is let go.
func (p *tmuxPane) hold() (letGo func()) {
	p.Helper()
	f, err := os.OpenFile(filepath.Join(p.dir, "vault.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		p.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		p.Fatal(err)
	}
	return func() { _ = f.Close() }
}

// Checklist 10, 64. While another process holds the vault, that is said, keys
// work, and who leaves during a write waits for it.
func TestTmuxBusy(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24)
	c := p.seed()
	p.run()
	p.want("ACME_TOKEN, own secret of the global scope")
	p.idle()
	letGo := p.hold()
	p.keys("Tab", "Tab", "j")
	p.want("workspace infra, 2 own")
	p.want("reading the secrets 2s waiting for another proc")
	p.keys("k", "k", "j", "Tab", "g", "?")
	p.want("What can be done here")
	p.keys("Escape")
	letGo()
	p.want("ACME_TOKEN, own secret of the global scope")
	p.gone("reading the secrets")

	p.keys("r")
	p.want("New value, empty")
	secret := brokertest.Word(t)
	p.typed(secret)
	letGo = p.hold()
	p.keys("C-s")
	p.want("saving")
	p.keys("C-c")
	time.Sleep(300 * time.Millisecond)
	p.keys("C-c")
	time.Sleep(300 * time.Millisecond)
	if strings.Contains(p.screen(), "left with") {
		t.Error("it did not wait for the write")
	}
	letGo()
	p.left()
	if out := p.aivault("secrets", "list", "--json"); !strings.Contains(out, `"valueVersion": 2`) {
		t.Error("the write was lost")
	}
	p.free("what the terminal was sent", p.sent(), secret, c)
}
