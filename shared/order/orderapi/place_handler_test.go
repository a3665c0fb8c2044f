package orderapi_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/order"
	"backroom/shared/order/orderapi"
	"backroom/shared/order/ordertest"
	"backroom/shared/saga"
)

// orders is an empty store that accepts every order.
type orders struct{ placed []order.Order }

func (o *orders) Load(context.Context, saga.Shop, string) (order.Order, error) {
	return order.Order{}, fault.NotFound
}

func (o *orders) Create(_ context.Context, placed order.Order, _ saga.Cause, _ ...saga.Fact) (order.Order, error) {
	o.placed = append(o.placed, placed)
	return placed, nil
}

// prices has the cached and the current price of one SKU.
type prices struct {
	remembered, now int64
	reads           int
}

func each(sku []string, cents int64) map[string][]money.Money {
	return map[string][]money.Money{sku[0]: {{Amount: cents, Currency: "EUR"}}}
}

func (p *prices) Of(_ context.Context, _ saga.Shop, skus []string) (map[string][]money.Money, error) {
	return each(skus, p.remembered), nil
}

func (p *prices) Read(_ context.Context, _ saga.Shop, skus []string) (map[string][]money.Money, error) {
	p.reads++
	return each(skus, p.now), nil
}

func TestPlaceHandler_ComparesExpectedTotalWithCurrentPrices(t *testing.T) {
	for sentence, c := range map[string]struct {
		expected string
		status   int
		slug     string
		total    int64
		reads    int
	}{
		"none": {"", 202, "", 1250, 0},
		"what is remembered": {`,"expected_total":{"amount":1250,"currency":"EUR"}`, 409, "price-changed", 0,
			1},
		"what it costs since a moment": {`,"expected_total":{"amount":1350,"currency":"EUR"}`, 202, "", 1350, 1},
		"neither": {`,"expected_total":{"amount":1,"currency":"EUR"}`, 409, "price-changed",
			0, 1},
		"the right amount of something else": {`,"expected_total":{"amount":1350,"currency":"USD"}`, 409,
			"price-changed", 0, 1},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			o, p := &orders{}, &prices{remembered: 1250, now: 1350}
			op := orderapi.PlaceHandler{Callers: customer("anna"), Orders: o, Prices: p, Now: at(ordertest.Noon),
				Terms: order.Terms{RetryDelay: ordertest.RetryDelay, Window: ordertest.Window}}.Operation()
			a := send(t, op, http.MethodPost, "/orders", "key",
				`{"lines":[{"sku":"MUG-1","quantity":1}],"payment_method":"pm_1"`+c.expected+`}`)
			assert.Equal(t, [2]any{c.status, c.slug}, [2]any{a.status, a.slug}, a.body)
			assert.Equal(t, c.reads, p.reads)
			if c.status != 202 {
				assert.Empty(t, o.placed)
				return
			}
			assert.Equal(t, c.total, o.placed[0].Total.Amount)
		})
	}
}
