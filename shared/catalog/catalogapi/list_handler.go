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

// ListHandler lists the products of a shop, page by page, without authentication.
type ListHandler struct {
	// List returns at most limit products that the shop sells, sorted by SKU, after a key that it returned before. It
	// also returns the key to continue after; nil at the end. The list may be some seconds old.
	List func(ctx context.Context, shop saga.Shop, limit int, from map[string]string) ([]catalog.Product,
		map[string]string, error)
	Cursors *api.Cursors
	Shop    saga.Shop // the shop of a request that names none
}

type listInput struct {
	api.Paged
	Shop saga.Shop `query:"shop" maxLength:"64" pattern:"^[a-z0-9-]*$" doc:"the shop; if absent, the deployment's own shop"`
}

type listOutput struct {
	CacheControl string `header:"Cache-Control"`
	Link         string `header:"Link" doc:"rel=next: the next page (RFC 8288)"`
	Body         ProductList
}

// ProductList is a page of products.
type ProductList struct {
	Products []Product `json:"products" maxItems:"50" doc:"the products of the page"`
	Next     string    `json:"next,omitempty" doc:"the cursor of the next page; absent on the last one"`
}

// Operation returns GET /products.
func (h ListHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "list-products", Method: http.MethodGet, Path: "/products", Tags: []string{"products"},
		Summary: "List products",
		Description: "Returns the products on sale, sorted by SKU. A page may have fewer products than limit; only " +
			"the last page has no next. " +
			"A change appears in the list after a few seconds, and in GET /products/{sku} at once.",
		Access: api.Public, Faults: []*fault.Fault{api.ErrBadCursor},
	}, h.list)
}

func (h ListHandler) list(ctx context.Context, in *listInput) (*listOutput, error) {
	shop := cmp.Or(in.Shop, h.Shop)
	pages := api.List{Route: "list-products", Shop: shop}
	from, err := h.Cursors.Open(ctx, pages, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, rest, err := h.List(ctx, shop, in.Limit, from)
	if err != nil {
		return nil, err
	}
	out := &listOutput{CacheControl: "public, max-age=30", Body: ProductList{Products: []Product{}}}
	for _, p := range found {
		out.Body.Products = append(out.Body.Products, document(p))
	}
	if out.Body.Next, err = h.Cursors.Sign(ctx, pages, rest); err != nil {
		return nil, err
	}
	out.Link = api.LinkNext(ctx, out.Body.Next)
	return out, nil
}
