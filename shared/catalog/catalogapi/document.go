// Package catalogapi is the HTTP edge of the catalog: how clients read and write products.
package catalogapi

import (
	"time"

	"backroom/shared/api"
	"backroom/shared/catalog"
	"backroom/shared/money"
)

// productContent is a product's content as clients write it. Each variant is sold by a row of its own, and a change may
// replace all of them: with the product's row these are 99 of the 100 actions that a transaction takes.
type productContent struct {
	Title       string           `json:"title" minLength:"1" maxLength:"200" example:"Mug, blue"`
	Description string           `json:"description,omitempty" maxLength:"5000"`
	Prices      []money.Money    `json:"prices" minItems:"1" maxItems:"50" doc:"one per currency"`
	Variants    []ProductVariant `json:"variants,omitempty" maxItems:"49" doc:"what the product is sold as, instead of by its own SKU"`
}

// VariantDocument is a variant as clients write and see it.
type ProductVariant struct {
	SKU     string            `json:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" example:"MUG-1-XL"`
	Title   string            `json:"title" minLength:"1" maxLength:"200" example:"Mug, blue, extra large"`
	Prices  []money.Money     `json:"prices,omitempty" minItems:"1" maxItems:"50" doc:"one per currency; the product's if absent"`
	Options map[string]string `json:"options,omitempty" maxProperties:"10" doc:"what tells the variant from the others"`
}

// content returns the content with everything that can be said in several ways said in one.
func (d productContent) content() catalog.Content {
	c := catalog.Content{Title: d.Title, Description: d.Description, Prices: catalog.InOrder(d.Prices)}
	for _, v := range d.Variants {
		variant := catalog.Variant{SKU: v.SKU, Title: v.Title, Prices: catalog.InOrder(v.Prices)}
		if len(v.Options) > 0 {
			variant.Options = v.Options
		}
		c.Variants = append(c.Variants, variant)
	}
	return c
}

// check is Content.Check, with places in the document as it was sent.
func (d productContent) check(sku string) error {
	c := catalog.Content{Prices: d.Prices}
	for _, v := range d.Variants {
		c.Variants = append(c.Variants, catalog.Variant(v))
	}
	return c.Check(sku)
}

// ProductDocument is a product as clients see it.
type Product struct {
	SKU         string           `json:"sku" example:"MUG-1"`
	Title       string           `json:"title" example:"Mug, blue"`
	Description string           `json:"description,omitempty"`
	Prices      []money.Money    `json:"prices" doc:"one per currency"`
	Variants    []ProductVariant `json:"variants,omitempty" doc:"what the product is sold as; if absent, it is sold by its own SKU"`
	ChangedAt   time.Time        `json:"changed_at"`
}

func document(p catalog.Product) Product {
	d := Product{SKU: p.SKU, Title: p.Title, Description: p.Description, Prices: p.Prices, ChangedAt: p.ChangedAt}
	for _, v := range p.Variants {
		d.Variants = append(d.Variants, ProductVariant(v))
	}
	return d
}

type productOutput struct {
	Status       int
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         Product
}

func output(status int, p catalog.Product, cache string) *productOutput {
	return &productOutput{Status: status, ETag: api.ETag(p.Version), CacheControl: cache, Body: document(p)}
}
