package saga

import "slices"

// Step is the name of a queue, of its function's folder, and of the actor in the log.
type Step string

// The steps of the saga. Tasks says what each does.
const (
	ReserveStock     Step = "reserve-stock"
	CommitStock      Step = "commit-stock"
	ReleaseStock     Step = "release-stock"
	AuthorizePayment Step = "authorize-payment"
	CapturePayment   Step = "capture-payment"
	ReturnPayment    Step = "return-payment"
	AdvanceOrder     Step = "advance-order"
	SendNotification Step = "send-notification"
)

// Task says what a step does, and in which rows it writes down that it did. Routes and other functions write
// there too: an order is placed, cancelled, refunded and resolved by its routes, and receive-payment-event
// learns of a charge from the provider.
type Task struct {
	Step   Step
	Does   string // follows the step's name
	Writes Teller // empty: its rows tell no facts
}

// Tasks lists every step.
var Tasks = []Task{
	{ReserveStock, "sets all lines of an order aside, or none of them", Holds},
	{CommitStock, "sells what was set aside", Holds},
	{ReleaseStock, "gives back what was set aside or sold", Holds},
	{AuthorizePayment, "has the provider hold the amount on the customer's card", Charges},
	{CapturePayment, "takes the money that the provider holds", Charges},
	{ReturnPayment, "lets the money go or gives it back, all of it or a part", Charges},
	{AdvanceOrder, "decides how the order goes on", Orders},
	{SendNotification, "mails the customer how the order was decided, and what came back", ""},
}

// Steps are the names of all steps, in the order of Tasks.
var Steps = steps()

func steps() (names []Step) {
	for _, task := range Tasks {
		names = append(names, task.Step)
	}
	return names
}

// Teller is the kind of row that tells a fact: the table it lives in.
type Teller string

// The tellers. Clock is wake-overdue, which sends its only fact straight to the queue.
const (
	Orders  Teller = "orders"
	Holds   Teller = "holds"
	Charges Teller = "charges"
	Clock   Teller = "clock"
)

// Route says what a fact means to an order, which rows tell it, what it carries, and which steps hear it. A
// fact that no step hears is written into the log of its row and goes nowhere.
type Route struct {
	Says    string // follows the name of the step or the caller that did it, as in "placed the order"
	By      Teller
	Carries any
	To      []Step
}

// Routes is the whole saga.
var Routes = map[Fact]Route{
	OrderPlaced: {"placed the order", Orders, Wanted{}, []Step{ReserveStock}},

	StockReserved: {"has set all of it aside", Holds, Payable{}, []Step{AuthorizePayment}},
	StockShort:    {"could not set all of it aside, so it set nothing aside", Holds, Short{}, []Step{AdvanceOrder}},

	PaymentIntended:     {"told the provider of the payment; no money moved", Charges, About{}, nil},
	PaymentUncertain:    {"has no answer from the provider yet", Charges, About{}, nil},
	PaymentActionNeeded: {"learned that the customer must act first, as in 3-D Secure", Charges, About{}, nil},
	PaymentAuthorized: {
		"learned that the amount is held on the customer's card",
		Charges, About{}, []Step{AdvanceOrder},
	},
	PaymentDeclined: {"learned that the provider refused the payment", Charges, Declined{}, []Step{AdvanceOrder}},

	// The order confirms: what it has is sold and paid, and then it is closed.
	OrderConfirmed: {
		"confirmed the order: it is to be paid and sold",
		Orders, About{}, []Step{CommitStock, CapturePayment, SendNotification},
	},
	StockSold:       {"sold what was set aside", Holds, About{}, nil},
	PaymentCaptured: {"took the money", Charges, About{}, []Step{AdvanceOrder}},
	CaptureFailed:   {"could not take the money, and never can", Charges, Declined{}, []Step{AdvanceOrder}},
	OrderClosed:     {"closed the order: nothing is owed any more", Orders, About{}, nil},

	// The order gives up: stock and money come back, and then it is closed or cancelled.
	OrderRejected: {
		"rejected the order: stock and money are to come back",
		Orders, About{}, []Step{ReleaseStock, ReturnPayment, SendNotification},
	},
	OrderExpired: {
		"let the order expire: stock and money are to come back",
		Orders, About{}, []Step{ReleaseStock, ReturnPayment, SendNotification},
	},
	OrderCancelling: {
		"cancelled the order: stock and money are to come back",
		Orders, About{}, []Step{ReleaseStock, ReturnPayment},
	},
	StockReleased:    {"holds no stock for the order any more, and never will", Holds, About{}, []Step{AdvanceOrder}},
	PaymentReturning: {"began to undo the payment, however it stands", Charges, About{}, nil},
	PaymentReturned: {
		"learned that all money is back, and none can be taken any more",
		Charges, Standing{}, []Step{AdvanceOrder},
	},
	ReturnFailed: {
		"learned that money which had gone back did not arrive",
		Charges, Standing{}, []Step{AdvanceOrder},
	},
	OrderStockBack: {"noted that the stock is back; the money is not yet", Orders, About{}, nil},
	OrderMoneyBack: {"noted that the money is back; the stock is not yet", Orders, About{}, nil},
	OrderReopened:  {"noted that returned money did not arrive: it is owed again", Orders, About{}, nil},
	OrderCancelled: {
		"noted that stock and money are back: the cancellation is complete",
		Orders, About{}, []Step{SendNotification},
	},

	// Part of the money goes back after the order was closed.
	OrderRefunding:  {"asked for a refund", Orders, Refunds{}, []Step{ReturnPayment}},
	RefundsGivenUp:  {"had refunds that did not arrive not be made any more", Orders, Refunds{}, []Step{ReturnPayment}},
	RefundNoted:     {"wrote down which refunds the order wants", Charges, About{}, nil},
	RefundBegun:     {"asked the provider for a refund, which is not decided yet", Charges, About{}, nil},
	PaymentRefunded: {"learned that a refund arrived", Charges, Refunds{}, []Step{AdvanceOrder}},
	RefundFailed:    {"learned that a refund did not arrive", Charges, Refunds{}, []Step{AdvanceOrder}},
	OrderRefunded:   {"noted that a refund arrived", Orders, About{}, []Step{SendNotification}},

	// Who waited too long is asked about; the order asks for exactly what it is still owed.
	OrderOverdue:    {"found that the order waits too long", Clock, Overdue{}, []Step{AdvanceOrder}},
	ReserveDue:      {"asked again for the stock", Orders, Wanted{}, []Step{ReserveStock}},
	PaymentCheckDue: {"asked again for the payment", Orders, About{}, []Step{AuthorizePayment}},
	CaptureDue:      {"asked again for the money to be taken", Orders, About{}, []Step{CapturePayment}},
	ReleaseDue:      {"asked again for the stock to come back", Orders, About{}, []Step{ReleaseStock}},
	ReturnDue:       {"asked again for the money to go back", Orders, About{}, []Step{ReturnPayment}},
	RefundDue:       {"asked again for the refunds", Orders, Refunds{}, []Step{ReturnPayment}},

	// What only people do.
	OrderStranded:   {"gave the order into human hands", Orders, About{}, nil},
	OrderRetried:    {"had the order try again", Orders, About{}, nil},
	OrderWrittenOff: {"gave up what the order was owed", Orders, About{}, nil},
	PaymentGivenUp:  {"had no money be taken or go back any more", Orders, About{}, []Step{ReturnPayment}},
	PaymentLeft:     {"noted that no money is to be taken or to go back any more", Charges, About{}, nil},
	OrderErased:     {"forgot whose order it was", Orders, About{}, nil},
}

// asks are the facts by which orders ask again for what they are owed; unasked are those that come to an order which is owed
// nothing.
var (
	asks    = []Fact{OrderOverdue, ReserveDue, PaymentCheckDue, CaptureDue, ReleaseDue, ReturnDue, RefundDue}
	unasked = []Fact{ReturnFailed, RefundFailed, RefundsGivenUp, PaymentGivenUp}
)

// AskedAgain reports whether a message with the fact, lost on its way to the step, is made up for: because an order asks the step
// again as long as it is owed what the step does. Any other message is the only one of its kind.
func (f Fact) AskedAgain(of Step) bool {
	return !slices.Contains(unasked, f) && slices.ContainsFunc(asks, func(ask Fact) bool { return slices.Contains(Routes[ask].To, of) })
}

// Heard reports whether any step hears the fact.
func (f Fact) Heard() bool { return len(Routes[f].To) > 0 }
