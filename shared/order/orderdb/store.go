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

// The table's indexes hold keys only.
//
// WatchIndex lists the orders that are not settled: by shard of their id while they ask by
// themselves, by shop while they need attention. The shards keep a flash sale of one shop out of a
// single partition.
//
// CustomerIndex lists the orders of one customer, and DayIndex those of one shop and day, in
// shards. Both are written once, when the order is placed; erasing an order writes CustomerIndex
// again.
const (
	WatchIndex    = "watch"
	CustomerIndex = "by-customer"
	DayIndex      = "by-day"
)

const (
	watchShards = 16
	dayShards   = 4
)

// Store keeps orders, one row each.
type Store struct{ Table record.Table }

type item struct {
	Order         string       `dynamodbav:"order"`
	Shop          saga.Shop    `dynamodbav:"shop"`
	Owner         string       `dynamodbav:"owner"`
	Email         string       `dynamodbav:"email,omitempty"`
	Status        string       `dynamodbav:"status"` // derived from other attributes, for people who look at the table
	Outcome       string       `dynamodbav:"outcome,omitempty"`
	Reason        string       `dynamodbav:"reason,omitempty"`
	Paid          bool         `dynamodbav:"paid,omitempty"`
	Awaits        []string     `dynamodbav:"awaits,omitempty"`
	Attention     string       `dynamodbav:"attention,omitempty"`
	Lines         []line       `dynamodbav:"lines"`
	Total         int64        `dynamodbav:"total"`
	Currency      string       `dynamodbav:"currency"`
	PaymentMethod string       `dynamodbav:"payment_method,omitempty"`
	PlacedAt      int64        `dynamodbav:"placed_at"`  // milliseconds since 1970
	ExpiresAt     int64        `dynamodbav:"expires_at"` // milliseconds since 1970
	Fingerprint   string       `dynamodbav:"fingerprint"`
	Refunds       []refund     `dynamodbav:"refunds,omitempty"` // exactly what OrderRefunding carries
	RefundNotes   []refundNote `dynamodbav:"refund_notes,omitempty"`
	External      *external    `dynamodbav:"external,omitempty"`
	Resolution    *resolution  `dynamodbav:"resolution,omitempty"`
	ReturnVersion int          `dynamodbav:"return_version,omitempty"`
	FailedReturns int          `dynamodbav:"failed_returns,omitempty"`
	Retries       int          `dynamodbav:"retries,omitempty"`
	Due           int64        `dynamodbav:"due,omitempty"` // milliseconds since 1970
	Watch         string       `dynamodbav:"watch,omitempty"`
	Customer      string       `dynamodbav:"customer"`
	Day           string       `dynamodbav:"day"`
}

type line struct {
	SKU      string `dynamodbav:"sku" record:"key"`
	Quantity int64  `dynamodbav:"quantity"`
	Price    int64  `dynamodbav:"price"`
}

type refund struct {
	ID     string            `dynamodbav:"id" record:"key"`
	Amount int64             `dynamodbav:"amount"`
	Try    int               `dynamodbav:"try"`
	Status saga.RefundStatus `dynamodbav:"status"`
}

type refundNote struct {
	ID          string `dynamodbav:"id" record:"key"`
	Reason      string `dynamodbav:"reason"`
	By          string `dynamodbav:"by"`
	At          int64  `dynamodbav:"at"` // milliseconds since 1970
	Fingerprint string `dynamodbav:"fingerprint"`
	Left        int64  `dynamodbav:"left"` // what was still refundable after it
}

// external is what moved at the payment provider without the order.
type external struct {
	Refunded   int64 `dynamodbav:"refunded"`
	Disputed   int64 `dynamodbav:"disputed"`
	Uncaptured int64 `dynamodbav:"uncaptured"`
	Version    int   `dynamodbav:"version"` // of the charge
}

type resolution struct {
	ID          string       `dynamodbav:"id" record:"key"`
	Action      order.Action `dynamodbav:"action"`
	Reason      string       `dynamodbav:"reason"`
	By          string       `dynamodbav:"by"`
	At          int64        `dynamodbav:"at"` // milliseconds since 1970
	Fingerprint string       `dynamodbav:"fingerprint"`
}

func toItem(o order.Order) item {
	i := item{
		Order: o.ID, Shop: o.Shop, Owner: o.Owner, Email: o.Email,
		Status: string(o.Status()), Outcome: string(o.Outcome), Reason: o.Reason,
		Paid: o.Paid, Attention: o.Attention,
		Total: o.Total.Amount, Currency: o.Total.Currency, PaymentMethod: o.PaymentMethod,
		PlacedAt: o.PlacedAt.UnixMilli(), ExpiresAt: o.ExpiresAt.UnixMilli(), Fingerprint: o.Fingerprint,
		ReturnVersion: o.ReturnVersion, FailedReturns: o.FailedReturns, Retries: o.Retries,
		Watch: watch(o), Customer: customer(o.Shop, o.Owner), Day: day(o.Shop, o.PlacedAt, shard(o.ID, dayShards)),
	}
	if !o.Due.IsZero() {
		i.Due = o.Due.UnixMilli()
	}
	for _, a := range o.Awaits {
		i.Awaits = append(i.Awaits, string(a))
	}
	for _, l := range o.Lines {
		i.Lines = append(i.Lines, line(l))
	}
	for _, r := range o.Refunds {
		i.Refunds = append(i.Refunds, refund(r))
	}
	for _, n := range o.RefundNotes {
		i.RefundNotes = append(i.RefundNotes, refundNote{n.ID, n.Reason, n.By, n.At.UnixMilli(), n.Fingerprint, n.Left})
	}
	if e := o.External; o.ExternalVersion != 0 {
		i.External = &external{e.Refunded, e.Disputed, e.Uncaptured, o.ExternalVersion}
	}
	if r := o.Resolution; r.ID != "" {
		i.Resolution = &resolution{r.ID, r.Action, r.Reason, r.By, r.At.UnixMilli(), r.Fingerprint}
	}
	return i
}

func fromItem(i item, h saga.History) order.Order {
	o := order.Order{
		ID: i.Order, Shop: i.Shop, Owner: i.Owner, Email: i.Email,
		Outcome: order.Outcome(i.Outcome), Reason: i.Reason, Paid: i.Paid,
		Attention: i.Attention, Total: money.Money{Amount: i.Total, Currency: i.Currency},
		PaymentMethod: i.PaymentMethod,
		PlacedAt:      time.UnixMilli(i.PlacedAt).UTC(), ExpiresAt: time.UnixMilli(i.ExpiresAt).UTC(),
		Fingerprint:   i.Fingerprint,
		ReturnVersion: i.ReturnVersion, FailedReturns: i.FailedReturns, Retries: i.Retries, History: h,
	}
	if i.Due != 0 {
		o.Due = time.UnixMilli(i.Due).UTC()
	}
	for _, a := range i.Awaits {
		o.Awaits = append(o.Awaits, order.Awaited(a))
	}
	for _, l := range i.Lines {
		o.Lines = append(o.Lines, saga.Line(l))
	}
	for _, r := range i.Refunds {
		o.Refunds = append(o.Refunds, saga.Refund(r))
	}
	for _, n := range i.RefundNotes {
		o.RefundNotes = append(o.RefundNotes, order.RefundNote{
			ID: n.ID, Reason: n.Reason, By: n.By, At: time.UnixMilli(n.At).UTC(), Fingerprint: n.Fingerprint,
			Left: n.Left,
		})
	}
	if e := i.External; e != nil {
		o.External, o.ExternalVersion = saga.External{
			Refunded: e.Refunded, Disputed: e.Disputed, Uncaptured: e.Uncaptured,
		}, e.Version
	}
	if r := i.Resolution; r != nil {
		o.Resolution = order.Resolution{
			ID: r.ID, Action: r.Action, Reason: r.Reason, By: r.By, At: time.UnixMilli(r.At).UTC(),
			Fingerprint: r.Fingerprint,
		}
	}
	return o
}

// watch returns the order's partition of WatchIndex. It is empty for a settled order, which is not
// in the index.
func watch(o order.Order) string {
	switch {
	case o.Settled():
		return ""
	case o.Attention != "":
		return attention(o.Shop)
	}
	return waiting(shard(o.ID, watchShards))
}

func waiting(shard int) string { return fmt.Sprintf("due#%d", shard) }

func attention(shop saga.Shop) string { return "attention#" + string(shop) }

func customer(shop saga.Shop, owner string) string { return record.Key(shop, owner) }

func day(shop saga.Shop, at time.Time, shard int) string {
	return fmt.Sprintf("%s#%s#%d", shop, at.UTC().Format(time.DateOnly), shard)
}

// shard returns the shard of an order, from 0 to of-1.
func shard(id string, of uint32) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % of)
}

// Create stores a new order, records facts in the same write, and returns the order as stored. If
// the shop already has an order with that id, Create returns the existing one and fault.Duplicate.
func (s Store) Create(ctx context.Context, o order.Order, cause saga.Cause, facts ...saga.Fact) (order.Order, error) {
	o.History = saga.History{}
	history, err := s.Table.SaveNext(ctx, change(o, cause, facts))
	if exists, ok := errors.AsType[*record.Exists](err); ok {
		var i item
		h, decodeErr := record.Decode(exists.Image, &i)
		return fromItem(i, h), errors.Join(err, decodeErr)
	}
	o.History = history
	return o, err
}

// Load reads an order consistently. It returns fault.NotFound if the shop has no such order.
func (s Store) Load(ctx context.Context, shop saga.Shop, id string) (order.Order, error) {
	var i item
	h, err := s.Table.Load(ctx, record.Key(shop, id), &i)
	return fromItem(i, h), err
}

// Save stores o, raises its version and records facts, in one write. It returns fault.Conflict if
// the order has changed since it was loaded.
func (s Store) Save(ctx context.Context, o order.Order, cause saga.Cause, facts ...saga.Fact) error {
	return s.Table.Save(ctx, change(o, cause, facts))
}

func change(o order.Order, cause saga.Cause, facts []saga.Fact) record.Change {
	return record.Change{Key: record.Key(o.Shop, o.ID), Item: toItem(o), History: o.History, Cause: cause, Facts: facts}
}

// Overdue calls each for every order of every shop that was due before now: shard by shard, and the
// longest overdue first within a shard. It stops at the first error. It begins with another shard
// each minute, so that a run that is cut short does not always miss the same shards.
func (s Store) Overdue(ctx context.Context, now time.Time, each func(order.Late) error) error {
	first := now.Minute()
	for i := range watchShards {
		shard := (first + i) % watchShards
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
		return order.Late{}, fmt.Errorf("orderdb: %q is not the key of an order", i.PK)
	}
	return order.Late{Shop: saga.Shop(shop), ID: id, Due: time.UnixMilli(i.Due).UTC()}, nil
}
