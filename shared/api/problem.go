package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"backroom/shared/fault"
	"backroom/shared/identity"
)

// Problem is the answer to every request that was refused or failed (RFC 9457).
type Problem struct {
	Type      string         `json:"type" format:"uri" example:"urn:problem-type:backroom:invalid-request" doc:"what is wrong; keeps its meaning"`
	Title     string         `json:"title" doc:"the kind of problem, for people"`
	Status    int            `json:"status" doc:"the HTTP status"`
	Detail    string         `json:"detail" doc:"what to do about it, for people"`
	RequestID string         `json:"request_id" doc:"quote it when you report the problem; also in X-Request-Id"`
	Errors    []ProblemError `json:"errors,omitempty" doc:"the rules that the request breaks, as far as they were looked at"`
}

// ProblemError is one broken rule and its place: in the body, or in a parameter.
type ProblemError struct {
	Detail    string `json:"detail"`
	Pointer   string `json:"pointer,omitempty" example:"#/lines/0/quantity" doc:"the place in the body: a JSON pointer (RFC 6901) as a URI fragment"`
	Parameter string `json:"parameter,omitempty" example:"Idempotency-Key" doc:"the header, query or path parameter"`
}

// TypePrefix is what a fault's slug follows in the type of a problem.
const TypePrefix = "urn:problem-type:backroom:"

const problemMedia = "application/problem+json"

// What the edge itself answers.
var (
	ErrMalformed   = fault.New(fault.Malformed, "malformed-request", "The request cannot be read.")
	ErrInvalid     = fault.New(fault.Invalid, "invalid-request", "The request breaks a rule; errors says where.")
	ErrNoRoute     = fault.New(fault.NotFound, "no-such-route", "There is nothing at this path.")
	ErrWrongMethod = fault.New(fault.WrongMethod, "method-not-allowed", "The path does not answer to this method; Allow lists those it does.")
	ErrTooLarge    = fault.New(fault.TooLarge, "body-too-large", "The body is larger than 64 KiB.")
	ErrWrongMedia  = fault.New(fault.WrongMedia, "unsupported-media-type", "The body is not of the media type that is read here.")
	ErrInternal    = fault.New(fault.Internal, "internal-error", "Something went wrong on our side. Quote request_id when you report it.")
)

// statuses has no Duplicate: a handler that meets one gives the stored answer again, and one that lets it out has a bug.
var statuses = map[fault.Kind]int{
	fault.Malformed:          http.StatusBadRequest,
	fault.Unauthenticated:    http.StatusUnauthorized,
	fault.Forbidden:          http.StatusForbidden,
	fault.NotFound:           http.StatusNotFound,
	fault.WrongMethod:        http.StatusMethodNotAllowed,
	fault.Conflict:           http.StatusConflict,
	fault.PreconditionFailed: http.StatusPreconditionFailed,
	fault.TooLarge:           http.StatusRequestEntityTooLarge,
	fault.WrongMedia:         http.StatusUnsupportedMediaType,
	fault.Invalid:            http.StatusUnprocessableEntity,
	fault.PreconditionNeeded: http.StatusPreconditionRequired,
	fault.Throttled:          http.StatusTooManyRequests,
	fault.Internal:           http.StatusInternalServerError,
	fault.Unavailable:        http.StatusServiceUnavailable,
}

// spelled are the words of slugs that a title writes in capitals.
var spelled = map[string]string{"api": "API", "sku": "SKU"}

// Title returns the title of the problem with a slug: price-changed is "Price changed".
func Title(slug string) string {
	words := strings.Split(slug, "-")
	for i, word := range words {
		words[i] = cmp.Or(spelled[word], word)
	}
	words[0] = strings.ToUpper(words[0][:1]) + words[0][1:]
	return strings.Join(words, " ")
}

// publicFault returns the fault that the client is told of. What is not known to be the client's business is ErrInternal; only
// the log learns its cause.
func publicFault(err error) *fault.Fault {
	kind := fault.KindOf(err)
	if _, known := statuses[kind]; !known || kind == fault.Internal {
		return ErrInternal.Because(err)
	}
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f
	}
	return fault.New(kind, string(kind), Title(string(kind))+".")
}

// refusal renders f, which is why the exchange came to nothing. allow lists the methods of the path.
func refusal(x *exchange, f *fault.Fault, allow string) *answer {
	a := newAnswer(statuses[f.Kind])
	a.header.Set("Content-Type", problemMedia)
	a.header.Set("Cache-Control", "no-store")
	switch {
	case f.Kind == fault.Unauthenticated && x.token:
		a.header.Set("WWW-Authenticate", `Bearer error="invalid_token"`) // RFC 6750, section 3
	case f.Kind == fault.Unauthenticated:
		a.header.Set("WWW-Authenticate", "Bearer")
	case errors.Is(f, identity.ErrInsufficientScope):
		a.header.Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
	case f.Kind == fault.WrongMethod && allow != "":
		a.header.Set("Allow", allow)
	case f.Kind.Later():
		a.header.Set("Retry-After", strconv.Itoa(max(1, seconds(f.RetryAfter))))
	}
	p := Problem{Type: TypePrefix + f.Slug, Title: Title(f.Slug), Status: statuses[f.Kind], Detail: f.Detail, RequestID: x.id}
	for _, broken := range f.Problems {
		v := ProblemError{Detail: broken.Detail, Parameter: broken.Parameter}
		if v.Parameter == "" {
			v.Pointer = "#" + (&url.URL{Fragment: broken.Pointer}).EscapedFragment()
		}
		p.Errors = append(p.Errors, v)
	}
	encoder := json.NewEncoder(&a.body)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(p) // strings and numbers: it cannot fail
	return a
}

func invalid(problems []fault.Problem) *fault.Fault {
	f := *ErrInvalid
	f.Problems = problems[:min(len(problems), maxProblems)]
	return &f
}

// setHuma makes huma as strict as the API and sends its own refusals through refusal. It runs when the first operation is
// made, so that a binary which only knows this package's types links no more than these.
var setHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
	huma.ErrorFormatter = withoutCause
	huma.NewError = func(status int, _ string, _ ...error) huma.StatusError { return &Problem{Status: status} }
	huma.NewErrorWithContext = func(hc huma.Context, status int, msg string, errs ...error) huma.StatusError {
		if x := exchangeOf(hc.Context()); x.err == nil {
			x.err = translate(status, msg, errs)
		}
		return &Problem{Status: status} // what huma makes of it is thrown away: refusal writes the answer
	}
})

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status, which makes the problem an answer to huma.
func (p *Problem) GetStatus() int { return p.Status }

// withoutCause keeps the text of an error, and the client's value in it, out of a message.
func withoutCause(format string, args ...any) string {
	if len(args) == 1 {
		if _, ok := args[0].(error); ok {
			return strings.TrimSuffix(format, ": %v")
		}
	}
	return fmt.Sprintf(format, args...)
}

// translate makes a fault of what huma found wrong. A fault among errs, as a resolver may return, wins.
func translate(status int, msg string, errs []error) error {
	var problems []fault.Problem
	for _, err := range errs {
		if f, ok := errors.AsType[*fault.Fault](err); ok {
			return f
		}
		if d, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			problems = append(problems, place(d.Location, d.Message))
		}
	}
	switch {
	case status == http.StatusUnprocessableEntity:
		return invalid(problems)
	case status == http.StatusBadRequest:
		return malformed(msg)
	}
	return fmt.Errorf("huma: %d %s: %w", status, msg, errors.Join(errs...))
}

// place turns huma's location, as in "body.lines[0].quantity" or "header.Idempotency-Key", into a problem's.
func place(location, detail string) fault.Problem {
	if in, name, ok := strings.Cut(location, "."); ok && (in == "header" || in == "query" || in == "path" || in == "cookie") {
		return fault.Problem{Parameter: name, Detail: detail}
	}
	path := strings.FieldsFunc(location, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	return fault.Problem{Pointer: pointer(path[min(1, len(path)):]...), Detail: detail}
}

// faults lists everything that the operation may answer besides success.
func (r Route) faults(op *huma.Operation) []*fault.Fault {
	list := []*fault.Fault{ErrInternal,
		ErrThrottled,
		fault.New(fault.Unavailable, string(fault.Unavailable), "Not now; Retry-After says when to come back.")}
	if r.Access.verifier != nil {
		list = append(list, identity.ErrNotAuthenticated)
	}
	if len(r.Access.scopes) > 0 {
		list = append(list, identity.ErrInsufficientScope)
	}
	if op.RequestBody != nil {
		list = append(list, ErrMalformed, ErrTooLarge, ErrWrongMedia)
	}
	if op.RequestBody != nil || len(op.Parameters) > 0 {
		list = append(list, ErrInvalid)
	}
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == keyHeader && p.Required }) {
		list = append(list, ErrKeyMissing)
	}
	return append(list, r.Faults...)
}
