// Package provider is the client of the payment provider: Stripe, or a service with the same API.
package provider

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v84"

	"backroom/shared/payment"
	"backroom/shared/secret/apikey"
)

// The provider's time limits. Creating, reading and canceling an intent and listing refunds is
// quick: each call has one retry after half a second and takes at most 4.5 s. A confirmation, a
// capture and a refund wait for banks; each is sent once, because its outcome can be looked up. So
// the usual operations take at most 10.5 s: create and confirm; capture, perhaps with a look-up;
// cancel. A refund reads the intent, its refunds and its disputes first, each in 2 s unless it is
// retried. A refusal or a blocked idempotency key can lead to six calls, 28.5 s in all, and a
// replaced API key to more. That is longer than the timeout of the functions that pay (15 s). Their
// handlers' context ends half a second before the timeout and cuts the call in flight. That is safe
// at every call: an unknown outcome is looked up when the message is received again.
const (
	timeout = 2 * time.Second // of each try
	retries = 1

	bankTimeout = 6 * time.Second
	bankRetries = 0
)

// Guard stops calls to a provider that is down. Do runs call, or returns an error of a kind that is
// retried later. call returns an error for an outage, and nil for any answer, even a refusal.
type Guard interface {
	Do(ctx context.Context, call func() error) error
}

// Client calls the provider. It is safe for concurrent use.
type Client struct {
	asking stripe.Backend // for requests that are answered at once
	paying stripe.Backend // for requests that wait for banks
	key    *apikey.Key
	guard  Guard
	http   *http.Client // of asking
}

var _ payment.Provider = (*Client)(nil)

// New returns a client of the provider whose API begins at base, as in https://api.stripe.com. It
// sends its requests through connections, or through its own if connections is nil. guard may be nil.
func New(base string, key *apikey.Key, connections http.RoundTripper, guard Guard) *Client {
	origin, prefix := split(base)
	if connections == nil {
		connections = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: time.Second,
			MaxIdleConnsPerHost: 10,
			IdleConnTimeout:     90 * time.Second,
		}
	}
	backend := func(timeout time.Duration, retries int64) (stripe.Backend, *http.Client) {
		client := &http.Client{
			Transport: mount{prefix, connections}, Timeout: timeout,
			// An API does not redirect.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		return stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
			URL:               &origin,
			HTTPClient:        client,
			MaxNetworkRetries: &retries,
			EnableTelemetry:   stripe.Bool(false),
			// the errors say it, without private details
			LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
		}), client
	}
	c := &Client{key: key, guard: guard}
	if guard == nil {
		c.guard = unguarded{}
	}
	c.asking, c.http = backend(timeout, retries)
	c.paying, _ = backend(bankTimeout, bankRetries)
	return c
}

type unguarded struct{}

// Do runs the call.
func (unguarded) Do(_ context.Context, call func() error) error { return call() }

// Prepare does before the first payment what that would wait for: it reads the key, connects, and
// lets stripe-go detect its operating system, for which stripe-go starts a process.
func (c *Client) Prepare(ctx context.Context) error {
	if _, err := c.key.Get(ctx); err != nil {
		return err
	}
	requests, ok := c.asking.(interface {
		NewRequest(method, path, key, contentType string, params *stripe.Params) (*http.Request, error)
	})
	if !ok {
		return nil
	}
	req, err := requests.NewRequest(http.MethodGet, "/", "", "", &stripe.Params{Context: ctx})
	if err != nil {
		return err
	}
	req.Header.Del("Authorization")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body) // so that the connection is reused
	return err
}

// call sends a request and decodes its answer.
func (c *Client) call(
	backend stripe.Backend, method, path string, params stripe.ParamsContainer, answer stripe.LastResponseSetter,
) error {
	ctx := params.GetParams().Context
	key, err := c.key.Get(ctx)
	if err != nil {
		return err
	}
	err = c.guarded(ctx, func() error { return backend.Call(method, path, key, params, answer) })
	if keyRefused(err) {
		// The key may have been replaced since we read it.
		if fresh, unread := c.key.Doubt(ctx); unread == nil && fresh != key {
			err = c.guarded(ctx, func() error { return backend.Call(method, path, fresh, params, answer) })
		}
	}
	return err
}

// guarded runs a call through the guard. It returns the call's error, or the guard's if the guard did
// not run it.
func (c *Client) guarded(ctx context.Context, call func() error) error {
	var err error
	stopped := c.guard.Do(ctx, func() error {
		if err = call(); outage(err) {
			return failure(err)
		}
		return nil
	})
	if err == nil {
		return stopped
	}
	return err
}

// mount prefixes every request's path. stripe-go rejects a base address that has a path.
type mount struct {
	prefix string
	next   http.RoundTripper
}

// RoundTrip sends the request on.
func (m mount) RoundTrip(r *http.Request) (*http.Response, error) {
	moved := r.Clone(r.Context())
	moved.URL.Path, moved.URL.RawPath = m.prefix+moved.URL.Path, ""
	return m.next.RoundTrip(moved)
}

// split divides an address into the server's origin and the path of the API. It returns an invalid
// address as it is, and the first request fails.
func split(base string) (origin, prefix string) {
	u, err := url.Parse(base)
	if err != nil {
		return base, ""
	}
	prefix, u.Path = strings.TrimSuffix(u.Path, "/"), ""
	return u.String(), prefix
}
