// Package orderdb keeps orders in DynamoDB.
package orderdb

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/money"
	"backroom/shared/order"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// WatchIndex lists the orders that are owed something: by shard of their id while they wait, by shop once they need
// attention. A flash sale of one shop must not be one partition of it, and only unfinished orders are in it.
const WatchIndex = "watch"

const shards = 16

// Store keeps orders, one row each.
type Store struct{ Table record.Table }

type item struct {
	Order         string `dynamodbav:"order"`
	Shop          string `dynamodbav:"shop"`
	Owner         string `dynamodbav:"owner"`
	Status        string `dynamodbav:"status"`
	Reason        string `dynamodbav:"reason,omitempty"`
	Lines         []line `dynamodbav:"lines"`
	Total         int64  `dynamodbav:"total"`
	Currency      string `dynamodbav:"currency"`
	PaymentMethod string `dynamodbav:"payment_method"`
	PlacedAt      int64  `dynamodbav:"placed_at"` // milliseconds since 1970
	Fingerprint   string `dynamodbav:"fingerprint"`
	Asks          int    `dynamodbav:"asks,omitempty"`
	Due           int64  `dynamodbav:"due,omitempty"` // milliseconds since 1970
	Watch         string `dynamodbav:"watch,omitempty"`
}

type line struct {
	SKU      string `dynamodbav:"sku"`
	Quantity int64  `dynamodbav:"quantity"`
	Price    int64  `dynamodbav:"price"`
}

func toItem(o order.Order) item {
	i := item{
		Order: o.ID, Shop: o.Shop, Owner: o.Owner, Status: string(o.Status), Reason: o.Reason, Total: o.Total.Amount, Currency: o.Total.Currency,
		PaymentMethod: o.PaymentMethod, PlacedAt: o.PlacedAt.UnixMilli(), Fingerprint: o.Fingerprint, Asks: o.Asks, Watch: watch(o),
	}
	if !o.Due.IsZero() {
		i.Due = o.Due.UnixMilli()
	}
	for _, l := range o.Lines {
		i.Lines = append(i.Lines, line(l))
	}
	return i
}

func fromItem(i item, d saga.Diary) order.Order {
	o := order.Order{
		ID: i.Order, Shop: i.Shop, Owner: i.Owner, Status: order.Status(i.Status), Reason: i.Reason, Total: money.Money{Amount: i.Total, Currency: i.Currency},
		PaymentMethod: i.PaymentMethod, PlacedAt: time.UnixMilli(i.PlacedAt).UTC(), Fingerprint: i.Fingerprint, Asks: i.Asks, Diary: d,
	}
	if i.Due != 0 {
		o.Due = time.UnixMilli(i.Due).UTC()
	}
	for _, l := range i.Lines {
		o.Lines = append(o.Lines, saga.Line(l))
	}
	return o
}

// watch returns the order's partition of the watch index; empty for an order that is owed nothing.
func watch(o order.Order) string {
	switch o.Status {
	case order.Placed:
		h := fnv.New32a()
		h.Write([]byte(o.ID))
		return waiting(int(h.Sum32() % shards))
	case order.NeedsAttention:
		return "attention#" + o.Shop
	}
	return ""
}

func waiting(shard int) string { return fmt.Sprintf("due#%d", shard) }

// Create stores a new order and announces facts, in one write, and returns the order as it stands then. If an order with
// that id stands already it returns that one, with fault.Duplicate.
func (s Store) Create(ctx context.Context, o order.Order, cause saga.Cause, facts ...saga.Fact) (order.Order, error) {
	o.Diary = saga.Diary{}
	diary, err := s.Table.SaveNext(ctx, change(o, cause, facts))
	if there, ok := errors.AsType[*record.Exists](err); ok {
		var i item
		d, decodeErr := record.Decode(there.Image, &i)
		return fromItem(i, d), errors.Join(err, decodeErr)
	}
	o.Diary = diary
	return o, err
}

// Load reads an order consistently. It returns fault.NotFound if the shop has no such order.
func (s Store) Load(ctx context.Context, shop, id string) (order.Order, error) {
	var i item
	d, err := s.Table.Load(ctx, record.Key(shop, id), &i)
	return fromItem(i, d), err
}

// Save stores o, raises its version and announces facts, in one write. It returns fault.Conflict if the order moved on
// since it was loaded.
func (s Store) Save(ctx context.Context, o order.Order, cause saga.Cause, facts ...saga.Fact) error {
	return s.Table.Save(ctx, change(o, cause, facts))
}

func change(o order.Order, cause saga.Cause, facts []saga.Fact) record.Change {
	return record.Change{Key: record.Key(o.Shop, o.ID), Item: toItem(o), Diary: o.Diary, Cause: cause, Facts: facts}
}

// Overdue calls each for every order of every shop that was due before now, shard by shard, the longest overdue first. It
// begins with another shard each minute, so that none is always the last.
func (s Store) Overdue(ctx context.Context, now time.Time, each func(order.Late) error) error {
	first := now.Minute()
	for i := range shards {
		shard := (first + i) % shards
		pages := dynamodb.NewQueryPaginator(s.Table.DB, &dynamodb.QueryInput{
			TableName: &s.Table.Name, IndexName: aws.String(WatchIndex),
			KeyConditionExpression: aws.String("watch = :watch AND due < :now"),
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":watch": &types.AttributeValueMemberS{Value: waiting(shard)},
				":now":   &types.AttributeValueMemberN{Value: fmt.Sprint(now.UnixMilli())},
			},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return record.Failure(err)
			}
			for _, image := range page.Items {
				late, err := lateOf(image)
				if err != nil {
					return err
				}
				if err := each(late); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func lateOf(image map[string]types.AttributeValue) (order.Late, error) {
	var i struct {
		PK  string `dynamodbav:"pk"`
		Due int64  `dynamodbav:"due"`
	}
	if _, err := record.Decode(image, &i); err != nil {
		return order.Late{}, err
	}
	shop, id, ok := strings.Cut(i.PK, "#")
	if !ok {
		return order.Late{}, fmt.Errorf("orderdb: %q is no order's key", i.PK)
	}
	return order.Late{Shop: shop, ID: id, Due: time.UnixMilli(i.Due).UTC()}, nil
}
