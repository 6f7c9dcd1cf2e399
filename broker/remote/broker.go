package remote

import (
	"context"

	"aivault/broker"
	"aivault/broker/internal/rpc"
	"aivault/vault"
)

// The methods of broker.Service but for calls and logins, see call.go.

// Preview implements broker.Service.
func (c *Client) Preview(ctx context.Context, call broker.Call) (*broker.Preview, error) {
	return ask(ctx, c, c.table.Preview, call)
}

// Explain implements broker.Service.
func (c *Client) Explain(ctx context.Context, capability string, in vault.Context, credential string) (*broker.Ladder, error) {
	return ask(ctx, c, c.table.Explain, rpc.Three[string, vault.Context, string]{A: capability, B: in, C: credential})
}

// CreateCredential implements broker.Service.
func (c *Client) CreateCredential(ctx context.Context, n broker.NewCredential) (broker.Credential, error) {
	return ask(ctx, c, c.table.CreateCredential, n)
}

// CheckCredential implements broker.Service.
func (c *Client) CheckCredential(ctx context.Context, n broker.NewCredential) (broker.Draft, error) {
	return ask(ctx, c, c.table.CheckCredential, n)
}

// Credentials implements broker.Service.
func (c *Client) Credentials(ctx context.Context) ([]broker.Credential, error) {
	return ask(ctx, c, c.table.Credentials, rpc.None{})
}

// Accounts implements broker.Service.
func (c *Client) Accounts(ctx context.Context) ([]broker.Account, error) {
	return ask(ctx, c, c.table.Accounts, rpc.None{})
}

// DeleteCredential implements broker.Service.
func (c *Client) DeleteCredential(ctx context.Context, id string) (bool, error) {
	return ask(ctx, c, c.table.DeleteCredential, id)
}

// CreateCapability implements broker.Service.
func (c *Client) CreateCapability(ctx context.Context, n broker.NewCapability) (broker.Capability, error) {
	return ask(ctx, c, c.table.CreateCapability, n)
}

// CheckCapability implements broker.Service.
func (c *Client) CheckCapability(ctx context.Context, n broker.NewCapability) (broker.Capability, error) {
	return ask(ctx, c, c.table.CheckCapability, n)
}

// Capabilities implements broker.Service.
func (c *Client) Capabilities(ctx context.Context) ([]broker.Capability, error) {
	return ask(ctx, c, c.table.Capabilities, rpc.None{})
}

// Describe implements broker.Service.
func (c *Client) Describe(ctx context.Context, id string) (*broker.Description, error) {
	return ask(ctx, c, c.table.Describe, id)
}

// DeleteCapability implements broker.Service.
func (c *Client) DeleteCapability(ctx context.Context, id string) (vault.RemovedCapability, error) {
	return ask(ctx, c, c.table.DeleteCapability, id)
}

// SetPolicy implements broker.Service.
func (c *Client) SetPolicy(ctx context.Context, p vault.Policy, rev vault.IfRevision) (vault.Policy, error) {
	return ask(ctx, c, c.table.SetPolicy, rpc.Two[vault.Policy, vault.IfRevision]{A: p, B: rev})
}

// Policy implements broker.Service.
func (c *Client) Policy(ctx context.Context, capability string) (vault.Policy, error) {
	return ask(ctx, c, c.table.Policy, capability)
}

// Policies implements broker.Service.
func (c *Client) Policies(ctx context.Context) ([]vault.Policy, error) {
	return ask(ctx, c, c.table.Policies, rpc.None{})
}

// Bind implements broker.Service.
func (c *Client) Bind(ctx context.Context, b broker.NewBinding) (broker.Binding, error) {
	return ask(ctx, c, c.table.Bind, b)
}

// Unbind implements broker.Service.
func (c *Client) Unbind(ctx context.Context, capability string, scope vault.Scope, consumer string) (bool, error) {
	return ask(ctx, c, c.table.Unbind, rpc.Three[string, vault.Scope, string]{A: capability, B: scope, C: consumer})
}

// Bindings implements broker.Service.
func (c *Client) Bindings(ctx context.Context, capability string) ([]broker.Binding, error) {
	return ask(ctx, c, c.table.Bindings, capability)
}

// Providers implements broker.Service.
func (c *Client) Providers(ctx context.Context) ([]broker.Provider, error) {
	return ask(ctx, c, c.table.Providers, rpc.None{})
}

// CheckProvider implements broker.Service.
func (c *Client) CheckProvider(ctx context.Context, definition []byte) (broker.ProviderChange, error) {
	return ask(ctx, c, c.table.CheckProvider, definition)
}

// AddProvider implements broker.Service.
func (c *Client) AddProvider(ctx context.Context, definition []byte) (broker.ProviderChange, error) {
	return ask(ctx, c, c.table.AddProvider, definition)
}

// RemoveProvider implements broker.Service.
func (c *Client) RemoveProvider(ctx context.Context, id string) (bool, error) {
	return ask(ctx, c, c.table.RemoveProvider, id)
}

// Provisioned implements broker.Service.
func (c *Client) Provisioned(ctx context.Context, s vault.Secret) (*broker.Provision, error) {
	return ask(ctx, c, c.table.Provisioned, s)
}

// Claim implements broker.Service.
func (c *Client) Claim(ctx context.Context, name string, scope vault.Scope) (broker.Claim, error) {
	return ask(ctx, c, c.table.Claim, rpc.Two[string, vault.Scope]{A: name, B: scope})
}

// Uses implements broker.Service.
func (c *Client) Uses(ctx context.Context, secret vault.ID) (broker.Uses, error) {
	return ask(ctx, c, c.table.Uses, secret)
}

// Effects implements broker.Service.
func (c *Client) Effects(ctx context.Context, change broker.Change) ([]broker.Effect, error) {
	return ask(ctx, c, c.table.Effects, change)
}
