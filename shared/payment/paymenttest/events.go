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

// Reserved returns a StockReserved about an order, as authorize-payment hears it. The id tells one telling from another.
func Reserved(t testing.TB, id, order string, total money.Money, paymentMethod string) saga.Event {
	t.Helper()
	return heard(t, id, order, saga.StockReserved, saga.Holds, saga.Payable{
		Order: order, Shop: Shop, Total: total.Amount, Currency: total.Currency, PaymentMethod: paymentMethod,
	})
}

// CheckDue returns a PaymentCheckDue about an order, as authorize-payment hears it.
func CheckDue(t testing.TB, id, order string) saga.Event {
	t.Helper()
	return heard(t, id, order, saga.PaymentCheckDue, saga.Orders, saga.About{Order: order, Shop: Shop})
}

func heard(t testing.TB, id, order string, fact saga.Fact, by saga.Teller, carries any) saga.Event {
	t.Helper()
	data, err := json.Marshal(carries)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(saga.Event{
		SpecVersion: saga.SpecVersion, ID: id, Source: by, Type: fact, Subject: order, Time: time.Unix(1_760_000_000, 0).UTC(), Shop: Shop, Data: data,
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := saga.Hear(saga.AuthorizePayment, string(body))
	if err != nil {
		t.Fatal(err)
	}
	return e
}
