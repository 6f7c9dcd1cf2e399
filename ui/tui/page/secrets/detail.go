package secrets

import (
	"context"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// restAfter is how long the cursor rests on a row before it is worth looking
// up who uses the secret.
const restAfter = 80 * time.Millisecond

// uses is what is known of who uses a secret.
type uses struct {
	of     vault.ID
	found  broker.Uses
	known  bool
	failed string // why it is not known, in words
}

// rest shows the secret under the cursor, and looks up who uses it once the
// cursor rests there.
func (p *page) rest() tea.Cmd {
	r := p.current()
	if r == nil {
		p.tasks.Cancel("uses")
		p.showDetail()
		return nil
	}
	id := r.ID
	if p.uses.of != id {
		p.uses = uses{of: id}
	}
	p.showDetail()
	return task.After(p.tasks, "uses", restAfter, func() tea.Cmd { return p.loadUses(id) })
}

func (p *page) loadUses(id vault.ID) tea.Cmd {
	be := p.host.Backend
	return task.Go(p.tasks, "uses", func(ctx context.Context) (broker.Uses, error) {
		return be.Uses(ctx, id)
	}, func(u broker.Uses, err error) tea.Cmd {
		p.uses = uses{of: id, found: u, known: err == nil}
		if err != nil {
			p.uses.failed = err.Error()
		}
		p.showDetail()
		return nil
	})
}

// showDetail shows what there is to know about the secret under the cursor.
func (p *page) showDetail() {
	d := widget.NewDetails(p.host.Theme)
	r := p.current()
	key := ""
	if r == nil {
		d.Text("No secret is selected.")
	} else {
		key = r.key
		p.describe(d, r)
	}
	p.detail.ShowDetails(key, d)
}

// describe says what there is to know about a secret, but for its value.
func (p *page) describe(d *widget.Details, r *row) {
	th, now := p.host.Theme, p.host.Now()
	d.Title(r.Name)
	d.Text(sentence(r, p.of))
	d.Styled("Value", mask(th.Mask)+"  v"+strconv.FormatUint(r.Version, 10), th.Text)
	if r.PinnedProvider != "" {
		d.Row("Pinned to", r.PinnedProvider)
	}
	d.Row("Aliases", list(r.Aliases))
	d.Row("Scope", scopePath(r.Scope))
	if r.AttachedOnly {
		d.Row("", "for attached groups only")
	}
	d.Row("Attached", list(groupNames(r.Secret)))
	if r.PinnedProvider == "" {
		d.Row("Sent to", hosts(r.Hosts))
	}
	p.standing(d, r)
	d.Head("Used by")
	p.users(d, r)
	d.Head("History")
	d.Row("Created", text.Moment(r.CreatedAt))
	d.Row("Rotated", text.Moment(r.RotatedAt))
	if r.isOverdue(now) {
		d.Styled("", th.Alert+" overdue: this value is "+text.Age(r.RotatedAt, now)+" old", th.Warn)
	}
	d.Row("Last used", text.Moment(r.LastUsedAt))
	d.Head("Id")
	d.Text(r.ID.String())
}

// standing says what overrides the secret here, and what it overrides.
func (p *page) standing(d *widget.Details, r *row) {
	th := p.host.Theme
	if r.winner != "" {
		d.Styled("Here", th.Shadow+" overridden by "+r.winner, th.Warn)
	}
	if r.twin {
		d.Styled("Here", th.Alert+" ambiguous: another secret of this name is attached here too", th.Warn)
	}
	if r.winner != "" || p.of.all {
		return
	}
	var behind []vault.Scope
	for i := range p.rows {
		if o := &p.rows[i]; o.winner != "" && o.Name == r.Name {
			behind = append(behind, o.Scope)
		}
	}
	if len(behind) > 0 {
		d.Row("Overrides", others(behind))
	}
}

// users says who uses the secret.
func (p *page) users(d *widget.Details, r *row) {
	switch u := p.uses; {
	case u.of == r.ID && u.failed != "":
		d.Text("could not be read: " + u.failed)
	case u.of != r.ID || !u.known:
		d.Text(p.host.Theme.Ellipsis)
	case len(u.found.Credentials)+len(u.found.Bindings) == 0:
		d.Text("no credential or binding yet")
	default:
		for _, c := range u.found.Credentials {
			d.Text(c.ID + ": " + c.Auth.Kind + " at " + strings.Join(c.Hosts, ", "))
		}
		for _, b := range u.found.Bindings {
			d.Text("binding of " + b.Capability + " in " + scopePath(b.Scope))
		}
		d.Text(text.Plural(len(u.found.Capabilities), "capability"))
	}
}

// maskWidth is how wide the mask is: the same for every value.
const maskWidth = 6

func mask(glyph string) string { return strings.Repeat(glyph, maskWidth) }

// sentence says in a few words what the row is.
func sentence(r *row, of node) string {
	switch s := scopeWords(r.Scope); {
	case r.attached:
		return "attached here, secret of " + s
	case !of.all && r.Scope == of.scope:
		return "own secret of " + s
	default:
		return "secret of " + s
	}
}

// groupNames are the groups that a secret is attached to.
func groupNames(s *vault.Secret) []string {
	out := make([]string, len(s.Attached))
	for i, g := range s.Attached {
		out[i] = g.String()
	}
	return out
}

// list is several words in one line, a dash for none.
func list(words []string) string {
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, ", ")
}

// hosts says where a secret may be sent.
func hosts(list []vault.Host) string {
	if len(list) == 0 {
		return "nowhere yet: its first credential says where"
	}
	out := make([]string, len(list))
	for i, h := range list {
		out[i] = h.Name
		if h.Private {
			out[i] += " (private)"
		}
		if h.CA != "" {
			out[i] += " (own authority)"
		}
	}
	return strings.Join(out, ", ")
}

// ago says how long ago something was: "3d ago", "just now".
func ago(t, now time.Time) string {
	if s := text.Age(t, now); s != "now" {
		return s + " ago"
	}
	return "just now"
}
