package orderapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"backroom/shared/api"
	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// ListHandler shows customers their orders, and staff the shop's.
type ListHandler struct {
	Callers identity.Verifier
	Cursors *api.Cursors
	// List returns orders that the filter fits, at most limit, from behind a key that it returned before; and the key to go on
	// from, nil at the end.
	List func(ctx context.Context, shop saga.Shop, f order.Filter, limit int, from map[string]string) ([]order.Order, map[string]string, error)
}

type listInput struct {
	api.Paged
	Customer  string `query:"customer" maxLength:"128" doc:"whose orders; needs orders:read:all" example:"customer-17"`
	Day       string `query:"day" format:"date" doc:"the orders of a day, in UTC; needs orders:read:all" example:"2026-03-01"`
	Attention bool   `query:"attention" doc:"true: the orders that need a person, who waits longest first; needs orders:read:all"`
}

type listOutput struct {
	CacheControl string `header:"Cache-Control"`
	Link         string `header:"Link" doc:"rel=next: the next page (RFC 8288)"`
	Body         OrderList
}

// OrderList is a page of orders.
type OrderList struct {
	Orders []OrderSummary `json:"orders"`
	Next   string         `json:"next,omitempty" doc:"the cursor of the next page; absent on the last one"`
}

// OrderSummary is an order as a list shows it.
type OrderSummary struct {
	ID        string        `json:"id"`
	Status    order.Status  `json:"status" enum:"placed,confirmed,paid,rejected,expired,canceling,canceled,needs_attention"`
	Outcome   order.Outcome `json:"outcome,omitempty" enum:"confirmed,rejected,expired,canceled"`
	Settled   bool          `json:"settled" doc:"true once the order awaits nothing"`
	Reason    string        `json:"reason,omitempty" doc:"why it was rejected or canceled"`
	Attention string        `json:"attention,omitempty" doc:"why a person must look"`
	Total     money.Money   `json:"total"`
	PlacedAt  time.Time     `json:"placed_at"`
}

// Operation returns GET /orders.
func (h ListHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "list-orders", Method: http.MethodGet, Path: "/orders", Tags: []string{"orders"},
		Summary: "List orders",
		Description: "The caller's own orders, the newest first; with orders:read:all those that one filter asks for. A page may be shorter than " +
			"limit, even empty: the last one is that without next. An order comes into a list some moments after it was placed, and an order " +
			"that needs attention anew may come twice; what a list says of an order is what is so now.",
		Access: api.Needs(h.Callers, identity.OrdersRead), Faults: []*fault.Fault{api.ErrBadCursor},
	}, h.list)
}

func (h ListHandler) list(ctx context.Context, in *listInput) (*listOutput, error) {
	caller := identity.From(ctx)
	f, err := in.filter(caller)
	if err != nil {
		return nil, err
	}
	pages := api.List{Route: "list-orders", Shop: caller.Shop, Subject: caller.Subject, Filters: []string{f.Customer, f.Day, fmt.Sprint(f.Attention)}}
	from, err := h.Cursors.Open(ctx, pages, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, rest, err := h.List(ctx, caller.Shop, f, in.Limit, from)
	if err != nil {
		return nil, err
	}
	out := &listOutput{CacheControl: "private, no-cache", Body: OrderList{Orders: []OrderSummary{}}}
	for _, o := range found {
		out.Body.Orders = append(out.Body.Orders, OrderSummary{o.ID, o.Status(), o.Outcome, o.Settled(), o.Reason, o.Attention, o.Total, o.PlacedAt})
	}
	if out.Body.Next, err = h.Cursors.Sign(ctx, pages, rest); err != nil {
		return nil, err
	}
	out.Link = api.LinkNext(ctx, out.Body.Next)
	return out, nil
}

// filter returns what the caller may ask for, and asks for: the caller's own orders if nothing else. It returns
// identity.ErrScopeMissing or api.ErrInvalid.
func (in *listInput) filter(caller identity.Caller) (order.Filter, error) {
	f, broken, asked := order.Filter{Customer: in.Customer, Day: in.Day, Attention: in.Attention}, api.ErrInvalid, 0
	for _, one := range []struct {
		parameter string
		given     bool
	}{{"customer", f.Customer != ""}, {"day", f.Day != ""}, {"attention", f.Attention}} {
		if one.given {
			broken, asked = broken.In(one.parameter, "at most one of customer, day and attention can be asked for"), asked+1
		}
	}
	switch {
	case asked == 0:
		return order.Filter{Customer: caller.Subject}, nil
	case !caller.May(identity.OrdersReadAll):
		return order.Filter{}, identity.ErrInsufficientScope
	case asked > 1:
		return order.Filter{}, broken
	}
	return f, nil
}
