package rpc

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"

	"aivault/broker"
	"aivault/keys/fault"
)

// A Class says what a method does, and so who may ask for it and what may be
// said of a reply that does not come.
type Class uint8

// The classes.
const (
	Reads  Class = 1 + iota // changes nothing that matters: it can be asked for again
	Writes                  // changes the vault: whether it did is unknown without a reply
	Calls                   // makes a call, for agents too; the audit log knows whether it did
)

// Limits of messages, in bytes.
const (
	// Small is a request that is read without further thought.
	Small    = 1 << 20
	maxLarge = 64<<20 + Small // of a request with a body, as long as people may send one, or with many values
	MaxBegin = 1 << 20        // of an answer without its body
	MaxAsk   = 64 << 10       // of an address, and of what came of showing it
	MaxReply = 256 << 20      // of a list of everything
)

// Out is what a method sends while it works.
type Out interface {
	broker.Sink
	broker.Watcher
	// AtOnce has each piece go out as it comes, and not many of them together.
	AtOnce()
	// Progress tells how far something long is.
	Progress(done, total int)
	// Ask has the client show an address to its user, which it does at once.
	Ask(url string) error
}

// None is what a method gets or gives that gets or gives nothing.
type None struct{}

// Two are two values.
type Two[A, B any] struct {
	A A
	B B
}

// Three are three values.
type Three[A, B, C any] struct {
	A A
	B B
	C C
}

// Any is a method, whatever its types.
type Any interface {
	// Name is that of the method of the interface that it stands for.
	Name() string
	Class() Class
	// Limit is the length of its longest request, in bytes.
	Limit() int
	// Serve does it, with its arguments as they were encoded, and returns the
	// encoded reply.
	Serve(ctx context.Context, b Backend, args []byte, out Out) ([]byte, error)
	// Fail returns the encoded reply of a request that comes to nothing.
	Fail(err error) []byte
	layout() string
}

// A Method has arguments A and results R.
type Method[A, R any] struct {
	number int
	name   string
	class  Class
	limit  int
	args   *coder
	result *coder
	err    *coder
	do     func(ctx context.Context, b Backend, args A, out Out) (R, error)
}

// Name implements Any.
func (m *Method[A, R]) Name() string { return m.name }

// Class implements Any.
func (m *Method[A, R]) Class() Class { return m.class }

// Limit implements Any.
func (m *Method[A, R]) Limit() int { return m.limit }

func (m *Method[A, R]) layout() string {
	return fmt.Sprintf("%s %d %s %s\n", m.name, m.class, m.args.layout, m.result.layout)
}

// Request returns the encoded request of the method; the caller clears it. One
// that the server would not read is fault.RequestTooLarge.
func (m *Method[A, R]) Request(args A) ([]byte, error) {
	room := 0
	if m.args.clear != nil {
		room = m.limit // a buffer that grows leaves copies of secrets behind
	}
	b := m.args.put(binary.BigEndian.AppendUint16(make([]byte, 0, room), uint16(m.number)), reflect.ValueOf(&args).Elem())
	if len(b) > m.limit {
		clear(b)
		return nil, fault.New(fault.RequestTooLarge, "the request has %d bytes, and the daemon takes %d", len(b), m.limit).WithHint("send less")
	}
	return b, nil
}

// Serve implements Any. The arguments are cleared of secrets afterwards.
func (m *Method[A, R]) Serve(ctx context.Context, b Backend, args []byte, out Out) ([]byte, error) {
	var a A
	v := reflect.ValueOf(&a).Elem()
	if m.args.clear != nil {
		defer m.args.clear(v)
	}
	if !decode(m.args, args, v) {
		return nil, ErrProtocol
	}
	clear(args)
	r, err := m.do(ctx, b, a, out)
	return m.reply(r, err), nil
}

// Fail implements Any.
func (m *Method[A, R]) Fail(err error) []byte {
	var none R
	return m.reply(none, err)
}

func (m *Method[A, R]) reply(r R, err error) []byte {
	b := m.err.put(nil, reflect.ValueOf(&err).Elem())
	return m.result.put(b, reflect.ValueOf(&r).Elem())
}

// Result reads a reply. Its first error is that of the reply, together with
// which there may be a result; the second is ErrProtocol.
func (m *Method[A, R]) Result(reply []byte) (r R, err, malformed error) {
	in := input{rest: reply}
	m.err.take(&in, reflect.ValueOf(&err).Elem())
	m.result.take(&in, reflect.ValueOf(&r).Elem())
	if in.bad || len(in.rest) > 0 {
		var none R
		return none, nil, ErrProtocol
	}
	return r, err, nil
}

// decode reports whether b is the encoding of a value, which v then has.
func decode(c *coder, b []byte, v reflect.Value) bool {
	in := input{rest: b}
	c.take(&in, v)
	return !in.bad && len(in.rest) == 0
}
