// Package remedy gives errors their next step: what went wrong, then the command that leads on.
package remedy

import "errors"

// An Error is a cause with the step that leads on from it.
type Error struct {
	Cause error
	Next  string // a command, or one sentence
}

func (e *Error) Error() string { return e.Cause.Error() }

func (e *Error) Unwrap() error { return e.Cause }

// For attaches a next step to a cause. It returns nil for a nil cause, and leaves a cause alone that already has one:
// the place closest to the failure knows best.
func For(cause error, next string) error {
	if cause == nil {
		return nil
	}
	if Next(cause) != "" {
		return cause
	}
	return &Error{Cause: cause, Next: next}
}

// Next returns the step that err names, or "".
func Next(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Next
	}
	return ""
}
