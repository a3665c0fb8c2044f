// Package gateway stands between API Gateway's REST API (payload version 1) and net/http. It knows nothing of operations,
// so that whoever starts a function need not link them. The conversion itself is aws-lambda-go-api-proxy's.
package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

// Request is what the gateway knows of a request beyond net/http. Its zero value belongs to a request that came another way.
type Request struct {
	ID     string       // the gateway's id of the request: what the client sees and support asks for
	Path   string       // the path as the client sees it, stage or base path included
	Source string       // the network address that the request came from
	Log    *slog.Logger // where the function logs
}

type contextKey struct{}

// From returns what the gateway said about the request of ctx.
func From(ctx context.Context) Request {
	r, _ := ctx.Value(contextKey{}).(Request)
	return r
}

// Lambda returns h as a Lambda handler for API Gateway's proxy events. h finds log, and the rest of Request, with From.
func Lambda(h http.Handler, log *slog.Logger) func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	adapter := httpadapter.New(h)
	return func(ctx context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		e.Path = escaped(withoutBase(e.Path, e.Resource))
		if len(e.MultiValueHeaders) == 0 {
			e.MultiValueHeaders = nil // else the adapter takes an empty map for "no headers" and overlooks Headers
		}
		r := Request{ID: e.RequestContext.RequestID, Path: e.RequestContext.Path, Source: e.RequestContext.Identity.SourceIP, Log: log}
		if r.Path == "" {
			r.Path = e.Path
		}
		return adapter.ProxyWithContext(context.WithValue(ctx, contextKey{}, r), e)
	}
}

// withoutBase returns path as the API's own resources see it. Behind a custom domain's base path mapping the gateway hands
// over the path with the mapping's base before it; the resource says how many segments are the API's own. A greedy resource,
// or none, says nothing.
func withoutBase(path, resource string) string {
	segments, own := strings.Split(path, "/"), strings.Split(resource, "/")
	extra := len(segments) - len(own)
	if extra <= 0 || resource == "" || strings.Contains(resource, "+}") {
		return path
	}
	for i, segment := range own[1:] {
		if !strings.HasPrefix(segment, "{") && segment != segments[1+extra+i] {
			return path
		}
	}
	return "/" + strings.Join(segments[1+extra:], "/")
}

// escaped returns path fit to stand in a URL. Some gateways hand it over decoded: a "?" in it is then part of a name, and a
// "%" that begins no escape would make the URL unreadable.
func escaped(path string) string {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return (&url.URL{Path: path}).EscapedPath()
	}
	return (&url.URL{Path: decoded, RawPath: path}).EscapedPath()
}
