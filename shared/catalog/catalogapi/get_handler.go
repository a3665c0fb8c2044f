package catalogapi

import (
	"cmp"
	"context"
	"net/http"

	"backroom/shared/api"
	"backroom/shared/catalog"
	"backroom/shared/fault"
	"backroom/shared/saga"
)

// GetHandler shows products to everybody.
type GetHandler struct {
	// Load reads a product, a deleted one too. It returns ErrUnknownProduct for none.
	Load func(ctx context.Context, shop saga.Shop, sku string) (catalog.Product, error)
	Shop saga.Shop // whose products are shown when the request does not say
}

type getInput struct {
	SKU         string    `path:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" example:"MUG-1"`
	Shop        saga.Shop `query:"shop" maxLength:"64" pattern:"^[a-z0-9-]*$" doc:"whose product; the deployment's own shop if absent"`
	IfNoneMatch api.Tags  `header:"If-None-Match" doc:"an ETag; the answer is 304 if it still holds"`
}

// Operation returns GET /products/{sku}.
func (h GetHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "get-product", Method: http.MethodGet, Path: "/products/{sku}", Tags: []string{"products"},
		Summary:     "Read a product",
		Description: "A product that is sold, with its variants and its price in each currency. A product that was deleted is not found.",
		Access:      api.Public, Faults: []*fault.Fault{catalog.ErrUnknownProduct},
	}, h.get)
}

func (h GetHandler) get(ctx context.Context, in *getInput) (*productOutput, error) {
	p, err := h.Load(ctx, cmp.Or(in.Shop, h.Shop), in.SKU)
	if err != nil {
		return nil, err
	}
	if !p.Sold() {
		return nil, catalog.ErrUnknownProduct
	}
	return output(http.StatusOK, p, "public, no-cache"), nil
}
