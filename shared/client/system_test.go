//go:debug randseednop=0
package client_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/localstack/simulation"
	"backroom/shared/client"
)

// TestClient_PlacesAndReadsAnOrder calls the functions as they are deployed, on a simulated cloud.
func TestClient_PlacesAndReadsAnOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulation.New(t, simulation.Settings{Seed: 1})
		s.Meanwhile(time.Hour, func(connection *http.Client) {
			ctx := t.Context()
			as := func(customer string) *client.ClientWithResponses {
				api, err := client.New(s.URL("Api"), client.Settings{
					HTTP: connection, Patience: time.Minute,
					Credentials: client.Credentials{ClientID: "bootstrap", Secret: cloudtest.SampleSecret,
						Customer: customer},
				})
				require.NoError(t, err)
				return api
			}
			staff, ada, eve := as(""), as("ada"), as("eve")

			product := client.ProductContent{Title: "Mug, blue",
				Prices: []client.MoneyRequest{{Amount: 1250, Currency: "EUR"}}}
			put,
				err := staff.PutProductWithResponse(ctx, "MUG-1", &client.PutProductParams{IfNoneMatch: new("*")},
				product)
			if !assert.NoError(t, err) {
				return
			}
			assert.Equal(t, "MUG-1", put.JSON201.SKU)
			product.Title = "Mug, red"
			_, err = staff.PutProductWithResponse(ctx, "MUG-1", &client.PutProductParams{IfNoneMatch: new("*")}, product)
			assert.Equal(t, int64(http.StatusPreconditionFailed), refusal(t, err).Status)
			_, err = staff.AdjustStockWithResponse(ctx, "MUG-1", &client.AdjustStockParams{IdempotencyKey: client.NewKey()}, client.AdjustmentRequest{
				Delta: new(int64(5)), Reason: "delivery",
			})
			assert.NoError(t, err)
			level, err := staff.GetStockWithResponse(ctx, "MUG-1")
			if assert.NoError(t, err) {
				assert.Equal(t, client.StockLevel{SKU: "MUG-1", Sellable: 5}, *level.JSON200)
			}

			_, err = ada.PlaceOrderWithResponse(ctx, &client.PlaceOrderParams{IdempotencyKey: client.NewKey()},
				client.OrderRequest{Lines: []client.LineRequest{{SKU: "MUG-1", Quantity: 1},
					{SKU: "CUP-1", Quantity: 1}}, PaymentMethod: "pm_card_visa"})
			refused := refusal(t, err)
			assert.Equal(t, "product-not-sold", refused.Slug())
			assert.NotEmpty(t, refused.RequestID)
			if assert.Len(t, refused.Errors, 1) {
				assert.Equal(t, "#/lines/1/sku", refused.Errors[0].Pointer)
			}

			key := client.NewKey()
			basket := client.OrderRequest{Lines: []client.LineRequest{{SKU: "MUG-1", Quantity: 2}},
				PaymentMethod: "pm_card_visa"}
			placed, err := ada.PlaceOrderWithResponse(ctx, &client.PlaceOrderParams{IdempotencyKey: key}, basket)
			if !assert.NoError(t, err) {
				return
			}
			assert.Equal(t, client.Money{Amount: 2500, Currency: "EUR"}, placed.JSON202.Total)
			again, err := ada.PlaceOrderWithResponse(ctx, &client.PlaceOrderParams{IdempotencyKey: key}, basket)
			if assert.NoError(t, err) {
				assert.Equal(t, placed.JSON202, again.JSON202)
				assert.Equal(t, "true", again.HTTPResponse.Header.Get("Idempotent-Replayed"))
			}
			_, err = eve.GetOrderWithResponse(ctx, placed.JSON202.ID, nil)
			assert.Equal(t, "unknown-order", refusal(t, err).Slug())

			time.Sleep(time.Minute)
			told, err := ada.GetOrderWithResponse(ctx, placed.JSON202.ID, nil)
			if !assert.NoError(t, err) {
				return
			}
			assert.Equal(t, client.OrderOutcomeConfirmed, told.JSON200.Outcome)
			same,
				err := ada.GetOrderWithResponse(ctx, placed.JSON202.ID,
				&client.GetOrderParams{IfNoneMatch: new(told.HTTPResponse.Header.Get("ETag"))})
			if assert.NoError(t, err) {
				assert.Equal(t, http.StatusNotModified, same.StatusCode())
			}
			list, err := ada.ListOrdersWithResponse(ctx, &client.ListOrdersParams{Limit: new(int64(5))})
			if assert.NoError(t, err) && assert.Len(t, list.JSON200.Orders, 1) {
				assert.Equal(t, placed.JSON202.ID, list.JSON200.Orders[0].ID)
			}
		})
	})
}

func refusal(t *testing.T, err error) *client.Refusal {
	refused, ok := errors.AsType[*client.Refusal](err)
	if !assert.True(t, ok, "%v", err) {
		return &client.Refusal{}
	}
	return refused
}
