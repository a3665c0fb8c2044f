// Package provider is the client of the payment provider: Stripe, or whoever speaks its dialect at another address.
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

// How long the provider may take. To make, look up or cancel an intent, and to list refunds, is quick: each call has one
// retry, half a second later, and takes 4.5 s at most. A confirmation, a capture and a refund wait for banks, and are sent
// once: how they ended can be looked up. So the usual errands – make and confirm; capture, or capture and look; cancel; list
// and refund – take 10.5 s at most. Where an idempotency key leads nowhere or a request is refused there are up to six calls,
// 28.5 s in sum, and more with an API key that was replaced: longer than the functions that pay live (15 s). The context of
// their handlers ends half a second before it and cuts the call under way. That is safe at every call: an outcome that is not
// known is looked up when the message comes again.
const (
	timeout = 2 * time.Second // of each try
	retries = 1

	bankTimeout = 6 * time.Second
	bankRetries = 0
)

// Guard keeps calls from a provider that is away. Do runs call, or returns an error instead, of a kind that means later. What
// call returns is an outage; for anything that the provider answers, be it a refusal, it returns nil.
type Guard interface {
	Do(ctx context.Context, call func() error) error
}

// Client speaks to the provider. It is safe for concurrent use.
type Client struct {
	asking stripe.Backend // what is answered at once
	paying stripe.Backend // what waits for banks
	key    *apikey.Key
	guard  Guard
	http   *http.Client // of asking
}

var _ payment.Provider = (*Client)(nil)

// New returns a client of the provider whose API begins at base, as in https://api.stripe.com. connections carries its
// requests; nil stands for its own. guard may be nil.
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
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // an API moves nowhere
		}
		return stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
			URL:               &origin,
			HTTPClient:        client,
			MaxNetworkRetries: &retries,
			EnableTelemetry:   stripe.Bool(false),
			LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull}, // what it would log is in the errors, and less discreet
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

// Prepare does early what the first payment would wait for: it reads the key, connects, and lets stripe-go find out what
// system it runs on, for which it starts a process.
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
	_, err = io.Copy(io.Discard, resp.Body) // so that the connection can be used again; what the answer is does not matter
	return err
}

// call sends a request and decodes its answer.
func (c *Client) call(backend stripe.Backend, method, path string, params stripe.ParamsContainer, answer stripe.LastResponseSetter) error {
	ctx := params.GetParams().Context
	key, err := c.key.Get(ctx)
	if err != nil {
		return err
	}
	err = c.guarded(ctx, func() error { return backend.Call(method, path, key, params, answer) })
	if lockedOut(err) {
		// The key may have been replaced since we read it.
		if fresh, unread := c.key.Doubt(ctx); unread == nil && fresh != key {
			err = c.guarded(ctx, func() error { return backend.Call(method, path, fresh, params, answer) })
		}
	}
	return err
}

// guarded has the guard run a call, and returns what the call does, or why there was none.
func (c *Client) guarded(ctx context.Context, call func() error) error {
	var err error
	kept := c.guard.Do(ctx, func() error {
		if err = call(); outage(err) {
			return failure(err)
		}
		return nil
	})
	if err == nil {
		return kept
	}
	return err
}

// mount puts a path before every request's. stripe-go takes an address with a path of its own for a mistake.
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

// split divides an address into where the server is and the path below which the API is. An address that is none is left
// to the first request to complain about.
func split(base string) (origin, prefix string) {
	u, err := url.Parse(base)
	if err != nil {
		return base, ""
	}
	prefix, u.Path = strings.TrimSuffix(u.Path, "/"), ""
	return u.String(), prefix
}
