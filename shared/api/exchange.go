package api

import (
	"bytes"
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

// exchange is what the edge remembers of one request while it is answered.
type exchange struct {
	id, path string
	query    url.Values
	log      *slog.Logger
	limiter  *limit.Limiter // nil: nobody is limited
	source   limit.Caller   // who asks, as far as the network knows
	quota    limit.Standing // of who was counted last
	entered  bool           // the request reached the operation: method and path are right
	token    bool           // it carried a bearer token, good or bad
	caller   identity.Caller
	body     []byte
	err      error // why it was refused or failed
}

type exchangeKey struct{}

func begin(r *http.Request, limiter *limit.Limiter) *exchange {
	g := gateway.From(r.Context())
	x := &exchange{id: g.ID, path: g.Path, query: r.URL.Query(), log: g.Log, limiter: limiter, source: limit.From(g.Source)}
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

// exchangeOf returns the exchange of ctx; an empty one outside of a request.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// RequestID returns the id of the request, as the client sees it in X-Request-Id and in problems.
func RequestID(ctx context.Context) string { return exchangeOf(ctx).id }

// Location returns the path of the resource id below the collection that the request was sent to, with the stage in it if
// the client's URL has one.
func Location(ctx context.Context, id string) string {
	return strings.TrimSuffix(exchangeOf(ctx).path, "/") + "/" + url.PathEscape(id)
}

// Parent returns the path of the resource that the request's path is a part of: /orders/7 for /orders/7/cancellation, with the
// stage in it if the client's URL has one.
func Parent(ctx context.Context) string {
	part := strings.TrimSuffix(exchangeOf(ctx).path, "/")
	return part[:max(0, strings.LastIndex(part, "/"))]
}

// Body returns the request's body as it was sent; nil if the operation takes none. Do not change it.
func Body(ctx context.Context) []byte { return exchangeOf(ctx).body }

// answer holds a response back until it is known to be one.
type answer struct {
	header   http.Header
	status   int
	fallback int // what a status of 0 means, as in an output whose Status is not set
	body     bytes.Buffer
}

func newAnswer(fallback int) *answer {
	return &answer{header: http.Header{}, fallback: fallback}
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
func (a *answer) WriteHeader(status int)      { a.status = status }

// revalidate makes the answer to a GET a 304 if its ETag is one that the client already has.
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
		_, _ = w.Write(a.body.Bytes()) // the client is gone: nobody is left to be told
	}
}
