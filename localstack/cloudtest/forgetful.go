package cloudtest

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Forgetful returns a client of DynamoDB that loses the answer to the first request for an operation, after the table took it,
// as a connection that breaks does; and how many it lost. The SDK then sends the request again.
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

// Do sends the request, and perhaps forgets what came back.
func (f *forgetful) Do(r *http.Request) (*http.Response, error) {
	response, err := f.inner.Do(r)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+f.operation) || !f.lost.CompareAndSwap(0, 1) {
		return response, err
	}
	_ = response.Body.Close()
	return nil, io.ErrUnexpectedEOF
}
