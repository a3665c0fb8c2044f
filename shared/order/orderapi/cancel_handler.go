package orderapi

import (
	"context"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// CancelHandler cancels orders.
type CancelHandler struct {
	Callers    identity.Verifier
	Orders     order.Store
	Now        func() time.Time
	RetryDelay time.Duration // until the order asks again for stock and money
}

type cancelInput struct {
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"the id of the order" example:"ord_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d"`
	Body *CancellationRequest
}

// CancellationRequest is the body of a cancellation.
type CancellationRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"200" doc:"the reason given by the person who cancels" example:"ordered twice"`
}

type cancelOutput struct {
	Location string `header:"Location" doc:"the path of the order"`
	Poll
	Body Cancellation
}

// Cancellation is a cancellation as clients see it.
type Cancellation struct {
	OrderID string       `json:"order_id" doc:"the order that is canceled"`
	Status  order.Status `json:"status" enum:"canceling,canceled,needs_attention" doc:"canceling: stock and money are being returned. canceled: both were returned or written off. needs_attention: stuck until a person resolves it."`
	Reason  string       `json:"reason,omitempty" doc:"the reason of the first request"`
}

// Operation returns POST /orders/{id}/cancellation.
func (h CancelHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "cancel-order", Method: http.MethodPost, Path: "/orders/{id}/cancellation", Tags: []string{"orders"},
		DefaultStatus: http.StatusAccepted,
		Summary:       "Cancel an order",
		Description: "Cancels an order that is placed or confirmed: the caller's own, or any of the shop with " +
			"orders:resolve. " +
			"It is canceled once its stock and money are back; read it at Location until then. A repetition changes " +
			"nothing.",
		Access: api.Needs(h.Callers, identity.OrdersWrite),
		Faults: []*fault.Fault{ErrUnknownOrder, order.ErrTooLateToCancel, ErrContention},
	}, h.cancel)
}

func (h CancelHandler) cancel(ctx context.Context, in *cancelInput) (*cancelOutput, error) {
	caller, reason := identity.From(ctx), ""
	if in.Body != nil {
		reason = in.Body.Reason
	}
	o, err := change(ctx, h.Orders, in.ID, func(o order.Order) (order.Order, []saga.Fact, error) {
		if o.Owner != caller.Subject && !caller.May(identity.OrdersResolve) {
			return o, nil, ErrUnknownOrder
		}
		return order.Cancel(o, reason, h.Now(), h.RetryDelay)
	})
	if err != nil {
		return nil, err
	}
	return &cancelOutput{Location: api.Parent(ctx), Poll: pollAt(o, h.Now()),
		Body: Cancellation{o.ID, o.Status(), o.Reason}}, nil
}
