package paymenttest

import (
	"encoding/json"
	"testing"
	"time"

	"backroom/shared/money"
	"backroom/shared/saga"
)

// Shop is the shop of every order of the tests.
const Shop = "main"

// Reserved returns a StockReserved about an order, as authorize-payment consumes it. The id is the
// event's.
func Reserved(t testing.TB, id, order string, total money.Money, paymentMethod string) saga.Event {
	t.Helper()
	return event(t, saga.AuthorizePayment, id, order, saga.StockReserved, saga.Payable{
		Order: order, Shop: Shop, Total: total.Amount, Currency: total.Currency, PaymentMethod: paymentMethod,
	})
}

// CheckDue returns a PaymentCheckDue about an order, as authorize-payment consumes it.
func CheckDue(t testing.TB, id, order string) saga.Event {
	t.Helper()
	return About(t, saga.AuthorizePayment, saga.PaymentCheckDue, id, order)
}

// About returns a fact that carries only the order's id and shop, as the step consumes it.
func About(t testing.TB, step saga.Step, fact saga.Fact, id, order string) saga.Event {
	t.Helper()
	return event(t, step, id, order, fact, saga.OrderRef{Order: order, Shop: Shop})
}

// Refunding returns an OrderRefunding or a RefundDue about an order, as return-payment consumes it.
func Refunding(t testing.TB, fact saga.Fact, id, order string, wanted ...saga.Refund) saga.Event {
	t.Helper()
	return event(t, saga.ReturnPayment, id, order, fact, saga.Refunds{Order: order, Shop: Shop, Refunds: wanted})
}

func event(t testing.TB, step saga.Step, id, order string, fact saga.Fact, body any) saga.Event {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	message, err := json.Marshal(saga.Event{
		SpecVersion: saga.SpecVersion, ID: id, Source: saga.Routes[fact].Source, Type: fact, Subject: order,
		Time: time.Unix(1_760_000_000, 0).UTC(), Shop: Shop, Data: data,
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := saga.Decode(step, string(message))
	if err != nil {
		t.Fatal(err)
	}
	return e
}
