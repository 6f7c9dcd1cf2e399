package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"aivault/broker/brokertest/upstream"
)

// startDemoService starts a service on this machine, until ctx ends. It tells
// which of the keys a request brought: by its name, as an answer would never
// repeat a key. Other paths show what else an answer can be:
//
//	/stream   events, one after the other
//	/echo     what the request was, its key included
//	/missing  404
//	/slow     after a while
func startDemoService(ctx context.Context, keys map[string]string) (*upstream.Server, error) {
	return upstream.StartWith(upstream.Options{Raw: func(c net.Conn) {
		r, err := readDemoRequest(c)
		if err != nil {
			return
		}
		name := "none that I know"
		for known, key := range keys {
			if r.headers["authorization"] == "Bearer "+key {
				name = known
			}
		}
		switch r.path {
		case "/stream":
			streamDemo(ctx, c, name)
		case "/echo":
			answerDemo(c, "200 OK", map[string]any{"method": r.method, "headers": r.headers, "body": r.body})
		case "/missing":
			answerDemo(c, "404 Not Found", map[string]any{"error": map[string]string{"code": "not_found", "message": "there is no such thing"}})
		case "/slow":
			if pauseDemo(ctx, slowDemo) {
				answerDemo(c, "200 OK", map[string]any{"key": name, "waited": slowDemo.String()})
			}
		default:
			answerDemo(c, "200 OK", map[string]any{"key": name})
		}
	}})
}

// slowDemo is how long the service takes for what is slow.
const slowDemo = 5 * time.Second

// A demoRequest is what the service understands of a request. The names of
// headers are in lower case.
type demoRequest struct {
	method, path string
	headers      map[string]string
	body         string
}

func readDemoRequest(c net.Conn) (r demoRequest, err error) {
	in := bufio.NewReader(c)
	line := func() string {
		s, e := in.ReadString('\n')
		if err == nil {
			err = e
		}
		return strings.TrimRight(s, "\r\n")
	}
	var target string
	r.method, target, _ = strings.Cut(line(), " ")
	target, _, _ = strings.Cut(target, " ")
	r.path, _, _ = strings.Cut(target, "?")
	r.headers = map[string]string{}
	for h := line(); h != "" && err == nil; h = line() {
		name, value, _ := strings.Cut(h, ": ")
		r.headers[strings.ToLower(name)] = value
	}
	n, _ := strconv.ParseInt(r.headers["content-length"], 10, 64)
	body, e := io.ReadAll(io.LimitReader(in, min(n, 1<<20)))
	if err == nil {
		err = e
	}
	r.body = string(body)
	return r, err
}

// answerDemo writes an answer. Whether it arrives is not the service's concern.
func answerDemo(c net.Conn, status string, body map[string]any) {
	b, err := json.Marshal(body)
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(c, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n", status, len(b)+1, b)
}

// streamDemo sends events, of which each is an answer's next words.
func streamDemo(ctx context.Context, c net.Conn, name string) {
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
	words := strings.Fields("This is an answer that comes in pieces , as those of language models do . It was asked for with the key of " + name + " .")
	for i, word := range words {
		if _, err := fmt.Fprintf(c, "id: %d\ndata: {\"delta\":%q}\n\n", i+1, word); err != nil || !pauseDemo(ctx, 150*time.Millisecond) {
			return
		}
	}
	_, _ = io.WriteString(c, "data: [DONE]\n\n")
}

// pauseDemo waits, and reports false if ctx ends before.
func pauseDemo(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
