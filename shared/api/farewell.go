package api

import (
	"net/http"
	"strconv"
)

// farewells are the headers with which an operation says that it will go, by docs/versioning.md.
var deprecationHeaders = map[string]string{
	"Deprecation": "since when clients should use something else (RFC 9745)",
	"Sunset":      "when the operation goes away (RFC 8594)",
}

// farewell returns what every answer says of the operation's end; nothing of one that stays.
func (r Route) deprecationHeaders() http.Header {
	says := http.Header{}
	if !r.Deprecated.IsZero() {
		says.Set("Deprecation", "@"+strconv.FormatInt(r.Deprecated.Unix(), 10))
	}
	if !r.Sunset.IsZero() {
		says.Set("Sunset", r.Sunset.UTC().Format(http.TimeFormat))
	}
	return says
}
