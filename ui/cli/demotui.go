package cli

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"aivault/keys/fault"
)

// demoScreens makes the vault of the demonstration richer, and shows it in the
// terminal interface: this program, without arguments.
func (d *demo) demoScreens() error {
	env := d.sh.env
	if !env.IsTerminal(env.Stdin) || !env.IsTerminal(env.Stdout) {
		return fault.New(fault.Usage, "--tui needs a terminal: `aivault demo` shows the same without one")
	}
	d.sh.out.printf("Making a vault with made-up keys, for you to look around in. It is gone when you quit.")
	d.quiet = true
	return d.with(screenKeys(), func(host string) {
		ids := d.storeMany()
		d.connectMany(ids, host)
		d.callMany()
		if d.err == nil {
			d.err = d.screens()
		}
	})
}

// screenKeys are the secrets of the screens, by the word for each. The values
// are made up.
func screenKeys() map[string]string {
	keys := demoKeys()
	for _, name := range []string{"openai", "openai-shop", "stripe", "stripe-shop", "github", "database", "notes", "metrics"} {
		keys[name] = "demo-key-called-" + name
	}
	return keys
}

// storeMany stores secrets at all scopes of two workspaces, some under names
// that a provider claims, some that override others.
func (d *demo) storeMany() map[string]string {
	ids := map[string]string{}
	for _, s := range []struct{ name, key, scope string }{
		{"OPENAI_API_KEY", "openai", ""},
		{"STRIPE_API_KEY", "stripe", ""},
		{"GITHUB_TOKEN", "github", ""},
		{"ACME_TOKEN", "global", ""},
		{"OPENAI_API_KEY", "openai-shop", "web-shop"},
		{"DATABASE_URL", "database", "web-shop"},
		{"ACME_TOKEN", "shop", "web-shop"},
		{"STRIPE_API_KEY", "stripe-shop", "web-shop/payments"},
		{"ACME_TOKEN", "payments", "web-shop/payments"},
		{"NOTES_TOKEN", "notes", "web-shop/research"},
		{"PARTNER_TOKEN", "partner", "partners"},
		{"METRICS_TOKEN", "metrics", "partners/reports"},
	} {
		if id := d.create(s.name, s.key, scopeArgs(s.scope)...); id != "" {
			ids[s.key] = id
		}
	}
	d.aivault(append([]string{"secrets", "attach-group", "--id", ids["partner"]}, scopeArgs("web-shop/support")...)...)
	d.aivault(append([]string{"secrets", "attach-group", "--id", ids["github"]}, scopeArgs("web-shop/research")...)...)
	return ids
}

// scopeArgs are the flags of a scope: "", a workspace, or workspace/group.
func scopeArgs(scope string) []string {
	workspace, group, _ := strings.Cut(scope, "/")
	var args []string
	if workspace != "" {
		args = append(args, "--workspace-id", workspace)
	}
	if group != "" {
		args = append(args, "--group-id", group)
	}
	return args
}

// connectMany says where the secrets of acme go, and what may be called.
func (d *demo) connectMany(ids map[string]string, host string) {
	d.credentials(ids, host)
	for _, c := range []struct{ id, method, path string }{
		{"acme/whoami", "GET", "/whoami"},
		{"acme/stream", "GET", "/stream"},
		{"acme/echo", "POST", "/echo"},
		{"acme/missing", "GET", "/missing"},
		{"acme/slow", "GET", "/slow"},
	} {
		d.aivault("capability", "create", c.id, "--credential", "acme-global", "--method", c.method, "--path", c.path)
	}
	d.aivault("capability", "policy", "set", "--capability", "acme/echo", "--rate-limit-per-minute", "30", "--max-response-body-bytes", "100000")
	d.aivault(append([]string{"capability", "bind", "--capability", "acme/whoami", "--secret-ref", ids["global"], "--value-file", "global.key"},
		scopeArgs("web-shop/research")...)...)
}

// callMany makes calls, so that the audit log has something to show, one of
// them refused.
func (d *demo) callMany() {
	for _, scope := range []string{"", "web-shop", "web-shop/payments", "web-shop/support", "web-shop/research"} {
		d.aivault(append([]string{"invoke", "acme/whoami"}, scopeArgs(scope)...)...)
	}
	d.aivault("invoke", "acme/echo", "--body", `{"hello":"world"}`)
	d.aivault("invoke", "acme/missing")
	d.refused("invoke", "acme/whoami", "--path", "/admin")
	d.refused("invoke", "acme/echo", "--method", "DELETE")
}

// refused runs a command that is to fail: a call that is against the rules.
func (d *demo) refused(args ...string) {
	if d.err != nil {
		return
	}
	if out, err := d.command(args...).CombinedOutput(); err == nil {
		d.err = fault.New(fault.Internal, "the demo stops, as its command `aivault %s %s` was not refused: %s", args[0], args[1], out)
	}
}

// patienceOfScreens is how long the screens may take to give the terminal back.
const patienceOfScreens = 5 * time.Second

// screens shows the terminal interface until somebody leaves it. A signal that
// ends the demonstration ends it too, in its own way: the terminal is its.
func (d *demo) screens() error {
	cmd := d.command()
	env := d.sh.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = env.Stdin, env.Stdout, env.Stderr
	for _, name := range []string{"AIVAULT_ASCII", "AIVAULT_REDUCE_MOTION", "AIVAULT_UI_TRACE"} {
		if v := env.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Cancel = func() error {
		if cmd.Process.Signal(syscall.SIGTERM) == nil {
			return nil
		}
		return cmd.Process.Kill() // where there are no such signals
	}
	cmd.WaitDelay = patienceOfScreens
	err := cmd.Run()
	switch exit, _ := errors.AsType[*exec.ExitError](err); {
	case d.ctx.Err() != nil:
		return fault.Wrap(fault.Canceled, context.Cause(d.ctx), "showing the demo")
	case exit != nil:
		return fault.New(fault.Internal, "the terminal interface ended with status %d", exit.ExitCode())
	case err != nil:
		return fault.Wrap(fault.Internal, err, "showing the demo")
	}
	d.sh.out.printf("The vault of this demo is gone now.")
	return nil
}
