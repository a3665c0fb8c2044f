package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"backroom/shared/function/gateway"
	"backroom/shared/function/limit"
	"backroom/shared/identity"
)

// exchange is the state of one request while the edge answers it.
type exchange struct {
	id, path string
	problems string // the URL of the page of problems
	query    url.Values
	log      *slog.Logger
	limiter  *limit.Limiter // nil: no limit
	source   limit.Caller   // the network address of the request
	quota    limit.Standing // of the caller that was counted last
	entered  bool           // the request reached the operation: method and path match
	token    bool           // it had a bearer token, valid or not
	caller   identity.Caller
	body     []byte
	err      error // why the request was refused or failed
}

type exchangeKey struct{}

func begin(r *http.Request, limiter *limit.Limiter, problems string) *exchange {
	g := gateway.From(r.Context())
	x := &exchange{id: g.ID, path: g.Path, problems: cmp.Or(problems, g.API+ProblemsPath), query: r.URL.Query(),
		log: g.Log, limiter: limiter,
		source: limit.From(g.Source)}
	if x.id == "" {
		x.id = rand.Text()
	}
	if x.path == "" {
		x.path = r.URL.EscapedPath()
	}
	if x.log == nil {
		x.log = slog.Default()
	}
	return x
}

func (x *exchange) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// exchangeOf returns the exchange of ctx. Outside of a request it returns an empty one.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// RequestID returns the id of the request. The client sees it in X-Request-Id and in problems.
func RequestID(ctx context.Context) string { return exchangeOf(ctx).id }

// Location returns the path of the resource id in the collection that the request was sent to. The
// path includes the stage if the client's URL does.
func Location(ctx context.Context, id string) string {
	return strings.TrimSuffix(exchangeOf(ctx).path, "/") + "/" + url.PathEscape(id)
}

// Parent returns the request's path without its last part, as in /orders/7 for
// /orders/7/cancellation. The path includes the stage if the client's URL does.
func Parent(ctx context.Context) string {
	part := strings.TrimSuffix(exchangeOf(ctx).path, "/")
	return part[:max(0, strings.LastIndex(part, "/"))]
}

// Body returns the request's body as it was sent, and nil if the operation has none. Do not change it.
func Body(ctx context.Context) []byte { return exchangeOf(ctx).body }

// answer buffers a response, so that an error can still replace it.
type answer struct {
	header   http.Header
	status   int
	fallback int // the status if none is written, as by an output whose Status is 0
	body     bytes.Buffer
}

func newAnswer(fallback int) *answer {
	return &answer{header: http.Header{}, fallback: fallback}
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
func (a *answer) WriteHeader(status int)      { a.status = status }

// revalidate turns the answer to a GET into a 304 if If-None-Match has its ETag.
func (a *answer) revalidate(r *http.Request) {
	if r.Method != http.MethodGet || a.code() != http.StatusOK {
		return
	}
	var has Tags
	err := has.UnmarshalText([]byte(strings.Join(r.Header.Values("If-None-Match"), ",")))
	if err != nil || !has.MatchWeakly(a.header.Get("ETag")) {
		return
	}
	a.status = http.StatusNotModified
	a.body.Reset()
	a.header.Del("Content-Type")
}

func (a *answer) code() int {
	if a.status == 0 {
		return a.fallback
	}
	return a.status
}

func (a *answer) writeTo(w http.ResponseWriter) {
	a.status = a.code()
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if a.body.Len() > 0 {
		_, _ = w.Write(a.body.Bytes()) // an error means that the client has gone
	}
}
