package catalogdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	lru "github.com/hashicorp/golang-lru/v2"

	"backroom/shared/money"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// Prices caches prices, so that a warm function prices an order without a call. A client that must
// not pay another price than the one it saw sends expected_total.
type Prices struct {
	Store Store
	now   func() time.Time
	known *lru.Cache[string, price]
}

// price is what a SKU cost when it was read.
type price struct {
	costs  []money.Money // nil: the shop does not sell it
	readAt time.Time
}

// The size of the cache, and the age up to which its prices are used.
const (
	rememberedPrices = 4096
	rememberedFor    = 30 * time.Second
)

// NewPrices returns prices with an empty cache.
func NewPrices(s Store, now func() time.Time) Prices {
	known, err := lru.New[string, price](rememberedPrices)
	if err != nil {
		panic(err) // only a size below one is refused
	}
	return Prices{Store: s, now: now, known: known}
}

// Of returns the unit price of each SKU, one per currency, from the cache if it can. SKUs that the
// shop does not sell are absent: unknown and deleted ones, and those of products that are sold by
// their variants. Do not change the result.
func (p Prices) Of(ctx context.Context, shop saga.Shop, skus []string) (map[string][]money.Money, error) {
	found := map[string][]money.Money{}
	var missing []string
	now := p.now()
	for _, sku := range skus {
		if known, ok := p.known.Get(record.Key(shop, sku)); !ok || now.Sub(known.readAt) >= rememberedFor {
			missing = append(missing, sku)
		} else if known.costs != nil {
			found[sku] = known.costs
		}
	}
	read, err := p.Read(ctx, shop, missing)
	maps.Copy(found, read)
	return found, err
}

// Read is Of without the cache. It writes the prices into the cache.
func (p Prices) Read(ctx context.Context, shop saga.Shop, skus []string) (map[string][]money.Money, error) {
	found := map[string][]money.Money{}
	now := p.now()
	for some := range slices.Chunk(skus, 100) {
		read, err := p.Store.prices(ctx, shop, some)
		if err != nil {
			return nil, err
		}
		for _, sku := range some {
			p.known.Add(record.Key(shop, sku), price{read[sku], now})
		}
		maps.Copy(found, read)
	}
	return found, nil
}

// prices reads the prices of at most 100 SKUs, consistently. SKUs that it does not find are cached, too.
func (s Store) prices(ctx context.Context, shop saga.Shop, skus []string) (map[string][]money.Money, error) {
	var keys []string
	for _, sku := range skus {
		keys = append(keys, record.Key(shop, sku))
	}
	found := map[string][]money.Money{}
	var decodeErr error
	err := record.ReadMany(ctx, s.DB, s.Name, keys, func(image map[string]types.AttributeValue) {
		var i item // a variant's row has the same attributes
		if err := attributevalue.UnmarshalMap(image, &i); err != nil {
			decodeErr = errors.Join(decodeErr, fmt.Errorf("catalogdb: decode price: %w", err))
		}
		if i.DeletedAt == 0 && len(i.Variants) == 0 {
			found[i.SKU] = prices(i.Prices)
		}
	})
	return found, errors.Join(err, decodeErr)
}
