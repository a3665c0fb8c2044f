package saga

import "slices"

// Step is the name of a queue, of its function's folder, and of the actor in the log.
type Step string

// The steps of the saga.
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

// Steps lists every step.
var Steps = []Step{ReserveStock, CommitStock, ReleaseStock, AuthorizePayment, CapturePayment, ReturnPayment, AdvanceOrder, SendNotification}

// Teller is the kind of row that tells a fact: the table it lives in.
type Teller string

// The tellers. Clock is wake-overdue, which sends its only fact straight to the queue.
const (
	Orders  Teller = "orders"
	Holds   Teller = "holds"
	Charges Teller = "charges"
	Clock   Teller = "clock"
)

// Writes says in which rows a step writes down what it did. Routes and other functions write there too: an order is placed,
// cancelled, refunded and resolved by its routes, and receive-payment-event learns of a charge from the provider.
var Writes = map[Step]Teller{
	ReserveStock: Holds, CommitStock: Holds, ReleaseStock: Holds,
	AuthorizePayment: Charges, CapturePayment: Charges, ReturnPayment: Charges,
	AdvanceOrder: Orders,
}

// Route says who tells a fact, what it carries, and which steps hear it. A fact that no step hears is written into the log
// of its row and goes nowhere.
type Route struct {
	By      Teller
	Carries any
	To      []Step
}

// Routes is the whole saga.
var Routes = map[Fact]Route{
	OrderPlaced: {Orders, Wanted{}, []Step{ReserveStock}},

	StockReserved: {Holds, Payable{}, []Step{AuthorizePayment}},
	StockShort:    {Holds, Short{}, []Step{AdvanceOrder}},

	PaymentIntended:     {Charges, About{}, nil},
	PaymentUncertain:    {Charges, About{}, nil},
	PaymentActionNeeded: {Charges, About{}, nil},
	PaymentAuthorized:   {Charges, About{}, []Step{AdvanceOrder}},
	PaymentDeclined:     {Charges, Declined{}, []Step{AdvanceOrder}},

	// The order confirms: what it has is sold and paid, and then it is closed.
	OrderConfirmed:  {Orders, About{}, []Step{CommitStock, CapturePayment, SendNotification}},
	StockSold:       {Holds, About{}, nil},
	PaymentCaptured: {Charges, About{}, []Step{AdvanceOrder}},
	CaptureFailed:   {Charges, Declined{}, []Step{AdvanceOrder}},
	OrderClosed:     {Orders, About{}, nil},

	// The order gives up: stock and money come back, and then it is closed or cancelled.
	OrderRejected:    {Orders, About{}, []Step{ReleaseStock, ReturnPayment, SendNotification}},
	OrderExpired:     {Orders, About{}, []Step{ReleaseStock, ReturnPayment, SendNotification}},
	OrderCancelling:  {Orders, About{}, []Step{ReleaseStock, ReturnPayment}},
	StockReleased:    {Holds, About{}, []Step{AdvanceOrder}},
	PaymentReturning: {Charges, About{}, nil},
	PaymentReturned:  {Charges, Standing{}, []Step{AdvanceOrder}},
	ReturnFailed:     {Charges, Standing{}, []Step{AdvanceOrder}},
	OrderStockBack:   {Orders, About{}, nil},
	OrderMoneyBack:   {Orders, About{}, nil},
	OrderReopened:    {Orders, About{}, nil},
	OrderCancelled:   {Orders, About{}, []Step{SendNotification}},

	// Part of the money goes back after the order was closed.
	OrderRefunding:  {Orders, Refunds{}, []Step{ReturnPayment}},
	RefundsGivenUp:  {Orders, Refunds{}, []Step{ReturnPayment}},
	RefundNoted:     {Charges, About{}, nil},
	RefundBegun:     {Charges, About{}, nil},
	PaymentRefunded: {Charges, Refunds{}, []Step{AdvanceOrder}},
	RefundFailed:    {Charges, Refunds{}, []Step{AdvanceOrder}},
	OrderRefunded:   {Orders, About{}, []Step{SendNotification}},

	// Who waited too long is asked about; the order asks for exactly what it is still owed.
	OrderOverdue:    {Clock, Overdue{}, []Step{AdvanceOrder}},
	ReserveDue:      {Orders, Wanted{}, []Step{ReserveStock}},
	PaymentCheckDue: {Orders, About{}, []Step{AuthorizePayment}},
	CaptureDue:      {Orders, About{}, []Step{CapturePayment}},
	ReleaseDue:      {Orders, About{}, []Step{ReleaseStock}},
	ReturnDue:       {Orders, About{}, []Step{ReturnPayment}},
	RefundDue:       {Orders, Refunds{}, []Step{ReturnPayment}},

	// What only people do.
	OrderStranded:   {Orders, About{}, nil},
	OrderRetried:    {Orders, About{}, nil},
	OrderWrittenOff: {Orders, About{}, nil},
	PaymentGivenUp:  {Orders, About{}, []Step{ReturnPayment}},
	PaymentLeft:     {Charges, About{}, nil},
	OrderErased:     {Orders, About{}, nil},
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
