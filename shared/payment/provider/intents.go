package provider

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/stripe/stripe-go/v84"

	"backroom/shared/payment"
	"backroom/shared/saga"
)

// Create makes an intent to pay the charge, which nobody confirmed: no money moves. For a day it returns the same intent
// under the same key. An intent without an id and with a reason is one that the provider will not make: its amount or its
// payment method, say, is not to its liking.
func (c *Client) Create(ctx context.Context, charge payment.Charge, key string) (payment.Intent, error) {
	amount, err := Amount(charge.Amount)
	if err != nil {
		return payment.Intent{Observed: payment.Declined, Reason: payment.AmountNotPayable}, nil
	}
	create := func(key string) (payment.Intent, error) {
		return c.intent(c.asking, http.MethodPost, "/v1/payment_intents", &creation{
			Params:             stripe.Params{Context: ctx, IdempotencyKey: &key},
			Amount:             amount,
			Currency:           strings.ToLower(charge.Amount.Currency),
			PaymentMethod:      charge.PaymentMethod,
			PaymentMethodTypes: []string{"card"}, // others may send the customer elsewhere
			CaptureMethod:      string(stripe.PaymentIntentCaptureMethodManual),
			Metadata:           map[string]string{"order": charge.Order, "shop": string(charge.Shop), "attempt": strconv.Itoa(charge.Attempt)},
		})
	}
	intent, err := create(key)
	if spent(err) {
		intent, err = create(again(key)) // whatever was made under the first is never confirmed and moves nothing
	}
	if refused, ok := refusal(err); ok {
		note(ctx, err)
		return refused, nil
	}
	return intent, failure(err)
}

// Confirm has the intent's amount held on the customer's card, unless that happened or was refused before, and returns how
// the intent stands then. It names no payment method: an intent that was declined has none any more, so that a
// confirmation that comes late is refused by the provider itself. A refusal is a decline only once no request still under
// way can confirm the intent, by what the provider says of it and not by the refusal alone.
func (c *Client) Confirm(ctx context.Context, intent, key string) (payment.Intent, error) {
	confirmed, err := c.act(c.paying, ctx, intent, "confirm", &key)
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
	if err == nil && stands.Observed == payment.Nothing {
		stands, err = c.Cancel(ctx, refused.ID)
	}
	if err == nil && (stands.Observed == payment.Canceled || stands.Observed == payment.Declined && stands.Reason != payment.CardDeclined) {
		return refused, nil
	}
	return stands, err
}

// Capture takes the amount that is held for the intent, and returns how it stands then. Whatever came of the request, the
// intent itself says if the money was taken, and it is taken once; so it is asked where the answer was lost or a refusal.
func (c *Client) Capture(ctx context.Context, intent, key string) (payment.Intent, error) {
	captured, err := c.act(c.paying, ctx, intent, "capture", &key)
	if err == nil || lockedOut(err) {
		return captured, failure(err)
	}
	note(ctx, err)
	stands, unknown := c.Find(ctx, intent)
	if unknown == nil && stands.Observed == payment.Authorized && spent(err) {
		stands, err = c.act(c.paying, ctx, intent, "capture", stripe.String(again(key)))
	}
	switch {
	case unknown != nil:
		return payment.Intent{}, unknown
	case stands.Observed == payment.Authorized || stands.ID == "":
		return payment.Intent{}, failure(err) // it is not known yet, or a mistake: nothing keeps the provider from taking it
	}
	return stands, nil
}

// Cancel has an intent never take money any more and lets go what is held, and returns how it stands then. One that cannot
// be canceled stands as it did.
func (c *Client) Cancel(ctx context.Context, intent string) (payment.Intent, error) {
	canceled, err := c.act(c.asking, ctx, intent, "cancel", nil)
	if outOfTurn(err) {
		return c.Find(ctx, intent)
	}
	return canceled, failure(err)
}

// Find returns how an intent stands. It works however old the intent is. It returns payment.ErrNoIntent for one that the
// provider does not have.
func (c *Client) Find(ctx context.Context, intent string) (payment.Intent, error) {
	found, err := c.intent(c.asking, http.MethodGet, stripe.FormatURLPath("/v1/payment_intents/%s", intent), &stripe.Params{Context: ctx})
	if absent(err) {
		return payment.Intent{}, payment.ErrNoIntent.Because(failure(err))
	}
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
	Metadata           map[string]string `form:"metadata"`
}

// document is what we read of a PaymentIntent. Decoding all of stripe.PaymentIntent costs 7 ms of CPU the first time, which
// is a hundred at the share of a 128 MB function, and would bring a customer's data into memory.
type document struct {
	stripe.APIResource
	ID               string                     `json:"id"`
	Status           stripe.PaymentIntentStatus `json:"status"`
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

// act has something done to an intent.
func (c *Client) act(backend stripe.Backend, ctx context.Context, intent, action string, key *string) (payment.Intent, error) {
	return c.intent(backend, http.MethodPost, stripe.FormatURLPath("/v1/payment_intents/%s/"+action, intent), &stripe.Params{Context: ctx, IdempotencyKey: key})
}

func (c *Client) intent(backend stripe.Backend, method, path string, params stripe.ParamsContainer) (payment.Intent, error) {
	var d document
	if err := c.call(backend, method, path, params, &d); err != nil {
		return payment.Intent{}, err
	}
	return standing(d), nil
}

// standing tells what an intent's status means. A status that is not known yet decides nothing.
func standing(d document) payment.Intent {
	i := payment.Intent{ID: d.ID, Observed: payment.Uncertain, Shop: d.Metadata.Shop, Order: d.Metadata.Order}
	i.Attempt, _ = strconv.Atoi(d.Metadata.Attempt) // 0, which is no attempt of ours, for what is none
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
	return i
}

// declineCode is the most that the provider says about a decline: the issuer's reason if it gave one.
func declineCode(code stripe.ErrorCode, decline stripe.DeclineCode) string {
	if decline != "" {
		return string(decline)
	}
	return string(code)
}

// again is the key for a request whose own leads nowhere.
func again(key string) string { return key + "-again" }
