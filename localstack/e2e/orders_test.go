package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oapi-codegen/runtime/types"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloud"
	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
	"backroom/shared/ops/stack"
)

func TestOrder_IsPaid(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		sku := a.Product(t, 1250, 5)
		e := a.Place(t,
			client.OrderRequest{Lines: []client.LineRequest{{SKU: sku, Quantity: 2}}, PaymentMethod: shop.CardGood})
		require.Equal(t, int64(2500), e.Total)
		a.Close(t, Confirmed(2500, 0))

		// An order that asked again for answers has some facts twice; the first of each counts.
		o, who, seen := system.Order(t, e.Buyer, e.ID), map[string]string{}, []string{}
		for _, entry := range o.Timeline {
			if who[entry.Type] == "" && !strings.HasSuffix(entry.Type, "Due") {
				who[entry.Type], seen = entry.Actor, append(seen, entry.Type)
			}
		}
		story := []string{"OrderPlaced", "StockReserved", "PaymentIntended", "PaymentAuthorized", "OrderConfirmed"}
		require.Equal(t, story, seen[:min(len(story), len(seen))])
		require.ElementsMatch(t, []string{"StockSold", "PaymentCaptured", "OrderSettled"}, seen[len(story):],
			"these come in any order")
		for fact, actor := range map[string]string{
			"OrderPlaced": e.Buyer, "StockReserved": "reserve-stock", "PaymentIntended": "authorize-payment",
			"OrderConfirmed": "advance-order",
			// PaymentAuthorized may come from a callback
			"StockSold": "commit-stock", "OrderSettled": "advance-order",
		} {
			require.Equal(t, actor, who[fact], fact)
		}
		require.Equal(t, client.PaymentStatusCaptured, o.Payment.Status)
		require.Equal(t, client.Money{Amount: 2500, Currency: "EUR"}, o.Refundable)
	})
}

func TestOrder_HasALocationAndAnETag(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a, buyer := system.Account(), system.New("ada")
		basket := Mailed(buyer, Basket(a.Product(t, 100, 1)))
		placed,
			err := system.API.PlaceOrderWithResponse(t.Context(),
			&client.PlaceOrderParams{IdempotencyKey: system.New("key")}, basket, shop.Bearer(system.Token(t, buyer)))
		require.NoError(t, err)
		location := placed.HTTPResponse.Header.Get("Location")
		require.Equal(t, stack.StagePath+"/orders/"+placed.JSON202.ID, location)
		a.Note(buyer, basket, *placed.JSON202)
		a.Close(t, Confirmed(100, 0))

		read := shop.Call{Method: http.MethodGet, Path: strings.TrimPrefix(location, stack.StagePath),
			Token: system.Token(t, buyer)}
		var order shop.Answer
		system.Until(t, "the order no longer changes", func() (any, bool) { // a second answer may still come
			order = system.Send(t, read)
			again := system.Send(t, read)
			return order.Header, order.Header.Get("ETag") == again.Header.Get("ETag")
		})
		require.Equal(t, http.StatusOK, order.Status)
		require.NotEmpty(t, order.Header.Get("ETag"))

		read.Header = map[string]string{"If-None-Match": order.Header.Get("ETag")}
		same := system.Send(t, read)
		require.Equal(t, http.StatusNotModified, same.Status)
		require.Empty(t, same.Body)
		require.Equal(t, order.Header.Get("ETag"), same.Header.Get("ETag"))

		read.Header = map[string]string{"If-None-Match": `"v0.0.0"`}
		require.Equal(t, http.StatusOK, system.Send(t, read).Status, "a client with an older ETag gets the order")
	})
}

func TestOrder_WithOneShortLineReservesNothing(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		plenty, scarce, enough := a.Product(t, 100, 10), a.Product(t, 100, 1), a.Product(t, 100, 10)
		e := a.Place(t, client.OrderRequest{PaymentMethod: shop.CardGood, Lines: []client.LineRequest{
			{SKU: plenty, Quantity: 3}, {SKU: scarce, Quantity: 2}, {SKU: enough, Quantity: 3},
		}})
		a.Close(t, Rejected("out-of-stock"))
		o := system.Order(t, e.Buyer, e.ID)
		require.True(t, HasFact(o, "StockShort"))
		require.False(t, HasFact(o, "PaymentIntended"), "no payment was begun: %v", Facts(o))
	})
}

func TestOrder_OfUndeliveredProductIsRejected(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		a.Place(t, Basket(a.Product(t, 100, 0)))
		a.Close(t, Rejected("out-of-stock"))
	})
}

func TestOrder_WithDeclinedCardIsRejected(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a := system.Account()
		e := a.Place(t, Paying(shop.CardDeclined, a.Product(t, 100, 1)))
		a.Close(t, Rejected("card-declined"))
		require.Zero(t, system.Ledger(t)[e.ID].Authorizations)
	})
}

func TestOrder_WithoutAddressGetsNoMail(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a, buyer := system.Account(), system.New("ada")
		basket := Basket(a.Product(t, 100, 1))
		receipt := system.Place(t, buyer, basket)
		a.Note(buyer, basket, receipt)
		end := Confirmed(100, 0)
		end.Mails = nil
		a.Close(t, end)
	})
}

func TestStock_IsNotOversoldToConcurrentBuyers(t *testing.T) {
	parallel(t, func(t conformance.T) {
		buyers, units := 50, 20
		if system.Cloud == cloud.NameLocalStack {
			buyers, units = 20, 8 // see TestOrders_ManyMixed
		}
		a := system.Account()
		sku := a.Product(t, 1999, units)
		names := make([]string, buyers)
		for i := range names {
			names[i] = system.New("buyer")
			system.Token(t, names[i]) // so that all come at once
		}
		receipts, errs := make([]client.OrderReceipt, buyers), make([]error, buyers)
		var all sync.WaitGroup
		for i, buyer := range names {
			token := system.Token(t, buyer)
			all.Go(func() {
				receipts[i], errs[i] = system.API.Place(t.Context(), token, "the-only-one", Mailed(buyer, Basket(sku)))
			})
		}
		all.Wait()
		outcomes, ends := map[string]int{}, make([]End, buyers)
		for i, buyer := range names {
			require.NoError(t, errs[i])
			e := a.Note(buyer, Mailed(buyer, Basket(sku)), receipts[i])
			outcome := string(system.Outcome(t, buyer, e.ID).Outcome)
			outcomes[outcome]++
			ends[i] = map[string]End{"confirmed": Confirmed(1999, 0), "rejected": Rejected("out-of-stock")}[outcome]
		}
		require.Equal(t, map[string]int{"confirmed": units, "rejected": buyers - units}, outcomes)
		a.Close(t, ends...)
	})
}

func TestListOrders_ShowsCustomersTheirOwnAndStaffAll(t *testing.T) {
	parallel(t, func(t conformance.T) {
		a, ada := system.Account(), system.New("ada")
		sku := a.Product(t, 100, 3)
		var mine []string
		for range 3 {
			mine = append(mine, a.PlaceFor(t, ada, Basket(sku)).ID)
		}
		slices.Reverse(mine)
		a.Close(t, Confirmed(100, 0))

		list := func(token string, query client.ListOrdersParams) (ids []string, next string) {
			page, err := system.API.ListOrdersWithResponse(t.Context(), &query, shop.Bearer(token))
			require.NoError(t, err)
			for _, o := range page.JSON200.Orders {
				ids = append(ids, o.ID)
			}
			return ids, page.JSON200.Next
		}
		buyer, staff := system.Token(t, ada), system.Token(t, "")
		system.Until(t, "all orders are listed, the newest first", func() (any, bool) {
			ids, _ := list(buyer, client.ListOrdersParams{})
			return ids, slices.Equal(mine, ids)
		})
		ids, next := list(buyer, client.ListOrdersParams{Limit: new(int64(2))})
		require.Equal(t, mine[:2], ids)
		rest, _ := list(buyer, client.ListOrdersParams{Limit: new(int64(2)), Cursor: &next})
		require.Equal(t, mine[2:], rest)
		Refused(t, system.Send(t, shop.Call{
			Method: http.MethodGet, Path: "/orders?cursor=" + url.QueryEscape(next),
			Token: system.Token(t, system.New("grace")),
		}), http.StatusUnprocessableEntity, "cursor-invalid")

		ids, _ = list(staff, client.ListOrdersParams{Customer: &ada})
		require.Equal(t, mine, ids)
		ofDay := client.ListOrdersParams{Limit: new(int64(50)),
			Day: &types.Date{Time: system.Order(t, ada, mine[0]).PlacedAt.UTC()}}
		var found []string
		for ids, next := list(staff, ofDay); ; ids, next = list(staff, ofDay) {
			if found = append(found, ids...); next == "" || slices.Contains(found, mine[2]) {
				break
			}
			ofDay.Cursor = &next
		}
		require.Subset(t, found, mine)
		Refused(t, system.Send(t, shop.Call{Method: http.MethodGet, Path: "/orders?customer=" + ada, Token: buyer}),
			http.StatusForbidden, "insufficient-scope")
	})
}
