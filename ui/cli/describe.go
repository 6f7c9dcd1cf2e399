package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/ui/app"
	"aivault/vault"
)

func newCapabilityDescribe(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:                   "describe ID",
		Aliases:               []string{"args", "shape", "inspect"},
		Short:                 "tell how to use a capability",
		Long:                  `Tells what a capability allows, how to call it, and which secret makes it ready.`,
		Example:               "aivault capability describe openai/chat-completions",
		DisableFlagsInUseLine: true,
		Args:                  oneArg("capability's id"),
		RunE: sh.run(func(ctx context.Context, be app.Backend, args []string) error {
			d, err := be.Describe(ctx, args[0])
			if err != nil {
				return err
			}
			p, err := be.Policy(ctx, d.ID)
			if err != nil {
				return err
			}
			if sh.out.json {
				return sh.out.printJSON(toDescription(d, p))
			}
			sh.printDescription(d, p)
			return nil
		}),
	}
}

// descriptionJSON is the documented shape of a description.
type descriptionJSON struct {
	Capability string     `json:"capability"`
	Provider   string     `json:"provider"`
	Setup      *setupJSON `json:"setup"`
	Allowed    allowJSON  `json:"allowed"`
	Call       callJSON   `json:"call"`

	Description string     `json:"description,omitempty"` // ours, as what follows
	DocsURL     string     `json:"docsUrl,omitempty"`
	Ready       bool       `json:"ready"`
	Policy      limitsJSON `json:"policy"`
	OpaqueBody  bool       `json:"opaqueBody,omitempty"` // it may name operations or addresses of its own

	Except       []string        `json:"exceptPathPrefixes,omitempty"`
	EncodedSlash bool            `json:"encodedSlash,omitempty"`
	NeedsHost    string          `json:"needsHost,omitempty"` // a pattern: a credential names a host under it
	OtherHosts   []otherHostJSON `json:"otherHosts,omitempty"`
}

type otherHostJSON struct {
	Host        string `json:"host"`
	Description string `json:"description"`
}

type setupJSON struct {
	RequiredSecrets map[string]string `json:"requiredSecrets"` // name to placeholder
	Commands        []string          `json:"commands"`
	Note            string            `json:"note"`
}

type callJSON struct {
	Required     []string     `json:"requiredFlagsWhenNoRequestPayload"`
	Defaults     defaultsJSON `json:"defaults"`
	Optional     []string     `json:"optionalFlags"`
	PayloadModes []string     `json:"payloadModes"`
	HowTo        howToJSON    `json:"howTo"`
}

type defaultsJSON struct {
	Method *string `json:"method"`
	Path   *string `json:"path"`
}

type howToJSON struct {
	Notes     []string      `json:"notes"`
	Examples  []exampleJSON `json:"examples"`
	Templates templatesJSON `json:"templates"`
}

type exampleJSON struct {
	Title   string `json:"title"`
	Command string `json:"command"`
}

type templatesJSON struct {
	Request  requestJSON  `json:"request"`
	Envelope envelopeJSON `json:"envelope"`
}

type requestJSON struct {
	Method  string       `json:"method"`
	Path    string       `json:"path"`
	Headers []headerJSON `json:"headers"`
}

type headerJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type envelopeJSON struct {
	Capability string      `json:"capability"`
	Request    requestJSON `json:"request"`
}

func toDescription(d *broker.Description, p vault.Policy) descriptionJSON {
	method, path := d.Suggestion()
	request := requestJSON{Method: method, Path: path, Headers: []headerJSON{}}
	call := callJSON{
		Required: []string{},
		Defaults: defaultsJSON{orNull(d.Method), orNull(d.Path)},
		Optional: []string{
			"--method", "--path", "--header", "--body", "--body-file-path", "--multipart-field", "--multipart-file", "--stream", "--dry-run", "--fail",
			"--timeout-ms", "--credential", "--workspace-id", "--group-id", "--consumer", "--client-ip",
		},
		PayloadModes: []string{"--request JSON", "--request-file PATH"},
		HowTo: howToJSON{
			Notes: []string{
				"the host and the authentication are added by the broker and cannot be given",
				"a body that is JSON gets its content type",
				"without --method, a call with a body is a POST and one without a GET",
			},
			Examples:  examples(d),
			Templates: templatesJSON{request, envelopeJSON{d.ID, request}},
		},
	}
	if d.Method == "" && !slices.Contains(d.Allow.Methods, "GET") { // what a call without a body is
		call.Required = append(call.Required, "--method")
	}
	if d.Path == "" {
		call.Required = append(call.Required, "--path")
	}
	return descriptionJSON{
		Capability: d.ID, Provider: d.Provider, Setup: toSetup(d), Allowed: toAllow(d.Allow), Call: call,
		Description: d.Description, DocsURL: d.DocsURL, Ready: d.Ready, Policy: toLimits(p), OpaqueBody: d.OpaqueBody,
		Except: d.Except, EncodedSlash: d.EncodedSlash, NeedsHost: d.NeedsHost,
		OtherHosts: mapTo(d.OtherHosts, func(o broker.OtherHost) otherHostJSON { return otherHostJSON(o) }),
	}
}

// toSetup tells which secrets make the capability ready, or nil where that is not
// for the registry to say. Of several ways it is the first.
func toSetup(d *broker.Description) *setupJSON {
	if len(d.SecretNames) == 0 {
		return nil
	}
	out := &setupJSON{
		RequiredSecrets: map[string]string{},
		Note:            "store each secret in the same scope; the credential is made by itself",
	}
	if d.NeedsHost != "" {
		out.Note = "make a credential of the secret, which names your host under " + d.NeedsHost
	}
	for _, slot := range d.Slots {
		name := slot.Name
		if !slices.Contains(d.SecretNames[0], name) {
			continue
		}
		out.RequiredSecrets[name] = slot.Placeholder
		if slot.Login {
			out.Commands = append(out.Commands, "aivault oauth login --provider "+d.Provider+" --client-id ID")
			continue
		}
		out.Commands = append(out.Commands, "aivault secrets create --name "+name)
	}
	if d.NeedsHost != "" {
		out.Commands = append(out.Commands, "aivault credential create my-"+d.Provider+" --provider "+d.Provider+
			" --secret-ref ID --host "+strings.Replace(d.NeedsHost, "*", "YOURS", 1))
	}
	return out
}

// opaquePart is the part of a request that says what is done, where paths do not.
func opaquePart(d *broker.Description) string {
	if slices.Equal(d.Allow.Methods, []string{"GET"}) {
		return "Query"
	}
	return "Body"
}

func (sh *shell) printDescription(d *broker.Description, p vault.Policy) {
	ready := cell{"yes", green}
	if !d.Ready {
		ready = cell{"no", yellow}
	}
	rows := [][]cell{
		{{d.ID, bold}},
		{{"  Provider:", plain}, {d.ProviderName, plain}},
	}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, cells("  "+name+":", value))
		}
	}
	add("What", d.Description)
	hosts := d.Allow.Hosts[:max(0, len(d.Allow.Hosts)-len(d.OtherHosts))]
	if d.NeedsHost != "" {
		hosts = []string{d.NeedsHost + ", of which a credential names one"}
	}
	add("Host", strings.Join(hosts, ", "))
	for _, o := range d.OtherHosts {
		add("or", o.Host+": "+o.Description)
	}
	add("Methods", strings.Join(d.Allow.Methods, ", "))
	list := func(name string, lines []string) {
		for _, line := range lines {
			rows = append(rows, cells(name, line))
			name = ""
		}
	}
	list("  Paths:", mapTo(d.Allow.Paths, func(path string) string {
		if slices.Contains(d.RawPaths, path) {
			path += "..."
		}
		return path
	}))
	list("  But not:", d.Except)
	if d.EncodedSlash {
		add("Slashes", "a name in the path may have some, as %2F")
	}
	add("Headers", strings.Join(d.Allow.Headers, ", "))
	list("  Limits:", policyLines(p))
	if d.OpaqueBody {
		add(opaquePart(d), "says itself what is done; the paths do not limit that")
	}
	rows = append(rows, []cell{{"  Ready:", plain}, ready})
	for i, names := range d.SecretNames {
		label := "Secret"
		if i > 0 {
			label = "or"
		}
		add(label, strings.Join(names, " and "))
	}
	add("Docs", d.DocsURL)
	sh.out.table(rows)
	sh.out.printf("")
	if s := toSetup(d); s != nil && !d.Ready {
		for _, command := range s.Commands {
			sh.out.printf("  %s", command)
		}
	}
	for _, e := range examples(d) {
		sh.out.printf("%s", foldCommand("  "+e.Command, " \\"))
	}
}
