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

// rest waits until all messages are done with and a decided order stays as it is, and returns the order's tag: an answer that
// it asked for while it was late may come in after its outcome. Only a case that is alone can wait for that.
func rest(t conformance.T, e *Entry) (tag string) {
	t.Helper()
	quiet := 0
	system.Until(t, "all is quiet around "+e.ID, func() (any, bool) {
		last, busy := tag, 0
		for _, step := range saga.Steps {
			waiting, underway := system.Depth(t, string(step))
			busy += waiting + underway
		}
		tag = system.Send(t, shop.Call{Method: http.MethodGet, Path: "/orders/" + e.ID, Token: system.Token(t, e.Buyer)}).Header.Get("ETag")
		quiet++
		if busy > 0 || tag != last {
			quiet = 0
		}
		return fmt.Sprintf("%d messages, tag %s", busy, tag), quiet >= 8
	})
	return tag
}

// dead returns how many messages were given up by the steps.
func dead(t conformance.T) (letters int) {
	t.Helper()
	for _, step := range saga.Steps {
		waiting, underway := system.Depth(t, DeadLetters(string(step)))
		letters += waiting + underway
	}
	return letters
}

// waits demands that so many messages wait in a step's queue.
func waits(t conformance.T, step saga.Step, messages int) {
	t.Helper()
	system.Until(t, fmt.Sprintf("%d messages wait for %s", messages, step), func() (any, bool) {
		waiting, _ := system.Depth(t, string(step))
		return waiting, waiting >= messages
	})
}

// Whoever is held up for longer than orders wait is asked again, by all who can ask; and what they asked twice is done once.
func TestAStepThatIsHeldUpForLongDelaysOrdersAndLosesNone(t *testing.T) {
	asks := map[saga.Step]saga.Fact{
		saga.ReserveStock: saga.ReserveDue, saga.AuthorizePayment: saga.PaymentCheckDue, saga.CapturePayment: saga.CaptureDue,
		saga.ReleaseStock: saga.ReleaseDue, saga.ReturnPayment: saga.ReturnDue, // an order asks advance-order for nothing, and nobody waits for the rest
	}
	for _, step := range saga.Steps {
		t.Run(string(step), func(t *testing.T) {
			alone(t, func(t conformance.T) {
				patience, err := time.ParseDuration(system.Setting(t, "place-order", "RETRY_DELAY"))
				require.NoError(t, err)
				a := system.Account()
				sku, scarce := a.Product(t, 100, 6), a.Product(t, 100, 1)
				letGo := system.HoldUp(t, string(step))
				began := time.Now()
				a.Place(t, Basket(sku))
				a.Place(t, client.OrderRequest{Lines: []client.LineRequest{{SKU: sku, Quantity: 1}, {SKU: scarce, Quantity: 2}}, PaymentMethod: shop.CardGood})
				a.Place(t, Paying(shop.CardDeclined, sku))
				canceled := a.Place(t, Paying(CardChallenge, sku))
				a.Place(t, Basket(sku, scarce))
				Accepted(t, system.Cancel(t, canceled.Buyer, canceled.ID))

				waits(t, step, 1)
				system.Until(t, "the orders ask again", func() (any, bool) {
					system.WakeAtTimes(t)
					asked := asks[step] == ""
					for _, e := range a.orders {
						asked = asked || Told(system.Order(t, e.Buyer, e.ID), string(asks[step]))
					}
					return asked, asked && time.Since(began) > patience+time.Second
				})
				letGo()
				a.Close(t, Confirmed(100, 0), Rejected("out-of-stock"), Rejected("card-declined"), Canceled(), Confirmed(200, 0))
			})
		})
	}
}

func TestAPoisonMessageFailsAloneAndIsPutAside(t *testing.T) {
	alone(t, func(t conformance.T) {
		const step = string(saga.AdvanceOrder)
		a := system.Account()
		sku := a.Product(t, 100, 5)
		letGo := system.HoldUp(t, step)
		for range 5 {
			a.Place(t, Basket(sku))
		}
		waits(t, saga.AdvanceOrder, 5)
		poison := system.New("poison")
		system.Put(t, step, poison)
		letGo()

		given := system.Take(t, DeadLetters(step), poison)
		require.Equal(t, poison, given.Body)
		require.Equal(t, system.MaxReceives(t, step)+1, given.Receives, "as often as its queue says by the step, and now by us")
		a.Close(t, Confirmed(100, 0))
	})
}

// heard are messages that the steps get: about an order that is confirmed, or, where that has none, about one whose card is declined.
var heard = map[saga.Step]struct {
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
	for _, step := range saga.Steps {
		t.Run(string(step), func(t *testing.T) {
			alone(t, func(t conformance.T) {
				a, c, queue := system.Account(), heard[step], string(step)
				sku := a.Product(t, 100, 5)
				letGo := system.HoldUp(t, queue)
				e := a.Place(t, Paying(c.card, sku))
				message := system.Take(t, queue, e.ID, string(c.fact)).Body
				system.Put(t, queue, message)
				letGo()
				system.Becomes(t, e, c.end.Is)
				before, givenUp := rest(t, e), dead(t)

				system.Put(t, queue, message, message, message)
				require.Equal(t, before, rest(t, e), "not one row was written")
				require.Equal(t, givenUp, dead(t), "and that is no failure")
				a.Close(t, c.end)
			})
		})
	}
}

// A message lay in a dead-letter queue while its order was canceled, and is sent back twice: by then it means nothing any more.
func TestADeadLetterThatComesBackAfterTheOutcomeChanged(t *testing.T) {
	for step, c := range map[saga.Step]struct {
		fact saga.Fact
		held []saga.Step // these are held up, too, until the order is canceled: a closed one could not be
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
			alone(t, func(t conformance.T) {
				a, queue := system.Account(), string(step)
				sku := a.Product(t, 100, 5)
				letGo := []func(){system.HoldUp(t, queue)}
				for _, other := range c.held {
					letGo = append(letGo, system.HoldUp(t, string(other)))
				}
				e := a.Place(t, Basket(sku))
				if c.fact == saga.OrderCanceling {
					system.Becomes(t, e, "confirmed")
					Accepted(t, system.Cancel(t, e.Buyer, e.ID))
				}
				system.Put(t, DeadLetters(queue), system.Take(t, queue, e.ID, string(c.fact)).Body)
				Accepted(t, system.Cancel(t, e.Buyer, e.ID))
				for _, step := range letGo {
					step()
				}
				system.Becomes(t, e, "canceled")
				rest(t, e)

				letter, letters := system.Take(t, DeadLetters(queue), e.ID).Body, dead(t)
				system.Put(t, queue, letter, letter)
				rest(t, e)
				require.Equal(t, letters, dead(t), "that is no failure")
				a.Close(t, Canceled("confirmed"))
			})
		})
	}
}

func TestAStreamRecordThatComesAgainChangesNothing(t *testing.T) {
	alone(t, func(t conformance.T) {
		const step = string(saga.ReserveStock)
		a := system.Account()
		sku := a.Product(t, 100, 5)
		letGo := system.HoldUp(t, step)
		e := a.Place(t, Basket(sku))
		record := system.OrderRow(t, e.ID)
		letGo()
		system.Becomes(t, e, "paid confirmed")
		before, givenUp := rest(t, e), dead(t)

		system.Invoke(t, "relay-facts", events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{record, record}})
		require.Equal(t, before, rest(t, e), "not one row was written")
		require.Equal(t, givenUp, dead(t), "and that is no failure")
		a.Close(t, Confirmed(100, 0))
	})
}

func TestAStreamRecordThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	alone(t, func(t conformance.T) {
		const step = string(saga.ReserveStock)
		a, broken := system.Account(), system.New("broken")
		sku := a.Product(t, 100, 5)
		letGo := system.HoldUp(t, step)
		e := a.Place(t, Basket(sku))
		good := system.OrderRow(t, e.ID)
		system.Take(t, step, e.ID) // what the relay said of itself is lost
		bad := good
		bad.Change.NewImage = map[string]events.DynamoDBAttributeValue{"pk": events.NewStringAttribute(broken)}

		system.Invoke(t, "relay-facts", events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{bad, good}})
		require.Contains(t, system.Take(t, DeadLetters("relay-facts"), broken).Body, "NewImage", "the whole record is put aside")
		letGo()
		a.Close(t, Confirmed(100, 0))
	})
}

func TestMessagesMayComeInTheWrongOrder(t *testing.T) {
	alone(t, func(t conformance.T) {
		const step = string(saga.ReserveStock)
		a, givenUp := system.Account(), dead(t)
		sku := a.Product(t, 100, 5)
		letGo := system.HoldUp(t, step)
		e := a.Place(t, Basket(sku))
		first := system.Take(t, step, e.ID, string(saga.OrderPlaced)).Body
		system.Tells(t, e, saga.ReserveDue)
		second := system.Take(t, step, e.ID, string(saga.ReserveDue)).Body
		system.Until(t, "the payment is asked about before there is one", func() (any, bool) {
			waiting, underway := system.Depth(t, string(saga.AuthorizePayment))
			return waiting + underway, waiting+underway == 0
		})
		require.Equal(t, client.OrderStatusPlaced, system.Order(t, e.Buyer, e.ID).Status)

		system.Put(t, step, second)
		letGo()
		system.Becomes(t, e, "paid confirmed")
		before := rest(t, e)
		system.Put(t, step, first)
		system.Until(t, "the step answers what it was asked first", func() (any, bool) {
			after := rest(t, e)
			return after, after != before
		})
		require.Equal(t, givenUp, dead(t))
		a.Close(t, Confirmed(100, 0))
	})
}

func TestAnOrderWhoseMessageIsLostAsksAgain(t *testing.T) {
	alone(t, func(t conformance.T) {
		a := system.Account()
		sku := a.Product(t, 100, 5)
		letGo := system.HoldUp(t, string(saga.ReserveStock))
		e := a.Place(t, Basket(sku))
		waits(t, saga.ReserveStock, 1)
		system.Purge(t, string(saga.ReserveStock))
		require.Equal(t, client.OrderStatusPlaced, system.Order(t, e.Buyer, e.ID).Status)

		system.Tells(t, e, saga.ReserveDue)
		letGo()
		a.Close(t, Confirmed(100, 0)) // a purge may take a while, and the first ask with it
	})
}
