// Package saga lists the facts of an order: what each one carries (facts.go), and which steps
// consume it (routes.go). Domains never import each other; they share this package.
package saga

import "backroom/shared/money"

// Fact is the name of an internal domain event, in the past tense. The history of the row that
// changed records it.
type Fact string

// The facts, each with its sentence in Routes. The sentences are copied by this command:
//
//	go test ./shared/saga -run Drawn -update
const (
	OrderPlaced         Fact = "OrderPlaced"         // placed the order
	OrderOverdue        Fact = "OrderOverdue"        // found that the order has waited too long
	OrderConfirmed      Fact = "OrderConfirmed"      // confirmed the order; stock is sold and payment captured next
	OrderRejected       Fact = "OrderRejected"       // rejected the order; its stock and money must come back
	OrderExpired        Fact = "OrderExpired"        // let the order expire; its stock and money must come back
	OrderCanceling      Fact = "OrderCanceling"      // canceled the order; its stock and money must come back
	OrderStockReleased  Fact = "OrderStockReleased"  // recorded that the stock is back; the money is not back yet
	OrderMoneyReturned  Fact = "OrderMoneyReturned"  // recorded that the money is back; the stock is not back yet
	OrderReopened       Fact = "OrderReopened"       // recorded that returned money did not arrive; it is awaited again
	OrderCanceled       Fact = "OrderCanceled"       // found stock and money back; the cancellation is complete
	OrderSettled        Fact = "OrderSettled"        // settled the order; it awaits nothing any longer
	OrderRefunding      Fact = "OrderRefunding"      // requested a refund
	RefundsWrittenOff   Fact = "RefundsWrittenOff"   // wrote off the refunds that had not arrived
	OrderRefunded       Fact = "OrderRefunded"       // recorded that a refund arrived
	OrderRefundRefused  Fact = "OrderRefundRefused"  // recorded that a refund can never be made
	OrderExternalMoney  Fact = "OrderExternalMoney"  // recorded what was refunded or disputed at the provider itself
	OrderNeedsAttention Fact = "OrderNeedsAttention" // marked the order as needing attention
	OrderRetried        Fact = "OrderRetried"        // let the order try again
	OrderWrittenOff     Fact = "OrderWrittenOff"     // wrote off what the order awaited
	PaymentWrittenOff   Fact = "PaymentWrittenOff"   // stopped all further captures, returns and refunds
	OrderErased         Fact = "OrderErased"         // erased the customer's data

	ReserveDue      Fact = "ReserveDue"      // asked again to reserve the stock
	PaymentCheckDue Fact = "PaymentCheckDue" // asked again to check the payment
	CaptureDue      Fact = "CaptureDue"      // asked again to capture the payment
	ReleaseDue      Fact = "ReleaseDue"      // asked again to release the stock
	ReturnDue       Fact = "ReturnDue"       // asked again to return the money
	RefundDue       Fact = "RefundDue"       // asked again for the refunds

	StockReserved Fact = "StockReserved" // reserved stock for every line of the order
	StockShort    Fact = "StockShort"    // found too little stock, so it reserved nothing
	StockSold     Fact = "StockSold"     // sold the reserved stock
	StockReleased Fact = "StockReleased" // released the stock; nothing is reserved for the order again

	PaymentIntended     Fact = "PaymentIntended"     // created the payment at the provider; no money moved yet
	PaymentUncertain    Fact = "PaymentUncertain"    // got no answer from the provider yet
	PaymentActionNeeded Fact = "PaymentActionNeeded" // learned that the customer must act first, as in 3-D Secure
	PaymentAuthorized   Fact = "PaymentAuthorized"   // learned that the amount is held on the customer's card
	PaymentDeclined     Fact = "PaymentDeclined"     // learned that the provider declined the payment
	PaymentCaptured     Fact = "PaymentCaptured"     // captured the payment
	CaptureFailed       Fact = "CaptureFailed"       // could not capture the payment, and never can
	PaymentReturning    Fact = "PaymentReturning"    // started to return the payment
	PaymentReturned     Fact = "PaymentReturned"     // learned that all money is back; no more can be captured
	ReturnFailed        Fact = "ReturnFailed"        // learned that returned money did not arrive
	PaymentAbandoned    Fact = "PaymentAbandoned"    // abandoned the payment; its money stays where it is
	RefundsRecorded     Fact = "RefundsRecorded"     // recorded which refunds the order requested
	RefundStarted       Fact = "RefundStarted"       // requested a refund from the provider; it is not decided yet
	PaymentRefunded     Fact = "PaymentRefunded"     // learned that a refund arrived
	RefundFailed        Fact = "RefundFailed"        // learned that a refund did not arrive
	RefundRefused       Fact = "RefundRefused"       // learned that a refund can never be made
	ExternalMoneyMoved  Fact = "ExternalMoneyMoved"  // learned what was refunded or disputed at the provider itself
)

// Line is one product of an order. No two lines of an order have the same SKU.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Price    int64  `json:"price"` // of one unit, in minor units of the order's currency
}

// Refund is a part of an order's money that goes back to the customer after it was captured.
type Refund struct {
	ID     string       `json:"id"`
	Amount int64        `json:"amount"` // minor units of the order's currency
	Try    int          `json:"try"`    // 1 at first; raised each time the refund failed and is requested again
	Status RefundStatus `json:"status"`
}

// RefundStatus is how far a refund's latest try is.
type RefundStatus string

// The statuses of a refund.
const (
	RefundStatusRequested RefundStatus = "requested" // the order wants it; the provider may not know of it yet
	RefundStatusPending   RefundStatus = "pending"   // the provider has not decided
	RefundStatusSucceeded RefundStatus = "succeeded" // the customer has the money
	RefundStatusFailed    RefundStatus = "failed"    // the customer does not have the money
	RefundStatusRefused   RefundStatus = "refused"   // it can never be made, so it is not tried again
)

// External is money of an order that moved, or did not move, without the order: its payment at the
// provider is not what the order asked for. All amounts are minor units of the order's currency.
type External struct {
	Refunded   int64 `json:"refunded"`   // refunds that were made at the provider itself; pending ones count
	Disputed   int64 `json:"disputed"`   // disputes that are open or lost
	Uncaptured int64 `json:"uncaptured"` // what the provider captured less than the order's total
}

// Sum returns the part of the order's total that the shop does not have because of it.
func (e External) Sum() int64 { return e.Refunded + e.Disputed + e.Uncaptured }

// What the facts carry. Each JSON name is also the name of an attribute of the fact's row: a
// message is projected from the row's image (package relay), so a fact can only carry what its row
// holds.
type (
	// OrderContents is what an order wants to be reserved and paid.
	OrderContents struct {
		Order         string `json:"order"`
		Shop          Shop   `json:"shop"`
		Lines         []Line `json:"lines"`
		Total         int64  `json:"total"` // minor units
		Currency      string `json:"currency"`
		PaymentMethod string `json:"payment_method"`
	}
	// Payable is an order whose stock is reserved, and the amount to be paid for it.
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
	// Declined says why the provider refused to authorize a payment, or to capture it.
	Declined struct {
		Order  string `json:"order"`
		Shop   Shop   `json:"shop"`
		Reason string `json:"reason"`
	}
	// Refunds lists all refunds of an order. A fact of orders says which refunds the order wants; a
	// fact of charges says how they are.
	Refunds struct {
		Order   string   `json:"order"`
		Shop    Shop     `json:"shop"`
		Refunds []Refund `json:"refunds"`
	}
	// Refused lists all refunds of an order, some of which can never be made, and why: what else left
	// the payment, as of a version of the charge's row.
	Refused struct {
		Order    string   `json:"order"`
		Shop     Shop     `json:"shop"`
		Version  int      `json:"version"`
		Refunds  []Refund `json:"refunds"`
		External External `json:"external"`
	}
	// ExternalMoney says what moved without the order, as of a version of the charge's row.
	ExternalMoney struct {
		Order    string   `json:"order"`
		Shop     Shop     `json:"shop"`
		Version  int      `json:"version"`
		External External `json:"external"`
	}
	// ChargeVersion says at which version of the charge's row a fact was recorded. Of two facts
	// that contradict each other the one with the higher version is true, whichever arrives first.
	ChargeVersion struct {
		Order   string `json:"order"`
		Shop    Shop   `json:"shop"`
		Version int    `json:"version"`
	}
	// OrderRef only names the order.
	OrderRef struct {
		Order string `json:"order"`
		Shop  Shop   `json:"shop"`
	}
	// Overdue names an order that got no answer by its due time (milliseconds since 1970).
	Overdue struct {
		Order string `json:"order"`
		Shop  Shop   `json:"shop"`
		Due   int64  `json:"due"`
	}
)

// Amount returns the amount to be paid.
func (p Payable) Amount() money.Money { return money.Money{Amount: p.Total, Currency: p.Currency} }
