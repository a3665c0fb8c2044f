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
// there too: an order is placed, canceled, refunded and resolved by its routes, and receive-payment-event
// learns of a charge from the provider.
type Task struct {
	Step   Step
	Does   string // follows the step's name
	Writes Source // empty: its rows tell no facts
}

// Tasks lists every step.
var Tasks = []Task{
	{ReserveStock, "sets all lines of an order aside, or none of them", Reservations},
	{CommitStock, "sells what was set aside", Reservations},
	{ReleaseStock, "gives back what was set aside or sold", Reservations},
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
type Source string

// The tellers. Clock is wake-overdue, which sends its only fact straight to the queue.
const (
	Orders       Source = "orders"
	Reservations Source = "reservations"
	Charges      Source = "charges"
	Clock        Source = "clock"
)

// Route says what a fact means to an order, which rows tell it, what it carries, and which steps hear it. A
// fact that no step hears is written into the log of its row and goes nowhere.
type Route struct {
	Says   string // follows the name of the step or the caller that did it, as in "placed the order"
	Source Source
	Data   any
	To     []Step
}

// Routes is the whole saga.
var Routes = map[Fact]Route{
	OrderPlaced: {"placed the order", Orders, OrderContents{}, []Step{ReserveStock}},

	StockReserved: {"has set all of it aside", Reservations, Payable{}, []Step{AuthorizePayment}},
	StockShort:    {"could not set all of it aside, so it set nothing aside", Reservations, Short{}, []Step{AdvanceOrder}},

	PaymentIntended:     {"told the provider of the payment; no money moved", Charges, OrderRef{}, nil},
	PaymentUncertain:    {"has no answer from the provider yet", Charges, OrderRef{}, nil},
	PaymentActionNeeded: {"learned that the customer must act first, as in 3-D Secure", Charges, OrderRef{}, nil},
	PaymentAuthorized: {
		"learned that the amount is held on the customer's card",
		Charges, OrderRef{}, []Step{AdvanceOrder},
	},
	PaymentDeclined: {"learned that the provider refused the payment", Charges, Declined{}, []Step{AdvanceOrder}},

	// The order confirms: what it has is sold and paid, and then it is closed.
	OrderConfirmed: {
		"confirmed the order: it is to be paid and sold",
		Orders, OrderRef{}, []Step{CommitStock, CapturePayment, SendNotification},
	},
	StockSold:       {"sold what was set aside", Reservations, OrderRef{}, nil},
	PaymentCaptured: {"took the money", Charges, OrderRef{}, []Step{AdvanceOrder}},
	CaptureFailed:   {"could not take the money, and never can", Charges, Declined{}, []Step{AdvanceOrder}},
	OrderSettled:    {"closed the order: nothing is owed any more", Orders, OrderRef{}, nil},

	// The order gives up: stock and money come back, and then it is closed or canceled.
	OrderRejected: {
		"rejected the order: stock and money are to come back",
		Orders, OrderRef{}, []Step{ReleaseStock, ReturnPayment, SendNotification},
	},
	OrderExpired: {
		"let the order expire: stock and money are to come back",
		Orders, OrderRef{}, []Step{ReleaseStock, ReturnPayment, SendNotification},
	},
	OrderCanceling: {
		"canceled the order: stock and money are to come back",
		Orders, OrderRef{}, []Step{ReleaseStock, ReturnPayment},
	},
	StockReleased:    {"holds no stock for the order any more, and never will", Reservations, OrderRef{}, []Step{AdvanceOrder}},
	PaymentReturning: {"began to undo the payment, however it stands", Charges, OrderRef{}, nil},
	PaymentReturned: {
		"learned that all money is back, and none can be taken any more",
		Charges, ChargeVersion{}, []Step{AdvanceOrder},
	},
	ReturnFailed: {
		"learned that money which had gone back did not arrive",
		Charges, ChargeVersion{}, []Step{AdvanceOrder},
	},
	OrderStockReleased: {"noted that the stock is back; the money is not yet", Orders, OrderRef{}, nil},
	OrderMoneyReturned: {"noted that the money is back; the stock is not yet", Orders, OrderRef{}, nil},
	OrderReopened:      {"noted that returned money did not arrive: it is owed again", Orders, OrderRef{}, nil},
	OrderCanceled: {
		"noted that stock and money are back: the cancellation is complete",
		Orders, OrderRef{}, []Step{SendNotification},
	},

	// Part of the money goes back after the order was closed.
	OrderRefunding:    {"asked for a refund", Orders, Refunds{}, []Step{ReturnPayment}},
	RefundsWrittenOff: {"had refunds that did not arrive not be made any more", Orders, Refunds{}, []Step{ReturnPayment}},
	RefundsRecorded:   {"wrote down which refunds the order wants", Charges, OrderRef{}, nil},
	RefundStarted:     {"asked the provider for a refund, which is not decided yet", Charges, OrderRef{}, nil},
	PaymentRefunded:   {"learned that a refund arrived", Charges, Refunds{}, []Step{AdvanceOrder}},
	RefundFailed:      {"learned that a refund did not arrive", Charges, Refunds{}, []Step{AdvanceOrder}},
	OrderRefunded:     {"noted that a refund arrived", Orders, OrderRef{}, []Step{SendNotification}},

	// Who waited too long is asked about; the order asks for exactly what it is still owed.
	OrderOverdue:    {"found that the order waits too long", Clock, Overdue{}, []Step{AdvanceOrder}},
	ReserveDue:      {"asked again for the stock", Orders, OrderContents{}, []Step{ReserveStock}},
	PaymentCheckDue: {"asked again for the payment", Orders, OrderRef{}, []Step{AuthorizePayment}},
	CaptureDue:      {"asked again for the money to be taken", Orders, OrderRef{}, []Step{CapturePayment}},
	ReleaseDue:      {"asked again for the stock to come back", Orders, OrderRef{}, []Step{ReleaseStock}},
	ReturnDue:       {"asked again for the money to go back", Orders, OrderRef{}, []Step{ReturnPayment}},
	RefundDue:       {"asked again for the refunds", Orders, Refunds{}, []Step{ReturnPayment}},

	// What only people do.
	OrderNeedsAttention: {"gave the order into human hands", Orders, OrderRef{}, nil},
	OrderRetried:        {"had the order try again", Orders, OrderRef{}, nil},
	OrderWrittenOff:     {"gave up what the order was owed", Orders, OrderRef{}, nil},
	PaymentWrittenOff:   {"had no money be taken or go back any more", Orders, OrderRef{}, []Step{ReturnPayment}},
	PaymentAbandoned:    {"noted that no money is to be taken or to go back any more", Charges, OrderRef{}, nil},
	OrderErased:         {"forgot whose order it was", Orders, OrderRef{}, nil},
}

// asks are the facts by which orders ask again for what they are owed; unasked are those that come to an order which is owed
// nothing.
var (
	retries   = []Fact{OrderOverdue, ReserveDue, PaymentCheckDue, CaptureDue, ReleaseDue, ReturnDue, RefundDue}
	unretried = []Fact{ReturnFailed, RefundFailed, RefundsWrittenOff, PaymentWrittenOff}
)

// AskedAgain reports whether a message with the fact, lost on its way to the step, is made up for: because an order asks the step
// again as long as it is owed what the step does. Any other message is the only one of its kind.
func (f Fact) Retried(of Step) bool {
	return !slices.Contains(unretried, f) && slices.ContainsFunc(retries, func(ask Fact) bool { return slices.Contains(Routes[ask].To, of) })
}

// Heard reports whether any step hears the fact.
func (f Fact) HasConsumers() bool { return len(Routes[f].To) > 0 }
