package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// A Wire is where requests go that are no client's: malformed ones, those whose very bytes and headers matter, and those to another's API.
type Wire struct {
	URL  string // which paths follow; without a slash at its end
	HTTP *http.Client
}

// A Call is a request before it is sent.
type Call struct {
	Method string
	Path   string // with its values in place
	Token  string // empty: none
	Header map[string]string
	Body   any // encoded as JSON; a []byte or string is sent as it is
}

// An Answer is what came back, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Into decodes the body. It returns an error that shows the answer if the status is another one.
func (a Answer) Into(out any, status int) error {
	if a.Status != status {
		return fmt.Errorf("status %d, wanted %d: %s", a.Status, status, bytes.TrimSpace(a.Body))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(a.Body, out)
}

// Send sends a call and reads the whole answer. An error means there was none.
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
