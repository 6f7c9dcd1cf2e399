package rpc

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"reflect"
	"sync"
	"time"

	"aivault/broker"
	"aivault/keys"
	"aivault/vault"
)

// A Backend is what a server does its methods by. Of a vault it needs no more
// than is asked of a daemon: some of its methods are for whoever has the file.
type Backend interface {
	vault.Vault
	broker.Service
	Keeper
}

// A Keeper is what a daemon has beside a vault and a broker: keys come in by it,
// and none goes out.
type Keeper interface {
	// HandOver opens the vault by the key of a slot, and keeps it open: for so
	// long, if limit is not 0.
	HandOver(ctx context.Context, slot vault.ID, key vault.Value, limit time.Duration) error
	// AddSlotKey makes a slot of a key that the client made.
	AddSlotKey(ctx context.Context, cfg keys.Config, key vault.Value) (vault.Slot, error)
	// RotateTo gives the vault a new root key, which a key opens that the client
	// made.
	RotateTo(ctx context.Context, k vault.RotationKey, progress func(done, total int)) (vault.Rotation, error)
	// CopyTo writes a verified copy of the vault's file; name is what the audit
	// log says of where it goes.
	CopyTo(ctx context.Context, name string, w io.Writer) (vault.Backup, error)
}

// A Table is all methods that there are, by their names.
type Table struct {
	vaultMethods
	brokerMethods
	keyMethods

	// Fingerprint stands for the table.
	Fingerprint Fingerprint

	list   []Any
	answer *coder
	err    *coder
}

// Methods returns the table, which is made once in a process: to make it takes
// longer than many a request.
var Methods = sync.OnceValue(NewTable)

// NewTable returns a table. It is the same in each process of one version.
func NewTable() *Table {
	b := &builder{coders: coders{made: map[reflect.Type]*coder{}}}
	t := &Table{vaultMethods: newVaultMethods(b), brokerMethods: newBrokerMethods(b), keyMethods: newKeyMethods(b)}
	t.list, t.answer, t.err = b.list, b.coders.of(reflect.TypeFor[broker.Answer]()), b.coders.of(errorType)
	h := sha256.New()
	for _, m := range t.list {
		_, _ = io.WriteString(h, m.layout()) // a hash takes everything
	}
	_, _ = io.WriteString(h, t.answer.layout)
	h.Sum(t.Fingerprint[:0])
	return t
}

// All returns the methods in the order of their numbers.
func (t *Table) All() []Any { return t.list }

// Find returns the method that a request asks for, of which b is the beginning
// of the message; false if there is none.
func (t *Table) Find(b []byte) (Any, bool) {
	if len(b) < 2 {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if n >= len(t.list) {
		return nil, false
	}
	return t.list[n], true
}

// Args returns the arguments in a request whose method was found.
func Args(request []byte) []byte { return request[2:] }

// EncodeAnswer returns the message of an answer.
func (t *Table) EncodeAnswer(a *broker.Answer) []byte {
	return t.answer.put(nil, reflect.ValueOf(a).Elem())
}

// DecodeAnswer reads the message of an answer.
func (t *Table) DecodeAnswer(b []byte) (*broker.Answer, error) {
	a := new(broker.Answer)
	if !decode(t.answer, b, reflect.ValueOf(a).Elem()) {
		return nil, ErrProtocol
	}
	return a, nil
}

// EncodeError returns the message of an error, which may be nil.
func (t *Table) EncodeError(err error) []byte {
	return t.err.put(nil, reflect.ValueOf(&err).Elem())
}

// DecodeError reads the message of an error.
func (t *Table) DecodeError(b []byte) (err, malformed error) {
	if !decode(t.err, b, reflect.ValueOf(&err).Elem()) {
		return nil, ErrProtocol
	}
	return err, nil
}

// A builder makes the methods of a table.
type builder struct {
	coders coders
	list   []Any
}

// add makes a method, and gives it the next number.
func add[A, R any](b *builder, class Class, name string, do func(context.Context, Backend, A, Out) (R, error)) *Method[A, R] {
	m := &Method[A, R]{
		number: len(b.list), name: name, class: class, limit: Small, do: do,
		args: b.coders.of(reflect.TypeFor[A]()), result: b.coders.of(reflect.TypeFor[R]()), err: b.coders.of(errorType),
	}
	b.list = append(b.list, m)
	return m
}

// large says that requests may be long.
func (m *Method[A, R]) large() *Method[A, R] {
	m.limit = maxLarge
	return m
}

// add0 to add3 make methods of so many arguments.

func add0[R any](b *builder, class Class, name string, f func(Backend, context.Context) (R, error)) *Method[None, R] {
	return add(b, class, name, func(ctx context.Context, to Backend, _ None, _ Out) (R, error) { return f(to, ctx) })
}

func add1[A, R any](b *builder, class Class, name string, f func(Backend, context.Context, A) (R, error)) *Method[A, R] {
	return add(b, class, name, func(ctx context.Context, to Backend, a A, _ Out) (R, error) { return f(to, ctx, a) })
}

func add2[A, B, R any](b *builder, class Class, name string, f func(Backend, context.Context, A, B) (R, error)) *Method[Two[A, B], R] {
	return add(b, class, name, func(ctx context.Context, to Backend, a Two[A, B], _ Out) (R, error) { return f(to, ctx, a.A, a.B) })
}

func add3[A, B, C, R any](b *builder, class Class, name string, f func(Backend, context.Context, A, B, C) (R, error)) *Method[Three[A, B, C], R] {
	return add(b, class, name, func(ctx context.Context, to Backend, a Three[A, B, C], _ Out) (R, error) {
		return f(to, ctx, a.A, a.B, a.C)
	})
}
