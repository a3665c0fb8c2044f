// Package front serves the deployed API at one short address on this machine. The local gateway's own URLs
// contain its host, the API's id and the stage.
package front

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Proxy returns a handler that forwards requests to the API at api, whose stage has the path stage. A path may begin
// with the stage, as on AWS, or leave it out. The addresses in an answer, in Location, Content-Location and Link, have
// the form of the request, so that the client follows them through the proxy. No path and no protocol leads past the
// API to another service of the local cloud.
func Proxy(api *url.URL, stage string) http.Handler {
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.RawQuery = r.In.URL.RawQuery // httputil drops what it cannot parse; a gateway does not
			withoutStage(r.Out.URL, stage)
			r.SetURL(api)
			r.Out.Host = api.Host
			// The gateway would switch the connection to HTTP/2 or a web socket, and later requests
			// on it would not come through here.
			for _, name := range []string{"Connection", "Upgrade", "Http2-Settings"} {
				r.Out.Header.Del(name)
			}
		},
		ModifyResponse: func(answer *http.Response) error {
			asked, _ := answer.Request.Context().Value(prefixKey{}).(string)
			for _, name := range []string{"Location", "Content-Location"} {
				for i, location := range answer.Header[name] {
					answer.Header[name][i] = outside(location, api, stage, asked)
				}
			}
			for i, link := range answer.Header.Values("Link") {
				answer.Header["Link"][i] = target.ReplaceAllStringFunc(link, func(address string) string {
					return "<" + outside(strings.Trim(address, "<>"), api, stage, asked) + ">"
				})
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the local cloud does not answer: "+err.Error(), http.StatusBadGateway)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect || !strings.HasPrefix(r.URL.Path, "/") || leaves(r.URL.Path) {
			http.Error(w, "the path leads out of the API", http.StatusNotFound)
			return
		}
		prefix := ""
		if begins(r.URL.Path, stage) {
			prefix = stage
		}
		forward.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), prefixKey{}, prefix)))
	})
}

// prefixKey has the prefix of the request's path: the stage, or nothing.
type prefixKey struct{}

// target matches the address of a link (RFC 8288, section 3).
var target = regexp.MustCompile(`<[^>]*>`)

// leaves reports whether a path leads out of the API, however often it is escaped: upwards, or to the management of web
// sockets, which gateways have beside the routes of an API.
func leaves(path string) bool {
	for range 3 {
		segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
		if slices.Contains(segments, "..") || slices.Contains(segments, "@connections") {
			return true
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || decoded == path {
			return false
		}
		path = decoded
	}
	return true
}

// begins reports whether a path is in the stage.
func begins(path, stage string) bool { return path == stage || strings.HasPrefix(path, stage+"/") }

// withoutStage removes the stage from the path of u.
func withoutStage(u *url.URL, stage string) {
	if begins(u.Path, stage) {
		u.Path, u.RawPath = strings.TrimPrefix(u.Path, stage), strings.TrimPrefix(u.RawPath, stage)
	}
}

// outside returns an address as a path of the proxy, with a prefix. An address on another host stays the same.
func outside(address string, api *url.URL, stage, prefix string) string {
	found, err := url.Parse(address)
	if err != nil || (found.Host != "" && found.Host != api.Host) || address == "" {
		return address
	}
	found.Scheme, found.Host = "", ""
	for _, before := range []string{api.Path, stage} {
		if rest, ok := strings.CutPrefix(found.Path, before); ok && strings.HasPrefix(rest, "/") {
			if found.RawPath != "" {
				found.RawPath = prefix + strings.TrimPrefix(found.RawPath, before)
			}
			found.Path = prefix + rest
			break
		}
	}
	return found.String()
}
