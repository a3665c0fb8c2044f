package catalog

import (
	"context"
	"errors"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
)

// PutHandler creates and changes products.
type PutHandler struct {
	Callers  identity.Verifier
	Products interface {
		// Load reads a product consistently. It returns fault.NotFound for none.
		Load(ctx context.Context, shop, sku string) (Product, error)
		// Save stores p if what is stored has the version that p had when it was loaded (0: nothing is stored), and
		// returns it with its new version. It returns fault.Conflict otherwise.
		Save(ctx context.Context, p Product) (Product, error)
	}
	Now func() time.Time
}

type putInput struct {
	SKU         string   `path:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" example:"MUG-1"`
	IfMatch     api.Tags `header:"If-Match" doc:"the ETag of the product that is to be changed"`
	IfNoneMatch api.Tags `header:"If-None-Match" doc:"* to create the product"`
	Body        struct {
		Title string      `json:"title" minLength:"1" maxLength:"200" example:"Mug, blue"`
		Price money.Money `json:"price"`
	}
}

type productOutput struct {
	Status       int
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         ProductDocument
}

// ProductDocument is a product as clients see it.
type ProductDocument struct {
	SKU       string      `json:"sku" example:"MUG-1"`
	Title     string      `json:"title" example:"Mug, blue"`
	Price     money.Money `json:"price"`
	ChangedAt time.Time   `json:"changed_at"`
}

func output(status int, p Product, cache string) *productOutput {
	return &productOutput{Status: status, ETag: api.ETag(p.Version), CacheControl: cache, Body: ProductDocument{p.SKU, p.Title, p.Price, p.ChangedAt}}
}

// Operation returns PUT /products/{sku}.
func (h PutHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "put-product", Method: http.MethodPut, Path: "/products/{sku}", Tags: []string{"products"},
		Summary:     "Create or change a product",
		Description: "Creates with If-None-Match: * (201), changes with If-Match (200). A repetition of what is stored already changes nothing and is answered with 200.",
		Access:      api.Needs(h.Callers, identity.CatalogWrite),
		Faults:      []*fault.Fault{ErrChanged, ErrUnconditional, money.ErrCurrency},
	}, h.put)
}

func (h PutHandler) put(ctx context.Context, in *putInput) (*productOutput, error) {
	if !in.IfMatch.Given() && !in.IfNoneMatch.Given() {
		return nil, ErrUnconditional
	}
	if err := in.Body.Price.Check(); err != nil {
		return nil, err
	}
	shop := identity.From(ctx).Shop
	stored, err := h.Products.Load(ctx, shop, in.SKU)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return nil, err
	}
	wanted := Product{Shop: shop, SKU: in.SKU, Title: in.Body.Title, Price: in.Body.Price, Version: stored.Version, ChangedAt: h.Now().Truncate(time.Millisecond)}
	if stored.Version > 0 && stored.Says(wanted) && repeats(in, stored) {
		return output(http.StatusOK, stored, "private, no-cache"), nil
	}
	if !applies(in, stored) {
		return nil, ErrChanged
	}
	saved, err := h.Products.Save(ctx, wanted)
	if errors.Is(err, fault.Conflict) {
		return nil, ErrChanged.Because(err)
	}
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if stored.Version == 0 {
		status = http.StatusCreated
	}
	return output(status, saved, "private, no-cache"), nil
}

// applies reports whether the request's preconditions hold for what is stored (RFC 9110, section 13.2.2).
func applies(in *putInput, stored Product) bool {
	tag := ""
	if stored.Version > 0 {
		tag = api.ETag(stored.Version)
	}
	return (!in.IfMatch.Given() || in.IfMatch.Match(tag)) && (!in.IfNoneMatch.Given() || !in.IfNoneMatch.MatchWeakly(tag))
}

// repeats reports whether the request may be one whose answer was lost: what is stored is what it would have made of the
// version that it names, or the first version if it creates.
func repeats(in *putInput, stored Product) bool {
	if in.IfNoneMatch.Any() {
		return stored.Version == 1
	}
	return in.IfMatch.Match(api.ETag(stored.Version)) || in.IfMatch.Match(api.ETag(stored.Version-1))
}
