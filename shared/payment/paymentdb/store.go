// Package paymentdb keeps charges in DynamoDB.
package paymentdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// Store keeps charges, one row each.
type Store struct{ Table record.Table }

type item struct {
	Order        string            `dynamodbav:"order"`
	Shop         saga.Shop         `dynamodbav:"shop"`
	Attempt      int               `dynamodbav:"attempt"`
	Total        *int64            `dynamodbav:"total,omitempty"` // absent from a tombstone, as is the currency
	Currency     string            `dynamodbav:"currency,omitempty"`
	Desired      string            `dynamodbav:"desired"`
	Observed     string            `dynamodbav:"observed"`
	Intent       string            `dynamodbav:"intent,omitempty"`
	ClientSecret string            `dynamodbav:"client_secret,omitempty"`
	Reason       string            `dynamodbav:"reason,omitempty"`
	DeclineCode  string            `dynamodbav:"decline_code,omitempty"`
	Refunds      []refund          `dynamodbav:"refunds,omitempty"`
	RefundIDs    map[string]string `dynamodbav:"refund_ids,omitempty"`

	External        *external        `dynamodbav:"external,omitempty"` // exactly what ExternalMoneyMoved carries
	ExternalRefunds []externalRefund `dynamodbav:"external_refunds,omitempty"`
	Disputes        []dispute        `dynamodbav:"disputes,omitempty"`
}

// external is a saga.External with the attribute names that facts use.
type external struct {
	Refunded   int64 `dynamodbav:"refunded"`
	Disputed   int64 `dynamodbav:"disputed"`
	Uncaptured int64 `dynamodbav:"uncaptured"`
}

type externalRefund struct {
	ID     string            `dynamodbav:"id" record:"key"`
	Amount int64             `dynamodbav:"amount"`
	Status saga.RefundStatus `dynamodbav:"status"`
}

type dispute struct {
	ID     string                `dynamodbav:"id" record:"key"`
	Amount int64                 `dynamodbav:"amount"`
	Status payment.DisputeStatus `dynamodbav:"status"`
}

// refund is a saga.Refund with the attribute names that facts use.
type refund struct {
	ID     string            `dynamodbav:"id" record:"key"`
	Amount int64             `dynamodbav:"amount"`
	Try    int               `dynamodbav:"try"`
	Status saga.RefundStatus `dynamodbav:"status"`
}

func toItem(c payment.Charge) item {
	i := item{
		Order: c.Order, Shop: c.Shop, Attempt: c.Attempt, Currency: c.Amount.Currency,
		Desired: string(c.Desired), Observed: string(c.Observed),
		Intent: c.Intent, ClientSecret: c.ClientSecret, Reason: c.Reason, DeclineCode: c.DeclineCode,
		RefundIDs: c.RefundIDs, External: (*external)(c.External),
	}
	if c.Amount.Currency != "" {
		i.Total = &c.Amount.Amount
	}
	for _, r := range c.ExternalRefunds {
		i.ExternalRefunds = append(i.ExternalRefunds, externalRefund(r))
	}
	for _, d := range c.Disputes {
		i.Disputes = append(i.Disputes, dispute(d))
	}
	for _, r := range c.Refunds {
		i.Refunds = append(i.Refunds, refund(r))
	}
	return i
}

func fromItem(i item, history saga.History) payment.Charge {
	c := payment.Charge{
		Order: i.Order, Shop: i.Shop, Attempt: i.Attempt, Amount: money.Money{Currency: i.Currency},
		Desired: payment.Desired(i.Desired), Observed: payment.Observed(i.Observed),
		Intent: i.Intent, ClientSecret: i.ClientSecret, Reason: i.Reason, DeclineCode: i.DeclineCode,
		RefundIDs: i.RefundIDs, External: (*saga.External)(i.External), History: history,
	}
	for _, r := range i.ExternalRefunds {
		c.ExternalRefunds = append(c.ExternalRefunds, payment.ExternalRefund(r))
	}
	for _, d := range i.Disputes {
		c.Disputes = append(c.Disputes, payment.Dispute(d))
	}
	if i.Total != nil {
		c.Amount.Amount = *i.Total
	}
	for _, r := range i.Refunds {
		c.Refunds = append(c.Refunds, saga.Refund(r))
	}
	return c
}

// Key is the primary key of the row of an order's first charge.
func Key(shop saga.Shop, order string) string { return key(shop, order, payment.FirstAttempt) }

func key(shop saga.Shop, order string, attempt int) string {
	return record.Key(shop, fmt.Sprintf("%s#%d", order, attempt))
}

// Create stores a new charge and publishes f, in one write. It returns the charge with its new
// history, so that it can be saved again without a read. If the order already has this charge, it
// returns the existing one and fault.Duplicate.
func (s Store) Create(ctx context.Context, c payment.Charge, cause saga.Cause, f saga.Fact) (payment.Charge, error) {
	c.History = saga.History{}
	history, err := s.Table.SaveNext(ctx, change(c, cause, f))
	if existing, ok := errors.AsType[*record.Exists](err); ok {
		var i item
		history, decodeErr := record.Decode(existing.Image, &i)
		if decodeErr != nil {
			return payment.Charge{}, decodeErr
		}
		c := fromItem(i, history)
		return c, cmp.Or(c.Known(), err)
	}
	c.History = history
	return c, err
}

// Load reads an order's first charge consistently. It returns fault.NotFound if there is none, and
// the error of Charge.Known.
func (s Store) Load(ctx context.Context, shop saga.Shop, order string) (payment.Charge, error) {
	var i item
	history, err := s.Table.Load(ctx, Key(shop, order), &i)
	if err != nil {
		return payment.Charge{}, err
	}
	c := fromItem(i, history)
	return c, c.Known()
}

// Save stores a charge, raises its version and publishes the facts, in one write. It returns the
// charge with its new history, and fault.Conflict if the charge changed since it was loaded.
func (s Store) Save(
	ctx context.Context, c payment.Charge, cause saga.Cause, facts ...saga.Fact,
) (payment.Charge, error) {
	history, err := s.Table.SaveNext(ctx, change(c, cause, facts...))
	if err == nil {
		c.History = history
	}
	return c, err
}

func change(c payment.Charge, cause saga.Cause, facts ...saga.Fact) record.Change {
	return record.Change{
		Key: key(c.Shop, c.Order, c.Attempt), Item: toItem(c), History: c.History, Cause: cause, Facts: facts,
	}
}
