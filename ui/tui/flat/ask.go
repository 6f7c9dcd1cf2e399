package flat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"aivault/keys/fault"
	"aivault/ui/tui/text"
)

// A question has an answer out of a list, or one that is typed.
type question struct {
	text    string
	items   []string // numbered from 1
	letters []letter // further answers
	ret     string   // what return stands for; empty: nothing, it must be answered
	many    bool     // several numbers may be given
	free    string   // what else may be typed, such as "workspace/group"; empty: nothing
	top     bool     // there is nothing to go back to
	quiet   bool     // the answers were listed just now
}

// A letter is an answer that is no number.
type letter struct{ key, label string }

// An answer has one of its fields.
type answer struct {
	numbers []int // from 0
	key     string
	text    string
}

// page is how many items of a list are printed at once.
const page = 20

// put prints a question with what can be answered, and reads the answer.
func (t *talk) put(ctx context.Context, q question) (answer, error) {
	if q.text != "" {
		t.print(append([]string{""}, text.Wrap(q.text, width)...)...)
	}
	shown, filter := len(q.items), ""
	if !q.quiet {
		shown = t.show(q, 0, "")
		for _, l := range q.letters {
			t.item(l.key, l.label)
		}
	}
	for {
		ret := q.ret
		if shown < len(q.items) && (ret == "" || ret == "b") {
			ret = "m"
		}
		s, err := t.read(ctx, q.prompt(), retHint(ret), q.top)
		if err != nil {
			return answer{}, err
		}
		if s == "" && ret != "" && ret != "m" && q.free != "" {
			return answer{text: ret}, nil // which may look like a number
		}
		if s == "" {
			s = ret
		}
		switch {
		case s == "b" && q.top:
			t.say("There is nothing to go back to; q quits.")
			continue
		case s == "b":
			return answer{}, back
		case s == "m" && shown < len(q.items):
			shown = t.show(q, shown, filter)
			continue
		case strings.HasPrefix(s, "/") && len(q.items) > page:
			filter = s[1:]
			shown = t.show(q, 0, filter)
			continue
		}
		a, why := q.parse(s)
		if why == "" {
			return a, nil
		}
		t.say("%s", why)
	}
}

// item prints something that can be chosen.
func (t *talk) item(key, label string) {
	for i, line := range text.Wrap(text.Line(label), width-len(key)-4) {
		if i == 0 {
			t.print("  " + key + ". " + line)
		} else {
			t.print(strings.Repeat(" ", len(key)+4) + line)
		}
	}
}

// show prints a page of the items from a number on, of those that hold a word,
// and returns how far it came.
func (t *talk) show(q question, from int, filter string) int {
	n, i := 0, from
	for ; i < len(q.items) && n < page; i++ {
		if strings.Contains(strings.ToLower(q.items[i]), strings.ToLower(filter)) {
			t.item(strconv.Itoa(i+1), q.items[i])
			n++
		}
	}
	switch {
	case n == 0 && filter != "":
		t.say("There is no more with %q in it; / alone shows all.", filter)
	case i < len(q.items):
		t.say("That was as far as %d of %d. m shows more, and /word only those with a word in them.", i, len(q.items))
	}
	return i
}

// prompt says how a question can be answered.
func (q *question) prompt() string {
	var parts []string
	switch {
	case len(q.items) == 1:
		parts = append(parts, "1")
	case len(q.items) > 1 && q.many:
		parts = append(parts, fmt.Sprintf("1 to %d, several with commas", len(q.items)))
	case len(q.items) > 1:
		parts = append(parts, fmt.Sprintf("1 to %d", len(q.items)))
	}
	for _, l := range q.letters {
		parts = append(parts, l.key)
	}
	if q.free != "" {
		parts = append(parts, q.free)
	}
	return strings.Join(parts, ", ")
}

// retHint says what return stands for.
func retHint(ret string) string {
	switch ret {
	case "":
		return "no default"
	case "b":
		return "return: back"
	case "m":
		return "return: more"
	}
	return "return: " + ret
}

// parse reads an answer, or says what is wrong with it.
func (q *question) parse(s string) (answer, string) {
	for _, l := range q.letters {
		if s == l.key {
			return answer{key: s}, ""
		}
	}
	if text, ok := strings.CutPrefix(s, `\`); ok && q.free != "" && text != "" {
		return answer{text: text}, ""
	}
	var numbers []int
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.Atoi(word)
		if err != nil {
			numbers = nil
			break
		}
		if n < 1 || n > len(q.items) {
			return answer{}, fmt.Sprintf("There is no number %d here.", n)
		}
		numbers = append(numbers, n-1)
	}
	switch {
	case len(numbers) == 1, len(numbers) > 1 && q.many:
		return answer{numbers: numbers}, ""
	case len(numbers) > 1:
		return answer{}, "One number only, please."
	case q.free != "" && s != "":
		return answer{text: s}, ""
	case s == "":
		return answer{}, "Please answer; b goes back."
	}
	return answer{}, "That is none of the answers; ? tells more."
}

// read prints a prompt and reads a line.
func (t *talk) read(ctx context.Context, what, hint string, top bool) (string, error) {
	if !top {
		hint += "; b: back"
	}
	hint = text.Line("[" + hint + "; q: quit]: ")
	lines := text.Wrap(what, width)
	if last := lines[len(lines)-1]; text.Width(last)+1+text.Width(hint) <= width {
		lines[len(lines)-1] = last + " " + hint
	} else {
		lines = append(lines, hint)
	}
	for {
		prompt := strings.Join(lines, "\n")
		if t.write(prompt); t.err != nil {
			return "", t.err
		}
		t.watch(ctx, prompt)
		s, err := t.in.Next(ctx)
		s = strings.TrimSpace(s)
		switch {
		case errors.Is(err, io.EOF):
			return "", over
		case fault.CodeOf(err) == fault.InvalidRequest:
			t.fail(err)
		case err != nil:
			return "", err
		case s == "q":
			return "", quit
		case s == "?":
			t.help()
		default:
			return s, nil
		}
	}
}

func (t *talk) help() {
	t.say("Type one of the answers that the line offers and press return. Return alone takes what is named there after the word return.")
	t.say("b goes back, q quits, m shows more of a long list, /word those of a long list that have a word in them, and z in a menu takes the last change back.")
	t.say("Where a name is asked for and it is b, q, ? or a number itself, put a backslash before it.")
}

// askText asks for a text. Return stands for ret; where that is empty, one must
// be given unless it is optional, and is empty then.
func (t *talk) askText(ctx context.Context, what, ret string, optional bool) (string, error) {
	hint := retHint(ret)
	switch {
	case ret != "":
		hint = "return: " + ret // also where it is a letter that means something in a menu
	case optional:
		hint = "return: none"
	}
	for {
		s, err := t.read(ctx, what+".", hint, false)
		switch {
		case err != nil:
			return "", err
		case s == "b":
			return "", back
		case s == "" && (optional || ret != ""):
			return ret, nil
		case s != "":
			return strings.TrimPrefix(s, `\`), nil
		}
		t.say("Please answer; b goes back.")
	}
}

// confirm asks for a yes or a no.
func (t *talk) confirm(ctx context.Context, what string, ret bool) (bool, error) {
	word := map[bool]string{true: "yes", false: "no"}
	for {
		s, err := t.read(ctx, what+" yes or no.", "return: "+word[ret], false)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(s) {
		case "b":
			return false, back
		case "":
			return ret, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		t.say("Please answer yes or no.")
	}
}

// agree asks whether to go on; a no is a way back.
func (t *talk) agree(ctx context.Context, what string) error {
	yes, err := t.confirm(ctx, what, true)
	if err == nil && !yes {
		t.say("Nothing was changed.")
		err = back
	}
	return err
}
