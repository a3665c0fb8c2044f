package contract

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// Checked returns a RoundTripper that sends requests with next. It checks each answer of an
// operation below base against the contract, and each request that was accepted. If one of them
// breaks the contract, it returns an error instead of the answer. A refusal without X-Request-Id is
// not checked, because it comes from the gateway. A request with a body needs GetBody.
func (c *Contract) Checked(next http.RoundTripper, base string) http.RoundTripper {
	return checked{c, next, strings.TrimSuffix(base, "/")}
}

type checked struct {
	contract *Contract
	next     http.RoundTripper
	base     string
}

// RoundTrip sends the request with next, and checks the answer.
func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	address := *r.URL
	address.RawQuery, address.Fragment = "", ""
	path, below := strings.CutPrefix(address.String(), c.base)
	if err != nil || !below || response.StatusCode >= http.StatusBadRequest &&
		response.Header.Get("X-Request-Id") == "" {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	if closed := response.Body.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = c.contract.Check(r, path, Answer{response.StatusCode, response.Header, body})
	}
	if err == nil && response.StatusCode < http.StatusBadRequest {
		err = c.accepted(r.Clone(r.Context()), path)
	}
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// accepted checks a request that was sent and accepted.
func (c checked) accepted(r *http.Request, path string) (err error) {
	if r.GetBody != nil {
		if r.Body, err = r.GetBody(); err != nil {
			return err
		}
	}
	return c.contract.CheckAccepted(r, path)
}
