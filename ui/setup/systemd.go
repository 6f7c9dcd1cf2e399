package setup

import (
	"context"
	"fmt"

	"aivault/keys/fault"
)

// A Service is a daemon in shared mode that the system starts.
type Service struct {
	Owner   User   // of the vault, as whom it runs
	Program string // the path of aivault
	Dir     string // AIVAULT_DIR; empty: the vault in the owner's home directory
}

const unitName = "aivaultd-shared.service"

// Systemd plans for a unit that starts the daemon with the system. It is done as
// root. With dry, it is planned where systemd does not run, too.
func (h *Host) Systemd(ctx context.Context, s Service, dry bool) (Plan, error) {
	switch {
	case h.OS != "linux":
		return Plan{}, fault.New(fault.InvalidRequest, "there is no systemd on %s", h.OS)
	case !dry && !h.runsSystemd():
		return Plan{}, fault.New(fault.InvalidRequest, "this system does not run systemd").
			WithHint("have %s start the daemon: aivault daemon --shared", s.Owner.Name)
	}
	unit, err := s.unit()
	if err != nil {
		return Plan{}, err
	}
	if err := h.checkProgram(s.Program, s.Owner); err != nil {
		return Plan{}, err
	}
	gid, ok, err := h.Group(Group)
	if err != nil {
		return Plan{}, fault.Wrap(fault.IO, err, "looking for group %s", Group)
	}
	if !ok {
		gid = -1
	}
	if _, err := h.socketDirStep(linuxDir, s.Owner, gid); err != nil {
		return Plan{}, err // systemd would take somebody else's, too
	}
	file, err := h.fileStep("the unit is installed", File{Path: "/etc/systemd/system/" + unitName, Mode: 0o644, Content: unit})
	if err != nil {
		return Plan{}, err
	}
	enabled, active := h.succeeds(ctx, "systemctl", "is-enabled", "--quiet", unitName), h.succeeds(ctx, "systemctl", "is-active", "--quiet", unitName)
	steps := []Step{
		h.groupStep(gid), file,
		{What: "systemd has read the unit", Done: file.Done && enabled, Argv: []string{"systemctl", "daemon-reload"}},
		{What: "the daemon runs, and starts with the system", Done: enabled && active, Argv: []string{"systemctl", "enable", "--now", unitName}},
	}
	if active && !file.Done {
		steps = append(steps, Step{What: "the daemon runs by the new settings", Argv: []string{"systemctl", "restart", unitName}})
	}
	return Plan{Steps: steps, Notes: []string{
		fmt.Sprintf("`systemctl status %s` shows how it is, `journalctl -u %s` what it said", unitName, unitName),
		"agents reach it after `sudo aivault setup agent-access --agent-user USER --workspace-id ID`",
	}}, nil
}

// succeeds runs a command that only looks, where there is systemd.
func (h *Host) succeeds(ctx context.Context, argv ...string) bool {
	if !h.runsSystemd() {
		return false
	}
	out, err := h.Run(ctx, Command{Argv: argv})
	return err == nil && out.Status == 0
}

// unit returns the text of the unit.
func (s *Service) unit() (string, error) {
	data, environment := "-"+s.Owner.Home+"/.aivault", ""
	if err := checkPath("the home directory", s.Owner.Home); err != nil {
		return "", err
	}
	if s.Dir != "" {
		if err := checkPath("the vault", s.Dir); err != nil {
			return "", err
		}
		data, environment = "-"+s.Dir, "Environment=AIVAULT_DIR="+s.Dir+"\n"
	}
	return fmt.Sprintf(unitText, mark, s.Owner.Name, Group, s.Program, environment, dirMode, data), nil
}

// unitText is the unit. The daemon may write to its vault and its socket's
// directory, and talk to the network; it needs nothing else of the system. A key
// must end neither in a core dump nor in swap, for which it locks memory. One that
// its owner ended, as for an update, is started again.
const unitText = `# %s systemd. To change it: systemctl edit aivaultd-shared
[Unit]
Description=aivault, calls for other users
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
User=%s
Group=%s
ExecStart=%s daemon --shared
%sRestart=always
RestartSec=3
TimeoutStopSec=20

RuntimeDirectory=aivault
RuntimeDirectoryMode=%s
RuntimeDirectoryPreserve=yes
ReadWritePaths=%s
UMask=0077

LimitCORE=0
LimitMEMLOCK=64M
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
