// Package catalogdb stores products in DynamoDB. A product is a row under its own SKU. Each of its
// variants has another row, with the variant's prices. So a price is read from one row, and a SKU
// cannot belong to two products.
package catalogdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/catalog"
	"backroom/shared/money"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// Store is the table of the catalog.
type Store struct {
	DB   *dynamodb.Client
	Name string
}

// item is a product's row.
type item struct {
	PK  string `dynamodbav:"pk"`
	SKU string `dynamodbav:"sku"`
	// the shop, if it sells the product: who has it is in the index
	Listed      string           `dynamodbav:"listed,omitempty"`
	Title       string           `dynamodbav:"title"`
	Description string           `dynamodbav:"description,omitempty"`
	Prices      map[string]int64 `dynamodbav:"prices"` // by currency
	Variants    []variant        `dynamodbav:"variants,omitempty"`
	Version     int64            `dynamodbav:"version"`
	Since       int64            `dynamodbav:"since"`
	ChangedAt   int64            `dynamodbav:"changed_at"` // milliseconds since 1970
	DeletedAt   int64            `dynamodbav:"deleted_at,omitempty"`
}

type variant struct {
	SKU     string           `dynamodbav:"sku" record:"key"`
	Title   string           `dynamodbav:"title"`
	Prices  map[string]int64 `dynamodbav:"prices,omitempty"`
	Options []option         `dynamodbav:"options,omitempty"`
}

// option is one option of a variant. Clients choose its name, which may be empty, so it cannot be
// the name of an attribute.
type option struct {
	Name  string `dynamodbav:"name" record:"key"`
	Value string `dynamodbav:"value"`
}

// variantItem is the row of a variant.
type variantItem struct {
	PK      string           `dynamodbav:"pk"`
	SKU     string           `dynamodbav:"sku"`
	Product string           `dynamodbav:"product"` // the SKU of whose variant it is
	Prices  map[string]int64 `dynamodbav:"prices"`
}

func toItem(p catalog.Product) item {
	i := item{
		PK: record.Key(p.Shop, p.SKU), SKU: p.SKU, Title: p.Title, Description: p.Description,
		Prices:  byCurrency(p.Prices),
		Version: p.Version, Since: p.Since, ChangedAt: p.ChangedAt.UnixMilli(),
	}
	if p.Sold() {
		i.Listed = string(p.Shop)
	} else {
		i.DeletedAt = p.DeletedAt.UnixMilli()
	}
	for _, v := range p.Variants {
		i.Variants = append(i.Variants, variant{v.SKU, v.Title, byCurrency(v.Prices), byName(v.Options)})
	}
	return i
}

func fromItem(shop saga.Shop, i item, rest saga.Rest) catalog.Product {
	p := catalog.Product{
		Shop: shop, SKU: i.SKU,
		Content: catalog.Content{Title: i.Title, Description: i.Description, Prices: prices(i.Prices)},
		Version: i.Version, Since: i.Since, ChangedAt: time.UnixMilli(i.ChangedAt).UTC(), Rest: rest,
	}
	if i.DeletedAt != 0 {
		p.DeletedAt = time.UnixMilli(i.DeletedAt).UTC()
	}
	for _, v := range i.Variants {
		p.Variants = append(p.Variants,
			catalog.Variant{SKU: v.SKU, Title: v.Title, Prices: prices(v.Prices), Options: options(v.Options)})
	}
	return p
}

// byName returns the options sorted by name. It returns nil, which is not stored, for no options.
func byName(options map[string]string) []option {
	var list []option
	for _, name := range slices.Sorted(maps.Keys(options)) {
		list = append(list, option{name, options[name]})
	}
	return list
}

func options(list []option) map[string]string {
	if list == nil {
		return nil
	}
	named := make(map[string]string, len(list))
	for _, o := range list {
		named[o.Name] = o.Value
	}
	return named
}

// byCurrency returns nil, which is not stored, for no prices.
func byCurrency(prices []money.Money) map[string]int64 {
	if prices == nil {
		return nil
	}
	amounts := map[string]int64{}
	for _, p := range prices {
		amounts[p.Currency] = p.Amount
	}
	return amounts
}

func prices(amounts map[string]int64) []money.Money {
	var list []money.Money
	for currency, amount := range amounts {
		list = append(list, money.Money{Amount: amount, Currency: currency})
	}
	return catalog.InOrder(list)
}

// Load reads a product consistently, even a deleted one. It returns catalog.ErrUnknownProduct if
// none was ever stored, and for the SKU of a variant.
func (s Store) Load(ctx context.Context, shop saga.Shop, sku string) (catalog.Product, error) {
	out, err := s.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.Name, Key: record.PrimaryKey(record.Key(shop, sku)), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return catalog.Product{}, record.Failure(err)
	}
	if out.Item == nil || ofVariant(out.Item) {
		return catalog.Product{}, catalog.ErrUnknownProduct
	}
	return decode(shop, out.Item)
}

func decode(shop saga.Shop, image map[string]types.AttributeValue) (catalog.Product, error) {
	var i item
	rest, err := record.Unmarshal(image, &i)
	if err != nil {
		return catalog.Product{}, fmt.Errorf("catalogdb: decode product: %w", err)
	}
	return fromItem(shop, i, rest), nil
}

// ofVariant reports whether a row is that of a variant.
func ofVariant(image map[string]types.AttributeValue) bool { return image["product"] != nil }

// Save replaces a product as it was loaded (version 0: it did not exist), together with the rows of
// its variants: all or nothing. It returns catalog.ErrVersionConflict if the product was changed
// since it was loaded, and catalog.ErrSKUTaken if one of the SKUs belongs to another product.
func (s Store) Save(ctx context.Context, was, is catalog.Product) error {
	put, err := s.put(was, is)
	if err != nil {
		return err
	}
	actions, at := []types.TransactWriteItem{put}, []string{""}
	add := func(action types.TransactWriteItem, place string) {
		actions, at = append(actions, action), append(at, place)
	}
	sold, sell := was.SoldByVariant(), is.SoldByVariant()
	for i, v := range is.Variants {
		if costs, there := sold[v.SKU]; !is.Sold() || there && reflect.DeepEqual(costs, sell[v.SKU]) {
			continue
		}
		put, err := s.putVariant(is, v.SKU, sell[v.SKU])
		if err != nil {
			return err
		}
		add(put, fmt.Sprintf("/variants/%d/sku", i))
	}
	for sku := range sold {
		if _, stays := sell[sku]; !stays {
			add(s.deleteVariant(is, sku), "")
		}
	}
	err = record.Transact(ctx, s.DB, actions...)
	if refused, ok := errors.AsType[*record.Canceled](err); ok {
		return judge(refused.Reasons, put.Put.Item, at)
	}
	return err
}

// judge returns the error for failed conditions. The first condition is that of the product's row,
// which was to become wanted; at has the places in the request's body of the other actions.
func judge(reasons []record.Reason, wanted map[string]types.AttributeValue, at []string) error {
	if own := reasons[0]; own.Failed {
		switch {
		case record.Same(item{}, own.Item, wanted):
			return nil // this very write, whose first answer was lost
		case ofVariant(own.Item):
			return catalog.ErrSKUTaken
		}
		return catalog.ErrVersionConflict
	}
	taken := catalog.ErrSKUTaken
	for i, r := range reasons {
		if r.Failed && at[i] != "" {
			taken = taken.At(at[i], "belongs to another product")
		}
	}
	return taken
}

func (s Store) put(was, is catalog.Product) (types.TransactWriteItem, error) {
	image, err := record.Marshal(toItem(is), is.Rest)
	if err != nil {
		return types.TransactWriteItem{}, fmt.Errorf("catalogdb: encode product: %w", err)
	}
	put := &types.Put{
		TableName: &s.Name, Item: image, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if was.Version > 0 {
		put.ConditionExpression = aws.String("version = :loaded")
		put.ExpressionAttributeValues = map[string]types.AttributeValue{
			":loaded": &types.AttributeValueMemberN{Value: fmt.Sprint(was.Version)},
		}
	}
	return types.TransactWriteItem{Put: put}, nil
}

// own is the condition under which a product may write the row of a variant.
const own = "attribute_not_exists(pk) OR product = :product"

func owner(p catalog.Product) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{":product": &types.AttributeValueMemberS{Value: p.SKU}}
}

func (s Store) putVariant(p catalog.Product, sku string, costs []money.Money) (types.TransactWriteItem, error) {
	i := variantItem{PK: record.Key(p.Shop, sku), SKU: sku, Product: p.SKU, Prices: byCurrency(costs)}
	set, err := record.SetAll(i)
	if err != nil {
		return types.TransactWriteItem{}, fmt.Errorf("catalogdb: encode variant: %w", err)
	}
	maps.Copy(set.Values, owner(p))
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &s.Name, Key: record.PrimaryKey(i.PK), UpdateExpression: &set.Expression,
		ExpressionAttributeNames: set.Names, ExpressionAttributeValues: set.Values,
		ConditionExpression: aws.String(own),
	}}, nil
}

func (s Store) deleteVariant(p catalog.Product, sku string) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{
		TableName: &s.Name, Key: record.PrimaryKey(record.Key(p.Shop, sku)),
		ConditionExpression: aws.String(own), ExpressionAttributeValues: owner(p),
	}}
}

// listed is the index of products on sale, by shop, sorted by SKU.
const listed = "listed"

// List returns at most limit products that the shop sells, and at most 1 MB of them, sorted by SKU,
// after a key that it returned before. It also returns the key to continue after; nil at the end.
// The index is usually less than a second older than the table.
func (s Store) List(ctx context.Context, shop saga.Shop, limit int, from map[string]string) ([]catalog.Product,
	map[string]string, error) {
	query := &dynamodb.QueryInput{
		TableName: &s.Name, IndexName: aws.String(listed), Limit: aws.Int32(int32(limit)),
		KeyConditionExpression: aws.String("listed = :shop"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":shop": &types.AttributeValueMemberS{Value: string(shop)},
		},
	}
	if from != nil {
		query.ExclusiveStartKey = record.PrimaryKey(record.Key(shop, from["sku"]))
		query.ExclusiveStartKey["listed"] = &types.AttributeValueMemberS{Value: string(shop)}
		query.ExclusiveStartKey["sku"] = &types.AttributeValueMemberS{Value: from["sku"]}
	}
	out, err := s.DB.Query(ctx, query)
	if err != nil {
		return nil, nil, record.Failure(err)
	}
	var found []catalog.Product
	for _, image := range out.Items {
		p, err := decode(shop, image)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, p)
	}
	last, ok := out.LastEvaluatedKey["sku"].(*types.AttributeValueMemberS)
	if !ok {
		return found, nil, nil
	}
	return found, map[string]string{"sku": last.Value}, nil
}
