package orderapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// ErrUnknownOrder is the answer for an order that is not there, and for another's.
var ErrUnknownOrder = fault.New(fault.NotFound, "unknown-order", "There is no such order.")

// GetHandler shows orders.
type GetHandler struct {
	Callers identity.Verifier
	// Story reads an order and what stock and payment wrote about it. It returns fault.NotFound for no such order.
	Story func(ctx context.Context, shop saga.Shop, id string) (order.Story, error)
	Now   func() time.Time
}

type getInput struct {
	ID          string   `path:"id" minLength:"1" maxLength:"64" example:"ord_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d"`
	IfNoneMatch api.Tags `header:"If-None-Match" doc:"an ETag; the answer is 304 if it still holds"`
}

type getOutput struct {
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         Order
}

// Order is an order as clients see it.
type Order struct {
	ID         string          `json:"id"`
	Status     order.Status    `json:"status" enum:"placed,confirmed,paid,rejected,expired,canceling,canceled,needs_attention"`
	Outcome    order.Outcome   `json:"outcome,omitempty" enum:"confirmed,rejected,expired,canceled" doc:"how it was decided; absent until then"`
	Settled    bool            `json:"settled" doc:"true once the order awaits nothing: its status changes no more by itself"`
	Reason     string          `json:"reason,omitempty" doc:"why it was rejected or canceled" example:"out-of-stock"`
	Attention  string          `json:"attention,omitempty" doc:"why a person must look" example:"capture-failed"`
	PlacedAt   time.Time       `json:"placed_at"`
	ExpiresAt  *time.Time      `json:"expires_at,omitempty" doc:"when it expires if it has no outcome by then; absent once it has one"`
	Lines      []OrderLine     `json:"lines"`
	Total      money.Money     `json:"total"`
	Payment    *Payment        `json:"payment,omitempty" doc:"absent until it was begun"`
	Refundable money.Money     `json:"refundable" doc:"how much of what was taken can be given back"`
	Refunds    []Refund        `json:"refunds"`
	Awaits     []order.Awaited `json:"awaits,omitempty" doc:"the answers that the order still waits for; shown with orders:read:all"`
	Timeline   []TimelineEntry `json:"timeline" doc:"what happened, in order of cause, then time"`
}

// Payment is a payment as clients see it.
type Payment struct {
	Status       string `json:"status" enum:"nothing,uncertain,action_needed,declined,authorized,captured,lapsed,canceled,returned"`
	ClientSecret string `json:"client_secret,omitempty" doc:"for the provider's form in the customer's browser; shown to who placed the order while the payment waits for its customer"`
}

// Refund is a refund as clients see it.
type Refund struct {
	ID          string            `json:"id"`
	Amount      money.Money       `json:"amount"`
	Status      saga.RefundStatus `json:"status" enum:"requested,pending,succeeded,failed"`
	Reason      string            `json:"reason,omitempty"`
	RequestedAt time.Time         `json:"requested_at"`
}

// TimelineEntry is one line of an order's timeline.
type TimelineEntry struct {
	Type       saga.Fact `json:"type" example:"OrderPlaced"`
	OccurredAt time.Time `json:"occurred_at"`
	Actor      string    `json:"actor" doc:"who wrote it: a caller's subject or a step's name"`
}

// Operation returns GET /orders/{id}.
func (h GetHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "get-order", Method: http.MethodGet, Path: "/orders/{id}", Tags: []string{"orders"},
		Summary:     "Read an order",
		Description: "Shows an order to who placed it, and to callers with orders:read:all.",
		Access:      api.Needs(h.Callers, identity.OrdersRead),
		Faults:      []*fault.Fault{ErrUnknownOrder},
	}, h.get)
}

func (h GetHandler) get(ctx context.Context, in *getInput) (*getOutput, error) {
	caller := identity.From(ctx)
	story, err := h.Story(ctx, caller.Shop, in.ID)
	if fault.KindOf(err) == fault.NotFound {
		return nil, ErrUnknownOrder
	}
	if err != nil {
		return nil, err
	}
	owner, staff := story.Order.Owner == caller.Subject, caller.May(identity.OrdersReadAll)
	if !owner && !staff {
		return nil, ErrUnknownOrder
	}
	document := document(story)
	view := int64(0) // which of its documents this is: one row has several, and a tag names one
	if staff {
		document.Awaits = story.Order.Awaits
		view |= 1
	}
	if owner && story.Payable(h.Now()) {
		document.Payment.ClientSecret = story.Payment.ClientSecret
		view |= 2
	}
	return &getOutput{ETag: api.ETag(append(slices.Clone(story.Versions), view)...), CacheControl: "private, no-cache", Body: document}, nil
}

// document returns what everybody may see who may see the order.
func document(s order.Story) Order {
	o := s.Order
	d := Order{
		ID: o.ID, Status: o.Status(), Outcome: o.Outcome, Settled: o.Settled(), Reason: o.Reason, Attention: o.Attention, PlacedAt: o.PlacedAt,
		Lines: lines(o), Total: o.Total, Refundable: o.Refundable(), Refunds: refunds(o), Timeline: timeline(s.Entries),
	}
	if o.Outcome == order.Undecided {
		d.ExpiresAt = &o.ExpiresAt
	}
	if s.Payment.Status != "" {
		d.Payment = &Payment{Status: s.Payment.Status}
	}
	return d
}

func refunds(o order.Order) []Refund {
	documents := make([]Refund, 0, len(o.Refunds))
	for _, r := range o.Refunds {
		_, note, _ := o.FindRefund(r.ID)
		documents = append(documents, Refund{r.ID, money.Money{Amount: r.Amount, Currency: o.Total.Currency}, r.Status, note.Reason, note.At})
	}
	return documents
}

func timeline(entries []order.StoryEntry) []TimelineEntry {
	documents := make([]TimelineEntry, 0, len(entries))
	for _, e := range order.Timeline(entries) {
		documents = append(documents, TimelineEntry{e.Fact, e.At, e.Cause.Actor})
	}
	return documents
}
