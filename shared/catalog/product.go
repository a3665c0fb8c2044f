// Package catalog holds the products of a shop and their prices.
package catalog

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/money/payable"
	"backroom/shared/saga"
)

// Why a product cannot be read or written.
var (
	ErrUnknownProduct = fault.New(fault.NotFound, "unknown-product",
		"The shop does not sell this product. Check the SKU.")
	ErrSKURepeated = fault.New(fault.Invalid, "sku-repeated",
		"A SKU appears twice in the product. Give each variant a SKU of its own.")
	ErrPriceRepeated = fault.New(fault.Invalid, "price-repeated",
		"Two prices have the same currency. Send one price per currency.")
	ErrSKUTaken = fault.New(fault.Conflict, "sku-taken",
		"A SKU belongs to another product. Use another SKU, or remove it from that product first.")

	// ErrVersionConflict is what a store returns for a product that was changed since it was loaded.
	ErrVersionConflict = fault.New(fault.Conflict, "product-version-conflict",
		"The product was changed since it was loaded.")
)

// Product is sold by its own SKU, or by those of its variants if it has any.
type Product struct {
	Shop saga.Shop
	SKU  string
	Content
	Version   int64 // raised by every change, never reused; 0: not stored yet
	Since     int64 // the version in which it was created, or created again after a deletion
	ChangedAt time.Time
	DeletedAt time.Time // zero: not deleted
	Rest      saga.Rest
}

// Content is what staff write about a product.
type Content struct {
	Title, Description string
	Prices             []money.Money // one per currency, sorted by currency
	Variants           []Variant     // nil: no variants
}

// Variant is one of several forms in which a product is sold, each by a SKU of its own.
type Variant struct {
	SKU, Title string
	Prices     []money.Money     // nil: the prices of the product
	Options    map[string]string // how it differs from the other variants, as in colour: blue; may be nil
}

// Sold reports whether the shop sells the product.
func (p Product) Sold() bool { return p.Version > 0 && p.DeletedAt.IsZero() }

// Says reports whether the product is sold and its content equals c, so that writing c changes nothing.
func (p Product) Says(c Content) bool { return p.Sold() && reflect.DeepEqual(p.Content, c) }

// Rewritten returns the next version of the product, with content c. A deleted product is sold again.
func (p Product) Rewritten(c Content, now time.Time) Product {
	since := p.Since
	if !p.Sold() {
		since = p.Version + 1
	}
	return Product{Shop: p.Shop, SKU: p.SKU, Content: c, Version: p.Version + 1, Since: since,
		ChangedAt: now.Truncate(time.Millisecond), Rest: p.Rest}
}

// Deleted returns the next version of the product, which is no longer sold. It keeps its SKU, so that versions
// continue if the product is created again.
func (p Product) Deleted(now time.Time) Product {
	p.Version++
	p.DeletedAt = now.Truncate(time.Millisecond)
	p.ChangedAt = p.DeletedAt
	return p
}

// SoldByVariant returns the prices of each variant by its SKU. It is empty if the product is not sold, or is sold by
// its own SKU.
func (p Product) SoldByVariant() map[string][]money.Money {
	sold := map[string][]money.Money{}
	if !p.Sold() {
		return sold
	}
	for _, v := range p.Variants {
		sold[v.SKU] = p.Prices
		if v.Prices != nil {
			sold[v.SKU] = v.Prices
		}
	}
	return sold
}

// Check reports whether c is valid for the product with the SKU. It returns ErrSKURepeated,
// ErrPriceRepeated, payable.ErrUnpayable or an error of money.Check, each with the JSON pointer of its place in the
// body. A price may be below the smallest charge: an order has several units.
func (c Content) Check(sku string) error {
	if err := checkPrices(c.Prices, ""); err != nil {
		return err
	}
	seen := map[string]bool{sku: true}
	for i, v := range c.Variants {
		at := fmt.Sprintf("/variants/%d", i)
		if seen[v.SKU] {
			return ErrSKURepeated.At(at+"/sku", "must differ from the other SKUs of the product")
		}
		seen[v.SKU] = true
		if err := checkPrices(v.Prices, at); err != nil {
			return err
		}
	}
	return nil
}

func checkPrices(prices []money.Money, at string) error {
	seen := map[string]bool{}
	for i, p := range prices {
		if f, wrong := errors.AsType[*fault.Fault](p.Check()); wrong {
			return f.At(fmt.Sprintf("%s/prices/%d", at, i), "must be a valid price")
		}
		if broken := payable.Part(p); broken != nil {
			return payable.ErrUnpayable.At(fmt.Sprintf("%s/prices/%d/amount", at, i), broken.Error())
		}
		if seen[p.Currency] {
			return ErrPriceRepeated.At(fmt.Sprintf("%s/prices/%d/currency", at, i),
				"must differ from the currencies of the other prices")
		}
		seen[p.Currency] = true
	}
	return nil
}

// InOrder returns the prices sorted by currency, so that equal lists compare as equal. It returns nil for no prices.
func InOrder(prices []money.Money) []money.Money {
	sorted := append([]money.Money(nil), prices...)
	slices.SortFunc(sorted, func(a, b money.Money) int { return strings.Compare(a.Currency, b.Currency) })
	return sorted
}
