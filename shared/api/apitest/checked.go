package apitest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// Checked returns next, with each answer to a request below base held to the contract. report hears what is wrong with one; whoever
// sent the request gets the answer as it came.
func (c *Contract) Checked(next http.RoundTripper, base string, report func(error)) http.RoundTripper {
	return checked{c, next, strings.TrimSuffix(base, "/"), report}
}

type checked struct {
	contract *Contract
	next     http.RoundTripper
	base     string
	report   func(error)
}

// RoundTrip sends the request on and checks the answer.
func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	address := *r.URL
	address.RawQuery, address.Fragment = "", ""
	path, below := strings.CutPrefix(address.String(), c.base)
	if err != nil || !below {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	if closed := response.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	if wrong := c.contract.Check(r, path, Answer{response.StatusCode, response.Header, body}); wrong != nil {
		c.report(wrong)
	}
	return response, nil
}
