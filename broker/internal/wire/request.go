package wire

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"aivault/keys/fault"
)

// build makes the request that is sent, and sees to it that it is the one that
// was asked for (case 19).
func (c *Client) build(call *call, r Request) (*http.Request, *body, error) {
	req, err := r.HTTP(c.config.Version)
	if err != nil {
		return nil, nil, err
	}
	req = req.WithContext(call.traced())
	sent := &body{data: r.Body, progress: call.advance}
	if r.Body != nil {
		req.Body = sent // without GetBody, so that nobody reads it twice
		if len(r.Body) == 0 {
			req.Body = http.NoBody
		}
	}
	if r.Authenticate != nil {
		if err := r.Authenticate(req); err != nil {
			return nil, nil, err
		}
	}
	if !unchanged(req, r) {
		return nil, nil, fault.New(fault.Internal, "the authentication changed more than it may")
	}
	return req, sent, nil
}

// HTTP returns the request as it is sent, without its body and without what
// Authenticate adds. The version is that of aivault. What would not be sent in
// its canonical form is a fault.Internal.
func (r Request) HTTP(version string) (*http.Request, error) {
	path, err := url.PathUnescape(r.Path)
	if err != nil {
		return nil, fault.New(fault.Internal, "the canonical path cannot be decoded")
	}
	req := &http.Request{
		Method:        r.Method,
		URL:           &url.URL{Scheme: "https", Host: r.Host, Path: path, RawPath: r.Path, RawQuery: r.RawQuery},
		Host:          r.Host,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        maps.Clone(r.Header),
		ContentLength: int64(len(r.Body)),
	}
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	complete(req.Header, version)
	// A target with two slashes would name another host to some servers.
	if req.URL.RequestURI() != target(r) || !strings.HasPrefix(r.Path, "/") || strings.HasPrefix(r.Path, "//") {
		return nil, fault.New(fault.Internal, "the request would not be sent in its canonical form")
	}
	return req, nil
}

// complete adds to the header of a request what every request has.
func complete(h http.Header, version string) {
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", "aivault/"+version)
	}
	// A part of a compressed body cannot be decoded.
	h.Set("Accept-Encoding", "gzip, deflate")
	if h.Get("Range") != "" {
		h.Set("Accept-Encoding", "identity")
	}
}

// target is path and query as policy judged them.
func target(r Request) string {
	if r.RawQuery == "" {
		return r.Path
	}
	return r.Path + "?" + r.RawQuery
}

// unchanged reports whether the request is still for the same target, but for
// what the authentication put where it may.
func unchanged(req *http.Request, r Request) bool {
	got, want := req.URL.RequestURI(), target(r)
	var ok bool
	if r.AuthPath {
		var before string
		before, ok = strings.CutSuffix(got, want)
		ok = ok && isPrefix(before)
	} else {
		var added string
		added, ok = strings.CutPrefix(got, want)
		ok = ok && isAddition(added, r.RawQuery)
	}
	return ok && req.Method == r.Method && req.Host == r.Host && req.URL.Host == r.Host && req.URL.Scheme == "https"
}

// isAddition reports whether what stands behind a target only adds to its
// query.
func isAddition(added, query string) bool {
	mark := "&"
	if query == "" {
		mark = "?"
	}
	return added == "" || strings.HasPrefix(added, mark)
}

// isPrefix reports whether what stands before a path leaves its meaning as it
// is: whole segments, none of which is, or becomes when it is decoded, another
// path, a step up, or the end of the path (case 20).
func isPrefix(before string) bool {
	if before == "" {
		return true
	}
	rest, ok := strings.CutPrefix(before, "/")
	if !ok || strings.ContainsAny(rest, "?#") {
		return false
	}
	for segment := range strings.SplitSeq(rest, "/") {
		plain, err := url.PathUnescape(segment)
		name, _, _ := strings.Cut(plain, ";") // what follows is a parameter to some servers
		if err != nil || name == "" || name == "." || name == ".." || strings.ContainsAny(plain, "/\\?#%") {
			return false
		}
	}
	return true
}

// A body is read by the transport as fast as the upstream takes it.
type body struct {
	data     []byte
	read     atomic.Int64
	progress func()
}

func (b *body) Read(p []byte) (int, error) {
	at := b.read.Load()
	if at == int64(len(b.data)) {
		return 0, io.EOF
	}
	n := copy(p, b.data[at:])
	b.read.Add(int64(n))
	b.progress()
	return n, nil
}

func (b *body) Close() error { return nil }

func (b *body) count() int64 { return b.read.Load() }
