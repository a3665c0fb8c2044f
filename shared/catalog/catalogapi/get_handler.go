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

// GetHandler returns a product, without authentication.
type GetHandler struct {
	// Load reads a product, even a deleted one. It returns ErrUnknownProduct if none was ever stored.
	Load func(ctx context.Context, shop saga.Shop, sku string) (catalog.Product, error)
	Shop saga.Shop // the shop of a request that names none
}

type getInput struct {
	SKU         string    `path:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" doc:"the SKU of the product or variant" example:"MUG-1"`
	Shop        saga.Shop `query:"shop" maxLength:"64" pattern:"^[a-z0-9-]*$" doc:"the shop; if absent, the deployment's own shop"`
	IfNoneMatch api.Tags  `header:"If-None-Match" doc:"the ETag of an earlier answer; the answer is 304 if nothing has changed since"`
}

// Operation returns GET /products/{sku}.
func (h GetHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "get-product", Method: http.MethodGet, Path: "/products/{sku}", Tags: []string{"products"},
		Summary:     "Read a product",
		Description: "Returns a product with its variants and prices. A deleted product is not found.",
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
