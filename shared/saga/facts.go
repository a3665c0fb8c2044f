// Package saga is the language in which the domains speak of an order's story: the facts, what each carries, and who
// hears it (routes.go). Domains never import each other; they meet here.
package saga

import "backroom/shared/money"

// Fact is the name of something that happened. It is past tense, and it is written into the log of the row it happened to.
type Fact string

// The facts of an order's story, each with what Routes says of it: go test ./shared/saga -run Drawn -update
const (
	OrderPlaced         Fact = "OrderPlaced"         // placed the order
	OrderOverdue        Fact = "OrderOverdue"        // found that the order waits too long
	OrderConfirmed      Fact = "OrderConfirmed"      // confirmed the order: it is to be paid and sold
	OrderRejected       Fact = "OrderRejected"       // rejected the order: stock and money are to come back
	OrderExpired        Fact = "OrderExpired"        // let the order expire: stock and money are to come back
	OrderCanceling      Fact = "OrderCanceling"      // canceled the order: stock and money are to come back
	OrderStockReleased  Fact = "OrderStockReleased"  // noted that the stock is back; the money is not yet
	OrderMoneyReturned  Fact = "OrderMoneyReturned"  // noted that the money is back; the stock is not yet
	OrderReopened       Fact = "OrderReopened"       // noted that returned money did not arrive: it is owed again
	OrderCanceled       Fact = "OrderCanceled"       // noted that stock and money are back: the cancellation is complete
	OrderSettled        Fact = "OrderSettled"        // closed the order: nothing is owed any more
	OrderRefunding      Fact = "OrderRefunding"      // asked for a refund
	RefundsWrittenOff   Fact = "RefundsWrittenOff"   // had refunds that did not arrive not be made any more
	OrderRefunded       Fact = "OrderRefunded"       // noted that a refund arrived
	OrderNeedsAttention Fact = "OrderNeedsAttention" // gave the order into human hands
	OrderRetried        Fact = "OrderRetried"        // had the order try again
	OrderWrittenOff     Fact = "OrderWrittenOff"     // gave up what the order was owed
	PaymentWrittenOff   Fact = "PaymentWrittenOff"   // had no money be taken or go back any more
	OrderErased         Fact = "OrderErased"         // forgot whose order it was

	ReserveDue      Fact = "ReserveDue"      // asked again for the stock
	PaymentCheckDue Fact = "PaymentCheckDue" // asked again for the payment
	CaptureDue      Fact = "CaptureDue"      // asked again for the money to be taken
	ReleaseDue      Fact = "ReleaseDue"      // asked again for the stock to come back
	ReturnDue       Fact = "ReturnDue"       // asked again for the money to go back
	RefundDue       Fact = "RefundDue"       // asked again for the refunds

	StockReserved Fact = "StockReserved" // has set all of it aside
	StockShort    Fact = "StockShort"    // could not set all of it aside, so it set nothing aside
	StockSold     Fact = "StockSold"     // sold what was set aside
	StockReleased Fact = "StockReleased" // holds no stock for the order any more, and never will

	PaymentIntended     Fact = "PaymentIntended"     // told the provider of the payment; no money moved
	PaymentUncertain    Fact = "PaymentUncertain"    // has no answer from the provider yet
	PaymentActionNeeded Fact = "PaymentActionNeeded" // learned that the customer must act first, as in 3-D Secure
	PaymentAuthorized   Fact = "PaymentAuthorized"   // learned that the amount is held on the customer's card
	PaymentDeclined     Fact = "PaymentDeclined"     // learned that the provider refused the payment
	PaymentCaptured     Fact = "PaymentCaptured"     // took the money
	CaptureFailed       Fact = "CaptureFailed"       // could not take the money, and never can
	PaymentReturning    Fact = "PaymentReturning"    // began to undo the payment, however it stands
	PaymentReturned     Fact = "PaymentReturned"     // learned that all money is back, and none can be taken any more
	ReturnFailed        Fact = "ReturnFailed"        // learned that money which had gone back did not arrive
	PaymentAbandoned    Fact = "PaymentAbandoned"    // noted that no money is to be taken or to go back any more
	RefundsRecorded     Fact = "RefundsRecorded"     // wrote down which refunds the order wants
	RefundStarted       Fact = "RefundStarted"       // asked the provider for a refund, which is not decided yet
	PaymentRefunded     Fact = "PaymentRefunded"     // learned that a refund arrived
	RefundFailed        Fact = "RefundFailed"        // learned that a refund did not arrive
)

// Line is one product of an order. No two lines of an order have the same SKU.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Price    int64  `json:"price"` // of one unit, in minor units of the order's currency
}

// Refund is a part of an order's money that goes back to the customer after it was taken.
type Refund struct {
	ID     string       `json:"id"`
	Amount int64        `json:"amount"` // minor units of the order's currency
	Try    int          `json:"try"`    // raised each time the order asks for it anew because it failed
	Status RefundStatus `json:"status"`
}

// RefundState is how far a refund's latest try is.
type RefundStatus string

// The states of a refund.
const (
	RefundStatusRequested RefundStatus = "requested" // by the order; the provider may not know of it yet
	RefundStatusPending   RefundStatus = "pending"   // the provider has not decided
	RefundStatusSucceeded RefundStatus = "succeeded" // the customer has the money
	RefundStatusFailed    RefundStatus = "failed"    // the customer has not got the money
)

// What the facts carry. The JSON names are those of the attributes of the row that tells the fact: the message is
// projected from the row's image (package relay), so a fact can carry nothing that its row does not hold.
type (
	// Wanted is what an order wants set aside and paid.
	OrderContents struct {
		Order         string `json:"order"`
		Shop          Shop   `json:"shop"`
		Lines         []Line `json:"lines"`
		Total         int64  `json:"total"` // minor units
		Currency      string `json:"currency"`
		PaymentMethod string `json:"payment_method"`
	}
	// Payable is an order whose stock is set aside, and what is to be paid for it.
	Payable struct {
		Order         string `json:"order"`
		Shop          Shop   `json:"shop"`
		Total         int64  `json:"total"` // minor units
		Currency      string `json:"currency"`
		PaymentMethod string `json:"payment_method"`
	}
	// Short names the SKUs that were missing.
	Short struct {
		Order string   `json:"order"`
		Shop  Shop     `json:"shop"`
		Short []string `json:"short"`
	}
	// Declined says why the provider refused to hold an amount, or to take it.
	Declined struct {
		Order  string `json:"order"`
		Shop   Shop   `json:"shop"`
		Reason string `json:"reason"`
	}
	// Refunds lists all refunds of an order: as the order wants them, or as they are.
	Refunds struct {
		Order   string   `json:"order"`
		Shop    Shop     `json:"shop"`
		Refunds []Refund `json:"refunds"`
	}
	// Standing says as of which version of its row something is so. Of two that contradict each other the later one is true,
	// whichever comes first.
	ChargeVersion struct {
		Order   string `json:"order"`
		Shop    Shop   `json:"shop"`
		Version int    `json:"version"`
	}
	// About says only which order is meant.
	OrderRef struct {
		Order string `json:"order"`
		Shop  Shop   `json:"shop"`
	}
	// Overdue says which order waited in vain until which due time (milliseconds since 1970).
	Overdue struct {
		Order string `json:"order"`
		Shop  Shop   `json:"shop"`
		Due   int64  `json:"due"`
	}
)

// Amount returns what is to be paid.
func (p Payable) Amount() money.Money { return money.Money{Amount: p.Total, Currency: p.Currency} }
