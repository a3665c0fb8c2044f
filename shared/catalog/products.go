package catalog

import (
	"context"

	"backroom/shared/saga"
)

// Products is the store of products.
type Products interface {
	// Load reads a product consistently, even a deleted one. It returns ErrUnknownProduct if none was ever stored.
	Load(ctx context.Context, shop saga.Shop, sku string) (Product, error)
	// Save replaces was, the product as it was loaded (zero: it did not exist), by is, together with the rows of its
	// variants: all or nothing. It returns ErrVersionConflict if the product was changed since it was loaded, and
	// ErrSKUTaken if another product has one of its SKUs.
	Save(ctx context.Context, was, is Product) error
}
