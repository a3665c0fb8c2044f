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

// ListHandler lists orders: to customers their own, to staff those of the shop.
type ListHandler struct {
	Callers identity.Verifier
	Cursors *api.Cursors
	// List returns at most limit orders that match the filter, after a key that it returned before. It also returns
	// the key to continue after; nil at the end.
	List func(ctx context.Context, shop saga.Shop, f order.Filter, limit int, from map[string]string) ([]order.Order,
		map[string]string, error)
}

type listInput struct {
	api.Paged
	Customer  string `query:"customer" maxLength:"128" doc:"only orders of this customer; needs orders:read:all" example:"customer-17"`
	Day       string `query:"day" format:"date" doc:"only orders placed on this day, in UTC; needs orders:read:all" example:"2026-03-01"`
	Attention bool   `query:"attention" doc:"true: only orders that need attention, the longest waiting first; needs orders:read:all"`
}

type listOutput struct {
	CacheControl string `header:"Cache-Control"`
	Link         string `header:"Link" doc:"rel=next: the next page (RFC 8288)"`
	Body         OrderList
}

// OrderList is a page of orders.
type OrderList struct {
	Orders []OrderSummary `json:"orders" maxItems:"50" doc:"the orders of the page"`
	Next   string         `json:"next,omitempty" doc:"the cursor of the next page; absent on the last one"`
}

// OrderSummary is an order as an entry of a list.
type OrderSummary struct {
	ID        string        `json:"id" doc:"the id of the order"`
	Status    order.Status  `json:"status" enum:"placed,confirmed,paid,rejected,expired,canceling,canceled,needs_attention" doc:"placed: not decided yet. confirmed: stock is reserved and the payment is authorized; the capture follows. paid: the money was captured. rejected: stock or payment failed; reason says why. expired: not decided in time. canceling: stock and money are being returned. canceled: both were returned or written off. needs_attention: stuck until a person resolves it; attention says why."`
	Outcome   order.Outcome `json:"outcome,omitempty" enum:"confirmed,rejected,expired,canceled" doc:"how the order was decided; absent until then. confirmed: stock is reserved and the payment is authorized. rejected: stock or payment failed. expired: not decided in time. canceled: a person canceled it, before or after it was confirmed."`
	Settled   bool          `json:"settled" doc:"true once the order awaits nothing"`
	Reason    string        `json:"reason,omitempty" doc:"why it was rejected or canceled"`
	Attention string        `json:"attention,omitempty" doc:"why a person must resolve the order"`
	Total     money.Money   `json:"total" doc:"the sum of all lines"`
	PlacedAt  time.Time     `json:"placed_at" doc:"when it was placed"`
}

// Operation returns GET /orders.
func (h ListHandler) Operation() api.Operation {
	return api.New(api.Route{
		Name: "list-orders", Method: http.MethodGet, Path: "/orders", Tags: []string{"orders"},
		Summary: "List orders",
		Description: "Returns the caller's own orders, the newest first. With orders:read:all, one filter selects " +
			"orders of the shop. " +
			"A page may have fewer orders than limit, even 0; only the last page has no next. " +
			"New orders appear after a few seconds. An order that needs attention again may appear twice. " +
			"Each order is shown as it is now.",
		Access: api.Needs(h.Callers, identity.OrdersRead), Faults: []*fault.Fault{api.ErrBadCursor},
	}, h.list)
}

func (h ListHandler) list(ctx context.Context, in *listInput) (*listOutput, error) {
	caller := identity.From(ctx)
	f, err := in.filter(caller)
	if err != nil {
		return nil, err
	}
	pages := api.List{Route: "list-orders", Shop: caller.Shop, Subject: caller.Subject,
		Filters: []string{f.Customer, f.Day, fmt.Sprint(f.Attention)}}
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
		out.Body.Orders = append(out.Body.Orders,
			OrderSummary{o.ID, o.Status(), o.Outcome, o.Settled(), o.Reason, o.Attention, o.Total, o.PlacedAt})
	}
	if out.Body.Next, err = h.Cursors.Sign(ctx, pages, rest); err != nil {
		return nil, err
	}
	out.Link = api.LinkNext(ctx, out.Body.Next)
	return out, nil
}

// filter returns the filter of the request; without one, the caller's own orders. It returns ErrInsufficientScope of
// package identity for a filter that the caller may not use, and api.ErrInvalid for more than one filter.
func (in *listInput) filter(caller identity.Caller) (order.Filter, error) {
	f, broken, asked := order.Filter{Customer: in.Customer, Day: in.Day, Attention: in.Attention}, api.ErrInvalid, 0
	for _, one := range []struct {
		parameter string
		given     bool
	}{{"customer", f.Customer != ""}, {"day", f.Day != ""}, {"attention", f.Attention}} {
		if one.given {
			broken, asked = broken.In(one.parameter, "must be the only one of customer, day and attention"), asked+1
		}
	}
	switch {
	case asked == 0:
		return order.Filter{Customer: caller.Subject}, nil
	case !caller.May(identity.OrdersReadAll):
		return order.Filter{}, caller.Needs(identity.OrdersReadAll)
	case asked > 1:
		return order.Filter{}, broken
	}
	return f, nil
}
