// Package remedy adds a next step to errors: the command or the check that helps after the failure.
package remedy

import (
	"errors"
	"io"
	"strings"

	"backroom/shared/ops/terminal"
)

// An Error is a cause with its next step.
type Error struct {
	Cause error
	Next  string // a command, or one sentence
}

func (e *Error) Error() string { return e.Cause.Error() }

func (e *Error) Unwrap() error { return e.Cause }

// For adds a next step to a cause. It returns nil for a nil cause. A cause that has a next step
// keeps it, because the code closest to the failure knows most.
func For(cause error, next string) error {
	if cause == nil {
		return nil
	}
	if Next(cause) != "" {
		return cause
	}
	return &Error{Cause: cause, Next: next}
}

// Next returns the next step of err, or "".
func Next(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Next
	}
	return ""
}

// Print writes err and its next step for an operator, escaped. Further lines of err are indented, so that text
// inside it cannot pass for a next step.
func Print(w io.Writer, err error) {
	terminal.Fprintf(w, "\n%s\n", terminal.Lines(strings.ReplaceAll(err.Error(), "\n", "\n  ")))
	if next := Next(err); next != "" {
		terminal.Fprintf(w, "next: %s\n", next)
	}
}
