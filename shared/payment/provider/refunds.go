package provider

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/stripe/stripe-go/v84"

	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/saga"
)

// pageSize is how many refunds one answer lists: the most that the provider puts into one.
const pageSize = 100

// Refund gives back part of what was taken for the charge. A refund that the provider will not make, as of more than is left,
// is RefundRefused and has no id. For a day it returns the same refund under the same key.
func (c *Client) Refund(ctx context.Context, charge payment.Charge, r saga.Refund, key string) (payment.ProviderRefund, error) {
	refused := payment.ProviderRefund{Refund: r.ID, Try: r.Try, Amount: r.Amount, Status: saga.RefundStatusFailed}
	amount, err := Amount(money.Money{Amount: r.Amount, Currency: charge.Amount.Currency})
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
				"order": charge.Order, "shop": string(charge.Shop), "attempt": strconv.Itoa(charge.Attempt), "refund": r.ID, "try": strconv.Itoa(r.Try),
			},
		}, &d)
		if err != nil {
			return payment.ProviderRefund{}, err
		}
		return made(d, charge.Amount.Currency)
	}
	m, err := refund(key)
	if spent(err) {
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

// Refunds returns all refunds that were ever made of the charge's intent, whoever made them.
func (c *Client) Refunds(ctx context.Context, charge payment.Charge) ([]payment.ProviderRefund, error) {
	var all []payment.ProviderRefund
	list := &listing{Params: stripe.Params{Context: ctx}, PaymentIntent: charge.Intent, Limit: pageSize}
	for more := true; more; {
		var page refundPage
		if err := c.call(c.asking, http.MethodGet, "/v1/refunds", list, &page); err != nil {
			return nil, failure(err)
		}
		for _, d := range page.Data {
			m, err := made(d, charge.Amount.Currency)
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

// made tells what the provider's refund is to us. A status that is not known yet decides nothing.
func made(d refundDocument, currency string) (payment.ProviderRefund, error) {
	minor, err := minorUnits(d.Amount, currency)
	if err != nil {
		return payment.ProviderRefund{}, fmt.Errorf("provider: refund %s: %w", d.ID, err)
	}
	m := payment.ProviderRefund{ID: d.ID, Refund: d.Metadata.Refund, Amount: minor, Status: saga.RefundStatusPending}
	m.Try, _ = strconv.Atoi(d.Metadata.Try) // 0, which is no try of ours, for what is none
	switch d.Status {
	case stripe.RefundStatusSucceeded:
		m.Status = saga.RefundStatusSucceeded
	case stripe.RefundStatusFailed, stripe.RefundStatusCanceled:
		m.Status = saga.RefundStatusFailed
	}
	return m, nil
}
