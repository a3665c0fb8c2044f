package catalogapi

import (
	"context"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/catalog"
	"backroom/shared/fault"
	"backroom/shared/identity"
)

// DeleteHandler deletes products, each under a precondition.
type DeleteHandler struct {
	Callers  identity.Verifier
	Products catalog.Products
	Now      func() time.Time
}

type deleteInput struct {
	SKU     string   `path:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" doc:"the SKU of the product or variant" example:"MUG-1"`
	IfMatch api.Tags `header:"If-Match" doc:"the ETag of the product to delete"`
}

type deleteOutput struct {
	ETag string `header:"ETag" doc:"the ETag of the deletion; PUT with If-Match and this ETag restores the product, unless it was changed since"`
}

// Operation returns DELETE /products/{sku}.
func (h DeleteHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "delete-product", Method: http.MethodDelete, Path: "/products/{sku}", Tags: []string{"products"},
		Summary: "Delete a product",
		Description: "The product is no longer shown or sold; existing orders do not change. The SKUs of its " +
			"variants become free for other " +
			"products, its own SKU does not. PUT restores it. Deleting a deleted product changes nothing, whatever " +
			"If-Match is. Orders without expected_total may still buy it for up to 30 seconds.",
		Access: api.Needs(h.Callers, identity.CatalogWrite),
		Faults: []*fault.Fault{catalog.ErrUnknownProduct, ErrChanged, ErrPreconditionRequired},
	}, h.delete)
}

func (h DeleteHandler) delete(ctx context.Context, in *deleteInput) (*deleteOutput, error) {
	if !in.IfMatch.Given() {
		return nil, ErrPreconditionRequired
	}
	stored, err := h.Products.Load(ctx, identity.From(ctx).Shop, in.SKU)
	switch {
	case err != nil:
		return nil, err
	case !stored.Sold():
		return &deleteOutput{ETag: api.ETag(stored.Version)}, nil
	case !in.IfMatch.Match(api.ETag(stored.Version)):
		return nil, ErrChanged
	}
	gone := stored.Deleted(h.Now())
	if err := h.Products.Save(ctx, stored, gone); err != nil {
		return nil, refused(err)
	}
	return &deleteOutput{ETag: api.ETag(gone.Version)}, nil
}
