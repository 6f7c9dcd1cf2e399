package secrets_test

import (
	"context"
	"testing"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

// Checklist 54.
func TestDelete(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments).row("STRIPE_API_KEY, own")
	d.keys("D").want("Delete STRIPE_API_KEY, secret of group payments in web-shop?", "cannot be undone",
		"16 capabilities of stripe will use STRIPE_API_KEY", "goes too: credential stripe:group:web-shop:payments",
		"To go on, type: STRIPE_API_KEY")
	d.keys("enter").typed("STRIPE").keys("enter", "enter")
	if _, ok := d.find("web-shop/payments", "STRIPE_API_KEY"); !ok {
		t.Fatal("half a name deleted it")
	}
	d.typed("_API_KEY").keys("enter")
	if _, ok := d.find("web-shop/payments", "STRIPE_API_KEY"); !ok {
		t.Fatal("the name alone deleted it")
	}
	d.keys("enter")
	if _, ok := d.find("web-shop/payments", "STRIPE_API_KEY"); ok || d.undo != nil {
		t.Errorf("it is there: %v, undo: %v", ok, d.undo)
	}
	d.want("deleted STRIPE_API_KEY in web-shop/payments", "payments 0+1", "5 effective").wantNot("overridden")

	// Nothing depends on this one: a question is enough, and its first answer
	// is no.
	d.row("DB_URL").keys("D").want("Delete DB_URL, secret of workspace web-shop?").wantNot("To go on, type")
	d.keys("enter")
	if _, ok := d.find("web-shop", "DB_URL"); !ok {
		t.Fatal("enter deleted it")
	}
	d.keys("D", "right", "enter")
	if _, ok := d.find("web-shop", "DB_URL"); ok {
		t.Error("it was not deleted")
	}
}

// blind is a backend that cannot tell who uses a secret, until it can.
type blind struct {
	app.Backend
	err error
}

func (b *blind) Uses(ctx context.Context, id vault.ID) (broker.Uses, error) {
	if b.err != nil {
		return broker.Uses{}, b.err
	}
	return b.Backend.Uses(ctx, id)
}

// What is tried again is about the same secret, wherever the cursor is by then,
// and whether there is one.
func TestDeleteTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node("workspace web-shop").row("DB_URL")
	b := &blind{d.be, fault.New(fault.VaultBusy, "another aivault has it")}
	d.host.Backend = b
	d.keys("D")
	if len(d.fails) == 0 || d.retry == nil {
		t.Fatalf("failed with %v", d.fails)
	}
	b.err = nil
	d.node("group core in infra").row("CORE_TOKEN")
	d.do(d.retry())
	d.want("Delete DB_URL, secret of workspace web-shop?").wantNot("Delete CORE_TOKEN")

	d.keys("esc").node("group research in web-shop").keys("/").typed("no such").keys("enter")
	d.do(d.retry())
	d.want("Delete DB_URL, secret of workspace web-shop?")
}

func TestDeleteConflict(t *testing.T) {
	t.Parallel()
	for _, button := range []string{"reload", "delete"} {
		d := newDriver(t, shop).node("workspace web-shop").row("DB_URL")
		d.keys("D")
		s, _ := d.find("web-shop", "DB_URL")
		d.attach(s, "infra/core")
		d.keys("right", "enter").want("Somebody changed DB_URL since you looked. Nothing was deleted.")
		d.keys("right")
		if button == "delete" {
			d.keys("right")
		}
		d.keys("enter")
		if _, there := d.find("web-shop", "DB_URL"); there != (button == "reload") || len(d.dialogs) > 0 {
			t.Errorf("%s: it is there: %v", button, there)
		}
	}
}
