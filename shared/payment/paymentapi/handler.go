// Package paymentapi is the HTTP edge of payments: the route that the payment provider calls.
package paymentapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/payment"
	"backroom/shared/saga"
)

// actor is who changes a charge because of a callback, in the log of its row.
const actor = "receive-payment-event"

// Opener opens what arrives.
type Opener interface {
	// Open returns what a callback is about. It returns payment.ErrNotSigned unless the provider signed this body just now.
	Open(ctx context.Context, body []byte, signature string) (payment.Callback, error)
}

// Handler answers POST /payments/events: it has the payment looked at that the provider calls back about. The signature over
// the body is the authentication. Whatever cannot be done now is refused with a status by which the provider sends the event
// again; what is nobody's payment is taken and counted, because it would never be anybody's.
type Handler struct {
	Reconciler payment.Reconciler
	Callbacks  Opener
	Log        *slog.Logger
}

type input struct {
	Signature string `header:"Stripe-Signature" doc:"the time and the provider's signatures, as in t=1492774577,v1=5257a869…"`
	RawBody   []byte `contentType:"application/json"`
}

// Operation returns the route.
func (h Handler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "receive-payment-event", Method: http.MethodPost, Path: "/payments/events", Tags: []string{"payments"}, DefaultStatus: http.StatusOK,
		Summary: "Receive an event of the payment provider",
		Description: "The webhook endpoint to register at the provider. An event only says which payment to look at: it may come late, twice " +
			"and out of order. One about a payment that is not ours is taken, and changes nothing.",
		Access: api.Public,
		Faults: []*fault.Fault{payment.ErrNotSigned, payment.ErrUnreadable, payment.ErrNoSigningSecret},
	}, h.serve)
}

func (h Handler) serve(ctx context.Context, in *input) (*struct{}, error) {
	about, err := h.Callbacks.Open(ctx, in.RawBody, in.Signature)
	if err != nil {
		return nil, err
	}
	observe.Note(ctx, slog.String("event", about.ID), slog.String("intent", about.Intent))
	if about.Intent == "" {
		return nil, nil
	}
	err = h.Reconciler.HandleCallback(ctx, about, saga.Cause{ID: about.ID, Actor: actor})
	if errors.Is(err, payment.ErrUnknownPayment) {
		observe.Count(ctx, "CallbackUnknown", observe.Number, 1)
		h.Log.WarnContext(ctx, "the provider called back about a payment that is not ours", "event", about.ID, "intent", about.Intent)
		return nil, nil
	}
	return nil, err
}
