package order

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
	"backroom/shared/saga"
)

// ErrUnknownOrder is the answer for an order that is not there, and for another's.
var ErrUnknownOrder = fault.New(fault.NotFound, "unknown-order", "There is no such order.")

// Story is an order with all that is written about it.
type Story struct {
	Order    Order
	Entries  []StoryEntry
	Versions []int64 // of the rows it was read from
}

// StoryEntry is a diary's entry with the id under which it was told.
type StoryEntry struct {
	ID string
	saga.Entry
}

// GetHandler shows orders.
type GetHandler struct {
	Callers identity.Verifier
	// Story reads an order and what stock and payment wrote about it. It returns fault.NotFound for no such order.
	Story func(ctx context.Context, shop, id string) (Story, error)
}

type getInput struct {
	ID          string   `path:"id" minLength:"1" maxLength:"64" example:"ord_3hk2v7q4wz5d6c7b3n2m4k5j6h7g2f3d"`
	IfNoneMatch api.Tags `header:"If-None-Match" doc:"an ETag; the answer is 304 if it still holds"`
}

type getOutput struct {
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         OrderDocument
}

// OrderDocument is an order as clients see it.
type OrderDocument struct {
	ID       string          `json:"id"`
	Status   Status          `json:"status" enum:"placed,confirmed,rejected,needs_attention"`
	Reason   string          `json:"reason,omitempty" doc:"why it was rejected or needs attention" example:"out-of-stock"`
	PlacedAt time.Time       `json:"placed_at"`
	Lines    []LineDocument  `json:"lines"`
	Total    money.Money     `json:"total"`
	Timeline []EntryDocument `json:"timeline" doc:"what happened, in order of cause, then time"`
}

// EntryDocument is one line of an order's timeline.
type EntryDocument struct {
	Type  saga.Fact `json:"type" example:"OrderPlaced"`
	At    time.Time `json:"at"`
	Actor string    `json:"actor" doc:"who wrote it: a caller's subject or a step's name"`
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
	o := story.Order
	if o.Owner != caller.Subject && !caller.May(identity.OrdersReadAll) {
		return nil, ErrUnknownOrder
	}
	return &getOutput{ETag: api.ETag(story.Versions...), CacheControl: "private, no-cache", Body: OrderDocument{
		ID: o.ID, Status: o.Status, Reason: o.Reason, PlacedAt: o.PlacedAt, Lines: lines(o), Total: o.Total,
		Timeline: Timeline(story.Entries),
	}}, nil
}

// Timeline puts entries of several rows into one order: nothing before its cause, whatever the clocks of their writers
// said, and otherwise by time.
func Timeline(entries []StoryEntry) []EntryDocument {
	byID := map[string]StoryEntry{}
	for _, e := range entries {
		byID[e.ID] = e
	}
	type placed struct {
		StoryEntry
		after time.Time // when it can have happened at the earliest
		depth int       // how many causes lie before it
	}
	sorted := make([]placed, 0, len(entries))
	for _, e := range entries {
		p := placed{StoryEntry: e, after: e.At}
		for cause, known := byID[e.Cause.ID]; known && p.depth < len(entries); cause, known = byID[cause.Cause.ID] {
			p.depth++
			if cause.At.After(p.after) {
				p.after = cause.At
			}
		}
		sorted = append(sorted, p)
	}
	slices.SortStableFunc(sorted, func(a, b placed) int {
		return cmp.Or(a.after.Compare(b.after), cmp.Compare(a.depth, b.depth))
	})
	documents := make([]EntryDocument, 0, len(sorted))
	for _, p := range sorted {
		documents = append(documents, EntryDocument{p.Fact, p.At, p.Cause.Actor})
	}
	return documents
}
