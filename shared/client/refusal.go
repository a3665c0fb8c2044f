package client

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// noType is the type of a problem with no more information than its status (RFC 9457, section
	// 4.2.1).
	noType = "about:blank"
	// mostOfRefusal is how many bytes of a refusal are read.
	mostOfRefusal = 1 << 20
	// mostOfWords is how many bytes are quoted of a body that is not a problem document.
	mostOfWords = 200
)

// Refusal is a response other than a success of the API: its problem document and its headers. It
// may come from Backroom, from the gateway or from a proxy. Its Status is always the HTTP status.
// Its RequestID is set if the response has one anywhere.
type Refusal struct {
	Problem
	Header http.Header
}

// Error returns what is wrong and where. Match on Slug or Status, not on these words.
func (r *Refusal) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d %s: %s", r.Status, cmp.Or(r.Slug(), r.Title), r.Detail)
	for _, broken := range r.Errors {
		fmt.Fprintf(&text, " [%s: %s]", cmp.Or(broken.Parameter, broken.Pointer), broken.Detail)
	}
	if r.RequestID != "" {
		fmt.Fprintf(&text, " (request %s)", r.RequestID)
	}
	return text.String()
}

// Slug returns the problem's name in docs/problems.md, such as "unknown-order". It is empty if the
// response is not a problem document of Backroom.
func (r *Refusal) Slug() string { return r.Code }

// RetryAfter returns how long to wait before a retry; 0 if the response does not say.
func (r *Refusal) RetryAfter() time.Duration {
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// refusal reads a response other than a success of the API.
func refusal(answer *http.Response) *Refusal {
	r := &Refusal{Header: answer.Header}
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostOfRefusal))
	media, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")) // empty if it is invalid
	switch {
	case err != nil:
		r.Detail = "the response was cut off: " + err.Error()
	case (media == "application/problem+json" || media == "application/json") && // the token endpoint's: RFC 6749
		json.Unmarshal(body, &r.Problem) == nil:
	default:
		r.Problem = Problem{Detail: strings.ToValidUTF8(string(body[:min(len(body), mostOfWords)]), "")}
	}
	r.Status = int64(answer.StatusCode)
	r.Type, r.Title = cmp.Or(r.Type, noType), cmp.Or(r.Title, http.StatusText(answer.StatusCode))
	r.RequestID = cmp.Or(r.RequestID, answer.Header.Get("X-Request-Id"))
	return r
}
