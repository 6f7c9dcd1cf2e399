package broker

import (
	"context"

	"aivault/vault"
)

func (b *Broker) SetPolicy(context.Context, vault.Policy, vault.IfRevision) (vault.Policy, error) {
	panic("wall")
}
func (b *Broker) Policy(context.Context, string) (vault.Policy, error) { panic("wall") }
func (b *Broker) Policies(context.Context) ([]vault.Policy, error)     { panic("wall") }
func (b *Broker) Stream(context.Context, Call, Sink) (*Answer, error)  { panic("wall") }
func (b *Broker) Preview(context.Context, Call) (*Preview, error)      { panic("wall") }
func (b *Broker) Login(context.Context, Login) (vault.Secret, error)   { panic("wall") }
