// Package saga is the language in which the domains speak of an order's story: the facts, what each carries, and who
// hears it (routes.go). Domains never import each other; they meet here.
package saga

import "backroom/shared/money"

// Fact is the name of something that happened. It is past tense, and it is written into the log of the row it happened to.
type Fact string

// The facts of an order's story.
const (
	OrderPlaced    Fact = "OrderPlaced"    // an order was accepted
	OrderOverdue   Fact = "OrderOverdue"   // an order is still owed something and its patience is over
	OrderConfirmed Fact = "OrderConfirmed" // verdict: stock is set aside and payment is authorized
	OrderRejected  Fact = "OrderRejected"  // verdict: no stock, or no money
	OrderStranded  Fact = "OrderStranded"  // nobody answered for too long: a person must look

	ReserveDue      Fact = "ReserveDue"      // the order asks again for its stock
	PaymentCheckDue Fact = "PaymentCheckDue" // the order asks again for its payment

	StockReserved Fact = "StockReserved" // all lines were set aside
	StockShort    Fact = "StockShort"    // at least one line could not be set aside, so none was

	PaymentIntended   Fact = "PaymentIntended"   // the provider knows of the payment; no money moved
	PaymentAuthorized Fact = "PaymentAuthorized" // the amount is held on the customer's card
	PaymentDeclined   Fact = "PaymentDeclined"   // the provider refused it for good
	PaymentUncertain  Fact = "PaymentUncertain"  // the provider has not decided yet
)

// Line is one product of an order. No two lines of an order have the same SKU.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Price    int64  `json:"price"` // of one unit, in minor units of the order's currency
}

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
	// Declined says why the provider refused.
	Declined struct {
		Order  string `json:"order"`
		Shop   string `json:"shop"`
		Reason string `json:"reason"`
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
