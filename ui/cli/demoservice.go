package cli

import (
	"bufio"
	"fmt"
	"net"
	"strings"

	"aivault/broker/brokertest/upstream"
)

// startDemoService starts a service on this machine that tells which of the
// keys a request brought: by its name, as an answer would never repeat a key.
func startDemoService(keys map[string]string) (*upstream.Server, error) {
	return upstream.StartWith(upstream.Options{Raw: func(c net.Conn) {
		name := "none that I know"
		r := bufio.NewScanner(c)
		for r.Scan() && r.Text() != "" {
			header, value, _ := strings.Cut(r.Text(), ": ")
			for known, key := range keys {
				if strings.EqualFold(header, "authorization") && value == "Bearer "+key {
					name = known
				}
			}
		}
		body := fmt.Sprintf("{\"key\":%q}\n", name)
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
	}})
}
