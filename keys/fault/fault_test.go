package fault_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
)

func TestCodeOf(t *testing.T) {
	plain := errors.New("plain")
	inner := fault.New(fault.IO, "inner")
	tests := []struct {
		name string
		err  error
		want fault.Code
	}{
		{"nil", nil, ""},
		{"plain", plain, fault.Internal},
		{"error", inner, fault.IO},
		{"wrapped by fmt", fmt.Errorf("doing: %w", inner), fault.IO},
		{"the outermost wins", fault.Wrap(fault.AuditUnavailable, inner, "outer"), fault.AuditUnavailable},
		{"joined", errors.Join(plain, inner), fault.IO},
		{"a code itself", fault.VaultBusy, fault.VaultBusy},
		{"a wrapped code", fmt.Errorf("doing: %w", fault.VaultBusy), fault.VaultBusy},
		{"canceled", fmt.Errorf("doing: %w", context.Canceled), fault.Canceled},
		{"expired", context.DeadlineExceeded, fault.Timeout},
		{"a code beats the context's", fault.Wrap(fault.KeyUnavailable, context.DeadlineExceeded, "keyring"), fault.KeyUnavailable},
	}
	for _, test := range tests {
		if got := fault.CodeOf(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestIs(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("doing: %w", fault.Wrap(fault.DiskFull, fault.Wrap(fault.IO, cause, "inner"), "outer"))
	for target, want := range map[error]bool{
		fault.DiskFull: true, fault.IO: true, cause: true, // every link of the chain
		fault.VaultBusy: false, errors.New("cause"): false,
	} {
		if got := errors.Is(err, target); got != want {
			t.Errorf("Is(%v) = %v, want %v", target, got, want)
		}
	}
}

func TestHintOf(t *testing.T) {
	hinted := fault.New(fault.IO, "inner").WithHint("try %s", "this")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"nil", nil, ""},
		{"plain", errors.New("plain"), ""},
		{"no hint", fault.New(fault.IO, "x"), ""},
		{"its own", hinted, "try this"},
		{"through fmt", fmt.Errorf("doing: %w", hinted), "try this"},
		{"the cause's", fault.Wrap(fault.Internal, fmt.Errorf("doing: %w", hinted), "outer"), "try this"},
		{"the outermost", fault.Wrap(fault.Internal, hinted, "outer").WithHint("try that"), "try that"},
		{"none below", fault.Wrap(fault.Internal, errors.New("plain"), "outer"), ""},
	}
	for _, test := range tests {
		if got := fault.HintOf(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestText(t *testing.T) {
	cause := errors.New("cause")
	tests := []struct {
		err  error
		want string
	}{
		{fault.New(fault.IO, "reading %s", "f"), "reading f"},
		{fault.Wrap(fault.IO, cause, "reading %s", "f"), "reading f: cause"},
		{&fault.Error{Code: fault.IO, Err: cause}, "cause"},
		{fault.IO, "io_error"},
	}
	for _, test := range tests {
		if got := test.err.Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestWithHintCopies(t *testing.T) {
	err := fault.New(fault.IO, "x")
	if hinted := err.WithHint("h"); err.Hint != "" || hinted.Hint != "h" || hinted.Code != fault.IO || hinted.Msg != "x" {
		t.Errorf("the hint went to %+v and %+v", err, hinted)
	}
}

// TestCodesListsEveryConstant reads the source: a code that the list lacks has
// no exit status either.
func TestCodesListsEveryConstant(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []fault.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Code" {
			return true
		}
		for _, v := range spec.Values {
			text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, fault.Code(text))
		}
		return true
	})
	if diff := cmp.Diff(fault.Codes(), declared); diff != "" {
		t.Errorf("codes (-list +declared):\n%s", diff)
	}
	seen := map[fault.Code]bool{}
	for _, c := range declared {
		if seen[c] || !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(string(c)) {
			t.Errorf("code %q occurs twice, or is no plain word", c)
		}
		seen[c] = true
	}
}
