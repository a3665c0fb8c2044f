package notifydb

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"backroom/shared/money"
	"backroom/shared/notify"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// Orders reads the orders' rows. They belong to another domain, so it never writes.
type Orders struct {
	DB   *dynamodb.Client
	Name string
}

type orderItem struct {
	Order    string       `dynamodbav:"order"`
	Shop     saga.Shop    `dynamodbav:"shop"`
	Email    string       `dynamodbav:"email"`
	Outcome  string       `dynamodbav:"outcome"`
	Reason   string       `dynamodbav:"reason"`
	Awaits   []string     `dynamodbav:"awaits"`
	Lines    []lineItem   `dynamodbav:"lines"`
	Total    int64        `dynamodbav:"total"`
	Currency string       `dynamodbav:"currency"`
	PlacedAt int64        `dynamodbav:"placed_at"` // milliseconds since 1970
	Refunds  []refundItem `dynamodbav:"refunds"`
}

type lineItem struct {
	SKU      string `dynamodbav:"sku"`
	Quantity int64  `dynamodbav:"quantity"`
	Price    int64  `dynamodbav:"price"`
}

type refundItem struct {
	ID     string            `dynamodbav:"id"`
	Amount int64             `dynamodbav:"amount"`
	Try    int               `dynamodbav:"try"`
	Status saga.RefundStatus `dynamodbav:"status"`
}

// Load reads an order consistently. It returns fault.NotFound for an unknown order; other errors
// are those of record.Failure.
func (s Orders) Load(ctx context.Context, shop saga.Shop, order string) (notify.Order, error) {
	out, err := s.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.Name, Key: record.PrimaryKey(record.Key(shop, order)), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return notify.Order{}, record.Failure(err)
	}
	if out.Item == nil {
		return notify.Order{}, record.ErrNotFound
	}
	var i orderItem
	if err := attributevalue.UnmarshalMap(out.Item, &i); err != nil {
		return notify.Order{}, errUnread
	}
	o := notify.Order{
		ID: i.Order, Shop: i.Shop, Email: i.Email, Outcome: i.Outcome, Reason: i.Reason,
		MoneyOut: slices.Contains(i.Awaits, "money"),
		Total:    money.Money{Amount: i.Total, Currency: i.Currency}, PlacedAt: time.UnixMilli(i.PlacedAt).UTC(),
	}
	for _, l := range i.Lines {
		o.Lines = append(o.Lines, saga.Line(l))
	}
	for _, r := range i.Refunds {
		o.Refunds = append(o.Refunds, saga.Refund(r))
	}
	return o, nil
}
