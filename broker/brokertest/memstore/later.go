package memstore

import (
	"context"

	"aivault/vault"
)

func (s *Store) SetPolicy(context.Context, vault.Policy, vault.IfRevision) (vault.Policy, error) {
	panic("wall")
}
func (s *Store) Flush(context.Context) error                       { return nil }
func (s *Store) Exclusive(context.Context, string) (func(), error) { panic("wall") }
func (s *Store) Reopen(context.Context, uint64, vault.Use) (vault.Value, vault.Renewal, error) {
	panic("wall")
}
func (s *Store) BeginRenewal(context.Context, uint64, vault.Use, uint64) error         { panic("wall") }
func (s *Store) EndRenewal(context.Context, uint64, vault.Use, vault.RenewalEnd) error { panic("wall") }
func (r reader) Policy(string) (*vault.Policy, error)                                  { return nil, nil }
func (r reader) Policies() ([]*vault.Policy, error)                                    { return nil, nil }

func (s *Store) RotateSecret(context.Context, vault.ID, vault.Value, vault.IfRevision) (vault.Secret, error) {
	panic("wall")
}
