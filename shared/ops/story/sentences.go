package story

import (
	"fmt"
	"slices"
	"strings"

	"backroom/shared/saga"
)

// sentences say what every fact means to an order, each after the name of who did it.
var sentences = map[saga.Fact]string{
	saga.OrderPlaced:     "placed the order",
	saga.OrderOverdue:    "found that the order waits too long",
	saga.OrderConfirmed:  "confirmed the order: it is to be paid and sold",
	saga.OrderRejected:   "rejected the order: stock and money are to come back",
	saga.OrderExpired:    "let the order expire: nobody paid in time, stock and money are to come back",
	saga.OrderCancelling: "cancelled the order: stock and money are to come back",
	saga.OrderStockBack:  "noted that the stock is back; the money is not yet",
	saga.OrderMoneyBack:  "noted that the money is back; the stock is not yet",
	saga.OrderReopened:   "noted that money which had gone back did not arrive: it is owed again",
	saga.OrderCancelled:  "noted that stock and money are back: the cancellation is complete",
	saga.OrderClosed:     "closed the order: nothing is owed any more",
	saga.OrderRefunding:  "asked for a refund",
	saga.RefundsGivenUp:  "had refunds that did not arrive not be made any more",
	saga.OrderRefunded:   "noted that a refund arrived",
	saga.OrderStranded:   "gave the order into human hands",
	saga.OrderRetried:    "had the order try again",
	saga.OrderWrittenOff: "gave up what the order was owed",
	saga.PaymentGivenUp:  "had no money be taken or go back any more",
	saga.OrderErased:     "forgot whose order it was",

	saga.ReserveDue:      "asked again for the stock",
	saga.PaymentCheckDue: "asked again for the payment",
	saga.CaptureDue:      "asked again for the money to be taken",
	saga.ReleaseDue:      "asked again for the stock to come back",
	saga.ReturnDue:       "asked again for the money to go back",
	saga.RefundDue:       "asked again for the refunds",

	saga.StockReserved: "has set all of it aside",
	saga.StockShort:    "could not set all of it aside, so it set nothing aside",
	saga.StockSold:     "sold what was set aside",
	saga.StockReleased: "holds no stock for the order any more, and never will",

	saga.PaymentIntended:     "told the provider of the payment; no money moved",
	saga.PaymentUncertain:    "has no answer from the provider yet",
	saga.PaymentActionNeeded: "learned that the customer must act first, as in 3-D Secure",
	saga.PaymentAuthorized:   "learned that the amount is held on the customer's card",
	saga.PaymentDeclined:     "learned that the provider refused the payment",
	saga.PaymentCaptured:     "took the money",
	saga.CaptureFailed:       "could not take the money, and never can",
	saga.PaymentReturning:    "began to undo the payment, however it stands",
	saga.PaymentReturned:     "learned that all money is back, and none can be taken any more",
	saga.ReturnFailed:        "learned that money which had gone back did not arrive",
	saga.PaymentLeft:         "noted that no money is to be taken or to go back any more",
	saga.RefundNoted:         "wrote down which refunds the order wants",
	saga.RefundBegun:         "asked the provider for a refund, which is not decided yet",
	saga.PaymentRefunded:     "learned that a refund arrived",
	saga.RefundFailed:        "learned that a refund did not arrive",
}

// sentence says who did what. A fact that nobody gave words is told by its name.
func sentence(e saga.Entry) string {
	words, ok := sentences[e.Fact]
	if !ok {
		words = fmt.Sprintf("told %s", e.Fact)
	}
	return fmt.Sprintf("%s %s", e.Cause.Actor, words)
}

// because says why an entry came about, given the facts of the story by the ids under which they were told: a fact, or what
// came from outside, by its id.
func because(e saga.Entry, told map[string]saga.Fact) string {
	switch fact, ok := told[e.Cause.ID]; {
	case ok:
		return string(fact)
	case strings.HasPrefix(e.Cause.ID, string(saga.Clock)+":"):
		return string(saga.OrderOverdue)
	case saga.Routes[e.Fact].By == saga.Orders && !slices.Contains(saga.Steps, saga.Step(e.Cause.Actor)):
		return "request " + e.Cause.ID
	}
	return e.Cause.ID
}
