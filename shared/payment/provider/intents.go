package provider

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/stripe/stripe-go/v84"

	"backroom/shared/money/payable"
	"backroom/shared/payment"
	"backroom/shared/saga"
)

// Create creates an unconfirmed intent to pay the charge; no money moves. For a day, the same key
// returns the same intent. An intent with a reason and without an id was refused, for example because
// of its amount or payment method.
func (c *Client) Create(ctx context.Context, charge payment.Charge, key string) (payment.Intent, error) {
	amount, err := payable.Units(charge.Amount)
	if err != nil {
		return payment.Intent{Observed: payment.Declined, Reason: payment.AmountNotPayable}, nil
	}
	create := func(key string) (payment.Intent, error) {
		return c.intent(c.asking, http.MethodPost, "/v1/payment_intents", &creation{
			Params:             stripe.Params{Context: ctx, IdempotencyKey: &key},
			Amount:             amount,
			Currency:           strings.ToLower(charge.Amount.Currency),
			PaymentMethod:      charge.PaymentMethod,
			PaymentMethodTypes: []string{"card"}, // other types may redirect the customer
			CaptureMethod:      string(stripe.PaymentIntentCaptureMethodManual),
			Metadata: map[string]string{
				"order": charge.Order, "shop": string(charge.Shop), "attempt": strconv.Itoa(charge.Attempt),
			},
		})
	}
	intent, err := create(key)
	if keyBlocked(err) {
		intent, err = create(again(key)) // an intent under the first key is never confirmed
	}
	if refused, ok := refusal(err); ok {
		note(ctx, err)
		return refused, nil
	}
	return intent, failure(err)
}

// Confirm authorizes the intent's amount on the customer's card, unless the intent was already
// confirmed or declined, and returns its current state. It names no payment method: a declined intent
// no longer has one, so that the provider itself refuses a late confirmation. A refusal counts as a
// decline only when no request in flight can still confirm the intent. The intent's state decides
// that, not the refusal alone.
func (c *Client) Confirm(ctx context.Context, intent, key string) (payment.Intent, error) {
	confirmed, err := c.act(c.paying, ctx, intent, "confirm", &key)
	refused, ok := refusal(err)
	switch {
	case stateForbids(err):
		return c.Find(ctx, intent)
	case !ok:
		return confirmed, failure(err)
	}
	note(ctx, err)
	refused.ID = intent
	if finallyRefused(err, intent) {
		return refused, nil
	}
	return c.fence(ctx, refused)
}

// fence cancels an intent that the provider refused to confirm, so that no request in flight can
// still confirm it. It returns the intent's state: declined for the reason of the refusal, unless
// another request was faster. It reads the intent first, because canceling releases what another
// confirmation may have authorized meanwhile. A confirmation between the read and the cancellation
// loses its authorization; its order learns of that from the capture.
func (c *Client) fence(ctx context.Context, refused payment.Intent) (payment.Intent, error) {
	current, err := c.Find(ctx, refused.ID)
	if err == nil && current.Observed == payment.Nothing {
		current, err = c.Cancel(ctx, refused.ID)
	}
	canceled := current.Observed == payment.Canceled
	if err == nil && (canceled || current.Observed == payment.Declined && current.Reason != payment.CardDeclined) {
		return refused, nil
	}
	return current, err
}

// Capture takes the authorized amount and returns the intent's current state. If the answer is lost
// or a refusal, it reads the intent, which says whether the money was captured. An intent is
// captured at most once.
func (c *Client) Capture(ctx context.Context, intent, key string) (payment.Intent, error) {
	captured, err := c.act(c.paying, ctx, intent, "capture", &key)
	if err == nil || keyRefused(err) {
		return captured, failure(err)
	}
	note(ctx, err)
	current, unknown := c.Find(ctx, intent)
	if unknown == nil && current.Observed == payment.Authorized && keyBlocked(err) {
		current, err = c.act(c.paying, ctx, intent, "capture", stripe.String(again(key)))
	}
	switch {
	case unknown != nil:
		return payment.Intent{}, unknown
	case current.Observed == payment.Authorized || current.ID == "":
		return payment.Intent{}, failure(err) // not decided yet, or our mistake
	}
	return current, nil
}

// Cancel releases the authorized amount and stops the intent from taking money. It returns the
// intent's current state, which is unchanged if the provider cannot cancel it.
func (c *Client) Cancel(ctx context.Context, intent string) (payment.Intent, error) {
	canceled, err := c.act(c.asking, ctx, intent, "cancel", nil)
	if stateForbids(err) {
		return c.Find(ctx, intent)
	}
	return canceled, failure(err)
}

// Find returns an intent's current state, however old the intent is. It returns payment.ErrNoIntent
// if the provider does not have the intent.
func (c *Client) Find(ctx context.Context, intent string) (payment.Intent, error) {
	path := stripe.FormatURLPath("/v1/payment_intents/%s", intent)
	found, err := c.intent(c.asking, http.MethodGet, path, &stripe.Params{Context: ctx})
	if absent(err) {
		return payment.Intent{}, payment.ErrNoIntent.Because(failure(err))
	}
	return found, failure(err)
}

// creation is the request for a PaymentIntent. stripe.PaymentIntentCreateParams would link 130 KB
// more.
type creation struct {
	stripe.Params      `form:"*"`
	Amount             int64             `form:"amount"`
	Currency           string            `form:"currency"`
	PaymentMethod      string            `form:"payment_method"`
	PaymentMethodTypes []string          `form:"payment_method_types"`
	CaptureMethod      string            `form:"capture_method"`
	Metadata           map[string]string `form:"metadata"`
}

// document is the part of a PaymentIntent that is read. Decoding all of stripe.PaymentIntent costs
// 7 ms of CPU the first time, a hundred at the share of a 128 MB function, and would bring a
// customer's data into memory.
type document struct {
	stripe.APIResource
	ID               string                     `json:"id"`
	Status           stripe.PaymentIntentStatus `json:"status"`
	Received         int64                      `json:"amount_received"`
	Currency         string                     `json:"currency"`
	ClientSecret     string                     `json:"client_secret"`
	LastPaymentError *decline                   `json:"last_payment_error"`
	Metadata         struct {
		Shop    saga.Shop `json:"shop"`
		Order   string    `json:"order"`
		Attempt string    `json:"attempt"`
	} `json:"metadata"`
}

type decline struct {
	Code        stripe.ErrorCode   `json:"code"`
	DeclineCode stripe.DeclineCode `json:"decline_code"`
}

// act sends an action on an intent and returns the intent.
func (c *Client) act(
	backend stripe.Backend, ctx context.Context, intent, action string, key *string,
) (payment.Intent, error) {
	path := stripe.FormatURLPath("/v1/payment_intents/%s/"+action, intent)
	return c.intent(backend, http.MethodPost, path, &stripe.Params{Context: ctx, IdempotencyKey: key})
}

func (c *Client) intent(
	backend stripe.Backend, method, path string, params stripe.ParamsContainer,
) (payment.Intent, error) {
	var d document
	if err := c.call(backend, method, path, params, &d); err != nil {
		return payment.Intent{}, err
	}
	return toIntent(d)
}

// toIntent maps an intent's status to an observed state. An unknown status is Uncertain. It returns an error for a
// received amount that is a fraction of a minor unit.
func toIntent(d document) (payment.Intent, error) {
	i := payment.Intent{ID: d.ID, Observed: payment.Uncertain, Shop: d.Metadata.Shop, Order: d.Metadata.Order}
	i.Attempt, _ = strconv.Atoi(d.Metadata.Attempt) // 0 if unreadable, which is not an attempt of ours
	switch d.Status {
	case stripe.PaymentIntentStatusRequiresConfirmation:
		i.Observed = payment.Nothing
	case stripe.PaymentIntentStatusRequiresCapture:
		i.Observed = payment.Authorized
	case stripe.PaymentIntentStatusSucceeded:
		i.Observed = payment.Captured
	case stripe.PaymentIntentStatusRequiresAction:
		i.Observed, i.ClientSecret = payment.ActionNeeded, d.ClientSecret
	case stripe.PaymentIntentStatusCanceled:
		i.Observed, i.Reason = payment.Canceled, payment.PaymentCanceled
	case stripe.PaymentIntentStatusRequiresPaymentMethod:
		i.Observed, i.Reason = payment.Declined, payment.PaymentMethodMissing
		if e := d.LastPaymentError; e != nil {
			i.Reason, i.DeclineCode = payment.CardDeclined, declineCode(e.Code, e.DeclineCode)
		}
	}
	if d.Received == 0 {
		return i, nil
	}
	var err error
	if i.Received, err = payable.MinorUnits(d.Received, strings.ToUpper(d.Currency)); err != nil {
		return payment.Intent{}, fmt.Errorf("provider: intent %s: %w", d.ID, err)
	}
	return i, nil
}

// declineCode is the most precise code of a decline: the issuer's if it gave one.
func declineCode(code stripe.ErrorCode, decline stripe.DeclineCode) string {
	if decline != "" {
		return string(decline)
	}
	return string(code)
}

// again is the key for a request whose own key is blocked.
func again(key string) string { return key + "-again" }
