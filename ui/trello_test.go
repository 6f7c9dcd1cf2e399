package ui_test

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"aivault/broker/brokertest"
)

// The story of a provider that the registry knows, and that wants two secrets
// in the query: nothing works with one, all with both, and each is rotated by
// itself.
func TestTrello(t *testing.T) {
	t.Parallel()
	service := brokertest.New(t, "api.trello.com")
	service.Handle(repeat)
	v := newEmptyVault(t, service)
	exe, err := exec.LookPath("aivault")
	if err != nil {
		t.Fatal(err)
	}
	v.exe = exe // which reaches the service under the name of Trello's
	v.env = append(v.env, varUpstream+"="+service.Addr(), varRoots+"="+v.file("roots.pem", string(service.CAPEM())))
	word := func() string {
		w := brokertest.Word(t)
		v.hidden = append(v.hidden, w)
		return w
	}

	key, token := word(), word()
	v.refused(2, "line break", "secrets", "create", "--name", "TRELLO_API_KEY", "--value-file", v.file("value", "two\nlines"))
	out, notice := v.run(nil, "secrets", "create", "--name", "TRELLO_API_KEY", "--value-file", v.file("value", key))
	if !strings.Contains(out+notice, "TRELLO_TOKEN") {
		t.Errorf("what is missing is not told:\n%s%s", out, notice)
	}
	v.refused(5, "TRELLO_TOKEN", "invoke", "trello/members", "--path", "/1/members/me")
	out, _ = v.run(nil, "capability", "describe", "trello/batch")
	if want := "\n\n  aivault secrets create --name TRELLO_API_KEY\n  aivault secrets create --name TRELLO_TOKEN\n  aivault invoke trello/batch \\\n      --path '/1/batch?urls="; !strings.Contains(out, want) {
		t.Errorf("what to do next is not told:\n%s", out)
	}
	tokenID := v.create("TRELLO_TOKEN", v.file("value", token))

	call := []string{"invoke", "trello/members", "--path", "/1/members/me?fields=username,fullName"}
	out, _ = v.run(nil, append(call, "--dry-run")...)
	if want := "GET https://api.trello.com/1/members/me?fields=username,fullName&key=<TRELLO_API_KEY>&token=<TRELLO_TOKEN>\n"; !strings.HasPrefix(out, want) {
		t.Errorf("a dry run shows\n%s", out)
	}
	for _, newToken := range []string{"", word()} {
		if newToken != "" {
			token = newToken
			v.run(nil, "secrets", "rotate", "--id", tokenID, "--value-file", v.file("value", token))
		}
		out, _ = v.run(nil, call...)
		got := v.last()
		if got.Host != "api.trello.com" || got.URI != "/1/members/me?fields=username,fullName&key="+key+"&token="+token {
			t.Errorf("the service got another target for %s", got.Host)
		}
		if !strings.HasPrefix(out, "GET /1/members/me?fields=username,fullName&key=[REDACTED]&token=[REDACTED] HTTP/1.1") {
			t.Errorf("the answer is %q", out)
		}
	}
	v.examplesWork("trello")

	// The name of a token is the token, in Trello's paths, and not for callers.
	v.refused(3, "", "invoke", "trello/members", "--path", "/1/members/me?token=mine")
	for _, e := range v.audit("invoke") {
		if e.Kind == "invoke.outcome" && (e.Credential != "trello" || e.Outcome != "ok" || e.Path != "/1/members/me") {
			t.Errorf("recorded: %+v", e)
		}
	}
}

// examplesWork tries what the descriptions of a provider's capabilities suggest,
// as a person who copies it into a shell, but for sending it.
func (v *realVault) examplesWork(provider string) {
	v.t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		return // on Windows
	}
	list, _ := v.run(nil, "capability", "list", "--json")
	tried := 0
	for _, id := range regexp.MustCompile(`"id": "(`+provider+`/[^"]*)"`).FindAllStringSubmatch(list, -1) {
		described, _ := v.run(nil, "capability", "describe", id[1], "--json")
		var d struct {
			Call struct {
				HowTo struct{ Examples []struct{ Command string } }
			}
		}
		if err := json.Unmarshal([]byte(described), &d); err != nil {
			v.t.Fatal(err)
		}
		for _, e := range d.Call.HowTo.Examples {
			tried++
			cmd := v.command()
			cmd.Path, cmd.Args = sh, []string{"sh", "-c", e.Command + " --dry-run"}
			if out, err := cmd.CombinedOutput(); err != nil {
				v.t.Errorf("%s: %v\n%s", e.Command, err, out)
			}
		}
	}
	if tried < 20 {
		v.t.Errorf("%d examples were tried only", tried)
	}
}
