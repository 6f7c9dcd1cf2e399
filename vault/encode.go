package vault

import (
	"time"

	"aivault/keys/fault"
	"aivault/vault/internal/codec"
)

// What is sealed of each kind. Fields are only ever added together with a new
// format version: see package codec for the encoding.

func writeScope(w *codec.Writer, s Scope) {
	w.Uint8(uint8(s.Level))
	w.Text(s.Workspace)
	w.Text(s.Group)
}

func readScope(r *codec.Reader) Scope {
	s := Scope{Level: Level(r.Uint8()), Workspace: r.Text(), Group: r.Text()}
	if s.Validate() != nil {
		r.Fail()
	}
	return s
}

func writeTime(w *codec.Writer, t time.Time) {
	if t.IsZero() {
		w.Int64(0)
		return
	}
	w.Int64(t.UnixMilli())
}

func readTime(r *codec.Reader) time.Time {
	if ms := r.Int64(); ms != 0 {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

func writeHost(w *codec.Writer, h Host) {
	w.Text(h.Name)
	w.Bool(h.Private)
	w.Text(h.CA)
}

func readHost(r *codec.Reader) Host { return Host{Name: r.Text(), Private: r.Bool(), CA: r.Text()} }

func readID(r *codec.Reader) (id ID) {
	copy(id[:], r.Fixed(len(id)))
	return id
}

func encodeSecret(s *Secret) []byte {
	var w codec.Writer
	w.Text(s.Name)
	codec.List(&w, s.Aliases, w.Text)
	writeScope(&w, s.Scope)
	w.Bool(s.AttachedOnly)
	w.Text(s.PinnedProvider)
	codec.List(&w, s.Hosts, func(h Host) { writeHost(&w, h) })
	w.Bool(s.Chosen)
	codec.List(&w, s.Attached, func(g GroupRef) { w.Text(g.Workspace); w.Text(g.Group) })
	writeTime(&w, s.CreatedAt)
	writeTime(&w, s.UpdatedAt)
	writeTime(&w, s.RotatedAt)
	w.Uint64(s.Version)
	return w.Bytes()
}

func decodeSecret(id ID, rev uint64, b []byte) (*Secret, error) {
	s := new(Secret)
	return s, s.decode(id, rev, b)
}

func (s *Secret) decode(id ID, rev uint64, b []byte) error {
	r := codec.NewReader(b)
	*s = Secret{
		ID: id, Revision: rev,
		Name: r.Text(), Aliases: codec.Items(r, r.Text), Scope: readScope(r),
		AttachedOnly: r.Bool(), PinnedProvider: r.Text(),
		Hosts:     codec.Items(r, func() Host { return readHost(r) }),
		Chosen:    r.Bool(),
		Attached:  codec.Items(r, func() GroupRef { return GroupRef{r.Text(), r.Text()} }),
		CreatedAt: readTime(r), UpdatedAt: readTime(r), RotatedAt: readTime(r),
		Version: r.Uint64(),
	}
	return r.Close()
}

func encodeCredential(c *Credential) []byte {
	var w codec.Writer
	w.Text(c.ID)
	w.Text(c.Provider)
	writeScope(&w, c.Scope)
	w.Text(c.Auth.Kind)
	codec.List(&w, c.Auth.Params, func(p Param) { w.Text(p.Name); w.Text(p.Value) })
	codec.List(&w, c.Hosts, w.Text)
	codec.List(&w, c.Capabilities, w.Text)
	w.Fixed(c.Secret[:])
	w.Bool(c.AllowPrivate)
	w.Blob(c.CACert)
	writeTime(&w, c.CreatedAt)
	return w.Bytes()
}

func decodeCredential(rev uint64, b []byte) (*Credential, error) {
	r := codec.NewReader(b)
	c := &Credential{
		Revision: rev,
		ID:       r.Text(), Provider: r.Text(), Scope: readScope(r),
		Auth: Auth{
			Kind:   r.Text(),
			Params: codec.Items(r, func() Param { return Param{r.Text(), r.Text()} }),
		},
		Hosts: codec.Items(r, r.Text), Capabilities: codec.Items(r, r.Text),
		Secret: readID(r), AllowPrivate: r.Bool(), CACert: r.Blob(), CreatedAt: readTime(r),
	}
	if len(c.CACert) == 0 {
		c.CACert = nil
	}
	return c, r.Close()
}

func encodeCapability(c *Capability) []byte {
	var w codec.Writer
	w.Text(c.ID)
	w.Text(c.Provider)
	codec.List(&w, c.Allow.Hosts, w.Text)
	codec.List(&w, c.Allow.Methods, w.Text)
	codec.List(&w, c.Allow.Paths, w.Text)
	codec.List(&w, c.Allow.Headers, w.Text)
	writeTime(&w, c.CreatedAt)
	return w.Bytes()
}

func decodeCapability(rev uint64, b []byte) (*Capability, error) {
	r := codec.NewReader(b)
	c := &Capability{
		Revision: rev,
		ID:       r.Text(), Provider: r.Text(),
		Allow: Allow{
			Hosts: codec.Items(r, r.Text), Methods: codec.Items(r, r.Text),
			Paths: codec.Items(r, r.Text), Headers: codec.Items(r, r.Text),
		},
		CreatedAt: readTime(r),
	}
	return c, r.Close()
}

func encodeBinding(b *Binding) []byte {
	var w codec.Writer
	w.Text(b.Capability)
	w.Fixed(b.Secret[:])
	writeScope(&w, b.Scope)
	w.Text(b.Consumer)
	codec.List(&w, b.Hosts, func(h Host) { writeHost(&w, h) })
	writeTime(&w, b.UpdatedAt)
	return w.Bytes()
}

func decodeBinding(rev uint64, data []byte) (*Binding, error) {
	r := codec.NewReader(data)
	b := &Binding{
		Revision:   rev,
		Capability: r.Text(), Secret: readID(r), Scope: readScope(r), Consumer: r.Text(),
		Hosts: codec.Items(r, func() Host { return readHost(r) }), UpdatedAt: readTime(r),
	}
	return b, r.Close()
}

func encodeDisabled(id string) []byte {
	var w codec.Writer
	w.Text(id)
	return w.Bytes()
}

func decodeDisabled(b []byte) (string, error) {
	r := codec.NewReader(b)
	id := r.Text()
	return id, r.Close()
}

func encodeUsage(last time.Time) []byte {
	var w codec.Writer
	writeTime(&w, last)
	return w.Bytes()
}

func decodeUsage(b []byte) (time.Time, error) {
	r := codec.NewReader(b)
	last := readTime(r)
	return last, r.Close()
}

// texts are the texts of an event.
func (e *Event) texts() []*string {
	return []*string{
		&e.Kind, &e.Outcome, (*string)(&e.Code), &e.Actor,
		&e.Workspace, &e.Group, &e.Consumer, &e.Capability, &e.Credential,
		&e.Scope, &e.Method, &e.Host, &e.Path, &e.Note,
	}
}

func encodeEvent(e *Event) []byte {
	var w codec.Writer
	w.Uint64(e.Seq)
	writeTime(&w, e.Time)
	for _, s := range []string{e.Kind, e.Outcome, string(e.Code), e.Actor} {
		w.Text(s)
	}
	w.Int64(int64(e.UID))
	w.Int64(int64(e.PID))
	for _, s := range []string{e.Workspace, e.Group, e.Consumer, e.Capability, e.Credential} {
		w.Text(s)
	}
	w.Fixed(e.Secret[:])
	w.Uint64(e.SecretVersion)
	for _, s := range []string{e.Scope, e.Method, e.Host, e.Path} {
		w.Text(s)
	}
	w.Int64(int64(e.Status))
	w.Int64(e.RequestBytes)
	w.Int64(e.ResponseBytes)
	w.Int64(int64(e.Duration))
	w.Int64(int64(e.Redactions))
	w.Uint64(e.Intent)
	w.Text(e.Note)
	if e.Count > 0 { // since format 2; other events are as they were
		w.Uint64(e.Count)
		writeTime(&w, e.Last)
	}
	return w.Bytes()
}

func decodeEvent(b []byte) (*Event, error) {
	r := codec.NewReader(b)
	e := &Event{Seq: r.Uint64(), Time: readTime(r)}
	e.Kind, e.Outcome, e.Code, e.Actor = r.Text(), r.Text(), fault.Code(r.Text()), r.Text()
	e.UID, e.PID = int(r.Int64()), int(r.Int64())
	for _, s := range []*string{&e.Workspace, &e.Group, &e.Consumer, &e.Capability, &e.Credential} {
		*s = r.Text()
	}
	e.Secret, e.SecretVersion = readID(r), r.Uint64()
	for _, s := range []*string{&e.Scope, &e.Method, &e.Host, &e.Path} {
		*s = r.Text()
	}
	e.Status = int(r.Int64())
	e.RequestBytes, e.ResponseBytes = r.Int64(), r.Int64()
	e.Duration = time.Duration(r.Int64())
	e.Redactions = int(r.Int64())
	e.Intent, e.Note = r.Uint64(), r.Text()
	if r.More() {
		if e.Count, e.Last = r.Uint64(), readTime(r); e.Count == 0 {
			r.Fail()
		}
	}
	return e, r.Close()
}
