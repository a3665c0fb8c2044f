package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"backroom/localstack/shop"
	"backroom/shared/saga"
)

// rest waits until all messages are done with and a decided order stays as it is, and returns the order's tag: an answer that
// it asked for while it was late may come in after its verdict. Only a case that is alone can wait for that.
func rest(t T, buyer, id string) (tag string) {
	t.Helper()
	quiet := 0
	system.Until(t, "all is quiet around "+id, func() (any, bool) {
		last, busy := tag, 0
		for _, step := range saga.Steps {
			waiting, underway := system.Depth(t, string(step))
			busy += waiting + underway
		}
		tag = system.Send(t, shop.Call{Method: http.MethodGet, Path: "/orders/" + id, Token: system.Token(t, buyer)}).Header.Get("ETag")
		quiet++
		if busy > 0 || tag != last {
			quiet = 0
		}
		return fmt.Sprintf("%d messages, tag %s", busy, tag), quiet >= 8
	})
	return tag
}

// dead returns how many messages were given up by the steps.
func dead(t T) (letters int) {
	t.Helper()
	for _, step := range saga.Steps {
		waiting, underway := system.Depth(t, DeadLetters(string(step)))
		letters += waiting + underway
	}
	return letters
}

func TestAStepThatIsHeldUpDelaysOrdersAndLosesNone(t *testing.T) {
	for _, step := range saga.Steps {
		t.Run(string(step), func(t *testing.T) {
			alone(t, func(t T) {
				buyer, sku := system.New("ada"), system.Product(t, 100, 3)
				letGo := system.HoldUp(t, string(step))
				var ids []string
				for range 3 {
					ids = append(ids, system.Place(t, buyer, Basket(sku)).ID)
				}
				system.Until(t, "the messages wait", func() (any, bool) {
					waiting, _ := system.Depth(t, string(step))
					return waiting, waiting >= len(ids)
				})
				for _, id := range ids {
					require.Equal(t, "placed", system.Order(t, buyer, id).Verdict())
				}
				letGo()
				for _, id := range ids {
					require.Equal(t, "confirmed", system.Verdict(t, buyer, id).Verdict())
				}
				system.Level(t, sku, 0)
			})
		})
	}
}

func TestAPoisonMessageFailsAloneAndIsPutAside(t *testing.T) {
	alone(t, func(t T) {
		const step = string(saga.AdvanceOrder)
		buyer, sku := system.New("ada"), system.Product(t, 100, 5)
		letGo := system.HoldUp(t, step)
		var mates []string
		for range 5 {
			mates = append(mates, system.Place(t, buyer, Basket(sku)).ID)
		}
		system.Until(t, "the batch mates wait", func() (any, bool) {
			waiting, _ := system.Depth(t, step)
			return waiting, waiting >= len(mates)
		})
		poison := system.New("poison")
		system.Put(t, step, poison)
		letGo()

		given := system.Take(t, DeadLetters(step), poison)
		require.Equal(t, poison, given.Body)
		require.Equal(t, 5, system.MaxReceives(t, step))
		require.Equal(t, 5+1, given.Receives, "five times by the step, and now by us")
		for _, mate := range mates {
			require.Equal(t, "confirmed", system.Verdict(t, buyer, mate).Verdict())
		}
		system.Level(t, sku, 0)
	})
}

func TestAMessageThatComesAgainChangesNothing(t *testing.T) {
	for step, fact := range map[saga.Step]saga.Fact{
		saga.ReserveStock: saga.OrderPlaced, saga.AuthorizePayment: saga.StockReserved, saga.AdvanceOrder: saga.PaymentAuthorized,
	} {
		t.Run(string(step), func(t *testing.T) {
			alone(t, func(t T) {
				buyer, sku, queue := system.New("ada"), system.Product(t, 100, 5), string(step)
				letGo := system.HoldUp(t, queue)
				id := system.Place(t, buyer, Basket(sku)).ID
				message := system.Take(t, queue, id, string(fact)).Body
				system.Put(t, queue, message)
				letGo()
				require.Equal(t, "confirmed", system.Verdict(t, buyer, id).Verdict())
				before, givenUp := rest(t, buyer, id), dead(t)

				system.Put(t, queue, message, message, message)
				require.Equal(t, before, rest(t, buyer, id), "not one row was written")
				require.Equal(t, givenUp, dead(t), "and that is no failure")
				system.Level(t, sku, 4)
				require.Equal(t, 1, system.Authorizations(t)[id])
			})
		})
	}
}

func TestAStreamRecordThatComesAgainChangesNothing(t *testing.T) {
	alone(t, func(t T) {
		const step = string(saga.ReserveStock)
		buyer, sku := system.New("ada"), system.Product(t, 100, 5)
		letGo := system.HoldUp(t, step)
		id := system.Place(t, buyer, Basket(sku)).ID
		record := system.OrderRow(t, id)
		letGo()
		require.Equal(t, "confirmed", system.Verdict(t, buyer, id).Verdict())
		before, givenUp := rest(t, buyer, id), dead(t)

		system.Invoke(t, "relay-facts", events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{record, record}})
		require.Equal(t, before, rest(t, buyer, id), "not one row was written")
		require.Equal(t, givenUp, dead(t), "and that is no failure")
		system.Level(t, sku, 4)
		require.Equal(t, 1, system.Authorizations(t)[id])
	})
}

func TestAStreamRecordThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	alone(t, func(t T) {
		const step = string(saga.ReserveStock)
		buyer, sku, broken := system.New("ada"), system.Product(t, 100, 5), system.New("broken")
		letGo := system.HoldUp(t, step)
		id := system.Place(t, buyer, Basket(sku)).ID
		good := system.OrderRow(t, id)
		system.Take(t, step, id) // what the relay said of itself is lost
		bad := good
		bad.Change.NewImage = map[string]events.DynamoDBAttributeValue{"pk": events.NewStringAttribute(broken)}

		system.Invoke(t, "relay-facts", events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{bad, good}})
		require.Contains(t, system.Take(t, DeadLetters("relay-facts"), broken).Body, "NewImage", "the whole record is put aside")
		letGo()
		require.Equal(t, "confirmed", system.Verdict(t, buyer, id).Verdict())
	})
}

func TestMessagesMayComeInTheWrongOrder(t *testing.T) {
	alone(t, func(t T) {
		const step = string(saga.ReserveStock)
		buyer, sku, givenUp := system.New("ada"), system.Product(t, 100, 5), dead(t)
		letGo := system.HoldUp(t, step)
		id := system.Place(t, buyer, Basket(sku)).ID
		first := system.Take(t, step, id, string(saga.OrderPlaced)).Body
		askAgain(t, buyer, id)
		second := system.Take(t, step, id, string(saga.ReserveDue)).Body
		system.Until(t, "the payment is asked about before there is one", func() (any, bool) {
			waiting, underway := system.Depth(t, string(saga.AuthorizePayment))
			return waiting + underway, waiting+underway == 0
		})
		require.Equal(t, "placed", system.Order(t, buyer, id).Verdict())

		system.Put(t, step, second)
		letGo()
		require.Equal(t, "confirmed", system.Verdict(t, buyer, id).Verdict())
		before := rest(t, buyer, id)
		system.Put(t, step, first)
		system.Until(t, "the step answers what it was asked first", func() (any, bool) {
			after := rest(t, buyer, id)
			return after, after != before
		})
		require.Equal(t, "confirmed", system.Order(t, buyer, id).Verdict())
		system.Level(t, sku, 4)
		require.Equal(t, 1, system.Authorizations(t)[id])
		require.Equal(t, givenUp, dead(t))
	})
}

// askAgain lets an order that nobody answers become overdue, until it asks again.
func askAgain(t T, buyer, id string) {
	t.Helper()
	system.Until(t, "order "+id+" asks again", func() (any, bool) {
		system.Wake(t)
		o := system.Order(t, buyer, id)
		return o, Told(o, string(saga.ReserveDue))
	})
}

func TestAnOrderWhoseMessageIsLostAsksAgain(t *testing.T) {
	alone(t, func(t T) {
		buyer, sku := system.New("ada"), system.Product(t, 100, 5)
		letGo := system.HoldUp(t, string(saga.ReserveStock))
		id := system.Place(t, buyer, Basket(sku)).ID
		system.Until(t, "the message waits", func() (any, bool) {
			waiting, _ := system.Depth(t, string(saga.ReserveStock))
			return waiting, waiting > 0
		})
		system.Purge(t, string(saga.ReserveStock))
		require.Equal(t, "placed", system.Order(t, buyer, id).Verdict())

		askAgain(t, buyer, id)
		letGo()
		system.Until(t, "order "+id+" has its verdict", func() (any, bool) {
			system.Wake(t) // a purge may take a while, and the first ask with it
			o := system.Order(t, buyer, id)
			return o, o.Decided()
		})
		require.Equal(t, "confirmed", system.Order(t, buyer, id).Verdict())
		system.Level(t, sku, 4)
		require.Equal(t, 1, system.Authorizations(t)[id])
	})
}
