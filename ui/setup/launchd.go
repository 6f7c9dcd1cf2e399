package setup

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"aivault/keys/fault"
)

const agentLabel = "com.aivault.aivaultd.shared"

// Launchd plans for an agent of launchd that starts the daemon when its owner
// logs in, when the keyring is there, too. It is done as the owner. With dry, it
// is planned on any system.
func (h *Host) Launchd(ctx context.Context, s Service, dry bool) (Plan, error) {
	switch {
	case h.OS != "darwin" && !dry:
		return Plan{}, fault.New(fault.InvalidRequest, "there is no launchd on %s", h.OS).
			WithHint("on Linux: aivault setup systemd; --dry-run shows what would be done on macOS")
	case s.Owner.UID == 0 && !dry:
		return Plan{}, fault.New(fault.InvalidRequest, "an agent of launchd belongs to the user whose vault it is, not to root").
			WithHint("run it as that user, without sudo")
	}
	text, err := s.agent()
	if err != nil {
		return Plan{}, err
	}
	dir, domain := s.Owner.Home+"/Library/LaunchAgents", fmt.Sprintf("gui/%d", s.Owner.UID)
	path, service := dir+"/"+agentLabel+".plist", domain+"/"+agentLabel
	file, err := h.fileStep("the agent is installed", File{Path: path, Mode: 0o644, Content: text})
	if err != nil {
		return Plan{}, err
	}
	made := Step{What: dir + " exists", Argv: []string{"mkdir", "-p", dir}}
	st, err := h.Stat(h.Base + dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Plan{}, fault.Wrap(fault.IO, fault.WithoutPath(err), "looking at %s", dir)
	}
	made.Done = err == nil && st.Mode.IsDir()
	loaded := h.OS == "darwin" && h.loaded(ctx, service)
	steps := []Step{made, file}
	if loaded && !file.Done {
		steps = append(steps, Step{What: "launchd has forgotten the old agent", Argv: []string{"launchctl", "bootout", service}})
		loaded = false
	}
	steps = append(steps,
		Step{What: "the agent may be started", Done: loaded, Argv: []string{"launchctl", "enable", service}},
		Step{What: "launchd knows the agent, and starts it at each login", Done: loaded, Argv: []string{"launchctl", "bootstrap", domain, path}},
		Step{What: "the daemon runs", Done: loaded, Argv: []string{"launchctl", "kickstart", service}})
	return Plan{Steps: steps, Notes: []string{
		"agents reach it after `sudo aivault setup agent-access --agent-user USER --workspace-id ID`",
	}}, nil
}

// loaded reports whether launchd knows a service.
func (h *Host) loaded(ctx context.Context, service string) bool {
	out, err := h.Run(ctx, Command{Argv: []string{"launchctl", "print", service}})
	return err == nil && out.Status == 0
}

// agent returns the text of the agent.
func (s *Service) agent() (string, error) {
	var b strings.Builder
	element := func(indent, name, text string) {
		b.WriteString(indent + "<" + name + ">")
		_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
		b.WriteString("</" + name + ">\n")
	}
	for what, path := range map[string]string{"the program": s.Program, "the home directory": s.Owner.Home, "the vault": s.Dir} {
		if !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
			return "", fault.New(fault.InvalidRequest, "the path of %s, %.200q, cannot stand in the settings of a service", what, path)
		}
	}
	b.WriteString(xml.Header)
	b.WriteString("<!-- " + mark + " launchd -->\n")
	b.WriteString(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n")
	b.WriteString("<plist version=\"1.0\">\n<dict>\n")
	element("  ", "key", "Label")
	element("  ", "string", agentLabel)
	element("  ", "key", "ProgramArguments")
	b.WriteString("  <array>\n")
	for _, arg := range []string{s.Program, "daemon", "--shared"} {
		element("    ", "string", arg)
	}
	b.WriteString("  </array>\n")
	if s.Dir != "" {
		element("  ", "key", "EnvironmentVariables")
		b.WriteString("  <dict>\n")
		element("    ", "key", "AIVAULT_DIR")
		element("    ", "string", s.Dir)
		b.WriteString("  </dict>\n")
	}
	b.WriteString(agentRest)
	element("  ", "string", s.Owner.Home+"/Library/Logs/aivaultd.log")
	b.WriteString("</dict>\n</plist>\n")
	return b.String(), nil
}

// agentRest is what is the same in every agent: it runs from login on, is
// started again whenever it ended, and leaves no core dump.
const agentRest = `  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>HardResourceLimits</key>
  <dict>
    <key>Core</key>
    <integer>0</integer>
  </dict>
  <key>StandardErrorPath</key>
`
