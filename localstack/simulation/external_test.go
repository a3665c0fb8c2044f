package simulation_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/localstack/conformance"
	"backroom/localstack/simulation"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
)

// provider sends a request to the payment sandbox, as a person at its dashboard or a bank does. A refusal is an answer.
func (s *store) provider(connection *http.Client, path string, form url.Values) {
	r, err := http.NewRequest(http.MethodPost, s.URL("SandboxApi")+path, strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+cloudtest.SampleSecret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if answer, err := connection.Do(r); err == nil {
		require.NoError(s.t, answer.Body.Close())
	}
}

// refund asks the API for a refund of an order; an amount of 0 is all that is left. It reports whether it is accepted.
func (s *store) refund(api shop.API, token, key, order string, amount int64) bool {
	asked := client.RefundRequest{Reason: "arrived broken"}
	if amount > 0 {
		asked.Amount = client.RefundAmount{Amount: amount, Currency: "EUR"}
	}
	return retried(s.t, func() (bool, error) {
		_, err := api.RefundOrderWithResponse(context.Background(), order, &client.RefundOrderParams{IdempotencyKey: key},
			asked, shop.Bearer(token))
		if shop.RefusedWith(err, http.StatusConflict) {
			return false, nil
		}
		return err == nil, err
	})
}

// A person refunds at the provider, a bank disputes and decides, and the shop refunds through the
// API, in any order and under faults. Some cards never call back. The shop never pays out twice,
// and in the end each order knows what is left.
func TestExternalMoney_IsCountedUnderFaults(t *testing.T) {
	cards := []string{"pm_card_visa", "pm_card_callbackNone", "pm_card_callbackLate", "pm_card_callbackTwice",
		"pm_card_createDispute", "pm_card_returnLost", "pm_card_pendingRefund"}
	all := slices.Concat(simulation.CallFaults, simulation.DeliveryFaults)
	combinations := [][]simulation.Fault{nil, all}
	for _, f := range all {
		combinations = append(combinations, []simulation.Fault{f})
	}
	for seed, faults := range combinations {
		t.Run(fmt.Sprint(faults), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, simulation.Settings{Seed: uint64(seed), Lag: true}, 100)
				rates := simulation.Evenly(0.05/math.Sqrt(float64(max(len(faults), 1))), faults...)
				s.Disturb(rates)
				dice := rand.New(rand.NewPCG(uint64(seed), 4))
				var people []func(*http.Client)
				for n, card := range cards {
					people = append(people, s.disputed(n, card, rand.New(rand.NewPCG(dice.Uint64(), 5))))
				}
				s.Meanwhile(12*time.Hour, people...)
				s.Disturb(simulation.Calm{})
				require.True(t, s.Run(4*time.Hour, s.over), "some orders do not end")
				refused := s.settle()
				ends := s.audit(harmOf(rates))
				assert.Equal(t, map[string]int{"paid confirmed": len(people)}, ends)
				conformance.Figure(t, "%v: %d orders, %d refunds refused: %v", faults, len(people), refused, s.Struck())
			})
		})
	}
}

// disputed returns a customer whose order is paid, and what people and the bank do with its money.
func (s *store) disputed(n int, card string, dice *rand.Rand) func(*http.Client) {
	return func(connection *http.Client) {
		api, customer := s.api(connection), fmt.Sprintf("ada-%d", n)
		id := s.place(api, s.token(api, customer), customer, basket(card, 3))
		time.Sleep(time.Hour)
		intent := s.intent(id)
		for i := range 4 {
			time.Sleep(time.Duration(dice.Int64N(int64(time.Minute))))
			dispute := url.PathEscape("dp_" + strings.TrimPrefix(intent, "pi_") + "_1")
			switch dice.IntN(6) {
			case 0, 1:
				s.provider(connection, "/v1/refunds", url.Values{"payment_intent": {intent}, "amount": {"70"}})
			case 2:
				s.provider(connection, "/v1/payment_intents/"+intent+"/sandbox_dispute", url.Values{"amount": {"50"}})
			case 3:
				end := []string{"winning_evidence", "losing_evidence"}[dice.IntN(2)]
				s.provider(connection, "/v1/disputes/"+dispute, url.Values{"evidence[uncategorized_text]": {end}})
			default:
				s.refund(api, s.token(api, ""), fmt.Sprint("refund-", n, "-", i), id, 1+dice.Int64N(200))
			}
		}
	}
}

// intent returns the provider's id of an order's payment; empty if there is none.
func (s *store) intent(order string) string { return s.rows("Charges")["main#"+order+"#1"].Intent }

// settle has the staff refund all that each order says is left, until nothing is. The first refund
// after a lost callback is refused, and brings what the order did not know. It returns how many
// refunds were refused.
func (s *store) settle() int {
	for round := range 4 {
		s.Meanwhile(time.Hour, func(connection *http.Client) {
			api := s.api(connection)
			token := s.token(api, "")
			for n, sold := range s.orders {
				s.refund(api, token, fmt.Sprint("settle-", n, "-", round), sold.id, 0)
			}
		})
		require.True(s.t, s.Run(4*time.Hour, s.over), "some refunds do not end")
	}
	refused := 0
	for _, o := range s.rows("Orders") {
		for _, r := range o.Refunds {
			if r.Status == "refused" {
				refused++
			}
		}
	}
	return refused
}
