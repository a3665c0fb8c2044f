package contract

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// Checked returns next, with each answer of an operation below base held to the contract, and each request that it accepts: what
// breaks it has no answer but an error, which says what is wrong. A refusal without X-Request-Id is the gateway's own: no operation
// gave it. Bodies are read again for that, so that a request with one needs GetBody.
func (c *Contract) Checked(next http.RoundTripper, base string) http.RoundTripper {
	return checked{c, next, strings.TrimSuffix(base, "/")}
}

type checked struct {
	contract *Contract
	next     http.RoundTripper
	base     string
}

// RoundTrip sends the request on and checks the answer.
func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	address := *r.URL
	address.RawQuery, address.Fragment = "", ""
	path, below := strings.CutPrefix(address.String(), c.base)
	if err != nil || !below || response.StatusCode >= http.StatusBadRequest && response.Header.Get("X-Request-Id") == "" {
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
