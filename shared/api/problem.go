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
	"backroom/shared/money"
)

// Problem is the answer to a request that was refused or failed (RFC 9457).
type Problem struct {
	Type      string         `json:"type" format:"uri-reference" example:"https://api.example.com/v1/problems#invalid-request" doc:"a page about the problem, for people"`
	Code      string         `json:"code" example:"invalid-request" doc:"what is wrong, for programs: match on it. A code keeps its meaning; later releases add codes"`
	Title     string         `json:"title" doc:"a short name of the problem, for people"`
	Status    int            `json:"status" minimum:"400" maximum:"599" doc:"the HTTP status"`
	Detail    string         `json:"detail" doc:"what is wrong and what to do, for people"`
	RequestID string         `json:"request_id" doc:"quote it when you report the problem; same as X-Request-Id"`
	Errors    []ProblemError `json:"errors,omitempty" maxItems:"20" doc:"the rules that the request breaks"`
	Current   *Current       `json:"current,omitempty" doc:"what is true now, if the request assumed something else"`
}

// Current is what is true now, for a request that assumed something else. docs/problems.md names
// the member of each code.
type Current struct {
	Total      *money.Money `json:"total,omitempty" doc:"price-changed: what the order costs"`
	Refundable *money.Money `json:"refundable,omitempty" doc:"refund-too-large, not-refundable: how much can still be refunded"`
	Sellable   *int64       `json:"sellable,omitempty" minimum:"0" maximum:"9007199254740992" doc:"insufficient-stock, stock-level-changed: the sellable units"`
	Status     string       `json:"status,omitempty" doc:"too-late-to-cancel, not-refundable, no-attention-needed: the status of the order"`
	Scopes     []string     `json:"scopes,omitempty" maxItems:"20" doc:"insufficient-scope: the scopes that the token needs and lacks"`
}

// ProblemError is one broken rule and its place: in the body, or in a parameter.
type ProblemError struct {
	Detail    string `json:"detail" doc:"the rule, for people"`
	Pointer   string `json:"pointer,omitempty" example:"#/lines/0/quantity" doc:"the place in the body: a JSON pointer (RFC 6901) as a URI fragment"`
	Parameter string `json:"parameter,omitempty" example:"Idempotency-Key" doc:"the header, query or path parameter"`
}

// ProblemsPath is the path of the page about all problems, below the API's URL. A problem's type is the URL of the page
// with the problem's code as fragment.
const ProblemsPath = "/problems"

const problemMedia = "application/problem+json"

// The faults of the edge itself.
var (
	ErrMalformed = fault.New(fault.Malformed, "malformed-request", "The request cannot be read; errors says why.")
	ErrInvalid   = fault.New(fault.Invalid, "invalid-request",
		"The request breaks a rule; errors says which and where.")
	ErrNoRoute     = fault.New(fault.NotFound, "no-such-route", "No operation has this path. Check the path.")
	ErrWrongMethod = fault.New(fault.WrongMethod, "method-not-allowed",
		"This path does not have this method. Use a method of Allow.")
	ErrTooLarge   = fault.New(fault.TooLarge, "body-too-large", "The body is larger than 64 KiB. Send less.")
	ErrWrongMedia = fault.New(fault.WrongMedia, "unsupported-media-type",
		"The body has the wrong media type, or is compressed; errors says what is expected.")
	ErrInternal = fault.New(fault.Internal, "internal-error",
		"The server failed. Try again later; quote request_id if you report it.")
)

// statuses has the HTTP status of each kind. Duplicate is missing: a handler must answer it with the stored answer.
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

// spelled has the words of slugs that are in capitals in a title.
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

// publicFault returns the fault that the client sees. Errors of no kind that has a status become
// ErrInternal; their cause is only in the log.
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

// refusal renders f as the answer of the exchange. allow lists the methods of the path.
func (o Operation) refusal(x *exchange, f *fault.Fault, allow string) *answer {
	a := newAnswer(statuses[f.Kind])
	a.header.Set("Content-Type", o.route.refusalMedia())
	a.header.Set("Cache-Control", "no-store")
	switch {
	case f.Kind == fault.Unauthenticated && o.route.Access.basic:
		a.header.Set("WWW-Authenticate", `Basic realm="backroom", charset="UTF-8"`) // RFC 7617, section 2.1
	case f.Kind == fault.Unauthenticated && x.token:
		a.header.Set("WWW-Authenticate", challenge+`, error="invalid_token"`)
	case f.Kind == fault.Unauthenticated:
		a.header.Set("WWW-Authenticate", challenge)
	case errors.Is(f, identity.ErrInsufficientScope):
		a.header.Set("WWW-Authenticate", insufficientScope(f))
	case f.Kind == fault.WrongMethod && allow != "":
		a.header.Set("Allow", allow)
	case f.Kind.Later():
		a.header.Set("Retry-After", strconv.Itoa(max(1, seconds(f.RetryAfter))))
	}
	p := Problem{Type: x.problems + "#" + f.Slug, Code: f.Slug, Title: Title(f.Slug), Status: statuses[f.Kind],
		Detail: f.Detail, RequestID: x.id}
	if len(f.Current) > 0 {
		if said, err := json.Marshal(f.Current); err == nil {
			_ = json.Unmarshal(said, &p.Current) // names of other types are left out
		}
	}
	for _, broken := range f.Problems {
		v := ProblemError{Detail: broken.Detail, Parameter: broken.Parameter}
		if v.Parameter == "" {
			v.Pointer = "#" + (&url.URL{Fragment: broken.Pointer}).EscapedFragment()
		}
		p.Errors = append(p.Errors, v)
	}
	encoder := json.NewEncoder(&a.body)
	encoder.SetEscapeHTML(false)
	var body any = p
	if o.route.Refusal != nil {
		body = o.route.Refusal.Body(f, p)
	}
	_ = encoder.Encode(body) // encoding strings and numbers cannot fail
	return a
}

// challenge asks for a token. A token that is not accepted adds an error to it (RFC 6750, section 3).
const challenge = `Bearer realm="backroom"`

// insufficientScope returns the challenge to a token that lacks scopes.
func insufficientScope(f *fault.Fault) string {
	scopes, _ := f.Current["scopes"].([]string)
	return challenge + `, error="insufficient_scope", scope="` + strings.Join(scopes, " ") + `"`
}

// refusalMedia returns the media type of the operation's refusals.
func (r Route) refusalMedia() string {
	if r.Refusal != nil {
		return r.Refusal.Media
	}
	return problemMedia
}

func invalid(problems []fault.Problem) *fault.Fault {
	f := *ErrInvalid
	f.Problems = problems[:min(len(problems), maxProblems)]
	return &f
}

// setHuma sets huma's globals: strict names, the API's messages, and refusals through refusal. It runs when the first
// operation is made, so that a binary that only uses this package's types links no more than these.
var setHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
	huma.ErrorFormatter = withoutCause
	setMessages()
	huma.NewError = func(status int, _ string, _ ...error) huma.StatusError { return &Problem{Status: status} }
	huma.NewErrorWithContext = func(hc huma.Context, status int, msg string, errs ...error) huma.StatusError {
		if x := exchangeOf(hc.Context()); x.err == nil {
			x.err = translate(status, msg, errs)
		}
		return &Problem{Status: status} // huma's rendering is discarded: refusal writes the answer
	}
})

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status. It implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// withoutCause formats a message without the text of an error, which may have the client's value in it.
func withoutCause(format string, args ...any) string {
	if len(args) == 1 {
		if _, ok := args[0].(error); ok {
			return strings.TrimSuffix(format, ": %v")
		}
	}
	return fmt.Sprintf(format, args...)
}

// translate makes a fault of huma's errors. If errs has a fault, as a resolver may return, it is the result.
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

// place converts a location of huma, as in "body.lines[0].quantity" or "header.Idempotency-Key", to a problem.
func place(location, detail string) fault.Problem {
	if in, name, ok := strings.Cut(location, "."); ok &&
		(in == "header" || in == "query" || in == "path" || in == "cookie") {
		return fault.Problem{Parameter: name, Detail: detail}
	}
	path := strings.FieldsFunc(location, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	return fault.Problem{Pointer: pointer(path[min(1, len(path)):]...), Detail: detail}
}

// faults lists every fault that the operation may answer.
func (r Route) faults(op *huma.Operation) []*fault.Fault {
	list := []*fault.Fault{ErrInternal,
		ErrThrottled,
		fault.New(fault.Unavailable, string(fault.Unavailable),
			"The API cannot answer now. Try again after Retry-After.")}
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
