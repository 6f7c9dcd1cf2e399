package rpc

import (
	"context"

	"aivault/broker"
	"aivault/vault"
)

// brokerMethods are those of broker.Service.
type brokerMethods struct {
	Invoke           *Method[broker.Call, *broker.Answer]
	Stream           *Method[Two[broker.Call, bool], *broker.Answer] // whether the client wants to know how far the call is
	Preview          *Method[broker.Call, *broker.Preview]
	Login            *Method[broker.Login, vault.Secret]
	Explain          *Method[Three[string, vault.Context, string], *broker.Ladder]
	CreateCredential *Method[broker.NewCredential, broker.Credential]
	CheckCredential  *Method[broker.NewCredential, broker.Draft]
	Credentials      *Method[None, []broker.Credential]
	Accounts         *Method[None, []broker.Account]
	DeleteCredential *Method[string, bool]
	CreateCapability *Method[broker.NewCapability, broker.Capability]
	CheckCapability  *Method[broker.NewCapability, broker.Capability]
	Capabilities     *Method[None, []broker.Capability]
	Describe         *Method[string, *broker.Description]
	DeleteCapability *Method[string, vault.RemovedCapability]
	SetPolicy        *Method[Two[vault.Policy, vault.IfRevision], vault.Policy]
	Policy           *Method[string, vault.Policy]
	Policies         *Method[None, []vault.Policy]
	Bind             *Method[broker.NewBinding, broker.Binding]
	Unbind           *Method[Three[string, vault.Scope, string], bool]
	Bindings         *Method[string, []broker.Binding]
	Providers        *Method[None, []broker.Provider]
	CheckProvider    *Method[[]byte, broker.ProviderChange]
	AddProvider      *Method[[]byte, broker.ProviderChange]
	RemoveProvider   *Method[string, bool]
	Provisioned      *Method[vault.Secret, *broker.Provision]
	Claim            *Method[Two[string, vault.Scope], broker.Claim]
	Uses             *Method[vault.ID, broker.Uses]
	Effects          *Method[broker.Change, []broker.Effect]
}

func newBrokerMethods(b *builder) brokerMethods {
	return brokerMethods{
		Invoke:           add(b, Calls, "Invoke", invoke).large(),
		Stream:           add(b, Calls, "Stream", stream).large(),
		Preview:          add1(b, Reads, "Preview", Backend.Preview).large(),
		Login:            add(b, Writes, "Login", login),
		Explain:          add3(b, Reads, "Explain", Backend.Explain),
		CreateCredential: add1(b, Writes, "CreateCredential", Backend.CreateCredential),
		CheckCredential:  add1(b, Reads, "CheckCredential", Backend.CheckCredential),
		Credentials:      add0(b, Reads, "Credentials", Backend.Credentials),
		Accounts:         add0(b, Reads, "Accounts", Backend.Accounts),
		DeleteCredential: add1(b, Writes, "DeleteCredential", Backend.DeleteCredential),
		CreateCapability: add1(b, Writes, "CreateCapability", Backend.CreateCapability),
		CheckCapability:  add1(b, Reads, "CheckCapability", Backend.CheckCapability),
		Capabilities:     add0(b, Reads, "Capabilities", Backend.Capabilities),
		Describe:         add1(b, Reads, "Describe", Backend.Describe),
		DeleteCapability: add1(b, Writes, "DeleteCapability", Backend.DeleteCapability),
		SetPolicy:        add2(b, Writes, "SetPolicy", Backend.SetPolicy),
		Policy:           add1(b, Reads, "Policy", Backend.Policy),
		Policies:         add0(b, Reads, "Policies", Backend.Policies),
		Bind:             add1(b, Writes, "Bind", Backend.Bind),
		Unbind:           add3(b, Writes, "Unbind", Backend.Unbind),
		Bindings:         add1(b, Reads, "Bindings", Backend.Bindings),
		Providers:        add0(b, Reads, "Providers", Backend.Providers),
		CheckProvider:    add1(b, Reads, "CheckProvider", Backend.CheckProvider).large(),
		AddProvider:      add1(b, Writes, "AddProvider", Backend.AddProvider).large(),
		RemoveProvider:   add1(b, Writes, "RemoveProvider", Backend.RemoveProvider),
		Provisioned:      add1(b, Reads, "Provisioned", Backend.Provisioned),
		Claim:            add2(b, Reads, "Claim", Backend.Claim),
		Uses:             add1(b, Reads, "Uses", Backend.Uses),
		Effects:          add1(b, Reads, "Effects", Backend.Effects).large(),
	}
}

// A quiet sink does not want to know how far the call is.
type quiet struct{ broker.Sink }

// invoke hands the answer over in pieces, so that a long one is not in memory as
// a whole on this side; the client puts it together.
func invoke(ctx context.Context, b Backend, call broker.Call, out Out) (*broker.Answer, error) {
	return b.Stream(ctx, call, quiet{out})
}

func stream(ctx context.Context, b Backend, args Two[broker.Call, bool], out Out) (*broker.Answer, error) {
	out.AtOnce()
	if args.B {
		return b.Stream(ctx, args.A, out)
	}
	return b.Stream(ctx, args.A, quiet{out})
}

func login(ctx context.Context, b Backend, l broker.Login, out Out) (vault.Secret, error) {
	l.Open = out.Ask
	return b.Login(ctx, l)
}
