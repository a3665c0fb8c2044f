package orderapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
	"backroom/shared/money/payable"
	"backroom/shared/observe"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// RefundHandler refunds paid orders.
type RefundHandler struct {
	Callers    identity.Verifier
	Orders     order.Store
	Now        func() time.Time
	RetryDelay time.Duration // until the order asks again for the refund
}

type refundInput struct {
	api.Keyed
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"the id of the order" example:"ord_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d"`
	Body RefundRequest
}

// RefundRequest is the body of a request for a refund.
type RefundRequest struct {
	Amount *refundAmount `json:"amount,omitempty" doc:"how much to refund; if absent, all that is refundable"`
	Reason string        `json:"reason" minLength:"1" maxLength:"200" example:"arrived broken" doc:"why, for the record"`
}

// refundAmount is money.Money with an amount of at least 1.
type refundAmount struct {
	Amount   int64  `json:"amount" minimum:"1" maximum:"9007199254740992" doc:"in minor units of the currency" example:"1250"`
	Currency string `json:"currency" minLength:"3" maxLength:"3" pattern:"^[A-Z]{3}$" doc:"the currency of the order" example:"EUR"`
}

type refundOutput struct {
	Location string `header:"Location" doc:"the path of the order, which shows its refunds"`
	Poll
	api.Replay
	Body RefundReceipt
}

// RefundReceipt is the answer to a refund that was requested. It has only members that never change, so a repeated
// request gets the same answer; only the reason is gone once the order was erased.
type RefundReceipt struct {
	ID          string            `json:"id" doc:"of the refund" example:"rfn_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d"`
	OrderID     string            `json:"order_id" doc:"whose money is refunded" example:"ord_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d"`
	Amount      money.Money       `json:"amount" doc:"how much is refunded"`
	Status      saga.RefundStatus `json:"status" enum:"requested,pending,succeeded,failed,refused" doc:"requested: the provider may not know of it yet. pending: the provider has not decided yet. succeeded: the customer has the money. failed: written off; the customer did not get the money. refused: it can never be made, for example because money was refunded at the provider meanwhile."`
	Refundable  money.Money       `json:"refundable" doc:"how much of the order could still be refunded after it, when it was accepted"`
	Reason      string            `json:"reason,omitempty" doc:"the caller's reason; absent once the order was erased"`
	RequestedAt time.Time         `json:"requested_at" doc:"when the refund was requested"`
}

// Operation returns POST /orders/{id}/refunds.
func (h RefundHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "refund-order", Method: http.MethodPost, Path: "/orders/{id}/refunds", Tags: []string{"orders"},
		DefaultStatus: http.StatusAccepted,
		Summary:       "Refund an order",
		Description: "Refunds a paid order, in part or all that is refundable. Read the order at Location to see " +
			"the status of the refund. What was refunded or disputed at the payment provider is not refundable. In a " +
			"currency with three decimals the last digit of an amount must be 0, because cards move no thousandths.",
		Access: api.Needs(h.Callers, identity.OrdersRefund),
		Faults: []*fault.Fault{
			ErrUnknownOrder, order.ErrNotRefundable, order.ErrRefundTooLarge, order.ErrTooManyRefunds, ErrContention,
			money.ErrMixed, payable.ErrUnpayable,
			api.ErrKeyReused,
		},
	}, h.refund)
}

func (h RefundHandler) refund(ctx context.Context, in *refundInput) (*refundOutput, error) {
	caller := identity.From(ctx)
	note := order.RefundNote{
		ID: api.DerivedID("rfn", caller, in.ID, in.Key), Reason: in.Body.Reason, By: caller.Subject,
		At: h.Now().Truncate(time.Millisecond), Fingerprint: api.Fingerprint(api.Body(ctx)),
	}
	observe.Note(ctx, slog.String("refund", note.ID))
	var wanted money.Money
	switch {
	case in.Body.Amount != nil:
		wanted = money.Money(*in.Body.Amount)
	case amountIsNull(api.Body(ctx)):
		// Null is what a variable without a value becomes, and must not refund everything.
		return nil, api.ErrInvalid.At("/amount", "must be an amount; leave it out to refund all that is refundable")
	}
	again := false
	o, err := change(ctx, h.Orders, in.ID, func(o order.Order) (order.Order, []saga.Fact, error) {
		var asked order.RefundNote
		_, asked, again = o.FindRefund(note.ID)
		switch {
		case again && asked.Fingerprint != note.Fingerprint:
			return o, nil, api.ErrKeyReused
		case again:
			return o, nil, nil // it was accepted before, whatever happened to the order since
		case wanted.Amount > 0 && wanted.Currency != o.Total.Currency:
			return o, nil, money.ErrMixed.At("/amount/currency", "must be "+o.Total.Currency)
		}
		return order.Refund(o, note, wanted.Amount, h.Now(), h.RetryDelay)
	})
	if err != nil {
		return nil, err
	}
	refund, note, _ := o.FindRefund(note.ID)
	return &refundOutput{Location: api.Parent(ctx), Poll: pollSoon(), Replay: api.Replayed(again), Body: RefundReceipt{
		ID: refund.ID, OrderID: o.ID, Amount: money.Money{Amount: refund.Amount, Currency: o.Total.Currency},
		Status: saga.RefundStatusRequested, Refundable: money.Money{Amount: note.Left, Currency: o.Total.Currency},
		Reason: note.Reason, RequestedAt: note.At,
	}}, nil
}

// amountIsNull reports whether the body has the amount null. Elsewhere null means absent.
func amountIsNull(body []byte) bool {
	var sent map[string]json.RawMessage
	return json.Unmarshal(body, &sent) == nil && string(sent["amount"]) == "null"
}
