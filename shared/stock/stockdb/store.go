// Package stockdb keeps levels, adjustments and reservations in DynamoDB.
package stockdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/record"
	"backroom/shared/saga"
	"backroom/shared/stock"
)

// Store keeps reservations and levels. Levels are plain counters that change by conditional ADD;
// they have no version and no stream. A store that is only used to sell does not move units and
// needs no Levels.
type Store struct {
	Reservations record.Table
	Levels       Levels
}

type item struct {
	Order         string    `dynamodbav:"order"`
	Shop          saga.Shop `dynamodbav:"shop"`
	Desired       string    `dynamodbav:"desired"`
	Observed      string    `dynamodbav:"observed"`
	Lines         []line    `dynamodbav:"lines,omitempty"`
	Short         []string  `dynamodbav:"short,omitempty"`
	Total         int64     `dynamodbav:"total"`
	Currency      string    `dynamodbav:"currency,omitempty"`
	PaymentMethod string    `dynamodbav:"payment_method,omitempty"`
}

type line struct {
	SKU      string `dynamodbav:"sku" record:"key"`
	Quantity int64  `dynamodbav:"quantity"`
}

func change(r stock.Reservation, cause saga.Cause, f saga.Fact) record.Change {
	i := item{
		Order: r.Order, Shop: r.Shop, Desired: string(r.Desired), Observed: string(r.Observed), Short: r.Short,
		Total: r.Total.Amount, Currency: r.Total.Currency, PaymentMethod: r.PaymentMethod,
	}
	for _, l := range r.Lines {
		i.Lines = append(i.Lines, line(l))
	}
	return record.Change{
		Key: record.Key(r.Shop, r.Order), Item: i, History: r.History, Cause: cause, Facts: []saga.Fact{f},
	}
}

func fromItem(i item, h saga.History) stock.Reservation {
	r := stock.Reservation{
		Order: i.Order, Shop: i.Shop, Desired: stock.Desired(i.Desired), Observed: stock.Observed(i.Observed),
		Short: i.Short,
		Total: money.Money{Amount: i.Total, Currency: i.Currency}, PaymentMethod: i.PaymentMethod, History: h,
	}
	for _, l := range i.Lines {
		r.Lines = append(r.Lines, stock.Line(l))
	}
	return r
}

// Create stores a new reservation and records f. If it is Reserved, the units of all lines move
// from sellable to promised in the same transaction; if any are short, nothing is stored and it
// returns *stock.ErrShort. It returns fault.Duplicate if the order has a reservation already,
// whatever the levels are, and fault.Conflict if other transactions kept changing the same levels.
func (s Store) Create(ctx context.Context, r stock.Reservation, cause saga.Cause, f saga.Fact) error {
	return s.write(ctx, r, stock.Nothing, cause, f)
}

// write stores r, whose previous state was prev. If the two states are counted in different
// columns, its units move in the same transaction; it returns *stock.ErrShort if the previous
// column has too few.
func (s Store) write(
	ctx context.Context, r stock.Reservation, prev stock.Observed, cause saga.Cause, f saga.Fact,
) error {
	c := change(r, cause, f)
	if r.Observed.Promised() == prev.Promised() {
		return s.Reservations.Save(ctx, c)
	}
	put, err := s.Reservations.Put(c)
	if err != nil {
		return err
	}
	actions := []types.TransactWriteItem{put}
	for _, l := range r.Lines {
		actions = append(actions, s.Levels.shift(r.Shop, l, counter(prev), counter(r.Observed)))
	}
	err = record.Transact(ctx, s.Reservations.DB, actions...)
	refused, ok := errors.AsType[*record.Canceled](err)
	if !ok {
		return err
	}
	if refused.Reasons[0].Failed {
		return s.Reservations.Refused(c, put, refused.Reasons[0])
	}
	short := &stock.ErrShort{}
	for i, l := range r.Lines {
		if refused.Reasons[i+1].Failed {
			short.SKUs = append(short.SKUs, l.SKU)
		}
	}
	return short
}

// Load reads an order's reservation consistently. It returns fault.NotFound if there is none.
func (s Store) Load(ctx context.Context, shop saga.Shop, order string) (stock.Reservation, error) {
	var i item
	h, err := s.Reservations.Load(ctx, record.Key(shop, order), &i)
	return fromItem(i, h), err
}

// Save stores r, whose previous state was prev, raises its version and records f. If the two states
// are counted in different columns, the units move in the same transaction; otherwise it is one
// plain write. It returns fault.Conflict if the reservation has changed since it was loaded, if it
// was created since it was not found, or if other transactions kept changing the same levels. It
// returns stock.ErrInconsistent if the levels do not count the units that are to move.
func (s Store) Save(
	ctx context.Context, r stock.Reservation, prev stock.Observed, cause saga.Cause, f saga.Fact,
) error {
	err := s.write(ctx, r, prev, cause, f)
	if short, ok := errors.AsType[*stock.ErrShort](err); ok {
		return stock.ErrInconsistent.Because(short)
	}
	if errors.Is(err, fault.Duplicate) {
		return record.ErrVersionConflict
	}
	return err
}

// Levels counts, per SKU, the sellable units and those that are promised to orders.
type Levels struct {
	DB   *dynamodb.Client
	Name string
}

func (s Levels) key(shop saga.Shop, sku string) map[string]types.AttributeValue {
	return record.PrimaryKey(record.Key(shop, "sku#"+sku))
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
}

// counter returns the column that counts the units of a reservation in a state.
func counter(o stock.Observed) string {
	if o.Promised() {
		return "promised"
	}
	return "sellable"
}

// shift moves units from one counter to the other. Its condition fails if there are too few, or if
// the SKU was never counted.
func (s Levels) shift(shop saga.Shop, l stock.Line, from, to string) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: s.key(shop, l.SKU),
		UpdateExpression:    aws.String("ADD " + from + " :less, " + to + " :more"),
		ConditionExpression: aws.String(from + " >= :more"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":less": number(-l.Quantity), ":more": number(l.Quantity),
		},
	}}
}

// Load reads a level consistently. It returns stock.ErrUnknownStock for a SKU that was never
// counted.
func (s Levels) Load(ctx context.Context, shop saga.Shop, sku string) (stock.Level, error) {
	out, err := s.DB.GetItem(
		ctx, &dynamodb.GetItemInput{TableName: &s.Name, Key: s.key(shop, sku), ConsistentRead: aws.Bool(true)},
	)
	if err != nil {
		return stock.Level{}, record.Failure(err)
	}
	if out.Item == nil {
		return stock.Level{}, stock.ErrUnknownStock
	}
	return levelOf(shop, sku, out.Item)
}

// levelOf decodes a level. A SKU without a row has the level zero.
func levelOf(shop saga.Shop, sku string, image map[string]types.AttributeValue) (stock.Level, error) {
	var counted struct {
		Sellable int64 `dynamodbav:"sellable"`
		Promised int64 `dynamodbav:"promised"`
	}
	if err := attributevalue.UnmarshalMap(image, &counted); err != nil {
		return stock.Level{}, fmt.Errorf("stockdb: decode level: %w", err)
	}
	return stock.Level{Shop: shop, SKU: sku, Sellable: counted.Sellable, Promised: counted.Promised}, nil
}

type adjustmentItem struct {
	PK          string `dynamodbav:"pk"`
	ID          string `dynamodbav:"id"`
	SKU         string `dynamodbav:"sku"`
	Delta       int64  `dynamodbav:"delta"`
	IfEquals    *int64 `dynamodbav:"if_equals,omitempty"`
	Reason      string `dynamodbav:"reason"`
	At          int64  `dynamodbav:"at"` // milliseconds since 1970
	Actor       string `dynamodbav:"actor"`
	Fingerprint string `dynamodbav:"fingerprint"`
}

// Adjust applies an adjustment and stores it, in one transaction. If one with its id was made
// before, Adjust changes nothing and returns the stored one and fault.Duplicate. It returns
// stock.ErrLevelChanged if the level differs from IfEquals, stock.ErrInsufficient if it would become
// negative, and stock.ErrLevelTooHigh if it would exceed stock.MaxSellable.
func (s Levels) Adjust(ctx context.Context, a stock.Adjustment) (stock.Adjustment, error) {
	row, err := attributevalue.MarshalMap(adjustmentItem{
		PK: record.Key(a.Shop, "adjustment#"+a.ID), ID: a.ID, SKU: a.SKU, Delta: a.Delta, IfEquals: a.IfEquals,
		Reason: a.Reason, At: a.At.UnixMilli(), Actor: a.Actor, Fingerprint: a.Fingerprint,
	})
	if err != nil {
		return a, fmt.Errorf("stockdb: encode adjustment: %w", err)
	}
	err = record.Transact(ctx, s.DB,
		types.TransactWriteItem{Put: &types.Put{
			TableName: &s.Name, Item: row, ConditionExpression: aws.String("attribute_not_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}},
		types.TransactWriteItem{Update: s.move(a)})
	refused, ok := errors.AsType[*record.Canceled](err)
	switch {
	case !ok:
		return a, err
	case refused.Reasons[0].Failed:
		return adjustmentOf(a.Shop, refused.Reasons[0].Item)
	}
	now, err := levelOf(a.Shop, a.SKU, refused.Reasons[1].Item)
	if err != nil {
		return a, err
	}
	why := stock.ErrInsufficient
	switch {
	case a.IfEquals != nil:
		why = stock.ErrLevelChanged
	case a.Delta > 0:
		why = stock.ErrLevelTooHigh
	}
	return a, why.Now("sellable", now.Sellable)
}

// move changes a level by the adjustment's delta. Its condition fails if the adjustment does not
// apply to the level. A SKU that was never counted has the level zero.
func (s Levels) move(a stock.Adjustment) *types.Update {
	u := &types.Update{
		TableName: &s.Name, Key: s.key(a.Shop, a.SKU), UpdateExpression: aws.String("ADD sellable :delta"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ExpressionAttributeValues:           map[string]types.AttributeValue{":delta": number(a.Delta)},
	}
	switch {
	case a.IfEquals != nil && *a.IfEquals == 0:
		u.ConditionExpression = aws.String("sellable = :equals OR attribute_not_exists(sellable)")
		u.ExpressionAttributeValues[":equals"] = number(0)
	case a.IfEquals != nil:
		u.ConditionExpression = aws.String("sellable = :equals")
		u.ExpressionAttributeValues[":equals"] = number(*a.IfEquals)
	case a.Delta < 0:
		u.ConditionExpression = aws.String("sellable >= :least")
		u.ExpressionAttributeValues[":least"] = number(-a.Delta)
	case a.Delta > 0:
		u.ConditionExpression = aws.String("sellable <= :most OR attribute_not_exists(sellable)")
		u.ExpressionAttributeValues[":most"] = number(stock.MaxSellable - a.Delta)
	}
	return u
}

func adjustmentOf(shop saga.Shop, image map[string]types.AttributeValue) (stock.Adjustment, error) {
	var i adjustmentItem
	if err := attributevalue.UnmarshalMap(image, &i); err != nil {
		return stock.Adjustment{}, fmt.Errorf("stockdb: decode adjustment: %w", err)
	}
	return stock.Adjustment{
		ID: i.ID, Shop: shop, SKU: i.SKU, Delta: i.Delta, IfEquals: i.IfEquals, Reason: i.Reason,
		At: time.UnixMilli(i.At).UTC(), Actor: i.Actor, Fingerprint: i.Fingerprint,
	}, fault.Duplicate
}
