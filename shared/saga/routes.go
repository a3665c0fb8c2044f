package saga

import "slices"

// Step is the name of a consumer: of its queue, of its function's folder, and of the actor in a
// history.
type Step string

// The steps of the saga. Tasks says what each one does.
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

// Task says what a step does, and in which rows it records that. Functions that are not steps write
// such rows too: the routes of orders place, cancel, refund and resolve them, and
// receive-payment-event changes charges.
type Task struct {
	Step   Step
	Does   string // follows the step's name
	Writes Source // empty: it records no facts
}

// Tasks lists every step.
var Tasks = []Task{
	{ReserveStock, "reserves stock for all lines of an order, or for none", Reservations},
	{CommitStock, "sells the reserved stock", Reservations},
	{ReleaseStock, "gives back stock that was reserved or sold", Reservations},
	{AuthorizePayment, "asks the provider to hold the amount on the customer's card", Charges},
	{CapturePayment, "captures the amount that the provider holds", Charges},
	{ReturnPayment, "voids what is held and refunds what was captured, in full or in part", Charges},
	{AdvanceOrder, "decides what happens to the order next", Orders},
	{SendNotification, "mails the customer the outcome of the order, and each refund", ""},
}

// Steps lists the name of every step, in the order of Tasks.
var Steps = steps()

func steps() (names []Step) {
	for _, task := range Tasks {
		names = append(names, task.Step)
	}
	return names
}

// Source is the kind of row that a fact comes from, named after its table.
type Source string

// The sources. Clock is the function wake-overdue, which sends its only fact straight to the queue.
const (
	Orders       Source = "orders"
	Reservations Source = "reservations"
	Charges      Source = "charges"
	Clock        Source = "clock"
)

// Route says what a fact means to an order, which rows record it, what it carries, and which steps
// consume it. A fact without consumers is recorded in the history of its row and is not sent.
type Route struct {
	Says   string // follows the name of the step or the caller that did it, as in "placed the order"
	Source Source
	Data   any
	To     []Step
}

// Routes is the whole saga: every fact with its consumers.
var Routes = map[Fact]Route{
	OrderPlaced: {"placed the order", Orders, OrderContents{}, []Step{ReserveStock}},

	StockReserved: {"reserved stock for every line of the order", Reservations, Payable{}, []Step{AuthorizePayment}},
	StockShort:    {"found too little stock, so it reserved nothing", Reservations, Short{}, []Step{AdvanceOrder}},

	PaymentIntended:     {"created the payment at the provider; no money moved yet", Charges, OrderRef{}, nil},
	PaymentUncertain:    {"got no answer from the provider yet", Charges, OrderRef{}, nil},
	PaymentActionNeeded: {"learned that the customer must act first, as in 3-D Secure", Charges, OrderRef{}, nil},
	PaymentAuthorized: {
		"learned that the amount is held on the customer's card",
		Charges, OrderRef{}, []Step{AdvanceOrder},
	},
	PaymentDeclined: {"learned that the provider declined the payment", Charges, Declined{}, []Step{AdvanceOrder}},

	// A confirmed order: its stock is sold, its payment is captured, and then it is settled.
	OrderConfirmed: {
		"confirmed the order; stock is sold and payment captured next",
		Orders, OrderRef{}, []Step{CommitStock, CapturePayment, SendNotification},
	},
	StockSold:       {"sold the reserved stock", Reservations, OrderRef{}, nil},
	PaymentCaptured: {"captured the payment", Charges, OrderRef{}, []Step{AdvanceOrder}},
	CaptureFailed:   {"could not capture the payment, and never can", Charges, Declined{}, []Step{AdvanceOrder}},
	OrderSettled:    {"settled the order; it awaits nothing any longer", Orders, OrderRef{}, nil},

	// A rejected, expired or canceled order: its stock and money come back, and then it is settled
	// or canceled.
	OrderRejected: {
		"rejected the order; its stock and money must come back",
		Orders, OrderRef{}, []Step{ReleaseStock, ReturnPayment, SendNotification},
	},
	OrderExpired: {
		"let the order expire; its stock and money must come back",
		Orders, OrderRef{}, []Step{ReleaseStock, ReturnPayment, SendNotification},
	},
	OrderCanceling: {
		"canceled the order; its stock and money must come back",
		Orders, OrderRef{}, []Step{ReleaseStock, ReturnPayment},
	},
	StockReleased: {
		"released the stock; nothing is reserved for the order again",
		Reservations, OrderRef{}, []Step{AdvanceOrder},
	},
	PaymentReturning: {"started to return the payment", Charges, OrderRef{}, nil},
	PaymentReturned: {
		"learned that all money is back; no more can be captured",
		Charges, ChargeVersion{}, []Step{AdvanceOrder},
	},
	ReturnFailed: {
		"learned that returned money did not arrive",
		Charges, ChargeVersion{}, []Step{AdvanceOrder},
	},
	OrderStockReleased: {"recorded that the stock is back; the money is not back yet", Orders, OrderRef{}, nil},
	OrderMoneyReturned: {"recorded that the money is back; the stock is not back yet", Orders, OrderRef{}, nil},
	OrderReopened:      {"recorded that returned money did not arrive; it is awaited again", Orders, OrderRef{}, nil},
	OrderCanceled: {
		"found stock and money back; the cancellation is complete",
		Orders, OrderRef{}, []Step{SendNotification},
	},

	// A refund: a part of the money goes back after the order was paid.
	OrderRefunding:    {"requested a refund", Orders, Refunds{}, []Step{ReturnPayment}},
	RefundsWrittenOff: {"wrote off the refunds that had not arrived", Orders, Refunds{}, []Step{ReturnPayment}},
	RefundsRecorded:   {"recorded which refunds the order requested", Charges, OrderRef{}, nil},
	RefundStarted:     {"requested a refund from the provider; it is not decided yet", Charges, OrderRef{}, nil},
	PaymentRefunded:   {"learned that a refund arrived", Charges, Refunds{}, []Step{AdvanceOrder}},
	RefundFailed:      {"learned that a refund did not arrive", Charges, Refunds{}, []Step{AdvanceOrder}},
	RefundRefused:     {"learned that a refund can never be made", Charges, Refused{}, []Step{AdvanceOrder}},
	ExternalMoneyMoved: {
		"learned what was refunded or disputed at the provider itself",
		Charges, ExternalMoney{}, []Step{AdvanceOrder},
	},
	OrderRefundRefused: {"recorded that a refund can never be made", Orders, OrderRef{}, nil},
	OrderExternalMoney: {"recorded what was refunded or disputed at the provider itself", Orders, OrderRef{}, nil},
	OrderRefunded:      {"recorded that a refund arrived", Orders, OrderRef{}, []Step{SendNotification}},

	// An overdue order: it asks again for exactly what it still awaits.
	OrderOverdue:    {"found that the order has waited too long", Clock, Overdue{}, []Step{AdvanceOrder}},
	ReserveDue:      {"asked again to reserve the stock", Orders, OrderContents{}, []Step{ReserveStock}},
	PaymentCheckDue: {"asked again to check the payment", Orders, OrderRef{}, []Step{AuthorizePayment}},
	CaptureDue:      {"asked again to capture the payment", Orders, OrderRef{}, []Step{CapturePayment}},
	ReleaseDue:      {"asked again to release the stock", Orders, OrderRef{}, []Step{ReleaseStock}},
	ReturnDue:       {"asked again to return the money", Orders, OrderRef{}, []Step{ReturnPayment}},
	RefundDue:       {"asked again for the refunds", Orders, Refunds{}, []Step{ReturnPayment}},

	// What only a person does, and what leads to it.
	OrderNeedsAttention: {"marked the order as needing attention", Orders, OrderRef{}, nil},
	OrderRetried:        {"let the order try again", Orders, OrderRef{}, nil},
	OrderWrittenOff:     {"wrote off what the order awaited", Orders, OrderRef{}, nil},
	PaymentWrittenOff: {"stopped all further captures, returns and refunds", Orders, OrderRef{},
		[]Step{ReturnPayment}},
	PaymentAbandoned: {"abandoned the payment; its money stays where it is", Charges, OrderRef{}, nil},
	OrderErased:      {"erased the customer's data", Orders, OrderRef{}, nil},
}

var (
	// retries are the facts by which an order asks again for what it awaits.
	retries = []Fact{OrderOverdue, ReserveDue, PaymentCheckDue, CaptureDue, ReleaseDue, ReturnDue, RefundDue}
	// unretried are facts that concern an order even if it awaits nothing. No retry makes up for
	// them.
	unretried = []Fact{ReturnFailed, RefundFailed, ExternalMoneyMoved, RefundsWrittenOff, PaymentWrittenOff}
)

// Retried reports whether the saga recovers from the loss of the fact's message to a step. It does
// if the order asks the step again as long as it awaits what the step does. Any other message is
// sent only once.
func (f Fact) Retried(of Step) bool {
	return !slices.Contains(unretried, f) &&
		slices.ContainsFunc(retries, func(retry Fact) bool { return slices.Contains(Routes[retry].To, of) })
}

// HasConsumers reports whether any step consumes the fact.
func (f Fact) HasConsumers() bool { return len(Routes[f].To) > 0 }
