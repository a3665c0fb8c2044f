// Package front gives the deployed API one short address on this machine: a local gateway's own URLs carry its host, the API's id
// and the stage.
package front

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// Door returns a handler that passes requests on to the API at api, whose stage has the path stage. A Location that the API
// answers is made to lead through this door again.
func Door(api *url.URL, stage string) http.Handler {
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

// outside returns the path that leads to location through the door.
func outside(location string, api *url.URL, stage string) string {
	target, err := url.Parse(location)
	if err != nil || (target.Host != "" && target.Host != api.Host) {
		return location // leads elsewhere
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
