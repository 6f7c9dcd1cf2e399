package rpc

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A field of a struct that is sent.
type field struct {
	index int
	coder *coder
}

// structCoder leaves out what is tagged `rpc:"-"`. A field that nobody outside
// its package can set, and is not left out, would be lost: such a type cannot be
// sent.
func (cs *coders) structCoder(t reflect.Type) *coder {
	var fields, secret []field
	var parts []string
	c := &coder{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Tag.Get("rpc") == "-" {
			continue
		}
		if !f.IsExported() {
			panic(fmt.Sprintf("rpc: a %v cannot be sent, as its field %s is not exported", t, f.Name))
		}
		x := field{i, cs.of(f.Type)}
		fields = append(fields, x)
		if x.coder.clear != nil {
			secret = append(secret, x)
		}
		parts = append(parts, f.Name+":"+x.coder.layout)
		c.min += x.coder.min
	}
	c.layout = layoutOf(parts)
	c.put = func(b []byte, v reflect.Value) []byte {
		for _, f := range fields {
			b = f.coder.put(b, v.Field(f.index))
		}
		return b
	}
	c.take = func(in *input, v reflect.Value) {
		for _, f := range fields {
			if in.bad {
				return
			}
			f.coder.take(in, v.Field(f.index))
		}
	}
	if len(secret) > 0 {
		c.clear = func(v reflect.Value) {
			for _, f := range secret {
				f.coder.clear(v.Field(f.index))
			}
		}
	}
	return c
}

func (cs *coders) pointerCoder(t reflect.Type) *coder {
	to := cs.of(t.Elem())
	c := &coder{
		min: 1, layout: "*" + to.layout,
		put: func(b []byte, v reflect.Value) []byte {
			if v.IsNil() {
				return append(b, 0)
			}
			return to.put(append(b, 1), v.Elem())
		},
		take: func(in *input, v reflect.Value) {
			if in.flag() {
				v.Set(reflect.New(t.Elem()))
				to.take(in, v.Elem())
			}
		},
	}
	if to.clear != nil {
		c.clear = func(v reflect.Value) {
			if !v.IsNil() {
				to.clear(v.Elem())
			}
		}
	}
	return c
}

func (cs *coders) listCoder(t reflect.Type) *coder {
	item := cs.of(t.Elem())
	if item.min == 0 {
		panic(fmt.Sprintf("rpc: a %v cannot be sent, as its items have no bytes", t))
	}
	c := &coder{
		min: 1, layout: "[]" + item.layout,
		put: func(b []byte, v reflect.Value) []byte {
			if v.IsNil() {
				return append(b, 0)
			}
			b = binary.BigEndian.AppendUint32(append(b, 1), uint32(v.Len()))
			for i := range v.Len() {
				b = item.put(b, v.Index(i))
			}
			return b
		},
		take: func(in *input, v reflect.Value) {
			if !in.flag() {
				return
			}
			n := in.count(item.min)
			if in.bad || n > maxItems {
				in.fail()
				return
			}
			v.Set(reflect.MakeSlice(t, n, n))
			for i := 0; i < n && !in.bad; i++ {
				item.take(in, v.Index(i))
			}
		},
	}
	if item.clear != nil {
		c.clear = func(v reflect.Value) {
			for i := range v.Len() {
				item.clear(v.Index(i))
			}
		}
	}
	return c
}

// mapCoder is for maps by text whose values are no secrets.
func (cs *coders) mapCoder(t reflect.Type) *coder {
	item := cs.of(t.Elem())
	if item.clear != nil {
		panic(fmt.Sprintf("rpc: a %v cannot be sent, as its values are secret", t))
	}
	return &coder{
		min: 1, layout: "map:" + item.layout,
		put: func(b []byte, v reflect.Value) []byte {
			if v.IsNil() {
				return append(b, 0)
			}
			keys := v.MapKeys()
			slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
			b = binary.BigEndian.AppendUint32(append(b, 1), uint32(len(keys)))
			for _, k := range keys {
				b = item.put(putBlob(b, k.String()), v.MapIndex(k))
			}
			return b
		},
		take: func(in *input, v reflect.Value) {
			if !in.flag() {
				return
			}
			n := in.count(4 + item.min)
			if in.bad || n > maxItems {
				in.fail()
				return
			}
			v.Set(reflect.MakeMapWithSize(t, min(n, 64)))
			last := ""
			for i := 0; i < n && !in.bad; i++ {
				key := string(in.blob())
				x := reflect.New(t.Elem()).Elem()
				item.take(in, x)
				if in.bad || i > 0 && key <= last {
					in.fail()
					return
				}
				v.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), x)
				last = key
			}
		},
	}
}
