// Package api makes an HTTP operation of a typed function. The operation has strict input, one
// taxonomy of errors, one log line per request, and its part of the OpenAPI document.
//
// A function of the deployment is one Operation, and an Operation is an http.Handler. Inputs and
// outputs are huma's structs: path, query and header tags name parameters; Body is JSON, or what
// its contentType tag says. A handler returns errors of package fault, and the client sees RFC 9457
// documents. Route.Access must be set, or New panics.
//
// New sets globals of huma, for the whole process: field names are case-sensitive, lists are never
// null, and every refusal is a Problem.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"backroom/shared/fault"
	"backroom/shared/function/limit"
	"backroom/shared/identity"
	"backroom/shared/observe"
)

// Route declares an operation: its method and path, its part of the document, and its access.
type Route struct {
	Name          string // the name of the function and the operationId of the document, as in "place-order"
	Method        string
	Path          string // with parameters in braces, as in "/orders/{id}"
	Summary       string
	Description   string
	Tags          []string
	DefaultStatus int            // of success; 0: 200 with a body, 204 without
	Access        Access         // required
	Answers       map[int]string // descriptions of answers with another status than DefaultStatus, by status
	Deprecated    time.Time      // since when; zero: not deprecated
	Sunset        time.Time      // when the operation is removed; zero: not decided
	Faults        []*fault.Fault // of the operation itself, for the document; those of the edge are added
	Refusal       *RefusalForm   // how refusals are rendered; nil: as a Problem
}

// RefusalForm renders the refusals of an operation whose protocol demands another form than a Problem.
type RefusalForm struct {
	Media string
	// Body returns the document of a refusal. err is nil for the document's schema.
	Body func(err error, p Problem) any
}

// Access declares which callers an operation accepts. New panics on the zero Access.
type Access struct {
	declared bool
	basic    bool // the handler authenticates a client by HTTP Basic
	verifier identity.Verifier
	scopes   []string
}

// Public accepts every request.
var Public = Access{declared: true}

// Basic accepts every request. The handler authenticates a client by HTTP Basic (RFC 7617).
var Basic = Access{declared: true, basic: true}

// Needs accepts callers with a bearer token that verifier accepts and that grants all of the scopes.
func Needs(verifier identity.Verifier, scopes ...string) Access {
	return Access{declared: verifier != nil, verifier: verifier, scopes: scopes}
}

// Public reports whether every request is accepted.
func (a Access) Public() bool { return a.declared && a.verifier == nil }

// Operation is one route, ready to serve.
type Operation struct {
	route    Route
	success  int // the status of an answer that does not set one
	mux      *http.ServeMux
	limiter  *limit.Limiter // nil: no limit
	problems string         // the URL of the page of problems; empty: ProblemsPath of the API itself
	register func(huma.API, *gate)
}

// New returns the operation that answers route with handle. The edge checks access, the form of the
// input and the rules of its tags before it calls handle; identity.From(ctx) is the caller. An
// error that is not a fault, or a panic, becomes a 500 without details. New panics if the route is
// incomplete, as without an Access.
func New[I, O any](route Route, handle func(context.Context, *I) (*O, error)) Operation {
	route.check()
	setHuma()
	o := Operation{route: route, mux: http.NewServeMux()}
	o.register = func(h huma.API, g *gate) {
		huma.Register(h, route.operation(g), func(ctx context.Context, in *I) (*O, error) {
			out, err := handle(ctx, in)
			if err != nil {
				exchangeOf(ctx).err = err
			}
			return out, err
		})
	}
	g := &gate{access: route.Access}
	cfg := config("", "")
	cfg.OnAddOperation = []huma.AddOpFunc{g.learn}
	o.register(humago.New(o.mux, cfg), g)
	o.success = g.success
	return o
}

// Deployed returns the operation as a function serves it: with a limit on the requests of each caller, and with the URL
// of the page of problems. If that is empty, the types of problems lead to ProblemsPath of the API itself.
func (o Operation) Deployed(l *limit.Limiter, problems string) http.Handler {
	o.limiter, o.problems = l, problems
	return o
}

// Prepare calls the Prepare of the verifier, if it has one, so that the first request does not wait
// for it. It returns the verifier's error.
func (o Operation) Prepare(ctx context.Context) error {
	if v, ok := o.route.Access.verifier.(interface{ Prepare(context.Context) error }); ok {
		return v.Prepare(ctx)
	}
	return nil
}

// Route returns the route that New was called with.
func (o Operation) Route() Route { return o.route }

func (r Route) check() {
	switch {
	case r.Name == "" || r.Method == "" || r.Path == "":
		panic(fmt.Sprintf("api: the route %q (%s %s) needs a Name, a Method and a Path", r.Name, r.Method, r.Path))
	case !r.Access.declared:
		panic(fmt.Sprintf("api: the route %q has no Access: set api.Public, or api.Needs with a verifier", r.Name))
	}
}

func (r Route) operation(g *gate) huma.Operation {
	return huma.Operation{
		OperationID: r.Name, Method: r.Method, Path: r.Path, Summary: r.Summary, Description: r.Description,
		Tags:          r.Tags,
		DefaultStatus: r.DefaultStatus, MaxBodyBytes: MaxBody + 1, Middlewares: huma.Middlewares{g.enter},
	}
}

// config returns the configuration of an API that answers JSON and reads JSON and forms. It has no documentation routes
// and no schema links.
func config(title, version string) huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: title, Version: version},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			},
		},
		Formats: map[string]huma.Format{jsonMedia: {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: readJSON},
			formMedia: {Unmarshal: readForm}},
		DefaultFormat: jsonMedia,
	}
}

// ServeHTTP answers the request. If anything fails, the answer is one problem document. The log gets one line.
func (o Operation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := begin(r, o.limiter, o.problems)
	ctx, line := observe.Begin(x.in(r.Context()), x.log,
		slog.String("requestId", x.id), slog.String("method", r.Method),
		slog.String("route", o.route.Method+" "+o.route.Path))
	a := newAnswer(o.success)
	if x.err = x.checkQuota(); x.err == nil {
		x.protect(ctx, func() { o.mux.ServeHTTP(a, r.WithContext(ctx)) })
	}
	if x.err == nil && !x.entered {
		x.err = ErrNoRoute // the mux itself answered: an unknown path, a wrong method, or a redirect
		if a.status == http.StatusMethodNotAllowed {
			x.err = ErrWrongMethod
		}
	}
	if x.err != nil {
		f := publicFault(x.err)
		if f.Kind == fault.Internal {
			x.err = f // so that the log line has the slug that the client sees, and the cause
		}
		a = o.refusal(x, f, a.header.Get("Allow"))
	}
	a.revalidate(r)
	x.writeRateLimitHeaders(a.header)
	a.header.Set(requestIDHeader, x.id)
	maps.Copy(a.header, o.route.deprecationHeaders())
	a.writeTo(w)
	observe.Note(ctx, slog.Int("status", a.status))
	if x.caller.Client != "" {
		observe.Note(ctx, slog.String("client", x.caller.Client))
	}
	line.Done(ctx, outcome(a.status), x.err, false)
}

// protect runs do. A panic becomes the error of the exchange.
func (x *exchange) protect(ctx context.Context, do func()) {
	defer func() {
		if p := recover(); p != nil {
			observe.Note(ctx, slog.String("stack", string(debug.Stack())))
			x.err = fmt.Errorf("panic: %v", p)
		}
	}()
	do()
}

func outcome(status int) string {
	switch {
	case status >= 500:
		return "failed"
	case status >= 400:
		return "refused"
	}
	return "done"
}
