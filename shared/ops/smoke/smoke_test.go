package smoke

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest/loopback"
	"backroom/shared/ops/remedy"
	"backroom/shared/ops/shop"
)

// sound are the answers of a working stack, by method and path. The name of the walk is test.
var sound = map[string]string{
	"GET /health":                        `200 {}`,
	"POST /oauth/token":                  `200 {"access_token":"token"}`,
	"GET /.well-known/jwks.json":         `200 {"keys":[{}]}`,
	"GET /products":                      `200 {"products":[{},{}]}`,
	"GET /orders":                        `200 {"orders":[]}`,
	"PUT /products/SMOKE-TEST":           `201 {}`,
	"POST /stock/SMOKE-TEST/adjustments": `201 {}`,
	"POST /orders":                       `202 {"id":"ord_1"}`,
	"GET /orders/ord_1":                  `200 {"status":"paid","outcome":"confirmed","total":{"amount":100,"currency":"EUR"},"refunds":[{"status":"succeeded"}]}`,
	"POST /orders/ord_1/refunds":         `202 {}`,
	"POST /orders/ord_1/cancellation":    `202 {}`,
	"DELETE /products/SMOKE-TEST":        `204 `,
}

// walked runs a walk through a stack that works except for some answers. It returns the requests,
// and the steps that succeeded.
func walked(t *testing.T, but map[string]string, change func(*Walk)) (asked, good []string, err error) {
	t.Helper()
	stack := loopback.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := r.Method + " " + r.URL.Path
		asked = append(asked, call)
		answer, ok := but[call]
		if !ok {
			answer = sound[call]
		}
		status, body, _ := strings.Cut(answer, " ")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(
			map[string]int{"200": 200, "201": 201, "202": 202, "204": 204, "403": 403, "409": 409, "500": 500}[status])
		_, _ = w.Write([]byte(body))
	}))
	api, err := shop.New(loopback.URL, &http.Client{Transport: stack})
	require.NoError(t, err)
	walk := Walk{
		API: api, ClientID: "bootstrap", Secret: "secret", Name: "test", Card: "pm_card", Bound: 10 * time.Second,
		Pause:  time.Second,
		Mailed: func(context.Context, string) (string, error) { return "sent", nil },
		Step: func(name string, work func() (string, error)) error {
			_, err := work()
			if err == nil {
				good = append(good, name)
			}
			return err
		},
	}
	if change != nil {
		change(&walk)
	}
	err = walk.Go(t.Context())
	return asked, good, err
}

func TestWalk_CompletesAndRemovesItsProduct(t *testing.T) {
	asked, good, err := walked(t, nil, nil)
	require.NoError(t, err)
	require.Equal(t,
		[]string{"health", "token", "keys", "lists", "product", "order", "outcome", "paid", "mail", "refund",
			"clear up"}, good)
	require.Equal(t, "DELETE /products/SMOKE-TEST", asked[len(asked)-1])
}

func TestWalk_WithoutACardOnlyReads(t *testing.T) {
	asked, good, err := walked(t, nil, func(w *Walk) { w.Card = "" })
	require.NoError(t, err)
	require.Equal(t, []string{"health", "token", "keys", "lists"}, good)
	for _, call := range asked {
		require.True(t, strings.HasPrefix(call, "GET ") || call == "POST /oauth/token", call)
	}
}

func TestWalk_NamesTheFailureAndTheNextStep(t *testing.T) {
	mail := func(state string, err error) func(*Walk) {
		return func(w *Walk) {
			w.Mailed = func(context.Context, string) (string, error) { return state, err }
		}
	}
	for sentence, c := range map[string]struct {
		but      map[string]string
		change   func(*Walk)
		says     string
		canceled bool // the order was canceled, and the product removed
	}{
		"no health": {but: map[string]string{"GET /health": "500 "}, says: "GET /health: 500"},
		"no token": {but: map[string]string{"POST /oauth/token": "403 "},
			says: "get a token: 403"},
		"no key": {but: map[string]string{"GET /.well-known/jwks.json": `200 {"keys":[]}`},
			says: "no key is published"},
		"no list": {but: map[string]string{"GET /orders": "500 "},
			says: "GET /orders?attention=true: 500"},
		"a declined card": {but: map[string]string{"GET /orders/ord_1": `200 {"status":"rejected","outcome":"rejected","reason":"card-declined"}`}, says: "rejected card-declined", canceled: true},
		"an order without an outcome": {but: map[string]string{"GET /orders/ord_1": `200 {"status":"placed"}`},
			says: "not within 10s: the order has its outcome", canceled: true},
		"an order that needs attention": {but: map[string]string{"GET /orders/ord_1": `200 {"status":"needs_attention","outcome":"confirmed","attention":"capture-failed"}`}, says: "needs attention: capture-failed", canceled: true},
		"a mail that is not sent": {change: mail("sending", nil),
			says: `not within 10s: the mail is sent; last seen: "sending"`, canceled: true},
		"a mail status that is unknown": {change: mail("", remedy.For(errors.New("no table"), "look")),
			says: "no table", canceled: true},
		"a refund that does not arrive": {but: map[string]string{"GET /orders/ord_1": `200 {"status":"paid","outcome":"confirmed","refunds":[{"status":"failed"}]}`}, says: "the refund did not arrive"},
		"a refund that is refused": {but: map[string]string{"POST /orders/ord_1/refunds": "409 "},
			says: "POST /orders/ord_1/refunds: 409"},
		"a product that stays": {but: map[string]string{"DELETE /products/SMOKE-TEST": "500 "},
			says: "DELETE /products/SMOKE-TEST: 500"},
	} {
		t.Run(sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked, _, err := walked(t, c.but, c.change)
				require.ErrorContains(t, err, c.says)
				require.NotEmpty(t, remedy.Next(err), "the next step")
				require.Equal(t, c.canceled, slices.Contains(asked, "POST /orders/ord_1/cancellation"))
				require.Equal(t, slices.Contains(asked, "PUT /products/SMOKE-TEST"),
					slices.Contains(asked, "DELETE /products/SMOKE-TEST"), "the product is removed again")
			})
		})
	}
}
