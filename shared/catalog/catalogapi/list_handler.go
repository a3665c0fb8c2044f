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

// ListHandler shows everybody what a shop sells, page by page.
type ListHandler struct {
	// List returns products that the shop sells, at most limit, in the order of their SKUs, from behind a key that it returned
	// before; and the key to go on from, nil at the end. It may be behind by seconds.
	List    func(ctx context.Context, shop saga.Shop, limit int, from map[string]string) ([]catalog.Product, map[string]string, error)
	Cursors *api.Cursors
	Shop    saga.Shop // whose products are shown when the request does not say
}

type listInput struct {
	api.Paged
	Shop saga.Shop `query:"shop" maxLength:"64" pattern:"^[a-z0-9-]*$" doc:"whose products; those of the deployment's own shop if absent"`
}

type listOutput struct {
	CacheControl string `header:"Cache-Control"`
	Link         string `header:"Link" doc:"rel=next: the next page (RFC 8288)"`
	Body         ProductList
}

// ProductList is a page of products.
type ProductList struct {
	Products []Product `json:"products"`
	Next     string    `json:"next,omitempty" doc:"the cursor of the next page; absent on the last one"`
}

// Operation returns GET /products.
func (h ListHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "list-products", Method: http.MethodGet, Path: "/products", Tags: []string{"products"},
		Summary: "List what is sold",
		Description: "Products in the order of their SKUs. A page may be shorter than limit: the last one is that without next. " +
			"A change shows in the list some seconds after it was made; GET /products/{sku} shows it at once.",
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
