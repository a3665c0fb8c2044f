package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// A Wire sends requests that the client cannot send: malformed ones, those with exact bytes and
// headers, and those to another API.
type Wire struct {
	URL  string // the prefix of all paths; without a slash at the end
	HTTP *http.Client
}

// A Call is a request before it is sent.
type Call struct {
	Method string
	Path   string // with its values in place
	Token  string // empty: no token
	Header map[string]string
	Body   any // encoded as JSON; a []byte or string is sent as it is
}

// An Answer is a response, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Into decodes the body into out. Another status than the given one is an error that contains the
// body.
func (a Answer) Into(out any, status int) error {
	if a.Status != status {
		return fmt.Errorf("status %d, wanted %d: %s", a.Status, status, bytes.TrimSpace(a.Body))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(a.Body, out)
}

// Send sends a call and reads the whole response. An error means that the response is missing or
// incomplete.
func (w Wire) Send(ctx context.Context, call Call) (Answer, error) {
	var body []byte
	switch given := call.Body.(type) {
	case nil:
	case []byte:
		body = given
	case string:
		body = []byte(given)
	default:
		encoded, err := json.Marshal(given)
		if err != nil {
			return Answer{}, err
		}
		body = encoded
	}
	request, err := http.NewRequestWithContext(ctx, call.Method, w.URL+call.Path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if call.Token != "" {
		request.Header.Set("Authorization", "Bearer "+call.Token)
	}
	for name, value := range call.Header {
		request.Header.Set(name, value)
	}
	response, err := w.HTTP.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return Answer{Status: response.StatusCode, Header: response.Header, Body: read}, err
}
