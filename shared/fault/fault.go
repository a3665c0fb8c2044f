// Package fault classifies errors. A fault has a kind that decides what happens next, a stable slug
// that clients may match on, and a detail that is safe to show. Package api renders a fault as an
// RFC 9457 document; package function decides by its kind what happens to a message. Each logs the
// cause once.
package fault

import (
	"errors"
	"maps"
	"time"
)

// Kind decides what happens to failed work. A Kind is an error, so that errors.Is(err,
// fault.Conflict) tests for it.
type Kind string

// The kinds, each with its HTTP status and what a queue does with the message.
const (
	Duplicate          Kind = "duplicate"             // handled before: the stored answer again; acknowledged
	Malformed          Kind = "malformed"             // 400: unreadable; permanent
	Invalid            Kind = "invalid"               // 422: readable, but breaks a rule; permanent
	Unauthenticated    Kind = "unauthenticated"       // 401: unknown caller; permanent
	Forbidden          Kind = "forbidden"             // 403: known caller, not allowed; permanent
	NotFound           Kind = "not-found"             // 404: absent, or another caller's; permanent
	TooLarge           Kind = "too-large"             // 413
	WrongMethod        Kind = "wrong-method"          // 405
	WrongMedia         Kind = "wrong-media"           // 415
	Conflict           Kind = "conflict"              // 409: a concurrent change, or the state forbids it; retried
	PreconditionFailed Kind = "precondition-failed"   // 412: If-Match or If-None-Match does not hold
	PreconditionNeeded Kind = "precondition-required" // 428: the request must carry If-Match or If-None-Match
	Throttled          Kind = "throttled"             // 429: later; retried
	Unavailable        Kind = "unavailable"           // 503: later; retried
	Internal           Kind = "internal"              // 500: a bug or unknown; retried, then the dead-letter queue
)

// Error returns the kind's name.
func (k Kind) Error() string { return string(k) }

// Permanent reports whether a retry of the same work can never succeed.
func (k Kind) Permanent() bool {
	switch k {
	case Malformed, Invalid, Unauthenticated, Forbidden, NotFound, TooLarge, WrongMethod, WrongMedia,
		PreconditionFailed, PreconditionNeeded:
		return true
	}
	return false
}

// Later reports whether the work is valid and can succeed at a later time.
func (k Kind) Later() bool { return k == Throttled || k == Unavailable }

// Problem is one broken rule and its place: in a body the JSON pointer (RFC 6901, as in
// "/lines/0/quantity"), otherwise the name of the header, query or path parameter.
type Problem struct {
	Detail    string
	Pointer   string
	Parameter string
}

// Fault is an error with a kind.
type Fault struct {
	Kind       Kind
	Slug       string         // stable: it becomes the problem's type and never changes its meaning
	Detail     string         // for the caller; never contains a cause, a secret or personal data
	Problems   []Problem      // the rules broken, for Malformed and Invalid
	RetryAfter time.Duration  // how long to wait, for Throttled and Unavailable; 0: unknown
	Current    map[string]any // what is true now, by name, if the request assumed something else
	cause      error
}

// New declares a fault. It belongs beside its rule.
func New(kind Kind, slug, detail string) *Fault {
	return &Fault{Kind: kind, Slug: slug, Detail: detail}
}

// Error returns the slug, the detail and the cause, for logs and not for callers.
func (f *Fault) Error() string {
	text := f.Slug + ": " + f.Detail
	for _, p := range f.Problems {
		text += "; " + p.Pointer + p.Parameter + " " + p.Detail
	}
	if f.cause != nil {
		text += ": " + f.cause.Error()
	}
	return text
}

// Unwrap returns the cause, or nil.
func (f *Fault) Unwrap() error { return f.cause }

// Is reports whether target is this fault's kind, or a fault with the same slug.
func (f *Fault) Is(target error) bool {
	switch t := target.(type) {
	case Kind:
		return f.Kind == t
	case *Fault:
		return f.Slug == t.Slug
	}
	return false
}

// Because returns a copy of f with a cause, which only the log shows.
func (f *Fault) Because(cause error) *Fault {
	c := *f
	c.cause = cause
	return &c
}

// With returns a copy of f with another detail, which says more than that of all faults with the slug.
func (f *Fault) With(detail string) *Fault {
	c := *f
	c.Detail = detail
	return &c
}

// Now returns a copy of f that says one more thing that is true now, such as the total of the order.
func (f *Fault) Now(name string, value any) *Fault {
	c := *f
	c.Current = maps.Clone(f.Current)
	if c.Current == nil {
		c.Current = map[string]any{}
	}
	c.Current[name] = value
	return &c
}

// At returns a copy of f with one more broken rule, at a JSON pointer in the request's body.
func (f *Fault) At(pointer, detail string) *Fault {
	return f.with(Problem{Pointer: pointer, Detail: detail})
}

// In returns a copy of f with one more broken rule, in a header, query or path parameter.
func (f *Fault) In(parameter, detail string) *Fault {
	return f.with(Problem{Parameter: parameter, Detail: detail})
}

func (f *Fault) with(p Problem) *Fault {
	c := *f
	c.Problems = append(append([]Problem(nil), f.Problems...), p)
	return &c
}

// After returns a copy of f that asks the caller to wait for d.
func (f *Fault) After(d time.Duration) *Fault {
	c := *f
	c.RetryAfter = d
	return &c
}

// Retry calls do until it does not return a Conflict, at most the given number of times, and
// returns the last error. It does not wait. do must load its data itself, so that each call sees
// what others wrote.
func Retry(times int, do func() error) error {
	err := do()
	for range times - 1 {
		if !errors.Is(err, Conflict) {
			return err
		}
		err = do()
	}
	return err
}

// KindOf returns the kind of err: Internal for an error without a kind, empty for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Kind
	}
	if k, ok := errors.AsType[Kind](err); ok {
		return k
	}
	return Internal
}
