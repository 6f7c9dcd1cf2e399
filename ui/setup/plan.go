package setup

import (
	"context"
	"io/fs"
	"strings"

	"aivault/keys/fault"
)

// A Plan is what has to be so, in the order in which it is made so.
type Plan struct {
	Steps []Step
	Notes []string // what to know or to do afterwards
}

// A Step is one thing that has to be so. It has a command or a file.
type Step struct {
	What string   // what is so afterwards, as in "group aivault exists"
	Done bool     // it is so already
	Argv []string // the command that makes it so
	File *File    // the file that does
}

// A File is one that belongs to the system, and is owned by who writes it.
type File struct {
	Path    string
	Mode    fs.FileMode
	Content string
}

// Pending reports whether anything is still to be done.
func (p *Plan) Pending() bool { return p.first() != nil }

// Missing says what is still to be done first; empty if nothing is.
func (p *Plan) Missing() string {
	if s := p.first(); s != nil {
		return s.What
	}
	return ""
}

func (p *Plan) first() *Step {
	for i := range p.Steps {
		if !p.Steps[i].Done {
			return &p.Steps[i]
		}
	}
	return nil
}

// Take takes a step, unless it is done.
func (h *Host) Take(ctx context.Context, s *Step) error {
	switch {
	case s.Done:
		return nil
	case s.File != nil:
		return h.write(s.File)
	}
	out, err := h.Run(ctx, Command{Argv: s.Argv})
	if err == nil && out.Status != 0 {
		err = fault.New(fault.IO, "%s ended with status %d%s", s.Argv[0], out.Status, said(out.Stderr))
	}
	return err
}

// said is the first line of what a command had to say, as the end of a sentence.
func said(b []byte) string {
	const enough = 200
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	if line == "" {
		return ""
	}
	return ": " + strings.ToValidUTF8(line[:min(len(line), enough)], "?")
}
