package cli

import (
	"bytes"
	"unicode/utf8"

	"aivault/broker"

	"aivault/ui/neutral"
)

// A printer is the sink of a streamed answer: it prints the body piece by piece,
// as it arrives. On a terminal the pieces together are what output.body makes of
// the whole: what stands at the end of a piece and may mean something else with
// the next, waits for that.
type printer struct {
	out  *output
	tail []byte // of the last piece: the beginning of a character, or a carriage return
	last byte   // the last that was written; zero if nothing was
}

// Begin implements [broker.Sink].
func (p *printer) Begin(*broker.Answer) error { return p.out.err }

// Write implements [broker.Sink]. Its error, as of a closed pipe, ends the call.
func (p *printer) Write(b []byte) (int, error) {
	if !p.out.terminal {
		p.out.write(b)
		return len(b), p.out.err
	}
	p.tail = append(p.tail, b...)
	whole := len(p.tail) - unfinished(p.tail)
	p.print(p.tail[:whole])
	p.tail = p.tail[:copy(p.tail, p.tail[whole:])]
	return len(b), p.out.err
}

// end prints what is left, and ends the line on a terminal.
func (p *printer) end() {
	p.print(p.tail)
	p.tail = nil
	if p.out.terminal && p.last != 0 && p.last != '\n' {
		p.out.write([]byte("\n"))
	}
}

func (p *printer) print(b []byte) {
	s := neutral.Text(string(b))
	if s == "" {
		return
	}
	p.out.write([]byte(s))
	p.last = s[len(s)-1]
}

// unfinished returns how many bytes at the end of b are to be shown together
// with what follows: a carriage return, which before a line feed does not count,
// or a UTF-8 sequence whose rest is not there.
func unfinished(b []byte) int {
	if bytes.HasSuffix(b, []byte("\r")) {
		return 1
	}
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
