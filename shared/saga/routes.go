package saga

// Step is the name of a queue, of its function's folder, and of the actor in the log.
type Step string

// The steps of the saga.
const (
	ReserveStock     Step = "reserve-stock"
	AuthorizePayment Step = "authorize-payment"
	AdvanceOrder     Step = "advance-order"
)

// Steps lists every step.
var Steps = []Step{ReserveStock, AuthorizePayment, AdvanceOrder}

// Teller is the kind of row that tells a fact: the table it lives in.
type Teller string

// The tellers. Clock is wake-overdue, which sends its only fact straight to the queue.
const (
	Orders  Teller = "orders"
	Holds   Teller = "holds"
	Charges Teller = "charges"
	Clock   Teller = "clock"
)

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

	PaymentIntended:   {Charges, About{}, nil},
	PaymentUncertain:  {Charges, About{}, nil},
	PaymentAuthorized: {Charges, About{}, []Step{AdvanceOrder}},
	PaymentDeclined:   {Charges, Declined{}, []Step{AdvanceOrder}},

	OrderConfirmed: {Orders, About{}, nil},
	OrderRejected:  {Orders, About{}, nil},
	OrderStranded:  {Orders, About{}, nil},

	// Who waited too long is asked about; the order asks for what it is still owed.
	OrderOverdue:    {Clock, Overdue{}, []Step{AdvanceOrder}},
	ReserveDue:      {Orders, Wanted{}, []Step{ReserveStock}},
	PaymentCheckDue: {Orders, About{}, []Step{AuthorizePayment}},
}

// Heard reports whether any step hears the fact.
func (f Fact) Heard() bool { return len(Routes[f].To) > 0 }
