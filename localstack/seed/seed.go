// Package seed adds a catalogue and stock to an empty shop, and makes sample orders with their expected
// outcomes.
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

// openingStock is how many units of each product that orders name are delivered first, beyond what the orders
// need: a person who tries the API can order them.
const openingStock = 500

// soldOut is in the catalogue, but never in stock.
const soldOut = "CLOCK-1"

// Customer is the mail address of all orders.
const Customer = "ada@example.com"

// A Product is a SKU with its content in the catalogue.
type Product struct {
	SKU     string
	Content client.ProductContent
}

// Catalogue returns the products that the shop sells.
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
		product(soldOut, "Wall clock, sold out", 7600),
	}
}

// An Order is a basket with its expected outcome.
type Order struct {
	Basket  client.OrderRequest
	Outcome string
}

// Orders returns n orders. One of seven contains a product that is sold out, and one of eight is paid with a
// card that is declined. The same n always gives the same orders.
func Orders(n int) []Order {
	var inStock []string
	for _, product := range Catalogue() {
		if product.SKU != soldOut {
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
			order.Basket.Lines = slices.Insert(order.Basket.Lines, 1, client.LineRequest{SKU: soldOut, Quantity: 1})
			order.Outcome = "rejected out-of-stock"
		case i%8 == 5:
			order.Basket.PaymentMethod = shop.CardDeclined
			order.Outcome = "rejected card-declined"
		}
		orders[i] = order
	}
	return orders
}

// A Seeder adds products and stock through the API.
type Seeder struct {
	API   shop.API
	Token string // of a client that may write catalogue and stock
	Name  string // of the delivery; a second delivery with the same name changes nothing
}

// Stock adds the products that are missing, delivers the opening stock once, and delivers what orders need. It
// returns how many products were new.
func (s Seeder) Stock(ctx context.Context, orders []Order) (added int, err error) {
	need := map[string]int{}
	for _, order := range orders {
		for _, line := range order.Basket.Lines {
			if line.SKU != soldOut {
				need[line.SKU] += int(line.Quantity)
			}
		}
	}
	var fresh atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, product := range Catalogue() {
		group.Go(func() error {
			isNew, err := s.API.AddProduct(ctx, s.Token, product.SKU, product.Content)
			if isNew {
				fresh.Add(1)
			}
			return err
		})
	}
	for _, sku := range slices.Sorted(maps.Keys(need)) {
		group.Go(func() error {
			if err := s.API.Deliver(ctx, s.Token, "opening-"+sku, sku, openingStock); err != nil {
				return err
			}
			return s.API.Deliver(ctx, s.Token, fmt.Sprintf("%s-%s", s.Name, sku), sku, need[sku])
		})
	}
	err = group.Wait()
	return int(fresh.Load()), err
}
