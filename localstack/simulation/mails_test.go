package simulation_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim"
	"backroom/localstack/conformance"
	"backroom/localstack/simulation"
	"backroom/shared/notify"
	"backroom/shared/ops/shop"
	"backroom/shared/order"
	"backroom/shared/saga"
)

// follows lists the mails that may come directly after a mail, and those that may be the first. A mail may come
// twice.
var follows = map[notify.Template][]notify.Template{
	"":               {notify.Confirmed, notify.Rejected, notify.Expired, notify.Canceled},
	notify.Confirmed: {notify.Confirmed, notify.Canceled, notify.Refunded},
	notify.Refunded:  {notify.Refunded},
	notify.Canceled:  {notify.Canceled},
	notify.Rejected:  {notify.Rejected},
	notify.Expired:   {notify.Expired},
}

// believable reports whether a customer can believe the mails of an order in the order in which they were sent: an
// order that ended stays so, and only a confirmed order is refunded.
func believable(mails []notify.Template) bool {
	last := notify.Template("")
	for _, m := range mails {
		if !slices.Contains(follows[last], m) {
			return false
		}
		last = m
	}
	return true
}

func TestBelievable_KnowsWhichMailComesFirst(t *testing.T) {
	for sentence, c := range map[string]struct {
		mails []notify.Template
		want  bool
	}{
		"no mail":                                {nil, true},
		"a confirmation, and two refunds":        {[]notify.Template{"confirmed", "refunded", "refunded"}, true},
		"a confirmation twice":                   {[]notify.Template{"confirmed", "confirmed"}, true},
		"a cancellation after the confirmation":  {[]notify.Template{"confirmed", "canceled"}, true},
		"a cancellation alone":                   {[]notify.Template{"canceled"}, true},
		"a confirmation after the cancellation":  {[]notify.Template{"canceled", "confirmed"}, false},
		"a refund before the confirmation":       {[]notify.Template{"refunded", "confirmed"}, false},
		"a refund without a confirmation":        {[]notify.Template{"refunded"}, false},
		"a confirmation again after the refund":  {[]notify.Template{"confirmed", "refunded", "confirmed"}, false},
		"a rejection after the confirmation":     {[]notify.Template{"confirmed", "rejected"}, false},
		"a confirmation after the expiry":        {[]notify.Template{"expired", "confirmed"}, false},
		"a refund after the cancellation's mail": {[]notify.Template{"canceled", "refunded"}, false},
	} {
		t.Run(sentence, func(t *testing.T) { assert.Equal(t, c.want, believable(c.mails)) })
	}
}

// see records a mail that the mailbox gets.
func (s *store) see(r cloudsim.Request, a cloudsim.Answer) {
	if r.Service != cloudsim.DynamoDB || r.Operation != "UpdateItem" || a.Status != http.StatusOK {
		return
	}
	var write struct {
		TableName                 string
		ExpressionAttributeValues map[string]struct{ S string }
	}
	if json.Unmarshal(r.Body, &write) != nil || write.TableName != s.Stack.Table("Mailbox") {
		return
	}
	order := write.ExpressionAttributeValues[":order"].S
	s.mails[order] = append(s.mails[order], notify.Template(write.ExpressionAttributeValues[":template"].S))
}

// freezing freezes a function before one of its calls, and tells when.
type freezing struct {
	nth
	froze atomic.Bool
}

func (f *freezing) Freeze(function string, invocation, calls int, dice *rand.Rand) int {
	at := f.nth.Freeze(function, invocation, calls, dice)
	if at > 0 {
		f.froze.Store(true)
	}
	return at
}

// Each function of an order freezes before each of its calls. Meanwhile, the order is canceled, refunded or
// expires, and other invocations go on. A customer can believe the mails of every order.
func TestMails_ComeInOrderHoweverLongAFunctionStops(t *testing.T) {
	type scenario struct {
		card     string
		act      func(s *store, api shop.API, customer, staff, order string)
		patience time.Duration // when somebody acts at the latest
		relay    bool          // relay-facts freezes too: slow to try where an order lives for an hour
	}
	cancel := func(s *store, api shop.API, customer, _, order string) {
		retried(s.t, func() (bool, error) {
			_, err := api.Cancel(context.Background(), customer, order, "ordered by mistake")
			if shop.RefusedWith(err, http.StatusConflict) {
				return false, nil
			}
			return err == nil, err
		})
	}
	refund := func(s *store, api shop.API, _, staff, order string) {
		s.refund(api, staff, "first-"+order, order, 30)
		time.Sleep(2 * time.Second)
		s.refund(api, staff, "second-"+order, order, 20)
	}
	nothing := func(*store, shop.API, string, string, string) {}
	tried := 0
	for name, c := range map[string]scenario{
		"canceled after it was confirmed": {card: "pm_card_captureLapsed", act: cancel, patience: 20 * time.Second,
			relay: true},
		"canceled before it is confirmed": {card: "pm_sandbox_processing_8000", act: cancel, patience: 3 * time.Second,
			relay: true},
		"refunded": {card: "pm_card_visa", act: refund, patience: 20 * time.Second, relay: true},
		"expired":  {card: "pm_card_authenticationRequired", act: nothing},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, stops := open(t, simulation.Settings{Seed: 6}, 1000), map[string]int{}
				stopping := []string{}
				for _, step := range saga.Steps {
					stopping = append(stopping, string(step))
				}
				if c.relay {
					stopping = append(stopping, "relay-facts")
				}
				for _, function := range stopping {
					for call, struck := 1, true; struck; call++ {
						point := &freezing{nth: nth{function: function, left: call, fault: simulation.Freeze}}
						s.Disturb(point)
						s.Meanwhile(time.Hour, s.acted(point, c.card, c.patience, c.act))
						require.True(t, s.Run(4*time.Hour, s.over), "%s freezes before call %d", function, call)
						if struck = point.froze.Load(); struck {
							stops[function]++
							tried++
						}
					}
				}
				_, wrong := s.inspect(harm{mails: true, kills: true}, order.CaptureFailed)
				conformance.Figure(t, "%s: %d violations, stops tried: %v", name, len(wrong), stops)
				assert.Empty(t, wrong)
			})
		})
	}
	conformance.Figure(t, "in all %d stops", tried)
}

// acted returns a customer that places an order. Once a function has frozen, or nothing has for that long,
// somebody acts on the order.
func (s *store) acted(
	point *freezing, card string, patience time.Duration,
	act func(s *store, api shop.API, customer, staff, order string),
) func(*http.Client) {
	return func(connection *http.Client) {
		api, name := s.api(connection), "ada-"+time.Now().Format("150405.000000000")
		customer, staff := s.token(api, name), s.token(api, "")
		id := s.place(api, customer, name, basket(card, 1))
		for began := time.Now(); !point.froze.Load() && time.Since(began) < patience; {
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(time.Second)
		act(s, api, customer, staff, id)
	}
}
