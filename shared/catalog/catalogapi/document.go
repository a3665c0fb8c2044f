// Package catalogapi is the HTTP edge of the catalog. Clients read and write products with it.
package catalogapi

import (
	"time"

	"backroom/shared/api"
	"backroom/shared/catalog"
	"backroom/shared/money"
)

// productContent is a product's content as clients write it. Each variant has a row of its own, and a change may delete
// 49 rows and write 49: with the product's row these are 99 of the 100 actions that a transaction takes.
type productContent struct {
	SKU         string           `json:"sku,omitempty" maxLength:"64" doc:"as GET answers it; must be the SKU of the path" example:"MUG-1"`
	ChangedAt   *time.Time       `json:"changed_at,omitempty" doc:"as GET answers it; ignored"`
	Title       string           `json:"title" minLength:"1" maxLength:"200" example:"Mug, blue" doc:"the name that customers read"`
	Description string           `json:"description,omitempty" maxLength:"5000" doc:"what customers read about it"`
	Prices      []money.Money    `json:"prices" minItems:"1" maxItems:"50" doc:"one per currency"`
	Variants    []ProductVariant `json:"variants,omitempty" maxItems:"49" doc:"the forms in which the product is sold; if absent, it is sold by its own SKU"`
}

// ProductVariant is a variant as clients write and see it.
type ProductVariant struct {
	SKU     string            `json:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" example:"MUG-1-XL" doc:"by which the variant is ordered and counted; MUG-1 and mug-1 are two SKUs"`
	Title   string            `json:"title" minLength:"1" maxLength:"200" example:"Mug, blue, extra large" doc:"the name that customers read"`
	Prices  []money.Money     `json:"prices,omitempty" minItems:"1" maxItems:"50" doc:"one per currency; if absent, the prices of the product"`
	Options map[string]string `json:"options,omitempty" maxProperties:"10" doc:"how the variant differs from the others, as in color: blue"`
}

// content returns the content in one canonical form, so that equal contents compare as equal.
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

// check is Content.Check with the places of the document as it was sent, before prices are sorted.
func (d productContent) check(sku string) error {
	c := catalog.Content{Prices: d.Prices}
	for _, v := range d.Variants {
		c.Variants = append(c.Variants, catalog.Variant(v))
	}
	return c.Check(sku)
}

// Product is a product as clients see it.
type Product struct {
	SKU         string           `json:"sku" example:"MUG-1" doc:"by which the product is ordered and counted; MUG-1 and mug-1 are two SKUs"`
	Title       string           `json:"title" example:"Mug, blue" doc:"the name that customers read"`
	Description string           `json:"description,omitempty" doc:"what customers read about it"`
	Prices      []money.Money    `json:"prices" maxItems:"50" doc:"one per currency"`
	Variants    []ProductVariant `json:"variants,omitempty" maxItems:"49" doc:"the forms in which the product is sold; if absent, it is sold by its own SKU"`
	ChangedAt   time.Time        `json:"changed_at" doc:"when it was created or changed last"`
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
