package provider

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/stripe/stripe-go/v84"

	"backroom/shared/money"
	"backroom/shared/money/payable"
	"backroom/shared/payment"
	"backroom/shared/saga"
)

// pageSize is how many refunds one answer lists, the provider's maximum.
const pageSize = 100

// Refund gives back part of the captured amount. A refund that the provider refuses, for example
// because it exceeds what is left, has the status saga.RefundStatusFailed and no id. For a day, the
// same key returns the same refund.
func (c *Client) Refund(
	ctx context.Context, charge payment.Charge, r saga.Refund, key string,
) (payment.ProviderRefund, error) {
	refused := payment.ProviderRefund{Refund: r.ID, Try: r.Try, Amount: r.Amount, Status: saga.RefundStatusFailed}
	amount, err := payable.Units(money.Money{Amount: r.Amount, Currency: charge.Amount.Currency})
	if err != nil {
		return refused, nil
	}
	refund := func(key string) (payment.ProviderRefund, error) {
		var d refundDocument
		err := c.call(c.paying, http.MethodPost, "/v1/refunds", &refunding{
			Params:        stripe.Params{Context: ctx, IdempotencyKey: &key},
			PaymentIntent: charge.Intent,
			Amount:        amount,
			Metadata: map[string]string{
				"order": charge.Order, "shop": string(charge.Shop), "attempt": strconv.Itoa(charge.Attempt),
				"refund": r.ID, "try": strconv.Itoa(r.Try),
			},
		}, &d)
		if err != nil {
			return payment.ProviderRefund{}, err
		}
		return toRefund(d, charge.Amount.Currency)
	}
	m, err := refund(key)
	if keyBlocked(err) {
		all, unknown := c.Refunds(ctx, charge)
		if unknown != nil {
			return payment.ProviderRefund{}, unknown
		}
		for _, m := range all {
			if m.Refund == r.ID && m.Try == r.Try {
				return m, nil
			}
		}
		m, err = refund(again(key))
	}
	if _, ok := refusal(err); ok {
		note(ctx, err)
		return refused, nil
	}
	return m, failure(err)
}

// Refunds returns every refund of the charge's intent, including those that Backroom did not make.
func (c *Client) Refunds(ctx context.Context, charge payment.Charge) ([]payment.ProviderRefund, error) {
	var all []payment.ProviderRefund
	list := &listing{Params: stripe.Params{Context: ctx}, PaymentIntent: charge.Intent, Limit: pageSize}
	for more := true; more; {
		var page refundPage
		if err := c.call(c.asking, http.MethodGet, "/v1/refunds", list, &page); err != nil {
			return nil, failure(err)
		}
		for _, d := range page.Data {
			m, err := toRefund(d, charge.Amount.Currency)
			if err != nil {
				return nil, err
			}
			all = append(all, m)
			list.StartingAfter = d.ID
		}
		more = page.HasMore && len(page.Data) > 0
	}
	return all, nil
}

type refunding struct {
	stripe.Params `form:"*"`
	PaymentIntent string            `form:"payment_intent"`
	Amount        int64             `form:"amount"`
	Metadata      map[string]string `form:"metadata"`
}

type listing struct {
	stripe.Params `form:"*"`
	PaymentIntent string `form:"payment_intent"`
	Limit         int    `form:"limit"`
	StartingAfter string `form:"starting_after"`
}

type refundPage struct {
	stripe.APIResource
	Data    []refundDocument `json:"data"`
	HasMore bool             `json:"has_more"`
}

type refundDocument struct {
	stripe.APIResource
	ID       string              `json:"id"`
	Status   stripe.RefundStatus `json:"status"`
	Amount   int64               `json:"amount"`
	Metadata struct {
		Refund string `json:"refund"`
		Try    string `json:"try"`
	} `json:"metadata"`
}

// toRefund maps the provider's refund to ours. An unknown status is pending.
func toRefund(d refundDocument, currency string) (payment.ProviderRefund, error) {
	minor, err := payable.MinorUnits(d.Amount, currency)
	if err != nil {
		return payment.ProviderRefund{}, fmt.Errorf("provider: refund %s: %w", d.ID, err)
	}
	m := payment.ProviderRefund{ID: d.ID, Refund: d.Metadata.Refund, Amount: minor, Status: saga.RefundStatusPending}
	m.Try, _ = strconv.Atoi(d.Metadata.Try) // 0 if unreadable, which is not a try of ours
	switch d.Status {
	case stripe.RefundStatusSucceeded:
		m.Status = saga.RefundStatusSucceeded
	case stripe.RefundStatusFailed, stripe.RefundStatusCanceled:
		m.Status = saga.RefundStatusFailed
	}
	return m, nil
}
