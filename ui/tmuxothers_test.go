//go:build linux

package ui_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aivault/broker/brokertest"
)

// used fails the test unless a call of acme/items from web-shop/research, which
// another process makes, is sent the value of that label.
func (p *tmuxPane) used(label string) {
	p.Helper()
	out := p.aivault("invoke", "acme/items", "--method", "GET", "--path", "/items/1", "--workspace-id", "web-shop", "--group-id", "research")
	if !strings.Contains(out, fmt.Sprintf("\"used\":%q", label)) {
		p.Errorf("the call did not use %s: %s", label, out)
	}
}

// What people do at the screens, the next process sees: a secret that is shared
// with a group there is the one that a call from the group uses.
//
// Checklist 51, 55.
func TestTmuxAttachIsUsed(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24)
	p.seed()
	p.used("shop")
	p.run()
	p.want("ACME_TOKEN, own secret of the global scope")
	p.keys("a")
	p.want("Attach ACME_TOKEN")
	p.keys("j", "Space")
	p.want("instead of")
	p.keys("Enter")
	p.want("attached ACME_TOKEN to web-shop/research")
	p.used("acme")
	p.keys("z")
	p.want("detached ACME_TOKEN from web-shop/research")
	p.used("shop")
	p.keys("q")
	p.left()
}

// The same of a binding.
//
// Checklist 51, 55.
func TestTmuxBindingIsUsed(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24)
	p.seed()
	p.used("shop")
	p.run()
	p.want("ACME_TOKEN, own secret of the global scope")
	p.keys("2")
	p.want("acme/items, ready")
	p.keys("b")
	p.typed("ACME_TOKEN, global")
	p.keys("Tab", "C-u")
	p.typed("web-shop/research")
	p.want("acme/items will use ACME_TOKEN (global)")
	p.keys("C-s")
	p.want("bound ACME_TOKEN to acme/items in")
	p.used("acme")
	p.keys("z")
	p.want("unbound ACME_TOKEN from acme/items in")
	p.used("shop")
	p.keys("q")
	p.left()
}

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
