package rpc

import "reflect"

// A Coder is one for tests.
type Coder struct{ c *coder }

// CoderOf returns the coder of a type; it panics for one that cannot be sent.
func CoderOf(t reflect.Type) Coder {
	return Coder{(&coders{made: map[reflect.Type]*coder{}}).of(t)}
}

// Encode returns the encoding of what p points to.
func (c Coder) Encode(p any) []byte { return c.c.put(nil, reflect.ValueOf(p).Elem()) }

// Decode decodes into what p points to.
func (c Coder) Decode(b []byte, p any) bool { return decode(c.c, b, reflect.ValueOf(p).Elem()) }

// Clear overwrites the secrets in what p points to; false if it cannot hold one.
func (c Coder) Clear(p any) bool {
	if c.c.clear == nil {
		return false
	}
	c.c.clear(reflect.ValueOf(p).Elem())
	return true
}

// Layout is what the encoding consists of.
func (c Coder) Layout() string { return c.c.layout }

// Typed is a method that tells its types.
type Typed interface {
	Any
	Types() (args, result reflect.Type)
}

// Types implements Typed.
func (m *Method[A, R]) Types() (args, result reflect.Type) {
	return reflect.TypeFor[A](), reflect.TypeFor[R]()
}
