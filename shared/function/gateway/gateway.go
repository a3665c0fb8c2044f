// Package gateway adapts API Gateway's REST API (payload version 1) to net/http. It does not import
// the operations, so that functions that only start through it do not link them.
// aws-lambda-go-api-proxy does the conversion itself.
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

// Request is what the gateway knows of a request beyond net/http. It is zero for a request that did
// not come through Lambda.
type Request struct {
	ID     string       // the gateway's id of the request, which the client sees
	Path   string       // the path that the client sent, with stage or base path
	API    string       // the URL of the API, as the client has it: with stage or base path, without a slash at its end
	Source string       // the network address that the request came from
	Log    *slog.Logger // where the function logs
}

type contextKey struct{}

// From returns the Request of ctx.
func From(ctx context.Context) Request {
	r, _ := ctx.Value(contextKey{}).(Request)
	return r
}

// Lambda returns h as a Lambda handler for API Gateway's proxy events. h reads log, and the rest of
// Request, with From.
func Lambda(
	h http.Handler, log *slog.Logger,
) func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	adapter := httpadapter.New(h)
	return func(ctx context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		routed := withoutBase(e.Path, e.Resource)
		e.Path = escaped(routed)
		if len(e.MultiValueHeaders) == 0 {
			e.MultiValueHeaders = nil // the adapter would take an empty map for "no headers" and ignore Headers
		}
		r := Request{
			ID: e.RequestContext.RequestID, Path: e.RequestContext.Path,
			Source: e.RequestContext.Identity.SourceIP, Log: log, API: address(e.RequestContext, routed),
		}
		if r.Path == "" {
			r.Path = e.Path
		}
		return adapter.ProxyWithContext(context.WithValue(ctx, contextKey{}, r), e)
	}
}

// address returns the URL of the API. It is empty if the gateway does not say its host. What precedes the routed
// path is the base path of a custom domain, or else the stage.
func address(c events.APIGatewayProxyRequestContext, routed string) string {
	if c.DomainName == "" {
		return ""
	}
	base, ok := strings.CutSuffix(strings.TrimSuffix(c.Path, "/"), strings.TrimSuffix(routed, "/"))
	if !ok && c.Stage != "" {
		base = "/" + c.Stage
	}
	return "https://" + c.DomainName + strings.TrimSuffix(base, "/")
}

// withoutBase returns path without a custom domain's base path. Behind a base path mapping, the
// gateway puts the mapping's base before the path; the resource shows how many segments belong to
// the API. A greedy or empty resource does not show that, and path is returned unchanged. The gateway ignores a slash
// behind a resource, and so does the function.
func withoutBase(path, resource string) string {
	own := strings.Split(resource, "/")
	if last := own[len(own)-1]; last != "" && !strings.HasPrefix(last, "{") {
		path = strings.TrimSuffix(path, "/")
	}
	segments := strings.Split(path, "/")
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

// escaped returns path in a form that is valid in a URL. Some gateways decode it: a "?" in it is then
// part of a name, and a "%" that does not begin an escape would make the URL unreadable.
func escaped(path string) string {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return (&url.URL{Path: path}).EscapedPath()
	}
	return (&url.URL{Path: decoded, RawPath: path}).EscapedPath()
}
