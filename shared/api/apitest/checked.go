package apitest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// Checked returns next, with each answer of an operation below base held to the contract: one that breaks it does not arrive, and
// the error says what is wrong. A refusal without X-Request-Id is the gateway's own: no operation gave it.
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
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}
