package orderapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/observe"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// ResolveHandler records what a person decided about an order that needs attention.
type ResolveHandler struct {
	Callers    identity.Verifier
	Orders     order.Store
	Now        func() time.Time
	RetryDelay time.Duration // until an order that tries again asks once more
}

type resolveInput struct {
	api.Keyed
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"the id of the order" example:"ord_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d"`
	Body ResolutionRequest
}

// ResolutionRequest is the body of a resolution.
type ResolutionRequest struct {
	Action order.Action `json:"action" enum:"retry,write_off" doc:"retry: the order asks again for what it awaits. write_off: the order gives up what it awaits, and is settled"`
	Reason string       `json:"reason" minLength:"1" maxLength:"200" example:"the provider is back" doc:"why, for the record"`
}

type resolveOutput struct {
	Location string `header:"Location" doc:"the path of the order"`
	Poll
	api.Replay
	Body ResolutionReceipt
}

// ResolutionReceipt is the answer to a resolution. It has only members that never change, so a repeated request gets
// the same answer; only the reason is gone once the order was erased.
type ResolutionReceipt struct {
	ID         string       `json:"id" example:"res_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d" doc:"of the resolution"`
	OrderID    string       `json:"order_id" doc:"the order that was resolved"`
	Action     order.Action `json:"action" enum:"retry,write_off" doc:"retry: the order asks again. write_off: the order is settled."`
	Reason     string       `json:"reason,omitempty" doc:"absent once the order was erased"`
	ResolvedAt time.Time    `json:"resolved_at" doc:"when it was resolved"`
}

// Operation returns POST /orders/{id}/resolution.
func (h ResolveHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "resolve-order", Method: http.MethodPost, Path: "/orders/{id}/resolution", Tags: []string{"orders"},
		DefaultStatus: http.StatusAccepted,
		Summary:       "Resolve an order that needs attention",
		Description: "Has the order ask again for what it awaits, or gives that up. A repeated request is " +
			"recognized until the order has " +
			"another resolution. An order whose money cannot be captured can also be canceled.",
		Access: api.Needs(h.Callers, identity.OrdersResolve),
		Faults: []*fault.Fault{ErrUnknownOrder, order.ErrNoAttentionNeeded, ErrContention, api.ErrKeyReused},
	}, h.resolve)
}

func (h ResolveHandler) resolve(ctx context.Context, in *resolveInput) (*resolveOutput, error) {
	caller := identity.From(ctx)
	wanted := order.Resolution{
		ID: api.DerivedID("res", caller, in.ID, in.Key), Action: in.Body.Action, Reason: in.Body.Reason,
		By: caller.Subject,
		At: h.Now().Truncate(time.Millisecond), Fingerprint: api.Fingerprint(api.Body(ctx)),
	}
	observe.Note(ctx, slog.String("resolution", wanted.ID))
	again := false
	o, err := change(ctx, h.Orders, in.ID, func(o order.Order) (order.Order, []saga.Fact, error) {
		if again = o.Resolution.ID == wanted.ID; again && o.Resolution.Fingerprint != wanted.Fingerprint {
			return o, nil, api.ErrKeyReused
		}
		return order.Resolve(o, wanted, h.Now(), h.RetryDelay)
	})
	if err != nil {
		return nil, err
	}
	r := o.Resolution
	return &resolveOutput{Location: api.Parent(ctx), Poll: pollAt(o, h.Now()), Replay: api.Replayed(again),
		Body: ResolutionReceipt{r.ID, o.ID, r.Action, r.Reason, r.At}}, nil
}
