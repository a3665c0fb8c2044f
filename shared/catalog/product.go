// Package catalog keeps what a shop sells, and for how much.
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
	"backroom/shared/saga"
)

// Why a product cannot be read or written.
var (
	ErrUnknownProduct = fault.New(fault.NotFound, "unknown-product", "The shop does not sell this product.")
	ErrSKURepeated    = fault.New(fault.Invalid, "sku-repeated", "A product names each SKU once, its own among them.")
	ErrPriceRepeated  = fault.New(fault.Invalid, "price-repeated", "There is one price per currency.")
	ErrSKUTaken       = fault.New(fault.Conflict, "sku-taken", "The SKU belongs to another product.")

	// ErrMoved is what a store refuses a product with that was changed since it was loaded.
	ErrVersionConflict = fault.New(fault.Conflict, "product-version-conflict", "The product was changed by another.")
)

// Product is something that a shop sells: by its own SKU, or by those of its variants if it has any.
type Product struct {
	Shop saga.Shop
	SKU  string
	Content
	Version   int64 // raised by every change, and never used again; 0: not stored yet
	Since     int64 // the version under which it was created, or came back after it was deleted
	ChangedAt time.Time
	DeletedAt time.Time // zero: it is sold
}

// Content is what the shop's people say about a product.
type Content struct {
	Title, Description string
	Prices             []money.Money // one per currency, in the order of these
	Variants           []Variant     // nil: it has none
}

// Variant is one of several forms in which a product is sold, each by a SKU of its own.
type Variant struct {
	SKU, Title string
	Prices     []money.Money     // nil: the product's
	Options    map[string]string // what tells it from the others, as in colour: blue; nil: not said
}

// Sold reports whether the shop sells the product.
func (p Product) Sold() bool { return p.Version > 0 && p.DeletedAt.IsZero() }

// Says reports whether the product is sold and says what c says: a change to it would change nothing.
func (p Product) Says(c Content) bool { return p.Sold() && reflect.DeepEqual(p.Content, c) }

// Rewritten returns the product as it is to be stored next: it says c, and is sold.
func (p Product) Rewritten(c Content, now time.Time) Product {
	since := p.Since
	if !p.Sold() {
		since = p.Version + 1
	}
	return Product{Shop: p.Shop, SKU: p.SKU, Content: c, Version: p.Version + 1, Since: since, ChangedAt: now.Truncate(time.Millisecond)}
}

// Deleted returns the product as it is to be stored next: it is sold no more. It keeps its SKU, so that its versions go on
// if it comes back.
func (p Product) Deleted(now time.Time) Product {
	p.Version++
	p.DeletedAt = now.Truncate(time.Millisecond)
	p.ChangedAt = p.DeletedAt
	return p
}

// SoldByVariant returns what each variant costs, by its SKU: none if the product is not sold, or is sold by its own SKU.
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

// Check returns ErrSKURepeated, ErrPriceRepeated or an error of money.Check, with its place in the body, unless c can be
// said about the product with the SKU.
func (c Content) Check(sku string) error {
	if err := checkPrices(c.Prices, ""); err != nil {
		return err
	}
	seen := map[string]bool{sku: true}
	for i, v := range c.Variants {
		at := fmt.Sprintf("/variants/%d", i)
		if seen[v.SKU] {
			return ErrSKURepeated.At(at+"/sku", "is named before, or is the product's own")
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
			return f.At(fmt.Sprintf("%s/prices/%d", at, i), "is no price")
		}
		if seen[p.Currency] {
			return ErrPriceRepeated.At(fmt.Sprintf("%s/prices/%d/currency", at, i), "has a price already")
		}
		seen[p.Currency] = true
	}
	return nil
}

// InOrder returns prices in the order of their currencies, so that equal ones compare as equal; nil for none.
func InOrder(prices []money.Money) []money.Money {
	sorted := append([]money.Money(nil), prices...)
	slices.SortFunc(sorted, func(a, b money.Money) int { return strings.Compare(a.Currency, b.Currency) })
	return sorted
}
