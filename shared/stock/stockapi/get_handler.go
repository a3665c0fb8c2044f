// Package stockapi is the HTTP edge of stock. It returns levels and accepts adjustments.
package stockapi

import (
	"context"
	"net/http"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/saga"
	"backroom/shared/stock"
)

// GetHandler returns the level of a SKU.
type GetHandler struct {
	Callers identity.Verifier
	// Load reads a level consistently. It returns stock.ErrUnknownStock if the SKU has no level.
	Load func(ctx context.Context, shop saga.Shop, sku string) (stock.Level, error)
}

type getInput struct {
	SKU string `path:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" doc:"the SKU of the product or variant" example:"MUG-1"`
}

type getOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         StockLevel
}

// StockLevel is a level as clients see it.
type StockLevel struct {
	SKU      string `json:"sku" doc:"whose level it is" example:"MUG-1"`
	Sellable int64  `json:"sellable" minimum:"0" maximum:"9007199254740992" doc:"units that can be sold" example:"80"`
	Promised int64  `json:"promised" minimum:"0" maximum:"9007199254740992" doc:"units that are reserved for orders, or sold and not shipped yet" example:"20"`
}

// Operation returns GET /stock/{sku}.
func (h GetHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "get-stock", Method: http.MethodGet, Path: "/stock/{sku}", Tags: []string{"stock"},
		Summary: "Read a stock level",
		Description: "Returns how many units of a SKU can be sold now, and how many are promised to orders. The sum " +
			"is what all adjustments " +
			"added: shipping is not part of the API yet, so no unit leaves.",
		Access: api.Needs(h.Callers, identity.StockRead),
		Faults: []*fault.Fault{stock.ErrUnknownStock},
	}, h.get)
}

func (h GetHandler) get(ctx context.Context, in *getInput) (*getOutput, error) {
	l, err := h.Load(ctx, identity.From(ctx).Shop, in.SKU)
	if err != nil {
		return nil, err
	}
	return &getOutput{CacheControl: "no-store", Body: StockLevel{l.SKU, l.Sellable, l.Promised}}, nil
}
