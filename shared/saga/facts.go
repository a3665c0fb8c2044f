// Package saga is the language in which the domains speak of an order's story: the facts, what each carries, and who
// hears it (routes.go). Domains never import each other; they meet here.
package saga

import "backroom/shared/money"

// Fact is the name of something that happened. It is past tense, and it is written into the log of the row it happened to.
type Fact string

// The facts of an order's story.
const (
	OrderPlaced     Fact = "OrderPlaced"     // an order was accepted
	OrderOverdue    Fact = "OrderOverdue"    // an order is still owed something and its patience is over
	OrderConfirmed  Fact = "OrderConfirmed"  // verdict: stock is set aside and payment is authorized
	OrderRejected   Fact = "OrderRejected"   // verdict: no stock, or no money
	OrderExpired    Fact = "OrderExpired"    // verdict: its payment window ended without one
	OrderCancelling Fact = "OrderCancelling" // verdict: nobody wants it any more; stock and money are to come back
	OrderStockBack  Fact = "OrderStockBack"  // the stock that an order was owed is back; the money is not yet
	OrderMoneyBack  Fact = "OrderMoneyBack"  // the money that an order was owed is back; the stock is not yet
	OrderReopened   Fact = "OrderReopened"   // money that had gone back to the customer did not arrive: it is owed again
	OrderCancelled  Fact = "OrderCancelled"  // stock and money of a cancelled order are back
	OrderClosed     Fact = "OrderClosed"     // nothing is owed any more
	OrderRefunding  Fact = "OrderRefunding"  // part of a closed order's money is to go back
	RefundsGivenUp  Fact = "RefundsGivenUp"  // refunds that were asked for are not wanted any more
	OrderRefunded   Fact = "OrderRefunded"   // a refund arrived
	OrderStranded   Fact = "OrderStranded"   // a person must look
	OrderRetried    Fact = "OrderRetried"    // a person had it try again
	OrderWrittenOff Fact = "OrderWrittenOff" // a person gave up what it was owed
	PaymentGivenUp  Fact = "PaymentGivenUp"  // money that was to be taken, or to go back, is not to be any more
	OrderErased     Fact = "OrderErased"     // whose order it was is forgotten

	ReserveDue      Fact = "ReserveDue"      // the order asks again for its stock,
	PaymentCheckDue Fact = "PaymentCheckDue" // for its payment,
	CaptureDue      Fact = "CaptureDue"      // for its payment to be captured,
	ReleaseDue      Fact = "ReleaseDue"      // for its stock to be given back,
	ReturnDue       Fact = "ReturnDue"       // for its money to be given back,
	RefundDue       Fact = "RefundDue"       // for its refunds

	StockReserved Fact = "StockReserved" // all lines were set aside
	StockShort    Fact = "StockShort"    // at least one line could not be set aside, so none was
	StockSold     Fact = "StockSold"     // what was set aside is sold
	StockReleased Fact = "StockReleased" // nothing is set aside or sold any more, and never will be

	PaymentIntended     Fact = "PaymentIntended"     // the provider knows of the payment; no money moved
	PaymentUncertain    Fact = "PaymentUncertain"    // the provider has not decided yet
	PaymentActionNeeded Fact = "PaymentActionNeeded" // the customer has to do something first, as in 3-D Secure
	PaymentAuthorized   Fact = "PaymentAuthorized"   // the amount is held on the customer's card
	PaymentDeclined     Fact = "PaymentDeclined"     // the provider refused it for good
	PaymentCaptured     Fact = "PaymentCaptured"     // the amount was taken
	CaptureFailed       Fact = "CaptureFailed"       // the amount can not be taken any more
	PaymentReturning    Fact = "PaymentReturning"    // the payment is to be undone, however it stands
	PaymentReturned     Fact = "PaymentReturned"     // the customer has all money back, and none can be taken any more
	ReturnFailed        Fact = "ReturnFailed"        // money that had gone back did not arrive
	PaymentLeft         Fact = "PaymentLeft"         // no money is to be taken or to go back any more, however the payment stands
	RefundNoted         Fact = "RefundNoted"         // which refunds the order wants was written down, before the provider is asked
	RefundBegun         Fact = "RefundBegun"         // the provider knows of a refund and has not decided it
	PaymentRefunded     Fact = "PaymentRefunded"     // a refund arrived
	RefundFailed        Fact = "RefundFailed"        // a refund did not arrive
)

// Line is one product of an order. No two lines of an order have the same SKU.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Price    int64  `json:"price"` // of one unit, in minor units of the order's currency
}

// Refund is a part of an order's money that goes back to the customer after it was taken.
type Refund struct {
	ID     string      `json:"id"`
	Amount int64       `json:"amount"` // minor units of the order's currency
	Try    int         `json:"try"`    // raised each time the order asks for it anew because it failed
	State  RefundState `json:"state"`
}

// RefundState is how far a refund's latest try is.
type RefundState string

// The states of a refund.
const (
	RefundAsked   RefundState = "asked"   // by the order; the provider may not know of it yet
	RefundPending RefundState = "pending" // the provider has not decided
	RefundDone    RefundState = "done"    // the customer has the money
	RefundRefused RefundState = "failed"  // the customer has not got the money
)

// What the facts carry. The JSON names are those of the attributes of the row that tells the fact: the message is
// projected from the row's image (package relay), so a fact can carry nothing that its row does not hold.
type (
	// Wanted is what an order wants set aside and paid.
	Wanted struct {
		Order         string `json:"order"`
		Shop          string `json:"shop"`
		Lines         []Line `json:"lines"`
		Total         int64  `json:"total"` // minor units
		Currency      string `json:"currency"`
		PaymentMethod string `json:"payment_method"`
	}
	// Payable is an order whose stock is set aside, and what is to be paid for it.
	Payable struct {
		Order         string `json:"order"`
		Shop          string `json:"shop"`
		Total         int64  `json:"total"` // minor units
		Currency      string `json:"currency"`
		PaymentMethod string `json:"payment_method"`
	}
	// Short names the SKUs that were missing.
	Short struct {
		Order string   `json:"order"`
		Shop  string   `json:"shop"`
		Short []string `json:"short"`
	}
	// Declined says why the provider refused to hold an amount, or to take it.
	Declined struct {
		Order  string `json:"order"`
		Shop   string `json:"shop"`
		Reason string `json:"reason"`
	}
	// Refunds lists all refunds of an order: as the order wants them, or as they are.
	Refunds struct {
		Order   string   `json:"order"`
		Shop    string   `json:"shop"`
		Refunds []Refund `json:"refunds"`
	}
	// Standing says as of which version of its row something is so. Of two that contradict each other the later one is true,
	// whichever comes first.
	Standing struct {
		Order   string `json:"order"`
		Shop    string `json:"shop"`
		Version int    `json:"version"`
	}
	// About says only which order is meant.
	About struct {
		Order string `json:"order"`
		Shop  string `json:"shop"`
	}
	// Overdue says which order waited in vain until which due time (milliseconds since 1970).
	Overdue struct {
		Order string `json:"order"`
		Shop  string `json:"shop"`
		Due   int64  `json:"due"`
	}
)

// Amount returns what is to be paid.
func (p Payable) Amount() money.Money { return money.Money{Amount: p.Total, Currency: p.Currency} }
