package api

import (
	"net/http"
	"strconv"
)

// deprecationHeaders are the headers of a deprecated operation, with their descriptions (docs/versioning.md).
var deprecationHeaders = map[string]string{
	"Deprecation": "since when the operation is deprecated (RFC 9745)",
	"Sunset":      "when the operation is removed (RFC 8594)",
}

// deprecationHeaders returns the headers of every answer; none if the operation is not deprecated.
func (r Route) deprecationHeaders() http.Header {
	headers := http.Header{}
	if !r.Deprecated.IsZero() {
		headers.Set("Deprecation", "@"+strconv.FormatInt(r.Deprecated.Unix(), 10))
	}
	if !r.Sunset.IsZero() {
		headers.Set("Sunset", r.Sunset.UTC().Format(http.TimeFormat))
	}
	return headers
}
