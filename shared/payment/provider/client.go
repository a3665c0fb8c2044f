// Package provider is the client of the payment provider: Stripe, or whoever speaks its dialect at another address.
package provider

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v84"

	"backroom/shared/payment"
	"backroom/shared/payment/apikey"
)

// How long the provider may take. To make, look up or cancel an intent is quick: each call has one retry, half a second
// later, and takes 4.5 s at most. A confirmation waits for the customer's bank, and is sent once: how it ended can be looked
// up. So the usual payment, made and confirmed, takes 10.5 s at most. Where an idempotency key leads nowhere and the
// confirmation is refused there are up to six calls, 28.5 s in sum, and more with an API key that was replaced: longer than
// authorize-payment lives (15 s). The context of its handler ends half a second before it and cuts the call under way. That
// is safe at every call: an outcome that is not known is looked up when the message comes again.
const (
	timeout = 2 * time.Second // of each try
	retries = 1

	confirmTimeout = 6 * time.Second
	confirmRetries = 0
)

// Client speaks to the provider. It is safe for concurrent use.
type Client struct {
	asking     stripe.Backend
	confirming stripe.Backend
	key        *apikey.Key
	http       *http.Client // of asking
}

var _ payment.Provider = (*Client)(nil)

// New returns a client of the provider whose API begins at base, as in https://api.stripe.com. connections carries its
// requests; nil stands for its own.
func New(base string, key *apikey.Key, connections http.RoundTripper) *Client {
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
	c := &Client{key: key}
	c.asking, c.http = backend(timeout, retries)
	c.confirming, _ = backend(confirmTimeout, confirmRetries)
	return c
}

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

// Create makes an intent to pay the charge, which nobody confirmed: no money moves. For a day it returns the same intent
// under the same key. An intent without an id and with a reason is one that the provider will not make: its amount or its
// payment method, say, is not to its liking.
func (c *Client) Create(ctx context.Context, charge payment.Charge, key string) (payment.Intent, error) {
	amount, err := Amount(charge.Amount)
	if err != nil {
		return payment.Intent{Has: payment.Declined, Reason: payment.AmountNotPayable}, nil
	}
	create := func(key string) (payment.Intent, error) {
		return c.call(c.asking, http.MethodPost, "/v1/payment_intents", &creation{
			Params:             stripe.Params{Context: ctx, IdempotencyKey: &key},
			Amount:             amount,
			Currency:           strings.ToLower(charge.Amount.Currency),
			PaymentMethod:      charge.PaymentMethod,
			PaymentMethodTypes: []string{"card"}, // others may send the customer elsewhere
			CaptureMethod:      string(stripe.PaymentIntentCaptureMethodManual),
			ConfirmationMethod: string(stripe.PaymentIntentConfirmationMethodManual), // by us alone
			Metadata:           map[string]string{"order": charge.Order, "shop": charge.Shop, "attempt": strconv.Itoa(charge.Attempt)},
		})
	}
	intent, err := create(key)
	if spent(err) {
		intent, err = create(key + "-again") // whatever was made under the first is never confirmed and moves nothing
	}
	if refused, ok := refusal(err); ok {
		note(ctx, err)
		return refused, nil
	}
	return intent, failure(err)
}

// Confirm has the intent's amount held on the customer's card, unless that happened or was refused before, and returns how
// the intent stands then. It names no payment method: an intent that was declined has none any more, so that a
// confirmation that comes late is refused by the provider itself. A refusal is a decline only once the intent can take no
// money any more, by what the provider says of it and not by the refusal alone.
func (c *Client) Confirm(ctx context.Context, intent, key string) (payment.Intent, error) {
	confirmed, err := c.call(c.confirming, http.MethodPost, stripe.FormatURLPath("/v1/payment_intents/%s/confirm", intent),
		&stripe.Params{Context: ctx, IdempotencyKey: &key})
	refused, ok := refusal(err)
	switch {
	case outOfTurn(err):
		return c.Find(ctx, intent)
	case !ok:
		return confirmed, failure(err)
	}
	note(ctx, err)
	refused.ID = intent
	if barren(err, intent) {
		return refused, nil
	}
	return c.fence(ctx, refused)
}

// fence cancels an intent that the provider refused to confirm, so that no request still under way can confirm it, and
// returns how it stands then: declined for the reason of the refusal, unless another was faster. It looks before it cancels,
// because canceling lets go what another confirmation may have held meanwhile. One that comes between look and fence loses
// what it held; its order hears that when the money is captured.
func (c *Client) fence(ctx context.Context, refused payment.Intent) (payment.Intent, error) {
	stands, err := c.Find(ctx, refused.ID)
	if err == nil && stands.Has == payment.Nothing {
		stands, err = c.cancel(ctx, refused.ID)
	}
	if err == nil && stands.Has == payment.Declined && stands.Reason != payment.CardDeclined {
		return refused, nil
	}
	return stands, err
}

// cancel has an intent never take money any more, and returns how it stands then. One that cannot be canceled stands as it did.
func (c *Client) cancel(ctx context.Context, intent string) (payment.Intent, error) {
	canceled, err := c.call(c.asking, http.MethodPost, stripe.FormatURLPath("/v1/payment_intents/%s/cancel", intent), &stripe.Params{Context: ctx})
	if outOfTurn(err) {
		return c.Find(ctx, intent)
	}
	return canceled, failure(err)
}

// Find returns how an intent stands. It works however old the intent is.
func (c *Client) Find(ctx context.Context, intent string) (payment.Intent, error) {
	found, err := c.call(c.asking, http.MethodGet, stripe.FormatURLPath("/v1/payment_intents/%s", intent), &stripe.Params{Context: ctx})
	return found, failure(err)
}

// creation is what we send to make a PaymentIntent. stripe.PaymentIntentCreateParams would link another 130 KB.
type creation struct {
	stripe.Params      `form:"*"`
	Amount             int64             `form:"amount"`
	Currency           string            `form:"currency"`
	PaymentMethod      string            `form:"payment_method"`
	PaymentMethodTypes []string          `form:"payment_method_types"`
	CaptureMethod      string            `form:"capture_method"`
	ConfirmationMethod string            `form:"confirmation_method"`
	Metadata           map[string]string `form:"metadata"`
}

// document is what we read of a PaymentIntent. Decoding all of stripe.PaymentIntent costs 7 ms of CPU the first time, which
// is a hundred at the share of a 128 MB function, and would bring a customer's data into memory.
type document struct {
	stripe.APIResource
	ID               string                     `json:"id"`
	Status           stripe.PaymentIntentStatus `json:"status"`
	LastPaymentError *decline                   `json:"last_payment_error"`
}

type decline struct {
	Code        stripe.ErrorCode   `json:"code"`
	DeclineCode stripe.DeclineCode `json:"decline_code"`
}

func (c *Client) call(backend stripe.Backend, method, path string, params stripe.ParamsContainer) (payment.Intent, error) {
	ctx := params.GetParams().Context
	key, err := c.key.Get(ctx)
	if err != nil {
		return payment.Intent{}, err
	}
	var d document
	err = backend.Call(method, path, key, params, &d)
	if lockedOut(err) {
		// The key may have been replaced since we read it.
		if fresh, unread := c.key.Doubt(ctx); unread == nil && fresh != key {
			err = backend.Call(method, path, fresh, params, &d)
		}
	}
	if err != nil {
		return payment.Intent{}, err
	}
	return standing(d), nil
}

// standing tells what an intent's status means. A status that is not known yet decides nothing.
func standing(d document) payment.Intent {
	i := payment.Intent{ID: d.ID, Has: payment.Uncertain}
	switch d.Status {
	case stripe.PaymentIntentStatusRequiresConfirmation:
		i.Has = payment.Nothing
	case stripe.PaymentIntentStatusRequiresCapture, stripe.PaymentIntentStatusSucceeded:
		i.Has = payment.Authorized
	case stripe.PaymentIntentStatusRequiresAction:
		i.Has = payment.ActionNeeded
	case stripe.PaymentIntentStatusCanceled:
		i.Has, i.Reason = payment.Declined, payment.PaymentCanceled
	case stripe.PaymentIntentStatusRequiresPaymentMethod:
		i.Has, i.Reason = payment.Declined, payment.PaymentMethodMissing
		if e := d.LastPaymentError; e != nil {
			i.Reason, i.DeclineCode = payment.CardDeclined, declineCode(e.Code, e.DeclineCode)
		}
	}
	return i
}

// declineCode is the most that the provider says about a decline: the issuer's reason if it gave one.
func declineCode(code stripe.ErrorCode, decline stripe.DeclineCode) string {
	if decline != "" {
		return string(decline)
	}
	return string(code)
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
