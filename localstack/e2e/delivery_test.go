package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/ops/shop"
	"backroom/shared/saga"
)

// awaitQuiet waits until all queues are empty and an order no longer changes, and returns the order's ETag. A late
// answer may change an order after its outcome. Only a serial case can use it.
func awaitQuiet(t conformance.T, e *Entry) (tag string) {
	t.Helper()
	quiet := 0
	system.Until(t, "all is quiet around "+e.ID, func() (any, bool) {
		last, busy := tag, 0
		for _, step := range saga.Steps {
			waiting, underway := system.Depth(t, string(step))
			busy += waiting + underway
		}
		tag = system.Send(t,
			shop.Call{Method: http.MethodGet, Path: "/orders/" + e.ID,
				Token: system.Token(t, e.Buyer)}).Header.Get("ETag")
		quiet++
		if busy > 0 || tag != last {
			quiet = 0
		}
		return fmt.Sprintf("%d messages, tag %s", busy, tag), quiet >= 8
	})
	return tag
}

// deadLetters returns how many messages are in the dead-letter queues of all steps.
func deadLetters(t conformance.T) (count int) {
	t.Helper()
	for _, step := range saga.Steps {
		waiting, underway := system.Depth(t, DeadLetters(string(step)))
		count += waiting + underway
	}
	return count
}

// awaitMessages waits until that many messages wait in a step's queue.
func awaitMessages(t conformance.T, step saga.Step, messages int) {
	t.Helper()
	system.Until(t, fmt.Sprintf("%d messages wait for %s", messages, step), func() (any, bool) {
		waiting, _ := system.Depth(t, string(step))
		return waiting, waiting >= messages
	})
}

// A step that is paused for longer than the retry delay is asked again by the orders that wait for it. It does its
// work once.
func TestStep_ThatIsPausedDelaysOrdersAndLosesNone(t *testing.T) {
	asks := map[saga.Step]saga.Fact{
		saga.ReserveStock: saga.ReserveDue, saga.AuthorizePayment: saga.PaymentCheckDue,
		saga.CapturePayment: saga.CaptureDue,
		// orders do not wait for the other steps
		saga.ReleaseStock: saga.ReleaseDue, saga.ReturnPayment: saga.ReturnDue,
	}
	for _, step := range reached(t) {
		t.Run(string(step), func(t *testing.T) {
			serial(t, func(t conformance.T) {
				patience, err := time.ParseDuration(system.Setting(t, "place-order", "RETRY_DELAY"))
				require.NoError(t, err)
				a := system.Account()
				sku, scarce := a.Product(t, 100, 6), a.Product(t, 100, 1)
				release := system.HoldUp(t, string(step))
				began := time.Now()
				a.Place(t, Basket(sku))
				a.Place(t,
					client.OrderRequest{Lines: []client.LineRequest{{SKU: sku, Quantity: 1},
						{SKU: scarce, Quantity: 2}}, PaymentMethod: shop.CardGood})
				a.Place(t, Paying(shop.CardDeclined, sku))
				canceled := a.Place(t, Paying(CardChallenge, sku))
				a.Place(t, Basket(sku, scarce))
				Accepted(t, system.Cancel(t, canceled.Buyer, canceled.ID))

				awaitMessages(t, step, 1)
				system.Until(t, "the orders ask again", func() (any, bool) {
					system.WakeAtTimes(t)
					asked := asks[step] == ""
					for _, e := range a.orders {
						asked = asked || HasFact(system.Order(t, e.Buyer, e.ID), string(asks[step]))
					}
					return asked, asked && time.Since(began) > patience+time.Second
				})
				release()
				a.Close(t, Confirmed(100, 0), Rejected("out-of-stock"), Rejected("card-declined"), Canceled(),
					Confirmed(200, 0))
			})
		})
	}
}

func TestPoisonMessage_FailsAloneAndBecomesADeadLetter(t *testing.T) {
	serial(t, func(t conformance.T) {
		const step = string(saga.AdvanceOrder)
		a := system.Account()
		sku := a.Product(t, 100, 5)
		release := system.HoldUp(t, step)
		for range 5 {
			a.Place(t, Basket(sku))
		}
		awaitMessages(t, saga.AdvanceOrder, 5)
		poison := system.New("poison")
		system.Put(t, step, poison)
		release()

		given := system.Take(t, DeadLetters(step), poison)
		require.Equal(t, poison, given.Body)
		require.Equal(t, system.MaxReceives(t, step)+1, given.Receives,
			"the queue's maximum by the step, and once by this case")
		a.Close(t, Confirmed(100, 0))
	})
}

// unreached are the steps that get no message while the orders of these cases are confirmed or
// rejected, with the reason.
var unreached = map[saga.Step]string{}

// reached returns the steps that are in consumed. Every other step must be in unreached.
func reached(t *testing.T) (steps []saga.Step) {
	t.Helper()
	for _, step := range saga.Steps {
		_, is := consumed[step]
		require.NotEqual(t, is, unreached[step] != "", "%s must be in consumed, or with a reason in unreached", step)
		if is {
			steps = append(steps, step)
		}
	}
	return steps
}

// consumed are messages that the steps get: about an order that is confirmed, or, where that has
// none, about one whose card is declined.
var consumed = map[saga.Step]struct {
	fact saga.Fact
	card string
	end  End
}{
	saga.ReserveStock:     {saga.OrderPlaced, shop.CardGood, Confirmed(100, 0)},
	saga.AuthorizePayment: {saga.StockReserved, shop.CardGood, Confirmed(100, 0)},
	saga.AdvanceOrder:     {saga.PaymentAuthorized, shop.CardGood, Confirmed(100, 0)},
	saga.CommitStock:      {saga.OrderConfirmed, shop.CardGood, Confirmed(100, 0)},
	saga.CapturePayment:   {saga.OrderConfirmed, shop.CardGood, Confirmed(100, 0)},
	saga.SendNotification: {saga.OrderConfirmed, shop.CardGood, Confirmed(100, 0)},
	saga.ReleaseStock:     {saga.OrderRejected, shop.CardDeclined, Rejected("card-declined")},
	saga.ReturnPayment:    {saga.OrderRejected, shop.CardDeclined, Rejected("card-declined")},
}

func TestAMessageThatComesAgainChangesNothing(t *testing.T) {
	for _, step := range reached(t) {
		t.Run(string(step), func(t *testing.T) {
			serial(t, func(t conformance.T) {
				a, c, queue := system.Account(), consumed[step], string(step)
				sku := a.Product(t, 100, 5)
				release := system.HoldUp(t, queue)
				e := a.Place(t, Paying(c.card, sku))
				message := system.Take(t, queue, e.ID, string(c.fact)).Body
				system.Put(t, queue, message)
				release()
				system.Becomes(t, e, c.end.Is)
				before, givenUp := awaitQuiet(t, e), deadLetters(t)

				system.Put(t, queue, message, message, message)
				require.Equal(t, before, awaitQuiet(t, e), "no row was written")
				require.Equal(t, givenUp, deadLetters(t), "no message became a dead letter")
				a.Close(t, c.end)
			})
		})
	}
}

// A message is in a dead-letter queue while its order is canceled, and is redriven twice. It has no effect then.
func TestDeadLetter_RedrivenAfterCancellationChangesNothing(t *testing.T) {
	for step, c := range map[saga.Step]struct {
		fact saga.Fact
		held []saga.Step // further paused steps, so that the order is not paid before it is canceled
	}{
		saga.ReserveStock:     {fact: saga.OrderPlaced},
		saga.AuthorizePayment: {fact: saga.StockReserved},
		saga.AdvanceOrder:     {fact: saga.PaymentAuthorized},
		saga.CapturePayment:   {fact: saga.OrderConfirmed},
		saga.CommitStock:      {fact: saga.OrderConfirmed, held: []saga.Step{saga.CapturePayment}},
		saga.SendNotification: {fact: saga.OrderConfirmed, held: []saga.Step{saga.CapturePayment}},
		saga.ReleaseStock:     {fact: saga.OrderCanceling, held: []saga.Step{saga.CapturePayment}},
		saga.ReturnPayment:    {fact: saga.OrderCanceling, held: []saga.Step{saga.CapturePayment}},
	} {
		t.Run(string(step), func(t *testing.T) {
			serial(t, func(t conformance.T) {
				a, queue := system.Account(), string(step)
				sku := a.Product(t, 100, 5)
				release := []func(){system.HoldUp(t, queue)}
				for _, other := range c.held {
					release = append(release, system.HoldUp(t, string(other)))
				}
				e := a.Place(t, Basket(sku))
				if c.fact == saga.OrderCanceling {
					system.Becomes(t, e, "confirmed")
					Accepted(t, system.Cancel(t, e.Buyer, e.ID))
				}
				system.Put(t, DeadLetters(queue), system.Take(t, queue, e.ID, string(c.fact)).Body)
				Accepted(t, system.Cancel(t, e.Buyer, e.ID))
				for _, step := range release {
					step()
				}
				system.Becomes(t, e, "canceled")
				awaitQuiet(t, e)

				letter, letters := system.Take(t, DeadLetters(queue), e.ID).Body, deadLetters(t)
				system.Put(t, queue, letter, letter)
				awaitQuiet(t, e)
				require.Equal(t, letters, deadLetters(t), "no further message became a dead letter")
				a.Close(t, Canceled("confirmed"))
			})
		})
	}
}

func TestStreamRecord_RedeliveryChangesNothing(t *testing.T) {
	serial(t, func(t conformance.T) {
		const step = string(saga.ReserveStock)
		a := system.Account()
		sku := a.Product(t, 100, 5)
		release := system.HoldUp(t, step)
		e := a.Place(t, Basket(sku))
		record := system.OrderRow(t, e.ID)
		release()
		system.Becomes(t, e, "paid confirmed")
		before, givenUp := awaitQuiet(t, e), deadLetters(t)

		system.Invoke(t, "relay-facts", events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{record, record}})
		require.Equal(t, before, awaitQuiet(t, e), "no row was written")
		require.Equal(t, givenUp, deadLetters(t), "no message became a dead letter")
		a.Close(t, Confirmed(100, 0))
	})
}

func TestStreamRecord_UnreadableDoesNotBlockOthers(t *testing.T) {
	serial(t, func(t conformance.T) {
		const step = string(saga.ReserveStock)
		a, broken := system.Account(), system.New("broken")
		sku := a.Product(t, 100, 5)
		release := system.HoldUp(t, step)
		e := a.Place(t, Basket(sku))
		good := system.OrderRow(t, e.ID)
		system.Take(t, step, e.ID) // drop the message that the relay sent
		bad := good
		bad.Change.NewImage = map[string]events.DynamoDBAttributeValue{"pk": events.NewStringAttribute(broken)}

		system.Invoke(t, "relay-facts", events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{bad, good}})
		require.Contains(t, system.Take(t, DeadLetters("relay-facts"), broken).Body, "NewImage",
			"the dead letter contains the whole record")
		release()
		a.Close(t, Confirmed(100, 0))
	})
}

func TestMessage_MayArriveOutOfOrder(t *testing.T) {
	serial(t, func(t conformance.T) {
		const step = string(saga.ReserveStock)
		a, givenUp := system.Account(), deadLetters(t)
		sku := a.Product(t, 100, 5)
		release := system.HoldUp(t, step)
		e := a.Place(t, Basket(sku))
		first := system.Take(t, step, e.ID, string(saga.OrderPlaced)).Body
		system.AwaitFact(t, e, saga.ReserveDue)
		second := system.Take(t, step, e.ID, string(saga.ReserveDue)).Body
		system.Until(t, "authorize-payment handles a message of an order without a payment", func() (any, bool) {
			waiting, underway := system.Depth(t, string(saga.AuthorizePayment))
			return waiting + underway, waiting+underway == 0
		})
		require.Equal(t, client.OrderStatusPlaced, system.Order(t, e.Buyer, e.ID).Status)

		system.Put(t, step, second)
		release()
		system.Becomes(t, e, "paid confirmed")
		before := awaitQuiet(t, e)
		system.Put(t, step, first)
		system.Until(t, "the step answers the first message", func() (any, bool) {
			after := awaitQuiet(t, e)
			return after, after != before
		})
		require.Equal(t, givenUp, deadLetters(t))
		a.Close(t, Confirmed(100, 0))
	})
}

func TestMessage_LostIsAskedForAgain(t *testing.T) {
	serial(t, func(t conformance.T) {
		a := system.Account()
		sku := a.Product(t, 100, 5)
		release := system.HoldUp(t, string(saga.ReserveStock))
		e := a.Place(t, Basket(sku))
		awaitMessages(t, saga.ReserveStock, 1)
		system.Purge(t, string(saga.ReserveStock))
		require.Equal(t, client.OrderStatusPlaced, system.Order(t, e.Buyer, e.ID).Status)

		system.AwaitFact(t, e, saga.ReserveDue)
		release()
		a.Close(t, Confirmed(100, 0)) // a slow purge may also remove the first retry
	})
}
