package vault

import "context"

func (l *Local) Flush(context.Context) error { return nil }
