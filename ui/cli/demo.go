package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
)

func newDemo(sh *shell) *cobra.Command {
	var screens bool
	cmd := &cobra.Command{
		Use:   "demo [--tui]",
		Short: "show scopes at work, on a throw-away vault",
		Long: `Makes a vault in a temporary directory, starts a service on this machine, and
runs the public commands one after the other: three secrets of one name at three
scopes, one more that is shared with a group, calls that show which of them is
used, the explanation, and the audit log. Your own vault is not touched.

With --tui, there are more secrets, and you look around by yourself, in the
terminal interface.`,
		Example:               "aivault demo\naivault demo --tui",
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if screens && sh.out.json {
				return fault.New(fault.Usage, "--tui does not go with --json")
			}
			sh.acting = true
			return sh.demo(cmd.Context(), screens)
		},
	}
	cmd.Flags().BoolVar(&screens, "tui", false, "look around in the terminal interface")
	return cmd
}

// A demo is a run of the demonstration. After the first error nothing more is
// run or said.
type demo struct {
	sh    *shell
	ctx   context.Context // of the one run that a demo is
	exe   string
	dir   string
	quiet bool // what is run is not shown
	steps []demoStep
	err   error
}

// A demoStep is a command that was run, and what it printed.
type demoStep struct {
	Command string `json:"command"`
	Output  string `json:"output"`
}

func (sh *shell) demo(ctx context.Context, screens bool) error {
	exe, err := sh.env.Executable()
	if err != nil {
		return fault.Wrap(fault.IO, err, "finding this program")
	}
	dir, err := os.MkdirTemp("", "aivault-demo-")
	if err != nil {
		return fault.Wrap(fault.IO, err, "making a directory")
	}
	defer os.RemoveAll(dir)
	d := &demo{sh: sh, ctx: ctx, exe: exe, dir: dir}
	if screens {
		return d.demoScreens()
	}
	if err := d.run(); err != nil {
		return err
	}
	if sh.out.json {
		return sh.out.printJSON(d.steps)
	}
	return nil
}

// demoKeys are the secrets of the demonstration, by the word that the service
// answers with when it sees one. The values are made up.
func demoKeys() map[string]string {
	return map[string]string{
		"global":   "demo-key-for-everybody",
		"shop":     "demo-key-of-the-shop",
		"payments": "demo-key-of-the-payments-group",
		"partner":  "demo-key-of-a-partner",
	}
}

// run runs the demonstration.
func (d *demo) run() error {
	return d.with(demoKeys(), func(host string) {
		ids := d.store()
		d.connect(ids, host)
		d.call()
		d.say("The vault of this demo is gone now. Next, with a key of yours:",
			"  aivault secrets create --name OPENAI_API_KEY",
			"  aivault invoke openai/models")
	})
}

// with does something while there is a service, on host, that knows the keys,
// and the files of their values.
func (d *demo) with(keys map[string]string, do func(host string)) error {
	ctx, cancel := context.WithCancel(d.ctx)
	service, err := startDemoService(ctx, keys)
	if err != nil {
		cancel()
		return fault.Wrap(fault.IO, err, "starting the service")
	}
	defer service.Close()
	defer cancel()
	d.write("ca.pem", service.CAPEM())
	for name, key := range keys {
		d.write(name+".key", []byte(key+"\n"))
	}
	do(fmt.Sprintf("localhost:%d", service.Port()))
	return d.err
}

// store stores the secrets, and returns the first digits of their ids.
func (d *demo) store() map[string]string {
	ids := map[string]string{}
	create := func(name, key string, scope ...string) { ids[key] = d.create(name, key, scope...) }
	d.say("One name, three scopes. The values come from files and are never shown.")
	create("ACME_TOKEN", "global")
	create("ACME_TOKEN", "shop", "--workspace-id", "shop")
	create("ACME_TOKEN", "payments", "--workspace-id", "shop", "--group-id", "payments")

	d.say("A partner's key, from another workspace, shared with one group of the shop.")
	create("PARTNER_TOKEN", "partner", "--workspace-id", "partners")
	d.aivault("secrets", "attach-group", "--id", ids["partner"], "--workspace-id", "shop", "--group-id", "support")
	d.aivault("secrets", "list")
	return ids
}

// create stores a secret, and returns the first digits of its id.
func (d *demo) create(name, key string, scope ...string) string {
	out := d.aivault(append([]string{"secrets", "create", "--name", name, "--value-file", key + ".key"}, scope...)...)
	if _, id, ok := strings.Cut(out, "\nid "); ok && len(id) > 8 {
		return id[:8]
	}
	return ""
}

// connect says where the secrets go, and what may be called.
func (d *demo) connect(ids map[string]string, host string) {
	d.say("How each secret authenticates and where it may go: only to the service that",
		"this demo has started. For a host on this machine, that takes the value again.")
	d.credentials(ids, host)
	d.aivault("capability", "create", "acme/whoami", "--credential", "acme-global", "--method", "GET", "--path", "/whoami")
}

// credentials makes those of the secrets that the service knows.
func (d *demo) credentials(ids map[string]string, host string) {
	for _, key := range []string{"global", "shop", "payments", "partner"} {
		d.aivault("credential", "create", "acme-"+key, "--provider", "acme", "--secret-ref", ids[key], "--auth", "header",
			"--host", host, "--allow-private", "--ca-cert", "ca.pem", "--value-file", key+".key")
	}
}

// call shows calls, and what can be seen of them.
func (d *demo) call() {
	d.say("The same call from four contexts. The service tells which key it was sent.")
	d.aivault("invoke", "acme/whoami")
	d.aivault("invoke", "acme/whoami", "--workspace-id", "shop")
	d.aivault("invoke", "acme/whoami", "--workspace-id", "shop", "--group-id", "payments")
	d.aivault("invoke", "acme/whoami", "--workspace-id", "shop", "--group-id", "support")

	d.say("Why that one?")
	d.aivault("explain", "acme/whoami", "--workspace-id", "shop", "--group-id", "payments")

	d.say("Every call is on record.")
	d.aivault("audit", "--limit", "4")
}

// write writes a file that commands are given.
func (d *demo) write(name string, content []byte) {
	if err := os.WriteFile(filepath.Join(d.dir, name), content, 0o600); err != nil && d.err == nil {
		d.err = fault.Wrap(fault.IO, err, "writing a file")
	}
}

// say prints what comes next.
func (d *demo) say(lines ...string) {
	if d.err != nil || d.sh.out.json {
		return
	}
	d.sh.out.printf("")
	for _, line := range lines {
		d.sh.out.printf("%s", d.sh.out.strong(line))
	}
}

// aivault prints a command line, runs it, prints its output and returns it.
func (d *demo) aivault(args ...string) string {
	if d.err != nil {
		return ""
	}
	line := "aivault " + strings.Join(args, " ")
	show := !d.sh.out.json && !d.quiet
	if show {
		d.sh.out.printf("%s", foldCommand("$ "+line, " \\"))
	}
	cmd := d.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	text := out.String()
	d.steps = append(d.steps, demoStep{line, text})
	if show {
		d.sh.out.body(out.Bytes())
	}
	switch {
	case err == nil:
	case d.ctx.Err() != nil:
		d.err = fault.Wrap(fault.Canceled, context.Cause(d.ctx), "running the demo")
	default:
		_, _ = d.sh.env.Stderr.Write(errs.Bytes())
		d.err = fault.New(fault.Internal, "the demo stops, as its command `aivault %s %s` failed", args[0], args[1])
	}
	return text
}

// command returns a command of this program in an environment of the
// demonstration's own.
func (d *demo) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(d.ctx, d.exe, args...)
	cmd.Args[0] = "aivault"
	cmd.Dir = d.dir
	cmd.Env = append(strangersEnv(), "AIVAULT_DIR="+filepath.Join(d.dir, "vault"), "HOME="+d.dir, "AIVAULTD_DISABLE=1")
	return cmd
}

// strangersEnv is our environment without what has to do with the user's own
// vault, its key among them, for programs whose business that is not.
func strangersEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AIVAULT") })
}
