//go:build linux

package ui_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"

	"aivault/broker/brokertest"
)

// On a terminal that is narrow, what is long goes on in the next line, between
// two words; a command or an address to be copied stays in one. Where no width
// is known, nothing is broken.
func TestFitsTheTerminal(t *testing.T) {
	t.Parallel()
	v := newRealVault(t, brokertest.New(t))
	v.run(nil, "capability", "policy", "set", "--capability", "acme/items", "--rate-limit-per-minute", "3", "--response-block", "email")
	whole := regexp.MustCompile("`[^`]*`|https://.*|  aivault .*| --request .*")
	for _, test := range []struct {
		command string
		says    string // in one line of a terminal that is wide
	}{
		{"capability describe trello/batch", "Up to ten GET requests in one; it reaches every GET route, whatever else is allowed"},
		{"invoke acme/nothing", "hint: `aivault capability list` shows them; make one with `aivault capability create`"},
		{"audit --kind capability.policy", "acme/items was none; is rate 3, block 1 (email)"},
		{
			"oauth setup --provider acme --auth-url https://id.example/authorize --client-id 0123456789abcdef --redirect-uri http://127.0.0.1:8912/callback",
			"- store clientId, clientSecret and refreshToken as one secret in JSON, and make a credential with --auth oauth2",
		},
	} {
		for _, columns := range []uint16{0, 72, 80, 200} {
			term := newTerminal(t)
			if err := pty.Setsize(term.tty, &pty.Winsize{Rows: 24, Cols: columns}); err != nil {
				t.Fatal(err)
			}
			_ = term.start(append(v.env, "NO_COLOR=1", "TERM=xterm"), v.exe, strings.Fields(test.command)...).Wait()
			term.await(test.says[len(test.says)-8:])
			screen := strings.ReplaceAll(term.text(), "\r\n", "\n")
			if columns%200 == 0 && !strings.Contains(screen, test.says) {
				t.Errorf("%s, %d columns: it says\n%s", test.command, columns, screen)
			}
			if said := strings.Join(strings.Fields(screen), " "); !strings.Contains(said, test.says) {
				t.Errorf("%s, %d columns: a word is broken or missing:\n%s", test.command, columns, screen)
			}
			for line := range strings.Lines(whole.ReplaceAllString(screen, "")) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); columns > 0 && n > int(columns) {
					t.Errorf("%s: %d columns in a line of %d: %s", test.command, n, columns, line)
				}
			}
		}
	}
}
