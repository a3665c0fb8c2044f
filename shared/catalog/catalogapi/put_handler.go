package catalogapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/catalog"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
	"backroom/shared/money/payable"
)

// Why a write with preconditions is refused.
var (
	ErrChanged = fault.New(fault.PreconditionFailed, "product-changed",
		"The product does not match If-Match or If-None-Match. Read it again, then decide again.")
	ErrPreconditionRequired = fault.New(fault.PreconditionNeeded, "precondition-required",
		"Send If-None-Match: * to create a product, or If-Match with its ETag to change or delete it.")
)

// PutHandler creates and changes products, each under a precondition.
type PutHandler struct {
	Callers  identity.Verifier
	Products catalog.Products
	Now      func() time.Time
}

type putInput struct {
	SKU         string   `path:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" doc:"the SKU of the product or variant" example:"MUG-1"`
	IfMatch     api.Tags `header:"If-Match" doc:"the ETag of the product to change"`
	IfNoneMatch api.Tags `header:"If-None-Match" doc:"* to create the product"`
	Body        productContent
}

// Operation returns PUT /products/{sku}.
func (h PutHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "put-product", Method: http.MethodPut, Path: "/products/{sku}", Tags: []string{"products"},
		Summary: "Create or change a product",
		Description: "Creates a product with If-None-Match: * (201), or changes it with If-Match (200). A deleted " +
			"product can be created again, " +
			"or changed with the ETag of its deletion. Writing the stored content again changes nothing (200); the " +
			"body may be " +
			"what GET answered. Orders without expected_total may have the earlier price for up to 30 seconds.",
		Access:  api.Needs(h.Callers, identity.CatalogWrite),
		Answers: map[int]string{http.StatusCreated: "The product was created."},
		Faults: []*fault.Fault{
			ErrChanged, ErrPreconditionRequired, catalog.ErrSKUTaken, catalog.ErrSKURepeated, catalog.ErrPriceRepeated,
			money.ErrCurrency, payable.ErrUnpayable,
		},
	}, h.put)
}

func (h PutHandler) put(ctx context.Context, in *putInput) (*productOutput, error) {
	if !in.IfMatch.Given() && !in.IfNoneMatch.Given() {
		return nil, ErrPreconditionRequired
	}
	if in.Body.SKU != "" && in.Body.SKU != in.SKU {
		return nil, api.ErrInvalid.At("/sku", "must be the SKU of the path, or absent")
	}
	if err := in.Body.check(in.SKU); err != nil {
		return nil, err
	}
	stored, err := h.Products.Load(ctx, identity.From(ctx).Shop, in.SKU)
	if err != nil && !errors.Is(err, catalog.ErrUnknownProduct) {
		return nil, err
	}
	content := in.Body.content()
	if stored.Says(content) && repeats(in, stored) {
		return output(http.StatusOK, stored, "private, no-cache"), nil
	}
	if !applies(in, stored) {
		return nil, ErrChanged
	}
	stored.Shop, stored.SKU = identity.From(ctx).Shop, in.SKU // zero for a product that did not exist
	wanted := stored.Rewritten(content, h.Now())
	if err := h.Products.Save(ctx, stored, wanted); err != nil {
		return nil, refused(err)
	}
	status := http.StatusOK
	if !stored.Sold() {
		status = http.StatusCreated
	}
	return output(status, wanted, "private, no-cache"), nil
}

// refused returns the error that a client gets for a failed write.
func refused(err error) error {
	if errors.Is(err, catalog.ErrVersionConflict) {
		return ErrChanged.Because(err)
	}
	return err
}

// applies reports whether the request's preconditions hold for the stored product (RFC 9110, section 13.2.2). A deleted
// product does not match *, but it matches the ETag of its last version.
func applies(in *putInput, stored catalog.Product) bool {
	match, none := "", ""
	if stored.Sold() {
		none = api.ETag(stored.Version)
	}
	if stored.Sold() || !in.IfMatch.Any() && stored.Version > 0 {
		match = api.ETag(stored.Version)
	}
	return (!in.IfMatch.Given() || in.IfMatch.Match(match)) &&
		(!in.IfNoneMatch.Given() || !in.IfNoneMatch.MatchWeakly(none))
}

// repeats reports whether the request may be the repetition of one whose answer was lost: the stored version is the one
// that it names or the one after that or, for a creation, the first one.
func repeats(in *putInput, stored catalog.Product) bool {
	if in.IfNoneMatch.Any() {
		return stored.Version == stored.Since
	}
	return in.IfMatch.Match(api.ETag(stored.Version)) || in.IfMatch.Match(api.ETag(stored.Version-1))
}
