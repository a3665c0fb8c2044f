package catalog

import (
	"context"

	"backroom/shared/saga"
)

// Products is where products are kept.
type Products interface {
	// Load reads a product consistently, a deleted one too. It returns ErrUnknownProduct for none.
	Load(ctx context.Context, shop saga.Shop, sku string) (Product, error)
	// Save stores what became of a product that was loaded (the zero Product: there was none), with all that sells it, or
	// nothing. It returns ErrMoved if the product was changed since, and ErrSKUTaken if another product has one of its SKUs.
	Save(ctx context.Context, was, is Product) error
}
