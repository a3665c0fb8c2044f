// Package front serves the deployed API at one short address on this machine. The local gateway's own URLs
// contain its host, the API's id and the stage.
package front

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// Proxy returns a handler that forwards requests to the API at api, whose stage has the path stage. It
// rewrites the Location of an answer, so that the client follows it through the proxy.
func Proxy(api *url.URL, stage string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(api)
			r.Out.Host = api.Host
		},
		ModifyResponse: func(answer *http.Response) error {
			if location := answer.Header.Get("Location"); location != "" {
				answer.Header.Set("Location", outside(location, api, stage))
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the local cloud does not answer: "+err.Error(), http.StatusBadGateway)
		},
	}
}

// outside returns the location as a path of the proxy. A location on another host stays the same.
func outside(location string, api *url.URL, stage string) string {
	target, err := url.Parse(location)
	if err != nil || (target.Host != "" && target.Host != api.Host) {
		return location
	}
	target.Scheme, target.Host = "", ""
	for _, prefix := range []string{api.Path, stage} {
		if rest, ok := strings.CutPrefix(target.Path, prefix); ok && strings.HasPrefix(rest, "/") {
			target.Path = rest
			break
		}
	}
	return target.String()
}
