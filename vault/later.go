package vault

import "context"

func (l *Local) SetPolicy(context.Context, Policy, IfRevision) (Policy, error) { panic("wall") }
func (l *Local) Exclusive(context.Context, string) (func(), error)             { panic("wall") }
func (l *Local) Reopen(context.Context, uint64, Use) (Value, Renewal, error)   { panic("wall") }
func (l *Local) BeginRenewal(context.Context, uint64, Use, uint64) error       { panic("wall") }
func (l *Local) EndRenewal(context.Context, uint64, Use, RenewalEnd) error     { panic("wall") }
func (l *Local) VerifyAudit(context.Context) (AuditState, error)               { panic("wall") }
func (r reader) Policy(string) (*Policy, error)                                { return nil, nil }
func (r reader) Policies() ([]*Policy, error)                                  { return nil, nil }
