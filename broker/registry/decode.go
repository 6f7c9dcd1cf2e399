package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"aivault/keys/fault"
)

// Limits of a provider file.
const (
	maxFile  = 256 << 10 // bytes
	maxDepth = 8         // objects and arrays within each other
	maxList  = 1000      // elements of an array, as each is compared with all others
)

// Decode reads one provider. It refuses what encoding/json would let pass or
// repair: keys that are unknown, repeated or in another case, data after the
// object, null, and text that is not UTF-8. It then refuses what contradicts
// itself: names and hosts that are malformed, templates without their secret,
// capabilities without a host, a method or a path.
func Decode(data []byte) (*Provider, error) {
	if len(data) > maxFile {
		return nil, fault.New(fault.RequestTooLarge, "the provider is larger than %d KiB", maxFile>>10)
	}
	if err := checkJSON(data); err != nil {
		return nil, fault.Wrap(fault.InvalidRequest, err, "the provider is not strict JSON")
	}
	p, err := parse(data)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidRequest, err, "decoding the provider")
	}
	if err := p.validate(); err != nil {
		return nil, fault.Wrap(fault.InvalidRequest, err, "the provider %q", p.ID)
	}
	return p, nil
}

// parse reads a provider that is known to be one, and fills in what its file
// may leave out. It is a third of what Decode costs.
func parse(data []byte) (*Provider, error) {
	var p Provider
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return nil, err
	}
	for i := range p.Capabilities {
		c := &p.Capabilities[i]
		if len(c.Hosts) == 0 && len(p.Hosts) > 0 {
			c.Hosts = p.Hosts[:1:1]
		}
		if len(c.Hosts) == 1 {
			c.Hosts = p.family(c.Hosts[0])
		}
	}
	return &p, nil
}

// checkJSON walks over data without keeping anything of it. As every key must
// be lower case, a key that encoding/json matches regardless of case can only
// be the field itself.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := checkValue(decoder, 0); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("there is something after the object")
	}
	return nil
}

// checkValue walks over the next value.
func checkValue(decoder *json.Decoder, depth int) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case nil:
		return errors.New("a value is null")
	case string:
		// An escaped half of a surrogate pair decodes to this.
		if strings.ContainsRune(token, utf8.RuneError) {
			return errors.New("a text is not Unicode")
		}
	case json.Delim:
		if depth == maxDepth {
			return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
		}
		if token == '{' {
			err = checkObject(decoder, depth)
		} else {
			err = checkArray(decoder, depth)
		}
		if err == nil {
			_, err = decoder.Token() // the end
		}
		return err
	}
	return nil
}

func checkArray(decoder *json.Decoder, depth int) error {
	for n := 0; decoder.More(); n++ {
		if n == maxList {
			return fmt.Errorf("a list has more than %d elements", maxList)
		}
		if err := checkValue(decoder, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkObject(decoder *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return fmt.Errorf("the key %.40q is not lower case", key)
		}
		if seen[key] {
			return fmt.Errorf("the key %.40q is there twice", key)
		}
		seen[key] = true
		if err := checkValue(decoder, depth+1); err != nil {
			return err
		}
	}
	return nil
}
