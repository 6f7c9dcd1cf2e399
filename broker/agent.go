package broker

import (
	"context"
	"slices"

	"aivault/keys/fault"
	"aivault/vault"
)

// An agent is another user than the vault's owner, who makes calls through a
// broker that runs for the owner. It calls in the contexts that were granted to
// it. What it is told of a call in another one does not depend on what there is;
// of one in its own, it is not told what only other contexts see, or how the
// vault is kept.

// agentOf returns the agent who makes a call; nil for the vault's owner.
func agentOf(ctx context.Context) *vault.Caller {
	if c, ok := vault.CallerOf(ctx); ok && c.Agent {
		return &c
	}
	return nil
}

// checkGrant refuses an agent a context that was not granted to it.
func (p *plan) checkGrant(r vault.Reader) error {
	if p.agent == nil {
		return nil
	}
	c := p.call.Context
	granted, err := r.Granted(p.agent.UID, c)
	if granted || err != nil {
		return err
	}
	where, flags := "outside of a workspace", " with the workspace that it is for"
	if c.Workspace != "" {
		where, flags = "in workspace "+c.Workspace, " --workspace-id "+c.Workspace
	}
	if c.Group != "" {
		where, flags = where+", group "+c.Group, flags+" --group-id "+c.Group
	}
	return fault.New(fault.PolicyViolation, "user %d may not call %s", p.agent.UID, where).
		WithHint("state the context that you were given; the vault's owner gives one with `aivault setup agent-access%s`", flags)
}

// forCaller returns an error as the caller of ctx may read it. Where the vault cannot
// be used, an agent learns that, and nothing of where it is and what opens it.
func forCaller(ctx context.Context, err error) error {
	code := fault.CodeOf(err)
	if err == nil || agentOf(ctx) == nil || !slices.Contains(aboutVault(), code) {
		return err
	}
	return fault.New(code, "the vault cannot be used for this call now").
		WithHint("try again; if it stays so, tell the owner of the vault, who can see why")
}

// aboutVault are the codes of errors that are about the vault itself.
func aboutVault() []fault.Code {
	return []fault.Code{
		fault.VaultLocked, fault.KeyUnavailable, fault.WrongKey,
		fault.VaultCorrupt, fault.VaultRollback, fault.VaultNewer, fault.AuditBroken,
		fault.IO, fault.DiskFull, fault.OutcomeUnknown, fault.VaultBusy, fault.Conflict,
		fault.AuditUnavailable, fault.Internal,
	}
}
