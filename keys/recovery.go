package keys

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"unicode"
	"unicode/utf8"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// A recovery key is 170 random bits that a person can keep on paper and type:
// 34 characters of Crockford's base32 (https://www.crockford.com/base32.html:
// the digits and the letters without I, L, O and U), and six check characters
// behind them, in eight groups of five.
//
// The check characters are the BCH code of BIP 173 over GF(32), with the
// constant of BIP 350: any four wrong characters are found for certain, two that
// were exchanged among them, and of more all but one in 2^30.
//
// Whoever reads one back may use either case, leave separators out or put others
// in, and take O for 0, I and L for 1.
const (
	recoveryAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	recoveryRandom   = 34 // characters of 5 bits
	recoveryCheck    = 6
	recoverySize     = recoveryRandom + recoveryCheck
	recoveryGroup    = 5

	recoveryConstant = 0x2bc830a3
)

// NewRecovery returns a new recovery key, in capitals and groups with a dash
// between them, and the KEK that it stands for. The caller clears both.
func NewRecovery() (text opaque.Bytes, kek Key, err error) {
	symbols := make([]byte, recoveryRandom, recoverySize)
	if _, err := rand.Read(symbols); err != nil {
		return nil, nil, fault.Wrap(fault.Internal, err, "making a recovery key")
	}
	for i := range symbols {
		symbols[i] &= 31 // 256 is a multiple of 32: they stay equally likely
	}
	symbols = appendCheck(symbols)
	defer clear(symbols)
	b := make([]byte, 0, recoverySize+recoverySize/recoveryGroup)
	for i, s := range symbols {
		if i > 0 && i%recoveryGroup == 0 {
			b = append(b, '-')
		}
		b = append(b, recoveryAlphabet[s])
	}
	kek, err = recoveryKEK(symbols)
	return opaque.New(b), kek, err
}

// ParseRecovery returns the KEK of a recovery key as a person typed it; see
// above for what is forgiven. Other text is fault.InvalidRequest, whose message
// says what is wrong and does not show the text. The caller clears both.
func ParseRecovery(text []byte) (Key, error) {
	symbols := make([]byte, 0, recoverySize)
	defer func() { clear(symbols[:cap(symbols)]) }()
	n, foreign := 0, 0 // characters; the first that is none of a recovery key
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '_' || r == '.' {
			continue
		}
		n++
		s := recoverySymbol(r)
		switch {
		case s < 0 && foreign == 0:
			foreign = n
		case s >= 0 && n <= recoverySize:
			symbols = append(symbols, byte(s))
		}
	}
	switch {
	case n != recoverySize: // it may be a passphrase, of which nothing is told
		return nil, fault.New(fault.InvalidRequest, "it does not have the %d characters of a recovery key", recoverySize).
			WithHint("type all eight groups of five")
	case foreign > 0:
		return nil, fault.New(fault.InvalidRequest, "character %d is none that a recovery key has", foreign).
			WithHint("it has digits, and letters other than U")
	}
	if recoveryChecksum(symbols) != recoveryConstant {
		return nil, fault.New(fault.InvalidRequest, "a character of the recovery key is wrong, or two are exchanged").
			WithHint("compare it with what you wrote down, and type it again")
	}
	return recoveryKEK(symbols)
}

// recoverySymbol returns the value of a character, or -1.
func recoverySymbol(r rune) int {
	if r >= 'a' && r <= 'z' { // no other letter has a digit or one of these for a capital
		r -= 'a' - 'A'
	}
	switch r {
	case 'O':
		r = '0'
	case 'I', 'L':
		r = '1'
	}
	return strings.IndexRune(recoveryAlphabet, r)
}

// recoveryChecksum is the polymod of BIP 173; of symbols with their check
// characters it is recoveryConstant.
func recoveryChecksum(symbols []byte) uint32 {
	sum := uint32(1)
	for _, s := range symbols {
		top := sum >> 25
		sum = (sum&0x1ffffff)<<5 ^ uint32(s)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	return sum
}

// appendCheck appends the check characters of symbols, which have room for them.
func appendCheck(symbols []byte) []byte {
	n := len(symbols)
	symbols = append(symbols, make([]byte, recoveryCheck)...)
	sum := recoveryChecksum(symbols) ^ recoveryConstant
	for i := range recoveryCheck {
		symbols[n+i] = byte(sum>>(5*(recoveryCheck-1-i))) & 31
	}
	return symbols
}

// recoveryKEK derives the KEK from the random part of a recovery key. That has
// more entropy than can be guessed at any speed, so HKDF (RFC 5869) will do.
func recoveryKEK(symbols []byte) (Key, error) {
	b, err := hkdf.Key(sha256.New, symbols[:recoveryRandom], nil, "aivault/v1/recovery", KeySize)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "deriving a key")
	}
	return opaque.NewKey(b), nil
}

// recoveryProvider derives the key from a recovery key, and stores nothing.
type recoveryProvider struct {
	ask  func(ctx context.Context, q Question) (opaque.Bytes, error)
	keep func(text opaque.Bytes) error
}

func (p recoveryProvider) Load(ctx context.Context) (Key, error) {
	typed, err := askWith(ctx, p.ask, Question{Typed: Typed{Recovery: true}})
	if err != nil {
		return nil, err
	}
	defer typed.Clear()
	if err := canceled(ctx, "reading the recovery key"); err != nil {
		return nil, err
	}
	key, err := ParseRecovery(typed.Reveal())
	if err != nil {
		return nil, fault.Wrap(fault.WrongKey, err, "this is not the recovery key")
	}
	return key, nil
}

// Create reads the new key back before it hands it over: it will be typed when
// nothing else opens the vault.
func (p recoveryProvider) Create(ctx context.Context) (Key, error) {
	if p.keep == nil {
		return nil, fault.New(fault.Usage, "there is nobody to show a recovery key to").WithHint("run it on a terminal")
	}
	if err := canceled(ctx, "making a recovery key"); err != nil {
		return nil, err
	}
	text, key, err := NewRecovery()
	if err != nil {
		return nil, err
	}
	again, err := ParseRecovery(text.Reveal())
	if err == nil && !again.Equal(key) {
		err = fault.New(fault.Internal, "a new recovery key does not read back")
	}
	again.Clear()
	if err != nil {
		text.Clear()
	} else {
		err = p.keep(text)
	}
	if err != nil {
		key.Clear()
		return nil, err
	}
	return key, nil
}
