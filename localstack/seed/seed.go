// Package seed gives an empty shop a catalogue, and a morning's worth of orders with their verdicts known beforehand.
package seed

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"backroom/localstack/shop"
)

// openingStock is what the shop has of everything before its first order, for whoever comes by.
const openingStock = 500

// scarce is in the catalogue, but never in stock.
const scarce = "CLOCK-1"

// Customer is where the mails about all orders go.
const Customer = "ada@example.com"

// Catalogue is what the shop sells.
func Catalogue() []shop.Product {
	return []shop.Product{
		{SKU: "MUG-1", Title: "Mug, stoneware", Prices: shop.Euro(1250)},
		{SKU: "PLATE-1", Title: "Plate, stoneware", Prices: shop.Euro(1690)},
		{SKU: "TEAPOT-1", Title: "Teapot, cast iron", Prices: shop.Euro(5400)},
		{SKU: "LAMP-1", Title: "Desk lamp", Prices: shop.Euro(8900)},
		{SKU: "CHAIR-1", Title: "Folding chair", Prices: shop.Euro(4900)},
		{SKU: "RUG-1", Title: "Wool rug", Prices: shop.Euro(12900)},
		{SKU: "VASE-1", Title: "Vase, blown glass", Prices: shop.Euro(3450)},
		{SKU: scarce, Title: "Wall clock, sold out", Prices: shop.Euro(7600)},
	}
}

// An Order is a basket and the verdict it must come to.
type Order struct {
	Basket  shop.Basket
	Verdict string
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
			Basket: shop.Basket{
				Lines:         []shop.Line{{SKU: first, Quantity: 1 + i%3}, {SKU: second, Quantity: 1}},
				PaymentMethod: shop.CardGood, Email: Customer,
			},
			Verdict: "confirmed",
		}
		switch {
		case i%7 == 3:
			order.Basket.Lines = slices.Insert(order.Basket.Lines, 1, shop.Line{SKU: scarce, Quantity: 1})
			order.Verdict = "rejected out-of-stock"
		case i%8 == 5:
			order.Basket.PaymentMethod = shop.CardDeclined
			order.Verdict = "rejected card-declined"
		}
		orders[i] = order
	}
	return orders
}

// A Till is where the seeding happens: the API, a token that may write catalogue and stock, and a name for this delivery.
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
				need[line.SKU] += line.Quantity
			}
		}
	}
	var fresh atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, product := range Catalogue() {
		group.Go(func() error {
			isNew, err := t.API.AddProduct(ctx, t.Token, product)
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
