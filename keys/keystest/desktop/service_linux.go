package desktop

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// A Manner is how a Service behaves. The zero Manner is a keyring that works.
type Manner struct {
	Delay   time.Duration // before it says what it finds
	Prompts bool          // it opens a prompt, which nobody ever answers
}

// A Service is a stand-in for the Secret Service, version 0.2, with one
// collection that is not locked: as much of it as keyring clients use.
type Service struct {
	conn  *dbus.Conn
	ended chan struct{}

	mu     sync.Mutex
	manner Manner
	calls  int // searches
	items  map[dbus.ObjectPath]*item
}

// item is an entry.
type item struct {
	service    *Service
	path       dbus.ObjectPath
	attributes map[string]string
	content    []byte
}

// secret is the structure Secret of the specification.
type secret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

const (
	sessionPath = servicePath + "/session/1"
	promptPath  = servicePath + "/prompt/1"
	noPrompt    = dbus.ObjectPath("/")
	prefix      = "org.freedesktop.Secret."
)

// Serve puts a stand-in on the bus.
func (s *Session) Serve(t testing.TB) *Service {
	t.Helper()
	v := &Service{conn: s.connect(t), ended: make(chan struct{}), items: make(map[dbus.ObjectPath]*item)}
	t.Cleanup(func() { close(v.ended) })
	for _, e := range []struct {
		object any
		path   dbus.ObjectPath
		name   string
	}{
		{front{v}, servicePath, prefix + "Service"},
		{properties{}, servicePath, "org.freedesktop.DBus.Properties"},
		{collection{v}, loginPath, prefix + "Collection"},
		{session{}, sessionPath, prefix + "Session"},
		{prompt{}, promptPath, prefix + "Prompt"},
	} {
		if err := v.conn.Export(e.object, e.path, e.name); err != nil {
			t.Fatal(err)
		}
	}
	if reply, err := v.conn.RequestName(serviceName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal("the name of the keyring is taken: ", reply, err)
	}
	return v
}

// Behave has the keyring go on in another manner.
func (v *Service) Behave(m Manner) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.manner = m
}

// Searches returns how often an entry was looked for.
func (v *Service) Searches() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.calls
}

func (v *Service) how() Manner {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.manner
}

// front is the object of the service itself.
type front struct{ v *Service }

func (front) OpenSession(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	return dbus.MakeVariant(""), sessionPath, nil
}

func (f front) Unlock(paths []dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	if f.v.how().Prompts {
		return nil, promptPath, nil
	}
	return paths, noPrompt, nil
}

type properties struct{}

func (properties) Get(string, string) (dbus.Variant, *dbus.Error) {
	return dbus.MakeVariant([]dbus.ObjectPath{loginPath}), nil
}

type session struct{}

func (session) Close() *dbus.Error { return nil }

// prompt never tells that it was completed.
type prompt struct{}

func (prompt) Prompt(string) *dbus.Error { return nil }

type collection struct{ v *Service }

func (c collection) SearchItems(attributes map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	c.v.mu.Lock()
	c.v.calls++
	c.v.mu.Unlock()
	select {
	case <-time.After(c.v.how().Delay):
	case <-c.v.ended:
	}
	c.v.mu.Lock()
	defer c.v.mu.Unlock()
	found := []dbus.ObjectPath{}
	for path, i := range c.v.items {
		if i.has(attributes) {
			found = append(found, path)
		}
	}
	return found, nil
}

func (i *item) has(attributes map[string]string) bool {
	for name, value := range attributes {
		if i.attributes[name] != value {
			return false
		}
	}
	return true
}

func (c collection) CreateItem(properties map[string]dbus.Variant, s secret, replace bool) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	attributes, ok := properties[prefix+"Item.Attributes"].Value().(map[string]string)
	if !ok {
		return noPrompt, noPrompt, dbus.MakeFailedError(dbus.ErrMsgInvalidArg)
	}
	c.v.mu.Lock()
	defer c.v.mu.Unlock()
	if replace {
		for _, i := range c.v.items {
			if i.has(attributes) {
				i.content = slices.Clone(s.Value)
				return i.path, noPrompt, nil
			}
		}
	}
	made := &item{
		service: c.v, path: loginPath + dbus.ObjectPath("/"+strconv.Itoa(len(c.v.items)+1)),
		attributes: attributes, content: slices.Clone(s.Value),
	}
	if err := c.v.conn.Export(made, made.path, prefix+"Item"); err != nil {
		return noPrompt, noPrompt, dbus.MakeFailedError(err)
	}
	c.v.items[made.path] = made
	return made.path, noPrompt, nil
}

// GetSecret is of the interface Item.
func (i *item) GetSecret(session dbus.ObjectPath) (secret, *dbus.Error) {
	i.service.mu.Lock()
	defer i.service.mu.Unlock()
	return secret{session, []byte{}, slices.Clone(i.content), "text/plain; charset=utf8"}, nil
}
