package wire_test

import (
	"context"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"aivault/broker/internal/wire"
)

// A way is how to make a call. What holds for one holds for the other.
type way struct {
	name string
	do   func(*wire.Client, context.Context, wire.Request) (*wire.Response, error)
}

func ways() []way { return []way{{"Do", (*wire.Client).Do}, {"Open", stream}} }

// stream makes a call with Open and reads in pieces that fit nothing. What
// came before an error is returned with it.
func stream(c *wire.Client, ctx context.Context, r wire.Request) (*wire.Response, error) {
	s, err := c.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	var body []byte
	p := make([]byte, 997)
	for err == nil {
		var n int
		n, err = s.Read(p)
		body = append(body, p[:n]...)
	}
	if err == io.EOF {
		err = nil
	}
	return &wire.Response{
		Status: s.Status, Proto: s.Proto, Header: s.Header, Body: body,
		RequestBytes: s.RequestBytes(), ResponseBytes: s.ResponseBytes(), HeaderAfter: s.HeaderAfter,
	}, err
}

// allocated returns how many bytes f allocates, by all goroutines.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// working returns the stacks of goroutines that work for a call or for one of
// its connections.
func working() string {
	all := make([]byte, 4<<20)
	all = all[:runtime.Stack(all, true)]
	var found []string
	for stack := range strings.SplitSeq(string(all), "\n\n") {
		for _, part := range [...]string{"wire.(*", "net/http.(*persistConn)", "net/http.(*Transport)", "net/http.(*http2Client", "net/http.(*http2client"} {
			if strings.Contains(stack, part) {
				found = append(found, stack)
				break
			}
		}
	}
	return strings.Join(found, "\n\n")
}

// noneLeft returns the stacks that are left after a while, or nothing.
func noneLeft() string {
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if left := working(); left == "" || time.Now().After(end) {
			return left
		}
	}
}

// wantNoneLeft checks that nothing goes on. The test must not be a parallel
// one, whose neighbours would be seen.
func wantNoneLeft(t *testing.T) {
	t.Helper()
	if left := noneLeft(); left != "" {
		t.Errorf("goroutines are left:\n%s", left)
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if left := noneLeft(); code == 0 && left != "" {
		_, _ = os.Stderr.WriteString("goroutines are left after all tests:\n" + left + "\n")
		code = 1
	}
	os.Exit(code)
}
