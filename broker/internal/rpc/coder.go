package rpc

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// maxItems is how many items a list has at the most, so that short ones do not
// become a multiple of their bytes in memory.
const maxItems = 1 << 20

// A coder writes and reads the values of one type. A value has exactly one
// encoding, and what is none does not decode:
//
//	bool                     one byte, 0 or 1
//	intN, uintN              N/8 bytes, big-endian; int and uint have 64 bits
//	string                   uint32 length, then the bytes, whatever they are
//	array of bytes           the bytes
//	struct                   its fields, in their order
//	pointer, list, map,      one byte: 0 for nil, else 1 and what it points to;
//	opaque.Bytes             a uint32 count, and then the items; of a map keys and
//	                         values, sorted by the keys
//	time.Time                one byte: 0 for the zero time, else 1, and the seconds
//	                         and nanoseconds since 1970 (int64, uint32)
//	error                    one byte: 0 for nil, else 1, and code, text and hint
//
// A type that refers to itself has no coder, so that no value is deeper than its
// type.
type coder struct {
	put    func(b []byte, v reflect.Value) []byte
	take   func(in *input, v reflect.Value)
	clear  func(v reflect.Value) // overwrites what must not stay in memory; nil: it holds no such thing
	min    int                   // bytes of the shortest encoding
	layout string                // what the encoding consists of
}

// input is what is left to decode. After the first error everything is zero.
type input struct {
	rest []byte
	bad  bool
}

func (in *input) fail() { in.bad, in.rest = true, nil }

func (in *input) fixed(n int) []byte {
	if n > len(in.rest) {
		in.fail()
		return nil
	}
	b := in.rest[:n:n]
	in.rest = in.rest[n:]
	return b
}

func (in *input) uint8() byte {
	if b := in.fixed(1); b != nil {
		return b[0]
	}
	return 0
}

// flag takes a byte that is 0 or 1.
func (in *input) flag() bool {
	b := in.uint8()
	if b > 1 {
		in.fail()
	}
	return b == 1
}

func (in *input) uint32() uint32 {
	if b := in.fixed(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (in *input) uint64() uint64 {
	if b := in.fixed(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// count takes the number of items of which each has so many bytes at least, and
// for which there is room in what is left.
func (in *input) count(size int) int {
	n := in.uint32()
	if uint64(n)*uint64(size) > uint64(len(in.rest)) {
		in.fail()
		return 0
	}
	return int(n)
}

// blob takes bytes behind their length. They alias the input.
func (in *input) blob() []byte { return in.fixed(in.count(1)) }

func putBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func putBlob[T string | []byte](b []byte, v T) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
}

// Types that are encoded in a way of their own.
var (
	timeType   = reflect.TypeFor[time.Time]()
	errorType  = reflect.TypeFor[error]()
	opaqueType = reflect.TypeFor[opaque.Bytes]()
)

// coders makes coders, one for each type.
type coders struct {
	made map[reflect.Type]*coder
	path []reflect.Type // that are being made
}

// of returns the coder of a type. A type that cannot be encoded is a mistake in
// this program.
func (cs *coders) of(t reflect.Type) *coder {
	if c := cs.made[t]; c != nil {
		return c
	}
	if slices.Contains(cs.path, t) {
		panic(fmt.Sprintf("rpc: %v refers to itself", t))
	}
	cs.path = append(cs.path, t)
	c := cs.make(t)
	cs.path = cs.path[:len(cs.path)-1]
	cs.made[t] = c
	return c
}

func (cs *coders) make(t reflect.Type) *coder {
	switch t {
	case timeType:
		return timeCoder()
	case errorType:
		return errorCoder()
	case opaqueType:
		return opaqueCoder()
	}
	switch t.Kind() {
	case reflect.Bool:
		return boolCoder()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intCoder(t)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return uintCoder(t)
	case reflect.String:
		return stringCoder()
	case reflect.Struct:
		return cs.structCoder(t)
	case reflect.Pointer:
		return cs.pointerCoder(t)
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return bytesArrayCoder(t.Len())
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return bytesCoder()
		}
		return cs.listCoder(t)
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return cs.mapCoder(t)
		}
	}
	panic(fmt.Sprintf("rpc: a %v cannot be sent", t))
}

func boolCoder() *coder {
	return &coder{
		min: 1, layout: "bool",
		put:  func(b []byte, v reflect.Value) []byte { return putBool(b, v.Bool()) },
		take: func(in *input, v reflect.Value) { v.SetBool(in.flag()) },
	}
}

// width is how many bytes a number has.
func width(t reflect.Type) int {
	switch t.Kind() {
	case reflect.Int, reflect.Uint:
		return 8
	}
	return int(t.Size())
}

// putUint appends the last n bytes of a number.
func putUint(b []byte, n int, v uint64) []byte {
	for i := n - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

func (in *input) uint(n int) (v uint64) {
	for _, x := range in.fixed(n) {
		v = v<<8 | uint64(x)
	}
	return v
}

func intCoder(t reflect.Type) *coder {
	n := width(t)
	unused := 64 - 8*n
	return &coder{
		min: n, layout: fmt.Sprintf("int%d", 8*n),
		put: func(b []byte, v reflect.Value) []byte { return putUint(b, n, uint64(v.Int())) },
		take: func(in *input, v reflect.Value) {
			x := int64(in.uint(n)<<unused) >> unused
			if v.OverflowInt(x) {
				in.fail()
				return
			}
			v.SetInt(x)
		},
	}
}

func uintCoder(t reflect.Type) *coder {
	n := width(t)
	return &coder{
		min: n, layout: fmt.Sprintf("uint%d", 8*n),
		put: func(b []byte, v reflect.Value) []byte { return putUint(b, n, v.Uint()) },
		take: func(in *input, v reflect.Value) {
			x := in.uint(n)
			if v.OverflowUint(x) {
				in.fail()
				return
			}
			v.SetUint(x)
		},
	}
}

func stringCoder() *coder {
	return &coder{
		min: 4, layout: "string",
		put:  func(b []byte, v reflect.Value) []byte { return putBlob(b, v.String()) },
		take: func(in *input, v reflect.Value) { v.SetString(string(in.blob())) },
	}
}

func timeCoder() *coder {
	return &coder{
		min: 1, layout: "time",
		put: func(b []byte, v reflect.Value) []byte {
			t := v.Interface().(time.Time)
			if t.IsZero() {
				return append(b, 0)
			}
			b = binary.BigEndian.AppendUint64(append(b, 1), uint64(t.Unix()))
			return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
		},
		take: func(in *input, v reflect.Value) {
			if !in.flag() {
				return
			}
			sec, nsec := int64(in.uint64()), in.uint32()
			t := time.Unix(sec, int64(nsec)).UTC()
			// Seconds that time.Time cannot count wrap around.
			if nsec > 999_999_999 || t.IsZero() || t.Unix() != sec || sec > math.MaxInt64/2 || sec < math.MinInt64/2 {
				in.fail()
				return
			}
			v.Set(reflect.ValueOf(t))
		},
	}
}

// errorCoder sends what callers can tell of an error. One without a code is
// internal.
func errorCoder() *coder {
	return &coder{
		min: 1, layout: "error",
		put: func(b []byte, v reflect.Value) []byte {
			err, ok := v.Interface().(error)
			if !ok {
				return append(b, 0)
			}
			code := fault.CodeOf(err)
			if !slices.Contains(fault.Codes(), code) {
				code = fault.Internal
			}
			b = putBlob(append(b, 1), string(code))
			return putBlob(putBlob(b, err.Error()), fault.HintOf(err))
		},
		take: func(in *input, v reflect.Value) {
			if !in.flag() {
				return
			}
			err := &fault.Error{Code: fault.Code(in.blob()), Msg: string(in.blob()), Hint: string(in.blob())}
			if !slices.Contains(fault.Codes(), err.Code) {
				in.fail()
				return
			}
			v.Set(reflect.ValueOf(err))
		},
	}
}

// opaqueCoder decodes into a buffer of its own, which whoever got it clears.
func opaqueCoder() *coder {
	return &coder{
		min: 1, layout: "opaque",
		put: func(b []byte, v reflect.Value) []byte {
			if v.IsNil() {
				return append(b, 0)
			}
			return putBlob(append(b, 1), v.Interface().(opaque.Bytes).Reveal())
		},
		take: func(in *input, v reflect.Value) {
			if in.flag() {
				v.Set(reflect.ValueOf(opaque.Clone(in.blob())))
			}
		},
		clear: func(v reflect.Value) { v.Interface().(opaque.Bytes).Clear() },
	}
}

func bytesCoder() *coder {
	return &coder{
		min: 1, layout: "bytes",
		put: func(b []byte, v reflect.Value) []byte {
			if v.IsNil() {
				return append(b, 0)
			}
			return putBlob(append(b, 1), v.Bytes())
		},
		take: func(in *input, v reflect.Value) {
			if in.flag() {
				v.SetBytes(append([]byte{}, in.blob()...))
			}
		},
	}
}

func bytesArrayCoder(n int) *coder {
	return &coder{
		min: n, layout: fmt.Sprintf("byte[%d]", n),
		put: func(b []byte, v reflect.Value) []byte {
			for i := range n {
				b = append(b, byte(v.Index(i).Uint()))
			}
			return b
		},
		take: func(in *input, v reflect.Value) {
			for i, x := range in.fixed(n) {
				v.Index(i).SetUint(uint64(x))
			}
		},
	}
}

// layoutOf joins the layouts of parts.
func layoutOf(parts []string) string { return "{" + strings.Join(parts, " ") + "}" }
