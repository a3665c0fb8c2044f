package cloudtest

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Forgetful returns a DynamoDB client that loses the answer to the first request for an operation,
// after the table has carried it out, as a broken connection does. The SDK then retries the
// request. The function returns the number of lost answers.
func (c *Cloud) Forgetful(operation string) (*dynamodb.Client, func() int) {
	f := &forgetful{inner: c.http, operation: operation}
	cfg := c.Runtime().AWS
	cfg.HTTPClient = f
	return dynamodb.NewFromConfig(cfg), func() int { return int(f.lost.Load()) }
}

type forgetful struct {
	inner     *http.Client
	operation string
	lost      atomic.Int64
}

// Do sends the request, and loses the first answer to the operation.
func (f *forgetful) Do(r *http.Request) (*http.Response, error) {
	response, err := f.inner.Do(r)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+f.operation) || !f.lost.CompareAndSwap(0, 1) {
		return response, err
	}
	_ = response.Body.Close()
	return nil, io.ErrUnexpectedEOF
}
