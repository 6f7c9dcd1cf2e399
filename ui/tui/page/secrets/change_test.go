package secrets_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A witness sees the values that are given to the vault.
type witness struct {
	app.Backend
	values [][]byte // copies
	given  []vault.Value
}

func (w *witness) saw(v vault.Value) {
	w.values = append(w.values, append([]byte{}, v.Reveal()...))
	w.given = append(w.given, v)
}

func (w *witness) CreateSecret(ctx context.Context, n vault.NewSecret) (vault.Secret, error) {
	w.saw(n.Value)
	return w.Backend.CreateSecret(ctx, n)
}

func (w *witness) RotateSecret(ctx context.Context, id vault.ID, v vault.Value, rev vault.IfRevision) (vault.Secret, error) {
	w.saw(v)
	return w.Backend.RotateSecret(ctx, id, v, rev)
}

// watch has a witness stand between the page and the vault.
func (d *driver) watch() *witness {
	w := &witness{Backend: d.be}
	d.host.Backend = w
	return w
}

// wiped fails if what was given to the vault is still there.
func (w *witness) wiped(t *testing.T) {
	t.Helper()
	for _, v := range w.given {
		for _, b := range v.Reveal() {
			if b != 0 {
				t.Error("a value was not wiped after it was stored")
				return
			}
		}
	}
}

// A value that begins otherwise than those of its name do is most likely another
// one: that is said while it is typed, and not shown.
func TestCreateLooks(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments)
	value := brokertest.Word(t)
	d.never = append(d.never, value)
	const wrong = "does not look right: values of this name begin with sk-ant-"
	d.keys("n").typed("ANTHROPIC_API_KEY").wantNot(wrong)
	d.keys("tab").typed("x" + value).want(wrong)
	d.keys("ctrl+u").typed("sk-").wantNot(wrong)
	d.typed("ant-" + value).wantNot(wrong)
	d.keys("shift+tab", "ctrl+u").typed("SHOPIFY_ACCESS_TOKEN").
		want("claimed by shopify: will be pinned; a credential is to name your host under *.myshopify.com", "begin with shpat_")
}

// Checklist 45, 51.
func TestCreate(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments)
	w := d.watch()
	value := brokertest.Word(t)
	d.never = append(d.never, value)
	d.keys("n").want("New secret", "Scope web-shop/payments")
	d.typed("OPENAI_API_KEY").want("claimed by openai: will be pinned, credential openai:group:web-shop:payments and 22 capabilities",
		"overrides the global one here")
	d.keys("ctrl+u").typed("STRIPE_API_KEY").want("exists here: a secret of group payments in web-shop has this name or alias")
	d.keys("ctrl+u").typed("MY_TOKEN").want("no provider claims this name")
	d.keys("tab").typed(value).want("••••••", "masked")
	d.keys("tab", "tab").typed(`FIRST "with space"`)
	d.keys("ctrl+s")
	if len(d.dialogs) != 0 {
		t.Fatalf("the form is open still:\n%s", d.screen())
	}
	if want := "stored MY_TOKEN in web-shop/payments"; d.said() != want {
		t.Errorf("the toast is %q, not %q", d.said(), want)
	}
	d.want("MY_TOKEN, own secret of group payments in web-shop, row 1 of 7", "payments 2+1", "Aliases FIRST, with space")
	if len(w.values) != 1 || string(w.values[0]) != value {
		t.Errorf("the vault was given another value")
	}
	w.wiped(t)
	if s, _ := d.find("web-shop/payments", "MY_TOKEN"); !cmp.Equal(s.Aliases, []string{"FIRST", "with space"}) {
		t.Errorf("the aliases are %q", s.Aliases)
	}
}

// A secret goes where the form says, also into a scope that is not there yet,
// and the page goes after it.
func TestCreateElsewhere(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop)
	d.keys("/").typed("github").keys("enter")
	d.keys("n").typed("A_TOKEN").keys("tab").typed("made-up").keys("tab", "ctrl+u")
	d.typed("infra").want("infra/core") // suggested
	d.typed("/new").keys("ctrl+s")
	d.want("A_TOKEN, own secret of group new in infra", "infra / new", "stored A_TOKEN in infra/new; the value is so short that it can be guessed")

	d.keys("n").typed("B_TOKEN").keys("tab").typed("made-up-too").keys("tab", "ctrl+u").typed("infra/").keys("ctrl+s")
	d.want(`"infra/" is half a group`, "B_TOKEN")
	d.keys("ctrl+u").typed("global").keys("tab", "tab", " ", "ctrl+s")
	if s, ok := d.find("", "B_TOKEN"); !ok || !s.AttachedOnly {
		t.Errorf("stored %+v", s)
	}
}

// Checklist 46, 49, 50.
func TestCreateFromPaste(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("-----BEGIN PRIVATE KEY-----\n")
	for range 58 {
		b.WriteString("CANARY-" + strings.Repeat("A\t", 28) + "\n")
	}
	b.WriteString("-----END PRIVATE KEY-----\n")
	pem := b.String()
	d := newDriver(t, shop)
	w := d.watch()
	d.keys("n").typed("TLS_KEY").keys("tab").paste(strings.ReplaceAll(pem, "\n", "\r"))
	d.want("••••••", "PEM, 60 lines", "its final line end is kept")
	d.keys("enter") // is a line end within a value of several lines, and submits nothing
	if len(w.values) != 0 {
		t.Fatal("enter stored it")
	}
	d.keys("backspace", "ctrl+s")
	d.want("stored TLS_KEY")
	if len(w.values) != 1 || string(w.values[0]) != pem {
		t.Errorf("what was stored differs from what was pasted: %d values", len(w.values))
	}
	w.wiped(t)
}

// Checklist 56, 57.
func TestCreateFails(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop)
	w := d.watch()
	d.keys("n").typed("GITHUB_TOKEN").keys("tab").typed("made-up-value").keys("ctrl+s")
	d.want("there is a secret named GITHUB_TOKEN", "••••••", "Name, GITHUB_TOKEN, wrong")
	if dirty, ok := d.top().(view.Dirty); !ok || !dirty.Dirty() {
		t.Error("the form would close without a question")
	}
	d.typed("_2")
	save := keyNamed("ctrl+s")
	form := d.top()
	for _, b := range form.Actions() {
		if b.Spec().Keys[0] == save.String() {
			first, second := b.Run(), b.Run() // before anything came of the first
			d.do(first)
			d.do(second)
		}
	}
	if len(w.values) != 2 { // one for each name
		t.Errorf("the vault was written to %d times", len(w.values))
	}
	if _, ok := d.find("", "GITHUB_TOKEN_2"); !ok {
		t.Error("nothing was stored")
	}
	d.keys("n", "ctrl+s").want("the name is empty", "Name, empty, wrong")
}

func TestEdit(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node("workspace web-shop")
	d.row("DB_URL").keys("e").want("Edit DB_URL")
	d.typed("_2").want("no provider claims this name").keys("tab").typed("OLD_NAME").keys("ctrl+s")
	d.want("DB_URL_2, own secret of workspace web-shop", "Aliases OLD_NAME", "renamed DB_URL to DB_URL_2")
	if d.undo == nil {
		t.Fatal("it cannot be taken back")
	}
	if _, err := d.undo.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	d.reload()
	d.want("DB_URL, own secret of workspace web-shop", "Aliases -")

	d.keys("e").typed("_3")
	d.keys("esc").want("Throw away") // Checklist 56.
	d.keys("right", "enter")

	d.node("the global scope").row("STRIPE_API_KEY").keys("e").wantNot("goes with it")
	d.typed("_2").want("no provider claims this name; the secret stays pinned to stripe", "credential stripe is made of the name STRIPE_API_KEY")
	d.keys("ctrl+u").typed("SLACK_BOT_TOKEN").want("claimed by slack, and the secret is pinned to stripe for good")
}

func TestRotate(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop)
	w := d.watch()
	d.row("STRIPE_API_KEY").keys("r").want("Rotate STRIPE_API_KEY", "cannot be undone",
		"credential stripe uses it", "16 capabilities can be called with it")
	d.paste("made-up-value\n").want("without its final line end").keys("tab", "enter")
	d.want("rotated STRIPE_API_KEY in the global scope to version 2; t tests it", "Value •••••• v2")
	if d.undo != nil {
		t.Error("it says that it can be taken back")
	}
	w.wiped(t)
	d.keys("t")
	if _, ok := d.lastAsked().(view.OpenTest); !ok {
		t.Errorf("t asked for %#v", d.lastAsked())
	}
}

// Checklist 58.
// Case 159.
func TestConflict(t *testing.T) {
	t.Parallel()
	meanwhile := func(d *driver, name string) {
		s, _ := d.find("", name)
		if _, err := d.be.RotateSecret(context.Background(), s.ID, opaque.New([]byte("made-up-by-others")), 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		button  string
		keys    []string
		version uint64
		open    bool
	}{
		{"cancel", []string{"enter"}, 2, true},
		{"reload", []string{"right", "enter"}, 2, true},
		{"overwrite", []string{"right", "right", "enter"}, 3, false},
	} {
		d := newDriver(t, shop)
		d.row("OPENAI_API_KEY").keys("r").typed("made-up-value")
		meanwhile(d, "OPENAI_API_KEY")
		d.keys("ctrl+s").want("Changed meanwhile", "it was rotated")
		d.keys(c.keys...)
		if s, _ := d.find("", "OPENAI_API_KEY"); s.Version != c.version {
			t.Errorf("%s: version %d", c.button, s.Version)
		}
		if open := len(d.dialogs) == 1; open != c.open {
			t.Fatalf("%s: the form is open: %v", c.button, open)
		}
		if c.button == "reload" { // what was typed is there still, and is saved over what is known now
			d.want("version 2", "••••••").keys("ctrl+s")
			if s, _ := d.find("", "OPENAI_API_KEY"); s.Version != 3 {
				t.Errorf("after reloading: version %d", s.Version)
			}
		}
	}

	d := newDriver(t, shop)
	d.row("GITHUB_TOKEN").keys("e").typed("_2")
	s, _ := d.find("", "GITHUB_TOKEN")
	name := "OTHER"
	if _, err := d.be.UpdateSecret(context.Background(), s.ID, vault.SecretChange{Name: &name}, 0); err != nil {
		t.Fatal(err)
	}
	d.keys("ctrl+s").want("it is named OTHER now")
	d.keys("right", "enter").want("Name OTHER").typed("_3").keys("ctrl+s")
	if _, ok := d.find("", "OTHER_3"); !ok {
		t.Error("it was not renamed after reloading")
	}

	// A conflict of another kind is no reason to ask.
	d.row("STRIPE_API_KEY").keys("e", "ctrl+u").typed("OPENAI_API_KEY_2").keys("ctrl+u").typed("GITHUB_TOKEN").keys("ctrl+s")
	d.want("pinned to stripe for good").wantNot("Changed meanwhile")
}

// Checklist 62.
func TestBulk(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments)
	d.row("RISK_TOKEN").keys(" ").row("DB_URL").keys(" ").want("2 marked", "● RISK_TOKEN", "● DB_URL")
	d.keys("/").typed("risk").keys("enter").want("1 marked") // what does not show is not meant
	d.keys("esc").want("2 marked")
	d.keys("esc").wantNot("marked")
	d.row("RISK_TOKEN").keys(" ", " ", "D").want("Delete 2 secrets: RISK_TOKEN, DB_URL?", "To go on, type: delete")
	d.typed("delete").keys("enter", "enter")
	d.want("deleted 2 secrets")
	for path, name := range map[string]string{"infra": "RISK_TOKEN", "web-shop": "DB_URL"} {
		if _, ok := d.find(path, name); ok {
			t.Errorf("%s is there", name)
		}
	}
	d.keys("*").want("4 marked").keys("*").wantNot("marked")
}

// Checklist 55.
func TestDetach(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments).row("RISK_TOKEN").keys("x")
	d.want("detached RISK_TOKEN from web-shop/payments", "4 effective").wantNot("RISK_TOKEN, attached here")
	if d.undo == nil {
		t.Fatal("it cannot be taken back")
	}
	if _, err := d.undo.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	d.reload()
	d.want("RISK_TOKEN attached", "5 effective")
	d.keys("x")
	risk, _ := d.find("infra", "RISK_TOKEN")
	d.attach(risk, "infra/core") // by somebody else
	if _, err := d.undo.Run(context.Background()); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("over a change of somebody else's: %v", err)
	}
	d.attach(risk, "web-shop/payments")
	d.reload()

	// Of those that are marked, the ones that are attached are meant.
	notes, _ := d.find("web-shop/research", "NOTES_TOKEN")
	d.attach(notes, "web-shop/payments")
	d.reload()
	d.keys("*", "x").want("detached 2 secrets from web-shop/payments").wantNot("marked")
	if d.keys("x"); d.said() == "" || strings.HasPrefix(d.said(), "detached") {
		t.Errorf("x says %q", d.said())
	}
	d.node("workspace web-shop").keys("x")
	if want := "select a group first: it is a group that secrets are detached from"; d.said() != want {
		t.Errorf("x says %q", d.said())
	}
}

// Checklist 63.
func TestOpenFormIsNotDisturbed(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop)
	d.keys("n").typed("MY_TOKEN").keys("tab").typed("made-up")
	d.store("", "A_TOKEN")
	d.reload()
	d.rest()
	d.want("A_TOKEN", "Name MY_TOKEN", "••••••", "Value, masked")
}
