// Package paymentapi is the HTTP edge of payments. It has the route that the payment provider calls.
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

// actor names the cause of a callback's changes in the history of a charge.
const actor = "receive-payment-event"

// Opener verifies and decodes callbacks.
type Opener interface {
	// Open returns what a callback is about. It returns payment.ErrNotSigned unless the provider signed this body
	// within the last five minutes.
	Open(ctx context.Context, body []byte, signature string) (payment.Callback, error)
}

// Handler answers POST /payments/events: it has the Reconciler read the payment that an event
// names. The signature of the body is the authentication. An event that cannot be handled now is
// refused with a status that makes the provider send it again. An event about an unknown payment is
// accepted and counted: a repetition would not help.
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
		Name: "receive-payment-event", Method: http.MethodPost, Path: "/payments/events", Tags: []string{"payments"},
		DefaultStatus: http.StatusOK,
		Summary:       "Receive a payment event",
		Description: "The webhook endpoint to register at the payment provider. Events may come late, twice or out " +
			"of order: an event only " +
			"names the payment to read. An event about an unknown payment is accepted and changes nothing.",
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
		h.Log.WarnContext(ctx, "the payment provider sent an event about an unknown payment", "event", about.ID,
			"intent", about.Intent)
		return nil, nil
	}
	return nil, err
}
