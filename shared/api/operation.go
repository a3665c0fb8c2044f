// Package api turns a typed function into one HTTP operation: strict input, one taxonomy of errors, one log line, and its
// part of the OpenAPI document.
//
// A function of the deployment is one Operation, and an Operation is an http.Handler. Inputs and outputs are huma's
// structs: path, query and header tags name parameters; Body is JSON, or what its contentType tag says. A handler returns
// errors of package fault, and the client sees RFC 9457 documents. Nothing is reachable unless Route.Access says for whom.
//
// Globals of huma are set by New, for the whole process: field names are case-sensitive, lists are never null, and
// every refusal takes the form of Problem.
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

// Route says where an operation lives, what it is for, and who may call it.
type Route struct {
	Name          string // the function's name, as in "place-order": the operationId of the document
	Method        string
	Path          string // with parameters in braces, as in "/orders/{id}"
	Summary       string
	Description   string
	Tags          []string
	DefaultStatus int            // of success; 0: 200 with a body, 204 without
	Access        Access         // must be said
	Answers       map[int]string // by status: what answers mean whose output says another status than DefaultStatus
	Deprecated    time.Time      // since when clients should use something else; zero: they need not
	Sunset        time.Time      // when the operation goes away; zero: nobody knows
	Faults        []*fault.Fault // what the operation itself may answer, for the document; the edge's own are added
}

// Access says who may call an operation. The zero Access is refused by New.
type Access struct {
	declared bool
	verifier identity.Verifier
	scopes   []string
}

// Public lets everybody in.
var Public = Access{declared: true}

// Needs lets in callers with a bearer token that verifier accepts and that grants all of the scopes.
func Needs(verifier identity.Verifier, scopes ...string) Access {
	return Access{declared: verifier != nil, verifier: verifier, scopes: scopes}
}

// Public reports whether everybody is let in.
func (a Access) Public() bool { return a.declared && a.verifier == nil }

// Operation is one route, ready to serve.
type Operation struct {
	route    Route
	success  int // the status of an answer that does not say its own
	mux      *http.ServeMux
	limiter  *limit.Limiter // nil: nobody is limited
	register func(huma.API, *gate)
}

// New returns the operation that answers route with handle. The edge has then checked the access, the form of the input
// and the rules of its tags; identity.From(ctx) is the caller. An error that is no fault, or a panic, becomes a 500 that
// says nothing. New panics if the route is incomplete: above all, if it does not say who has access.
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

// Limited returns the operation with a limit on what each caller may ask of it.
func (o Operation) Limited(l *limit.Limiter) http.Handler {
	o.limiter = l
	return o
}

// Prepare has what verifies callers' tokens made ready, so that the first request does not wait for it. Its error is that of the
// verifier's own Prepare; an operation whose verifier has none needs no preparation.
func (o Operation) Prepare(ctx context.Context) error {
	if v, ok := o.route.Access.verifier.(interface{ Prepare(context.Context) error }); ok {
		return v.Prepare(ctx)
	}
	return nil
}

// Route returns what the operation was made of.
func (o Operation) Route() Route { return o.route }

func (r Route) check() {
	switch {
	case r.Name == "" || r.Method == "" || r.Path == "":
		panic(fmt.Sprintf("api: the route %q (%s %s) needs a Name, a Method and a Path", r.Name, r.Method, r.Path))
	case !r.Access.declared:
		panic(fmt.Sprintf("api: the route %q does not say who has Access: api.Public, or api.Needs with a verifier", r.Name))
	}
}

func (r Route) operation(g *gate) huma.Operation {
	return huma.Operation{
		OperationID: r.Name, Method: r.Method, Path: r.Path, Summary: r.Summary, Description: r.Description, Tags: r.Tags,
		DefaultStatus: r.DefaultStatus, MaxBodyBytes: MaxBody + 1, Middlewares: huma.Middlewares{g.enter},
	}
}

// config is an API without documentation routes and schema links, that speaks JSON and understands forms.
func config(title, version string) huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: title, Version: version},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			},
		},
		Formats:       map[string]huma.Format{jsonMedia: {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: readJSON}, formMedia: {Unmarshal: readForm}},
		DefaultFormat: jsonMedia,
	}
}

// ServeHTTP answers the request. Whatever goes wrong, the answer is one problem document and the log has one line.
func (o Operation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := begin(r, o.limiter)
	ctx, line := observe.Begin(x.in(r.Context()), x.log,
		slog.String("requestId", x.id), slog.String("method", r.Method), slog.String("route", o.route.Method+" "+o.route.Path))
	a := newAnswer(o.success)
	if x.err = x.checkQuota(); x.err == nil {
		x.protect(ctx, func() { o.mux.ServeHTTP(a, r.WithContext(ctx)) })
	}
	if x.err == nil && !x.entered {
		x.err = ErrNoRoute // the mux answers what it does not know, and redirects what it would rather have
		if a.status == http.StatusMethodNotAllowed {
			x.err = ErrWrongMethod
		}
	}
	if x.err != nil {
		f := publicFault(x.err)
		if f.Kind == fault.Internal {
			x.err = f // so that the line calls it what the client was told, and names the cause
		}
		a = refusal(x, f, a.header.Get("Allow"))
	}
	a.revalidate(r)
	x.writeRateLimitHeaders(a.header)
	a.header.Set("X-Request-Id", x.id)
	maps.Copy(a.header, o.route.deprecationHeaders())
	a.writeTo(w)
	observe.Note(ctx, slog.Int("status", a.status))
	if x.caller.Client != "" {
		observe.Note(ctx, slog.String("client", x.caller.Client))
	}
	line.Done(ctx, outcome(a.status), x.err, false)
}

// protect runs do and keeps its panic as the request's error.
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
