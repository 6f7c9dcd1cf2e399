package app

import (
	"context"
	"io"
)

// WhileRead returns a context that ends with its parent, and a function that
// ends it: here, that nobody reads an output any more shows when it is written.
func WhileRead(parent context.Context, _ io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	return ctx, cancel
}
