package rpc_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// fill gives a value of whatever type random content.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		if r.IntN(3) > 0 {
			v.Set(reflect.ValueOf(time.Unix(r.Int64N(1<<40)-1<<39, r.Int64N(1e9)).UTC()))
		}
		return
	case opaque.Bytes:
		if r.IntN(3) > 0 {
			v.Set(reflect.ValueOf(opaque.New(text(r))))
		}
		return
	}
	if v.Type() == reflect.TypeFor[error]() {
		if r.IntN(2) > 0 {
			code := fault.Codes()[r.IntN(len(fault.Codes()))]
			v.Set(reflect.ValueOf(fault.New(code, "%s", text(r)).WithHint("%s", text(r))))
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) > 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> (64 - v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	case reflect.String:
		v.SetString(string(text(r)))
	default:
		fillCompound(r, v)
	}
}

func fillCompound(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("rpc") != "-" {
				fill(r, v.Field(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Pointer:
		if r.IntN(2) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Slice:
		if r.IntN(4) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
			for i := range v.Len() {
				fill(r, v.Index(i))
			}
		}
	case reflect.Map:
		if r.IntN(4) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range r.IntN(4) {
				key, item := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(r, key)
				fill(r, item)
				v.SetMapIndex(key, item)
			}
		}
	}
}

// text returns a few bytes, which need not be UTF-8.
func text(r *rand.Rand) []byte {
	b := make([]byte, r.IntN(6))
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	return b
}

// same compares what was sent with what came.
func same(a, b any) string {
	return cmp.Diff(a, b,
		cmp.Comparer(func(a, b opaque.Bytes) bool { return (a == nil) == (b == nil) && a.Equal(b) }),
		cmp.Comparer(func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }), // of whatever length
		cmp.Comparer(func(a, b error) bool {
			return (a == nil) == (b == nil) && fault.CodeOf(a) == fault.CodeOf(b) && fault.HintOf(a) == fault.HintOf(b) && (a == nil || a.Error() == b.Error())
		}))
}
