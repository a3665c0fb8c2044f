// Package seed gives an empty shop a catalogue, and a morning's worth of orders with their outcomes known beforehand.
package seed

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"backroom/shared/client"
	"backroom/shared/ops/shop"
)

// openingStock is what the shop has of everything before its first order, for whoever comes by.
const openingStock = 500

// scarce is in the catalogue, but never in stock.
const scarce = "CLOCK-1"

// Customer is where the mails about all orders go.
const Customer = "ada@example.com"

// A Product is what the shop sells under a SKU.
type Product struct {
	SKU     string
	Content client.ProductContent
}

// Catalogue is what the shop sells.
func Catalogue() []Product {
	product := func(sku, title string, cents int64) Product {
		return Product{sku, client.ProductContent{Title: title, Prices: shop.Euro(cents)}}
	}
	return []Product{
		product("MUG-1", "Mug, stoneware", 1250),
		product("PLATE-1", "Plate, stoneware", 1690),
		product("TEAPOT-1", "Teapot, cast iron", 5400),
		product("LAMP-1", "Desk lamp", 8900),
		product("CHAIR-1", "Folding chair", 4900),
		product("RUG-1", "Wool rug", 12900),
		product("VASE-1", "Vase, blown glass", 3450),
		product(scarce, "Wall clock, sold out", 7600),
	}
}

// An Order is a basket and the outcome it must come to.
type Order struct {
	Basket  client.OrderRequest
	Outcome string
}

// Orders returns n orders: of each seven, one asks for something sold out, beside things that are there, and of each eight one is
// paid with a card that declines. The same n always gives the same orders.
func Orders(n int) []Order {
	var inStock []string
	for _, product := range Catalogue() {
		if product.SKU != scarce {
			inStock = append(inStock, product.SKU)
		}
	}
	orders := make([]Order, n)
	for i := range orders {
		first, second := inStock[i%len(inStock)], inStock[(i+3)%len(inStock)]
		order := Order{
			Basket: client.OrderRequest{
				Lines:         []client.LineRequest{{SKU: first, Quantity: int64(1 + i%3)}, {SKU: second, Quantity: 1}},
				PaymentMethod: shop.CardGood, Email: Customer,
			},
			Outcome: "confirmed",
		}
		switch {
		case i%7 == 3:
			order.Basket.Lines = slices.Insert(order.Basket.Lines, 1, client.LineRequest{SKU: scarce, Quantity: 1})
			order.Outcome = "rejected out-of-stock"
		case i%8 == 5:
			order.Basket.PaymentMethod = shop.CardDeclined
			order.Outcome = "rejected card-declined"
		}
		orders[i] = order
	}
	return orders
}

// A Reconciler is where the seeding happens: the API, a token that may write catalogue and stock, and a name for this delivery.
type Till struct {
	API   shop.API
	Token string
	Name  string // makes this delivery different from earlier ones; the same name again changes nothing
}

// Stock makes sure that the catalogue is there, with its opening stock, and that there is enough of everything for orders:
// what they will take is delivered first. It returns how many products were new.
func (t Till) Stock(ctx context.Context, orders []Order) (added int, err error) {
	need := map[string]int{}
	for _, order := range orders {
		for _, line := range order.Basket.Lines {
			if line.SKU != scarce {
				need[line.SKU] += int(line.Quantity)
			}
		}
	}
	var fresh atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, product := range Catalogue() {
		group.Go(func() error {
			isNew, err := t.API.AddProduct(ctx, t.Token, product.SKU, product.Content)
			if isNew {
				fresh.Add(1)
			}
			return err
		})
	}
	for _, sku := range slices.Sorted(maps.Keys(need)) {
		group.Go(func() error {
			if err := t.API.Deliver(ctx, t.Token, "opening-"+sku, sku, openingStock); err != nil {
				return err
			}
			return t.API.Deliver(ctx, t.Token, fmt.Sprintf("%s-%s", t.Name, sku), sku, need[sku])
		})
	}
	err = group.Wait()
	return int(fresh.Load()), err
}
