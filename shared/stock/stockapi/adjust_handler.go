package stockapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/observe"
	"backroom/shared/saga"
	"backroom/shared/stock"
)

// ErrAmbiguous is the answer to an adjustment that is neither a delta nor a count, or both.
var ErrAmbiguous = fault.New(fault.Invalid, "ambiguous-adjustment",
	"An adjustment needs either delta, or set and if_equals. Send one of the two.")

// AdjustHandler changes the sellable units of a SKU.
type AdjustHandler struct {
	Callers identity.Verifier
	// Adjust applies an adjustment once. It returns the stored one, with fault.Duplicate, if it was applied before.
	// It returns stock.ErrInsufficient, stock.ErrLevelTooHigh or stock.ErrLevelChanged if the level does not allow it.
	Adjust func(context.Context, stock.Adjustment) (stock.Adjustment, error)
	// Load reads a level consistently.
	Load func(ctx context.Context, shop saga.Shop, sku string) (stock.Level, error)
	Now  func() time.Time
}

type adjustInput struct {
	api.Keyed
	SKU  string `path:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" doc:"the SKU of the product or variant" example:"MUG-1"`
	Body AdjustmentRequest
}

// AdjustmentRequest is the body of an adjustment.
type AdjustmentRequest struct {
	Delta    *int64 `json:"delta,omitempty" minimum:"-1000000000" maximum:"1000000000" doc:"units to add (positive) or to remove (negative)" example:"100"`
	Set      *int64 `json:"set,omitempty" minimum:"0" maximum:"1000000000" doc:"the sellable units that were counted; needs if_equals"`
	IfEquals *int64 `json:"if_equals,omitempty" minimum:"0" maximum:"9007199254740992" doc:"the sellable units that the count replaces"`
	Reason   string `json:"reason" minLength:"1" maxLength:"200" doc:"why, for the record" example:"delivery"`
}

type adjustOutput struct {
	api.Replay
	Body StockAdjustment
}

// StockAdjustment is an adjustment as clients see it.
type StockAdjustment struct {
	ID         string      `json:"id" doc:"of the adjustment" example:"adj_nz7ffzjle7rhphsy3vmieuj44cp2nva7"`
	SKU        string      `json:"sku" doc:"whose level was adjusted" example:"MUG-1"`
	Delta      int64       `json:"delta" minimum:"-1000000000" maximum:"1000000000" doc:"the units that were added (positive) or removed (negative)" example:"100"`
	Reason     string      `json:"reason" doc:"the caller's reason" example:"delivery"`
	AdjustedAt time.Time   `json:"adjusted_at" doc:"when the adjustment was made"`
	Level      *StockLevel `json:"level,omitempty" doc:"the level now; absent if it could not be read"`
}

// Operation returns POST /stock/{sku}/adjustments.
func (h AdjustHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "adjust-stock", Method: http.MethodPost, Path: "/stock/{sku}/adjustments", Tags: []string{"stock"},
		DefaultStatus: http.StatusCreated,
		Summary:       "Adjust a stock level",
		Description: "Changes the sellable units of a SKU: by a delta, or to a count if the level still equals " +
			"if_equals. No adjustment raises a level above 1,000,000,000 units.",
		Access: api.Needs(h.Callers, identity.StockWrite),
		Faults: []*fault.Fault{
			ErrAmbiguous, stock.ErrInsufficient, stock.ErrLevelTooHigh, stock.ErrLevelChanged, api.ErrKeyReused,
		},
	}, h.adjust)
}

func (h AdjustHandler) adjust(ctx context.Context, in *adjustInput) (*adjustOutput, error) {
	caller := identity.From(ctx)
	wanted := stock.Adjustment{
		ID: api.DerivedID("adj", caller, in.SKU, in.Key), Shop: caller.Shop, SKU: in.SKU, IfEquals: in.Body.IfEquals,
		Reason: in.Body.Reason,
		At:     h.Now().Truncate(time.Millisecond), Actor: caller.Subject, Fingerprint: api.Fingerprint(api.Body(ctx)),
	}
	switch delta, set, equals := in.Body.Delta, in.Body.Set, in.Body.IfEquals; {
	case delta != nil && set == nil && equals == nil:
		wanted.Delta = *delta
	case delta == nil && set != nil && equals != nil:
		wanted.Delta = *set - *equals
	default:
		return nil, ErrAmbiguous.At("", "must have either delta, or set and if_equals")
	}
	observe.Note(ctx, slog.String("adjustment", wanted.ID))
	made, err := h.Adjust(ctx, wanted)
	again := errors.Is(err, fault.Duplicate)
	switch {
	case again && made.Fingerprint != wanted.Fingerprint:
		return nil, api.ErrKeyReused
	case err != nil && !again:
		return nil, err
	}
	out := &adjustOutput{Replay: api.Replayed(again),
		Body: StockAdjustment{ID: made.ID, SKU: made.SKU, Delta: made.Delta, Reason: made.Reason, AdjustedAt: made.At}}
	level, err := h.Load(ctx, caller.Shop, in.SKU)
	if err != nil {
		observe.Note(ctx, slog.String("levelUnread", err.Error()))
		return out, nil
	}
	out.Body.Level = &StockLevel{level.SKU, level.Sellable, level.Promised}
	return out, nil
}
