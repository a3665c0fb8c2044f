// Package paymentdb keeps charges in DynamoDB.
package paymentdb

import (
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
	Order       string `dynamodbav:"order"`
	Shop        string `dynamodbav:"shop"`
	Attempt     int    `dynamodbav:"attempt"`
	Total       int64  `dynamodbav:"total"`
	Currency    string `dynamodbav:"currency"`
	Want        string `dynamodbav:"want"`
	Has         string `dynamodbav:"has"`
	Intent      string `dynamodbav:"intent,omitempty"`
	Reason      string `dynamodbav:"reason,omitempty"`
	DeclineCode string `dynamodbav:"decline_code,omitempty"`
}

func toItem(c payment.Charge) item {
	return item{
		Order: c.Order, Shop: c.Shop, Attempt: c.Attempt, Total: c.Amount.Amount, Currency: c.Amount.Currency,
		Want: string(c.Want), Has: string(c.Has), Intent: c.Intent, Reason: c.Reason, DeclineCode: c.DeclineCode,
	}
}

func fromItem(i item, d saga.Diary) payment.Charge {
	return payment.Charge{
		Order: i.Order, Shop: i.Shop, Attempt: i.Attempt, Amount: money.Money{Amount: i.Total, Currency: i.Currency},
		Want: payment.Want(i.Want), Has: payment.Has(i.Has), Intent: i.Intent, Reason: i.Reason, DeclineCode: i.DeclineCode, Diary: d,
	}
}

// Key is the primary key of the row of an order's first charge.
func Key(shop, order string) string { return key(shop, order, payment.FirstAttempt) }

func key(shop, order string, attempt int) string {
	return record.Key(shop, fmt.Sprintf("%s#%d", order, attempt))
}

// Create stores a new charge and announces f, in one write. It returns the charge with the diary that it has then, so that
// it can be saved again without being read. If the order has this charge already it returns that one, with fault.Duplicate.
func (s Store) Create(ctx context.Context, c payment.Charge, cause saga.Cause, f saga.Fact) (payment.Charge, error) {
	c.Diary = saga.Diary{}
	diary, err := s.Table.SaveNext(ctx, change(c, cause, f))
	if there, ok := errors.AsType[*record.Exists](err); ok {
		var i item
		d, decodeErr := record.Decode(there.Image, &i)
		return fromItem(i, d), errors.Join(err, decodeErr)
	}
	c.Diary = diary
	return c, err
}

// Load reads an order's first charge consistently. It returns fault.NotFound for none.
func (s Store) Load(ctx context.Context, shop, order string) (payment.Charge, error) {
	var i item
	d, err := s.Table.Load(ctx, Key(shop, order), &i)
	return fromItem(i, d), err
}

// Save stores a charge, raises its version and announces f, in one write. It returns fault.Conflict if the charge moved on
// since it was loaded.
func (s Store) Save(ctx context.Context, c payment.Charge, cause saga.Cause, f saga.Fact) error {
	return s.Table.Save(ctx, change(c, cause, f))
}

func change(c payment.Charge, cause saga.Cause, f saga.Fact) record.Change {
	return record.Change{Key: key(c.Shop, c.Order, c.Attempt), Item: toItem(c), Diary: c.Diary, Cause: cause, Facts: []saga.Fact{f}}
}
