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

// ErrUnknownOrder is the answer for an order that does not exist, and for one that belongs to another customer.
var ErrUnknownOrder = fault.New(fault.NotFound, "unknown-order",
	"The shop has no such order, or the token may not read it. Check the id and the token.")

// GetHandler returns an order with its payment, refunds and timeline.
type GetHandler struct {
	Callers identity.Verifier
	// Story reads an order, and what stock and payment recorded about it. It returns fault.NotFound if the shop has
	// no such order.
	Story func(ctx context.Context, shop saga.Shop, id string) (order.Story, error)
	Now   func() time.Time
}

type getInput struct {
	ID          string   `path:"id" minLength:"1" maxLength:"64" doc:"the id of the order" example:"ord_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d"`
	IfNoneMatch api.Tags `header:"If-None-Match" doc:"the ETag of an earlier answer; the answer is 304 if nothing has changed since"`
}

type getOutput struct {
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Poll
	Body Order
}

// Order is an order as clients see it.
type Order struct {
	ID         string          `json:"id" doc:"the id of the order"`
	Status     order.Status    `json:"status" enum:"placed,confirmed,paid,rejected,expired,canceling,canceled,needs_attention" doc:"placed: not decided yet. confirmed: stock is reserved and the payment is authorized; the capture follows. paid: the money was captured. rejected: stock or payment failed; reason says why. expired: not decided in time. canceling: stock and money are being returned. canceled: both were returned or written off. needs_attention: stuck until a person resolves it; attention says why."`
	Outcome    order.Outcome   `json:"outcome,omitempty" enum:"confirmed,rejected,expired,canceled" doc:"how the order was decided; absent until then. confirmed: stock is reserved and the payment is authorized. rejected: stock or payment failed. expired: not decided in time. canceled: a person canceled it, before or after it was confirmed."`
	Settled    bool            `json:"settled" doc:"true once the order awaits nothing: its status no longer changes by itself"`
	Reason     string          `json:"reason,omitempty" doc:"why it was rejected or canceled" example:"out-of-stock"`
	Attention  string          `json:"attention,omitempty" doc:"why a person must resolve the order; also with status paid, if a refund failed" example:"capture-failed"`
	PlacedAt   time.Time       `json:"placed_at" doc:"when it was placed"`
	ExpiresAt  *time.Time      `json:"expires_at,omitempty" doc:"when the order expires unless it has an outcome by then; absent once it has one"`
	Lines      []OrderLine     `json:"lines" maxItems:"100" doc:"what was ordered, a line for each SKU"`
	Total      money.Money     `json:"total" doc:"the sum of all lines"`
	Payment    *Payment        `json:"payment,omitempty" doc:"absent until the payment was started"`
	Refundable money.Money     `json:"refundable" doc:"how much can still be refunded: what was captured, less all known refunds and disputes"`
	Refunds    []Refund        `json:"refunds" maxItems:"20" doc:"the refunds that were requested here, the first one first"`
	Awaits     []order.Awaited `json:"awaits,omitempty" maxItems:"10" doc:"what the order still waits for; only with orders:read:all. outcome: stock and payment. capture: the capture of the payment. stock: the return of its stock. money: the return of its money. refund: a requested refund."`
	Timeline   []TimelineEntry `json:"timeline" doc:"what happened; a cause comes before its effects, otherwise the earlier entry comes first"`
}

// Payment is a payment as clients see it.
type Payment struct {
	Status       string           `json:"status" enum:"nothing,uncertain,action_needed,declined,authorized,captured,lapsed,canceled,returned" doc:"nothing: no money moved. uncertain: the provider has not decided yet. action_needed: the customer must act, with client_secret. declined: the payment was refused. authorized: the amount is held on the card. captured: the amount was taken; refunds may have returned a part. lapsed: the hold ended before the capture. canceled: nothing is held, and nothing will be taken. returned: all of the money was given back."`
	Refunds      []ExternalRefund `json:"refunds,omitempty" maxItems:"50" doc:"refunds that were made at the payment provider itself, such as in its dashboard; the first 50"`
	Disputes     []Dispute        `json:"disputes,omitempty" maxItems:"50" doc:"claims of the customer's bank on the payment; the first 50"`
	ClientSecret string           `json:"client_secret,omitempty" doc:"for the provider's form in the customer's browser; only for the customer who placed the order, while the status is action_needed and the order can still be paid"`
}

// ExternalRefund is a refund that was made at the payment provider itself.
type ExternalRefund struct {
	ID     string            `json:"id" doc:"the provider's" example:"re_3Qx8"`
	Amount money.Money       `json:"amount" doc:"how much was refunded"`
	Status saga.RefundStatus `json:"status" doc:"pending: the provider has not decided yet. succeeded: the customer has the money. failed: the customer did not get the money."`
}

// Dispute is a claim of the customer's bank on a payment.
type Dispute struct {
	ID     string      `json:"id" doc:"the provider's" example:"dp_3Qx8"`
	Amount money.Money `json:"amount" doc:"how much is disputed"`
	Status string      `json:"status" doc:"open: the bank took the money until the dispute is decided. lost: the customer keeps the money. won: the shop has the money again, or it was an inquiry for which none was taken."`
}

// Refund is a refund as clients see it.
type Refund struct {
	ID          string            `json:"id" doc:"the id of the refund"`
	Amount      money.Money       `json:"amount" doc:"how much is refunded"`
	Status      saga.RefundStatus `json:"status" enum:"requested,pending,succeeded,failed,refused" doc:"requested: the provider may not know of it yet. pending: the provider has not decided yet. succeeded: the customer has the money. failed: written off; the customer did not get the money. refused: it can never be made, for example because money was refunded at the provider meanwhile."`
	Reason      string            `json:"reason,omitempty" doc:"the reason that its caller gave; absent once the order was erased"`
	RequestedAt time.Time         `json:"requested_at" doc:"when it was requested"`
}

// TimelineEntry is one line of an order's timeline.
type TimelineEntry struct {
	Type       saga.Fact `json:"type" example:"OrderPlaced" doc:"what happened; later releases add types"`
	OccurredAt time.Time `json:"occurred_at" doc:"when it was recorded"`
	Actor      string    `json:"actor" doc:"what recorded the entry: the subject of a caller, or the name of a step"`
}

// Operation returns GET /orders/{id}.
func (h GetHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "get-order", Method: http.MethodGet, Path: "/orders/{id}", Tags: []string{"orders"},
		Summary: "Read an order",
		Description: "Returns an order to the customer who placed it, and to callers with orders:read:all. An order " +
			"that is not settled says in Retry-After when to read it again: after a second at first, later after a " +
			"tenth of its age, at most 60 seconds.",
		Access: api.Needs(h.Callers, identity.OrdersRead),
		Faults: []*fault.Fault{ErrUnknownOrder},
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
	view := int64(0) // which members are shown: an ETag names one document, and a version of a row has several
	if staff {
		document.Awaits = story.Order.Awaits
		view |= 1
	}
	if owner && story.Payable(h.Now()) {
		document.Payment.ClientSecret = story.Payment.ClientSecret
		view |= 2
	}
	return &getOutput{ETag: api.ETag(append(slices.Clone(story.Versions), view)...), CacheControl: "private, no-cache",
		Poll: pollAt(story.Order, h.Now()),
		Body: document}, nil
}

// document returns the members that every reader of the order may see.
func document(s order.Story) Order {
	o := s.Order
	d := Order{
		ID: o.ID, Status: o.Status(), Outcome: o.Outcome, Settled: o.Settled(), Reason: o.Reason,
		Attention: o.Attention, PlacedAt: o.PlacedAt,
		Lines: lines(o), Total: o.Total, Refundable: o.Refundable(), Refunds: refunds(o), Timeline: timeline(s.Entries),
	}
	if o.Outcome == order.Undecided {
		d.ExpiresAt = &o.ExpiresAt
	}
	if s.Payment.Status != "" {
		d.Payment = &Payment{Status: s.Payment.Status}
		for _, r := range s.Payment.Refunds {
			d.Payment.Refunds = append(d.Payment.Refunds,
				ExternalRefund{r.ID, money.Money{Amount: r.Amount, Currency: o.Total.Currency}, r.Status})
		}
		for _, c := range s.Payment.Disputes {
			d.Payment.Disputes = append(d.Payment.Disputes,
				Dispute{c.ID, money.Money{Amount: c.Amount, Currency: o.Total.Currency}, c.Status})
		}
	}
	return d
}

func refunds(o order.Order) []Refund {
	documents := make([]Refund, 0, len(o.Refunds))
	for _, r := range o.Refunds {
		_, note, _ := o.FindRefund(r.ID)
		documents = append(documents,
			Refund{r.ID, money.Money{Amount: r.Amount, Currency: o.Total.Currency}, r.Status, note.Reason, note.At})
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
