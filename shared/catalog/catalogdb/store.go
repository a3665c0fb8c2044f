// Package catalogdb keeps products in DynamoDB.
package catalogdb

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"backroom/shared/catalog"
	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/record"
)

// Store keeps products, one item each.
type Store struct {
	DB   *dynamodb.Client
	Name string
}

var errMoved = fault.New(fault.Conflict, "product-moved", "The product was changed by another.")

type item struct {
	PK        string `dynamodbav:"pk"`
	SKU       string `dynamodbav:"sku"`
	Title     string `dynamodbav:"title"`
	Price     int64  `dynamodbav:"price"`
	Currency  string `dynamodbav:"currency"`
	Version   int64  `dynamodbav:"version"`
	ChangedAt int64  `dynamodbav:"changed_at"` // milliseconds since 1970
}

func fromItem(shop string, i item) catalog.Product {
	return catalog.Product{
		Shop: shop, SKU: i.SKU, Title: i.Title, Price: money.Money{Amount: i.Price, Currency: i.Currency},
		Version: i.Version, ChangedAt: time.UnixMilli(i.ChangedAt).UTC(),
	}
}

// Load reads a product consistently. It returns fault.NotFound for none.
func (s Store) Load(ctx context.Context, shop, sku string) (catalog.Product, error) {
	found, err := s.read(ctx, shop, []string{sku}, true)
	if err != nil {
		return catalog.Product{}, err
	}
	if len(found) == 0 {
		return catalog.Product{}, catalog.ErrUnknownProduct
	}
	return found[0], nil
}

// Save stores p if what is stored has p's version (0: nothing is stored) and returns it with the next one. It returns
// fault.Conflict otherwise.
func (s Store) Save(ctx context.Context, p catalog.Product) (catalog.Product, error) {
	loaded := p.Version
	p.Version++
	image, err := attributevalue.MarshalMap(item{
		PK: record.Key(p.Shop, p.SKU), SKU: p.SKU, Title: p.Title, Price: p.Price.Amount, Currency: p.Price.Currency,
		Version: p.Version, ChangedAt: p.ChangedAt.UnixMilli(),
	})
	if err != nil {
		return p, fmt.Errorf("catalogdb: encode product: %w", err)
	}
	put := &dynamodb.PutItemInput{
		TableName: &s.Name, Item: image, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if loaded > 0 {
		put.ConditionExpression = aws.String("version = :loaded")
		put.ExpressionAttributeValues = map[string]types.AttributeValue{":loaded": &types.AttributeValueMemberN{Value: fmt.Sprint(loaded)}}
	}
	_, err = s.DB.PutItem(ctx, put)
	if stands, moved := errors.AsType[*types.ConditionalCheckFailedException](err); moved {
		if reflect.DeepEqual(stands.Item, image) {
			return p, nil // this very write, whose first answer was lost
		}
		return p, errMoved
	}
	return p, record.Failure(err)
}

func (s Store) read(ctx context.Context, shop string, skus []string, consistent bool) ([]catalog.Product, error) {
	var keys []string
	for _, sku := range skus {
		keys = append(keys, record.Key(shop, sku))
	}
	var found []catalog.Product
	var decodeErr error
	err := record.ReadMany(ctx, s.DB, s.Name, keys, consistent, func(image map[string]types.AttributeValue) {
		var i item
		decodeErr = errors.Join(decodeErr, attributevalue.UnmarshalMap(image, &i))
		found = append(found, fromItem(shop, i))
	})
	return found, errors.Join(err, decodeErr)
}

// Prices remembers prices for a while, so that a warm function prices an order without a call. Who must not pay another
// price than the one seen sends expected_total.
type Prices struct {
	Store Store
	known *expirable.LRU[string, money.Money]
}

// How many prices are remembered, and for how long.
const (
	rememberedPrices = 4096
	rememberedFor    = 30 * time.Second
)

// NewPrices returns prices that remembers nothing yet.
func NewPrices(s Store) Prices {
	return Prices{Store: s, known: expirable.NewLRU[string, money.Money](rememberedPrices, nil, rememberedFor)}
}

// Of returns what the shop asks for a unit of each SKU, at most 100 of them. SKUs that it does not sell are absent, and are
// looked for again the next time.
func (p Prices) Of(ctx context.Context, shop string, skus []string) (map[string]money.Money, error) {
	prices := map[string]money.Money{}
	var missing []string
	for _, sku := range skus {
		if price, ok := p.known.Get(record.Key(shop, sku)); ok {
			prices[sku] = price
		} else {
			missing = append(missing, sku)
		}
	}
	for some := range slices.Chunk(missing, 100) {
		found, err := p.Store.read(ctx, shop, some, false)
		if err != nil {
			return nil, err
		}
		for _, product := range found {
			prices[product.SKU] = product.Price
			p.known.Add(record.Key(shop, product.SKU), product.Price)
		}
	}
	return prices, nil
}
