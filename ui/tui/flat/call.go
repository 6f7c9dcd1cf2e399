package flat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"aivault/broker"
	"aivault/broker/policy"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
)

// A draft is a call that is to be tried.
type draft struct {
	broker.Call
	file string // that the body is from
}

// line is a command line of the call, which names the file that the body is from
// where it names one.
func (d *draft) line(make func(broker.Call) ops.Line) ops.Line {
	l := make(d.Call)
	if i := slices.Index(l, "--body-file-path"); i >= 0 && d.file != "" {
		l[i+1] = d.file
	}
	return l
}

// test asks for a call, and makes it or shows it, as often as people like.
func (t *talk) test(ctx context.Context, capability string) error {
	call := draft{Call: broker.Call{Capability: capability, Context: t.at}}
	if err := t.askCall(ctx, &call); err != nil {
		return err
	}
	return t.loop(ctx, func(ctx context.Context) (menu, error) {
		m := menu{title: "Test call of " + capability + " from " + contextText(call.Context) + ".", items: []choice{
			{"dry run: show the request, send nothing", func(ctx context.Context) error { return t.dryRun(ctx, call) }},
			{"send it", func(ctx context.Context) error { return t.send(ctx, call) }},
			{"change it", func(ctx context.Context) error { return t.askCall(ctx, &call) }},
		}}
		l, err := t.be.Explain(ctx, capability, call.Context, call.Credential)
		switch {
		case err != nil:
			return menu{}, err
		case l.Err != nil:
			m.notes = append(m.notes, fmt.Sprintf("No secret is used: %s.", l.Err))
		default:
			m.notes = append(m.notes, "It uses "+l.SecretName+".")
		}
		return m, nil
	})
}

// askCall asks for the parts of a call; those that it has are the defaults.
func (t *talk) askCall(ctx context.Context, call *draft) error {
	d, err := t.be.Describe(ctx, call.Capability)
	if err != nil {
		return err
	}
	c := *call
	if c.Context, err = t.askContext(ctx, "From which scope is the call?", c.Context); err != nil {
		return err
	}
	if c.Method == "" {
		first := d.ExampleCall()
		c.Method, c.Path, c.Headers, c.Body = first.Method, first.Path, first.Headers, first.Body
	}
	if c.Method, err = t.askText(ctx, "Method, one of "+strings.Join(d.Allow.Methods, ", "), c.Method, false); err != nil {
		return err
	}
	c.Method = strings.ToUpper(c.Method)
	if c.Path, err = t.askText(ctx, "Path, with the query", c.Path, false); err != nil {
		return err
	}
	if c.Headers, err = t.askHeaders(ctx, c.Headers); err != nil {
		return err
	}
	if slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, c.Method) {
		if err := t.askBody(ctx, &c); err != nil {
			return err
		}
	} else {
		c.Body = nil
	}
	*call = c
	return nil
}

// askHeaders asks for headers until there are no more.
func (t *talk) askHeaders(ctx context.Context, ret []broker.Header) ([]broker.Header, error) {
	if len(ret) > 0 {
		keep, err := t.confirm(ctx, "Keep the headers?", true)
		if err != nil || keep {
			return ret, err
		}
	}
	var out []broker.Header
	for {
		what := "A header, as Name: value"
		if len(out) > 0 {
			what = "One more header"
		}
		s, err := t.askText(ctx, what, "", true)
		if err != nil || s == "" {
			return out, err
		}
		h, err := policy.ParseHeaderFlag(s)
		if err != nil {
			t.fail(err)
			continue
		}
		out = append(out, broker.Header{Name: h.Name, Value: h.Value})
	}
}

// maxBody is the length of the longest body, in bytes.
const maxBody = 64 << 20

// askBody asks for the body of a call.
func (t *talk) askBody(ctx context.Context, c *draft) error {
	if c.Body != nil {
		keep, err := t.confirm(ctx, "Keep the body of "+text.Bytes(int64(len(c.Body)))+"?", true)
		if err != nil || keep {
			return err
		}
	}
	for {
		s, err := t.askText(ctx, "Body, in one line, or f and the path of a file", "", true)
		if err != nil {
			return err
		}
		path, file := cutWord(s, "f")
		switch {
		case s == "":
			c.Body, c.file = nil, ""
			return nil
		case !file:
			c.Body, c.file = []byte(s), ""
			return nil
		}
		b, err := t.readFile(ctx, path, maxBody)
		if err == nil {
			c.Body, c.file = b, path
			return nil
		}
		if ends(err) {
			return err
		}
		t.fail(err)
	}
}

// dryRun shows the request of a call.
func (t *talk) dryRun(ctx context.Context, call draft) error {
	p, err := t.be.Preview(ctx, call.Call)
	if err != nil {
		return err
	}
	t.print("")
	t.say("This would be sent, with the values of secrets in the place of their names:")
	t.say("%s %s", p.Method, p.URL)
	for _, h := range p.Headers {
		t.say("%s: %s", h.Name, h.Value)
	}
	if p.Certificate != "" {
		t.say("The client certificate in %s is shown in the TLS handshake.", p.Certificate)
	}
	if len(p.Body) > 0 {
		t.print("")
		if err := t.body(ctx, p.Body); err != nil {
			return err
		}
	}
	t.line(call.line(ops.PreviewLine))
	return nil
}

// send makes a call and shows the answer. Where only a part of it came, that is
// shown with the reason.
func (t *talk) send(ctx context.Context, call draft) error {
	t.say("Sending.")
	a, err := t.be.Invoke(ctx, call.Call)
	if a == nil {
		return err
	}
	if err := t.answer(ctx, a); err != nil {
		return err
	}
	t.line(call.line(ops.InvokeLine))
	return err
}

// answer tells what came back.
func (t *talk) answer(ctx context.Context, a *broker.Answer) error {
	t.print("")
	what := "no body"
	if a.ResponseBytes > 0 {
		what = text.Bytes(a.ResponseBytes) + " of " + a.MediaType
		if a.MediaType == "" {
			what = text.Bytes(a.ResponseBytes)
		}
	}
	t.say("Answer: status %d %s, %s, after %s.", a.Status, a.Reason(), what, text.Duration(a.Duration))
	t.say("%s", timing(a.Timing))
	if a.Redactions > 0 {
		t.say("The secret was in the answer and was removed: %s.", text.Plural(a.Redactions, "time"))
	}
	if a.Blocked > 0 {
		t.say("Kept back by the limits of the capability: %s.", text.Plural(a.Blocked, "field"))
	}
	if a.Redirects > 0 {
		t.say("Followed: %s.", text.Plural(a.Redirects, "redirect"))
	}
	if a.Unrecorded != nil {
		t.say("What came of it is not in the audit log, which says unknown of it: %s.", a.Unrecorded)
	} else {
		t.say("In the audit log it is event %d.", a.Intent)
	}
	if len(a.Body) == 0 {
		return nil
	}
	t.print("")
	return t.body(ctx, a.Body)
}

// timing says how long the parts of a call took.
func timing(m broker.Timing) string {
	head := "On a connection that was there"
	if !m.Reused {
		head = "Name " + text.Duration(m.DNS) + ", connection " + text.Duration(m.Connect) + ", TLS " + text.Duration(m.TLS)
	}
	return head + ", wait " + text.Duration(m.Wait) + ", body " + text.Duration(m.Body) + "."
}

// bodyPage is how many lines of a body are shown at once.
const bodyPage = 100

// body shows a body, JSON in lines of its own, as much of it as people want.
func (t *talk) body(ctx context.Context, b []byte) error {
	var pretty bytes.Buffer
	if json.Indent(&pretty, b, "", "  ") == nil {
		b = pretty.Bytes()
	}
	lines := text.Wrap(string(b), width)
	for len(lines) > bodyPage {
		t.print(lines[:bodyPage]...)
		lines = lines[bodyPage:]
		more, err := t.confirm(ctx, "There are "+text.Plural(len(lines), "line")+" more. Go on?", true)
		if isBack(err) || err == nil && !more {
			return nil
		}
		if err != nil {
			return err
		}
	}
	t.print(lines...)
	return nil
}
