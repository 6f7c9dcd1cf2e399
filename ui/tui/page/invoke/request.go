package invoke

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/broker/policy"
	"aivault/keys/fault"
	"aivault/ui/tui/form"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// maxTimeout is the longest time that a call may be given, as on the command
// line.
const maxTimeout = 24 * time.Hour

// A request is the editor of a call.
type request struct {
	*form.Form
	capability string
	clean      broker.Call // as it was filled in, or sent last

	method                            *form.Choice
	path, timeout                     *form.Text
	workspace, group, consumer, lends *form.Text
	headers, body                     *form.Area
}

// Suggestions are what there is to fill in.
type suggestions struct {
	scopes      []vault.Scope
	credentials []string
}

// newRequest returns an editor with a call filled in. Changed is called after
// each change of it.
func newRequest(host *view.Host, d *broker.Description, call broker.Call, offer *suggestions, changed func() tea.Cmd) *request {
	th := host.Theme
	r := &request{capability: call.Capability}
	methods := make([]form.Option, 0, len(d.Allow.Methods))
	for _, m := range d.Allow.Methods {
		methods = append(methods, form.Option{Key: m, Label: m})
	}
	if len(methods) == 0 {
		methods = append(methods, form.Option{Label: "none"})
	}
	r.method = form.NewChoice(th, "Method", call.Method, methods...)
	r.path = form.NewText(th, "Path", call.Path)
	r.path.Placeholder = "the capability's own"
	r.path.Help = pathHelp(d)
	r.body = form.NewArea(th, "Body", string(call.Body))
	r.body.Rows, r.body.Validate = 6, r.checkBody
	r.headers = form.NewArea(th, "Headers", headerLines(call.Headers))
	r.headers.Rows, r.headers.Help = 2, "one in a line, as Name: value; what authenticates is added by itself"
	r.workspace = form.NewText(th, "Workspace", call.Context.Workspace)
	r.workspace.Placeholder = "none"
	r.workspace.Suggest = func(typed string) []string { return offer.workspaces(typed) }
	r.group = form.NewText(th, "Group", call.Context.Group)
	r.group.Placeholder = "none"
	r.group.Suggest = func(typed string) []string { return offer.groups(r.workspace.Value(), typed) }
	r.consumer = form.NewText(th, "Consumer", call.Context.Consumer)
	r.consumer.Placeholder = "none"
	r.lends = form.NewText(th, "Credential", call.Credential)
	r.lends.Placeholder = "chosen by the context"
	r.lends.Suggest = func(typed string) []string { return containing(offer.credentials, typed) }
	r.timeout = form.NewText(th, "Timeout", timeoutText(call.Timeout))
	r.timeout.Placeholder, r.timeout.Help = "the broker's own limits", "such as 30s or 2m"
	for _, f := range []*form.Text{r.path, r.workspace, r.group, r.consumer, r.lends, r.timeout} {
		f.OnChange = changed
	}
	r.method.OnChange, r.body.OnChange, r.headers.OnChange = changed, changed, changed
	r.Form = form.New(host, "Request", r.method, r.path, r.body, r.headers, r.workspace, r.group, r.consumer, r.lends, r.timeout)
	r.Beside = 34
	r.clean, _, _ = r.parse()
	return r
}

// parse returns the call that is filled in; or the field that is not right, and
// why.
func (r *request) parse() (broker.Call, form.Field, error) {
	c := broker.Call{
		Capability: r.capability, Credential: strings.TrimSpace(r.lends.Value()),
		Context: vault.Context{
			Workspace: strings.TrimSpace(r.workspace.Value()), Group: strings.TrimSpace(r.group.Value()), Consumer: strings.TrimSpace(r.consumer.Value()),
		},
		Method: r.method.Value(), Path: strings.TrimSpace(r.path.Value()),
	}
	if b := r.body.Bytes(); len(b) > 0 {
		c.Body = b
	}
	var err error
	if c.Headers, err = parseHeaders(r.headers.Value()); err != nil {
		return c, r.headers, err
	}
	if c.Timeout, err = parseTimeout(r.timeout.Value()); err != nil {
		return c, r.timeout, err
	}
	return c, nil, nil
}

// changed reports whether the call is another one than that which was filled in
// or sent last.
func (r *request) changed() bool {
	now, field, _ := r.parse()
	c := r.clean
	return field != nil || now.Method != c.Method || now.Path != c.Path || now.Context != c.Context || now.Credential != c.Credential ||
		now.Timeout != c.Timeout || !bytes.Equal(now.Body, c.Body) || !slices.Equal(now.Headers, c.Headers)
}

// checkBody says what is wrong with a body that is meant as JSON.
func (r *request) checkBody(b []byte) error {
	text := bytes.TrimLeft(b, " \t\n")
	if len(text) == 0 {
		return nil
	}
	meant := text[0] == '{' || text[0] == '['
	if headers, err := parseHeaders(r.headers.Value()); err == nil {
		for _, h := range headers {
			if strings.EqualFold(h.Name, "Content-Type") {
				media, _, _ := strings.Cut(h.Value, ";")
				meant = strings.HasSuffix(strings.ToLower(strings.TrimSpace(media)), "json")
			}
		}
	}
	if !meant {
		return nil
	}
	return form.JSON(b)
}

// room gives the body the rows that the other fields leave.
func (r *request) room(w, h int) {
	others := 12
	if w < r.Beside { // labels stand in lines of their own
		others = 21
	}
	r.body.Rows = min(max(h-others, 3), 12)
}

// escape closes what is open within the field with the focus.
func (r *request) escape() bool {
	e, ok := r.Focused().(interface{ Escape() bool })
	return ok && e.Escape()
}

// parseHeaders reads headers, one in a line.
func parseHeaders(s string) ([]broker.Header, error) {
	var list []broker.Header
	for i, line := range strings.Split(s, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		h, err := policy.ParseHeaderFlag(line)
		if err != nil {
			return nil, fault.Wrap(fault.InvalidRequest, err, "line %d", i+1)
		}
		list = append(list, broker.Header{Name: h.Name, Value: h.Value})
	}
	return list, nil
}

func headerLines(headers []broker.Header) string {
	lines := make([]string, len(headers))
	for i, h := range headers {
		lines[i] = h.Name + ": " + h.Value
	}
	return strings.Join(lines, "\n")
}

// parseTimeout reads a time: a number of seconds, or one with its unit.
func parseTimeout(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		d, err = time.ParseDuration(s + "s")
	}
	switch {
	case err != nil:
		return 0, fault.New(fault.InvalidRequest, "this is no time").WithHint("write it as 30s, 2m or 500ms")
	case d < time.Millisecond, d > maxTimeout:
		return 0, fault.New(fault.InvalidRequest, "a call is given between 1ms and 24h")
	}
	return d, nil
}

func timeoutText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	if d%time.Second == 0 {
		return strconv.Itoa(int(d/time.Second)) + "s"
	}
	return d.String()
}

// pathHelp says which paths there are.
func pathHelp(d *broker.Description) string {
	list := make([]string, len(d.Allow.Paths))
	for i, path := range d.Allow.Paths {
		if slices.Contains(d.RawPaths, path) {
			path += "..."
		}
		list[i] = path
	}
	const most = 6
	if len(list) > most {
		list = append(list[:most], "and more")
	}
	return "with the query; below " + strings.Join(list, ", ")
}

func (s *suggestions) workspaces(typed string) []string {
	var list []string
	for _, scope := range s.scopes {
		if scope.Workspace != "" && !slices.Contains(list, scope.Workspace) {
			list = append(list, scope.Workspace)
		}
	}
	return containing(list, typed)
}

func (s *suggestions) groups(workspace, typed string) []string {
	var list []string
	for _, scope := range s.scopes {
		if scope.Level == vault.Group && scope.Workspace == strings.TrimSpace(workspace) {
			list = append(list, scope.Group)
		}
	}
	return containing(list, typed)
}

// containing returns the words that what was typed is a part of, those that
// begin with it first.
func containing(words []string, typed string) []string {
	typed = strings.ToLower(strings.TrimSpace(typed))
	var first, rest []string
	for _, w := range words {
		switch at := strings.Index(strings.ToLower(w), typed); {
		case at == 0:
			first = append(first, w)
		case at > 0:
			rest = append(rest, w)
		}
	}
	return append(first, rest...)
}
