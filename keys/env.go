package keys

import (
	"context"

	"aivault/keys/fault"
)

// envProvider finds the key in an environment variable. It cannot make one,
// as no process can set a variable for those that come after it.
type envProvider struct {
	config Config
	getenv func(string) string
}

func (p envProvider) Load(ctx context.Context) (Key, error) {
	if err := canceled(ctx, "reading the "+p.config.String()); err != nil {
		return nil, err
	}
	var text []byte
	if p.getenv != nil {
		text = []byte(p.getenv(p.config.Variable()))
	}
	defer clear(text)
	if len(text) == 0 {
		return nil, fault.New(fault.KeyUnavailable, "the %s is not set", p.config).
			WithHint("set it to the vault's key; a new one is made by: openssl rand -base64 32")
	}
	key, err := ParseKey(text)
	if err != nil {
		return nil, fault.New(fault.KeyUnavailable, "the %s does not hold a key", p.config).
			WithHint("set it to the base64 of 32 bytes, or to 64 hex digits")
	}
	return key, nil
}

func (p envProvider) Create(ctx context.Context) (Key, error) { return p.Load(ctx) }
