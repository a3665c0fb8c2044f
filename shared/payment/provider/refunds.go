package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/stripe/stripe-go/v84"

	"backroom/shared/money"
	"backroom/shared/money/payable"
	"backroom/shared/payment"
	"backroom/shared/saga"
)

// pageSize is how many refunds or disputes one answer lists, the provider's maximum.
const pageSize = 100

// Refund gives back part of the captured amount. A refund that the provider refuses has no id. Its status
// is saga.RefundStatusRefused if it can never be made, as when it exceeds what is left, and otherwise
// saga.RefundStatusFailed. For a day, the same key returns the same refund.
func (c *Client) Refund(
	ctx context.Context, charge payment.Charge, r saga.Refund, key string,
) (payment.ProviderRefund, error) {
	refused := payment.ProviderRefund{Refund: r.ID, Try: r.Try, Amount: r.Amount, Status: saga.RefundStatusFailed}
	amount, err := payable.Units(money.Money{Amount: r.Amount, Currency: charge.Amount.Currency})
	if err != nil {
		refused.Status = saga.RefundStatusRefused
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
		if finalRefusal(err) {
			refused.Status = saga.RefundStatusRefused
		}
		return refused, nil
	}
	return m, failure(err)
}

// finalRefusal reports whether the provider refused a refund for a reason that time does not heal: less is
// left of the charge, because of other refunds or a dispute, or the amount can never be moved.
func finalRefusal(err error) bool {
	said, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		return false
	}
	switch said.Code {
	case stripe.ErrorCodeChargeAlreadyRefunded, stripe.ErrorCodeChargeDisputed, stripe.ErrorCodeRefundDisputedPayment,
		stripe.ErrorCodeChargeNotRefundable, stripe.ErrorCodeAmountTooSmall, stripe.ErrorCodeAmountTooLarge,
		stripe.ErrorCodeInvalidChargeAmount:
		return true
	}
	return said.Param == "amount"
}

// Refunds returns every refund of the charge's intent, including those that Backroom did not make.
func (c *Client) Refunds(ctx context.Context, charge payment.Charge) ([]payment.ProviderRefund, error) {
	return listAll(ctx, c, "/v1/refunds", charge, func(d refundDocument) (string, payment.ProviderRefund, error) {
		m, err := toRefund(d, charge.Amount.Currency)
		return d.ID, m, err
	})
}

// Disputes returns every dispute of the charge's intent.
func (c *Client) Disputes(ctx context.Context, charge payment.Charge) ([]payment.Dispute, error) {
	return listAll(ctx, c, "/v1/disputes", charge, func(d disputeDocument) (string, payment.Dispute, error) {
		m, err := toDispute(d, charge)
		return d.ID, m, err
	})
}

// listAll reads every page of a list about the charge's intent. to returns an element's id and what it
// stands for.
func listAll[D, T any](
	ctx context.Context, c *Client, path string, charge payment.Charge, to func(D) (string, T, error),
) ([]T, error) {
	var all []T
	list := &listing{Params: stripe.Params{Context: ctx}, PaymentIntent: charge.Intent, Limit: pageSize}
	for more := true; more; {
		var p page[D]
		if err := c.call(c.asking, http.MethodGet, path, list, &p); err != nil {
			return nil, failure(err)
		}
		for _, d := range p.Data {
			id, element, err := to(d)
			if err != nil {
				return nil, err
			}
			all = append(all, element)
			list.StartingAfter = id
		}
		more = p.HasMore && len(p.Data) > 0
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

type page[D any] struct {
	stripe.APIResource
	Data    []D  `json:"data"`
	HasMore bool `json:"has_more"`
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

type disputeDocument struct {
	stripe.APIResource
	ID       string               `json:"id"`
	Status   stripe.DisputeStatus `json:"status"`
	Amount   int64                `json:"amount"`
	Currency string               `json:"currency"`
}

// toDispute maps the provider's dispute to ours. A dispute in another currency than the charge's counts as one
// of the whole charge. An unknown status is open.
func toDispute(d disputeDocument, charge payment.Charge) (payment.Dispute, error) {
	m := payment.Dispute{ID: d.ID, Amount: charge.Amount.Amount, Status: payment.DisputeOpen}
	if strings.EqualFold(d.Currency, charge.Amount.Currency) {
		var err error
		if m.Amount, err = payable.MinorUnits(d.Amount, charge.Amount.Currency); err != nil {
			return payment.Dispute{}, fmt.Errorf("provider: dispute %s: %w", d.ID, err)
		}
	}
	switch d.Status {
	case stripe.DisputeStatusLost:
		m.Status = payment.DisputeLost
	case stripe.DisputeStatusWon, stripe.DisputeStatusPrevented, stripe.DisputeStatusWarningClosed,
		stripe.DisputeStatusWarningNeedsResponse, stripe.DisputeStatusWarningUnderReview:
		m.Status = payment.DisputeWon
	}
	return m, nil
}
