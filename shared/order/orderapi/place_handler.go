package orderapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/email"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
	"backroom/shared/money/payable"
	"backroom/shared/observe"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// PlaceHandler accepts orders.
type PlaceHandler struct {
	Callers identity.Verifier
	Orders  interface {
		Load(ctx context.Context, shop saga.Shop, id string) (order.Order, error)
		// Create returns the existing order, with fault.Duplicate, if there is one.
		Create(ctx context.Context, o order.Order, cause saga.Cause, facts ...saga.Fact) (order.Order, error)
	}
	// Prices returns the unit price of each SKU, one per currency. SKUs that the shop does not sell are absent.
	Prices interface {
		// Of may return cached prices.
		Of(ctx context.Context, shop saga.Shop, skus []string) (map[string][]money.Money, error)
		// Read returns the current prices.
		Read(ctx context.Context, shop saga.Shop, skus []string) (map[string][]money.Money, error)
	}
	Now   func() time.Time
	Terms order.Terms
}

type placeInput struct {
	api.Keyed
	Body OrderRequest
}

// OrderRequest is the body of a request to place an order.
type OrderRequest struct {
	Lines         []lineRequest `json:"lines" minItems:"1" maxItems:"100" doc:"what is ordered; lines of the same SKU are added up"`
	PaymentMethod string        `json:"payment_method" minLength:"1" maxLength:"100" pattern:"^pm_[A-Za-z0-9_]+$" doc:"the payment provider's token, never a card number" example:"pm_card_visa"`
	Email         string        `json:"email,omitempty" format:"email" maxLength:"254" doc:"the customer's address for mails about the order (RFC 5321, Mailbox, without quotes; the domain is sent to in Punycode); if absent, no mail is sent" example:"ada@example.com"`
	Currency      string        `json:"currency,omitempty" pattern:"^[A-Z]{3}$" doc:"the currency to pay in; required if the products are sold in several" example:"EUR"`
	ExpectedTotal *money.Money  `json:"expected_total,omitempty" doc:"if given, the order is refused with price-changed unless its total is exactly this"`
}

type lineRequest struct {
	SKU      string `json:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" example:"MUG-1" doc:"the product, or the variant"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"10000" example:"2" doc:"how many units"`
}

type placeOutput struct {
	Location string `header:"Location" doc:"the path of the order"`
	Poll
	api.Replay
	Body OrderReceipt
}

// OrderReceipt is the answer to an order that was placed. It has only members that never change, so a repeated
// request gets the same answer.
type OrderReceipt struct {
	ID       string      `json:"id" example:"ord_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d" doc:"the id of the order"`
	PlacedAt time.Time   `json:"placed_at" doc:"when it was placed"`
	Lines    []OrderLine `json:"lines" maxItems:"100" doc:"what was ordered, a line for each SKU"`
	Total    money.Money `json:"total" doc:"the sum of all lines"`
}

// OrderLine is one line of an order as clients see it.
type OrderLine struct {
	SKU      string      `json:"sku" doc:"the product, or the variant"`
	Quantity int64       `json:"quantity" minimum:"1" maximum:"1000000" doc:"how many units"`
	Price    money.Money `json:"price" doc:"the price of one unit"`
}

// Operation returns POST /orders.
func (h PlaceHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "place-order", Method: http.MethodPost, Path: "/orders", Tags: []string{"orders"},
		DefaultStatus: http.StatusAccepted,
		Summary:       "Place an order",
		Description: "Accepts the order and returns at once; stock and payment follow. Read the order at Location, " +
			"after the seconds of Retry-After, until it has an outcome. With expected_total, products " +
			"and prices are those of now; without it they may be those of " +
			"up to 30 seconds ago.",
		Access: api.Needs(h.Callers, identity.OrdersWrite),
		Faults: []*fault.Fault{
			order.ErrUnknownProduct, order.ErrTooManySKUs, order.ErrTooMany, order.ErrPriceChanged, order.ErrNoCurrency,
			money.ErrOutOfRange, payable.ErrUnpayable, api.ErrKeyReused,
		},
	}, h.place)
}

func (h PlaceHandler) place(ctx context.Context, in *placeInput) (*placeOutput, error) {
	caller := identity.From(ctx)
	id, fingerprint := api.DerivedID("ord", caller, in.Key), api.Fingerprint(api.Body(ctx))
	observe.Note(ctx, slog.String("order", id))
	o, facts, err := h.decide(ctx, caller, id, fingerprint, in)
	if err == nil {
		o, err = h.Orders.Create(ctx, o, saga.Cause{ID: api.RequestID(ctx), Actor: caller.Subject}, facts...)
	} else if there, loadErr := h.Orders.Load(ctx, caller.Shop, id); loadErr == nil {
		o, err = there, fault.Duplicate // prices and products change; an order that was accepted stays accepted
	} else if !errors.Is(loadErr, fault.NotFound) {
		err = loadErr // it is unknown whether the request is a repetition
	}
	again := errors.Is(err, fault.Duplicate)
	switch {
	case again && o.Fingerprint != fingerprint:
		return nil, api.ErrKeyReused
	case err != nil && !again:
		return nil, err
	}
	return &placeOutput{Location: api.Location(ctx, o.ID), Poll: pollSoon(), Replay: api.Replayed(again),
		Body: receipt(o)}, nil
}

// decide prices the request and makes it an order. With an expected total, the client relies on what the catalogue says
// now, so the products are read consistently. Without one, they may be as they were up to 30 seconds ago.
func (h PlaceHandler) decide(
	ctx context.Context, caller identity.Caller, id, fingerprint string, in *placeInput,
) (order.Order, []saga.Fact, error) {
	var address string
	if in.Body.Email != "" {
		var err error
		if address, err = email.Parse(in.Body.Email); err != nil {
			return order.Order{}, nil, api.ErrInvalid.At("/email", err.Error())
		}
	}
	wish := order.Request{
		Currency: in.Body.Currency, Email: address, PaymentMethod: in.Body.PaymentMethod,
		ExpectedTotal: in.Body.ExpectedTotal,
	}
	for _, l := range in.Body.Lines {
		wish.Lines = append(wish.Lines, order.RequestedLine(l))
	}
	place := func(prices func(context.Context, saga.Shop, []string) (map[string][]money.Money, error)) (order.Order,
		[]saga.Fact, error) {
		found, err := prices(ctx, caller.Shop, wish.SKUs())
		if err != nil {
			return order.Order{}, nil, err
		}
		return order.Place(id, caller, wish, found, fingerprint, h.Now(), h.Terms)
	}
	if wish.ExpectedTotal != nil {
		return place(h.Prices.Read)
	}
	return place(h.Prices.Of)
}

func receipt(o order.Order) OrderReceipt {
	return OrderReceipt{ID: o.ID, PlacedAt: o.PlacedAt, Lines: lines(o), Total: o.Total}
}

func lines(o order.Order) []OrderLine {
	var documents []OrderLine
	for _, l := range o.Lines {
		documents = append(documents,
			OrderLine{l.SKU, l.Quantity, money.Money{Amount: l.Price, Currency: o.Total.Currency}})
	}
	return documents
}
