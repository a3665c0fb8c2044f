package order

import (
	"fmt"
	"time"

	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
	"backroom/shared/saga"
)

// What one order may hold. A transaction takes 100 actions, and an order's reservation is one of them per SKU and one more.
const (
	MaxSKUs     = 50
	MaxQuantity = 10_000 // of one SKU
)

// Why an order is not accepted.
var (
	ErrUnknownProduct = fault.New(fault.Invalid, "product-not-sold", "The shop does not sell one of the products.")
	ErrTooManySKUs    = fault.New(fault.Invalid, "too-many-products", fmt.Sprintf("One order holds at most %d different products.", MaxSKUs))
	ErrTooMany        = fault.New(fault.Invalid, "quantity-too-large", fmt.Sprintf("One order holds at most %d units of a product.", MaxQuantity))
	ErrPriceChanged   = fault.New(fault.Conflict, "price-changed", "The total is not the expected one. Read the products again.")
)

// Wish is what a caller asks for.
type Wish struct {
	Lines         []WishedLine
	PaymentMethod string
	ExpectedTotal *money.Money // nil: whatever it costs
}

// WishedLine is one line of a wish. Two lines may name the same SKU.
type WishedLine struct {
	SKU      string
	Quantity int64
}

// SKUs returns every SKU of the wish once, in the order of first mention.
func (w Wish) SKUs() []string {
	var skus []string
	seen := map[string]bool{}
	for _, l := range w.Lines {
		if !seen[l.SKU] {
			seen[l.SKU] = true
			skus = append(skus, l.SKU)
		}
	}
	return skus
}

// Place decides what order a wish makes at these prices. Lines of the same SKU become one. It returns ErrUnknownProduct for
// a SKU without a price, ErrTooManySKUs, ErrTooMany, money.ErrMixed, money.ErrOutOfRange or ErrPriceChanged.
func Place(id string, by identity.Caller, w Wish, prices map[string]money.Money, fingerprint string, now time.Time, patience time.Duration) (Order, []saga.Fact, error) {
	o := Order{
		ID: id, Shop: by.Shop, Owner: by.Subject, Status: Placed, PaymentMethod: w.PaymentMethod, Fingerprint: fingerprint,
		PlacedAt: now.Truncate(time.Millisecond),
		Due:      now.Add(patience).Truncate(time.Millisecond),
	}
	at := map[string]int{}
	for i, wished := range w.Lines {
		price, sold := prices[wished.SKU]
		if !sold {
			return Order{}, nil, ErrUnknownProduct.At(fmt.Sprintf("/lines/%d/sku", i), "is not sold by this shop")
		}
		n, again := at[wished.SKU]
		if !again {
			n = len(o.Lines)
			at[wished.SKU] = n
			o.Lines = append(o.Lines, saga.Line{SKU: wished.SKU, Price: price.Amount})
		}
		o.Lines[n].Quantity += wished.Quantity
		if o.Lines[n].Quantity > MaxQuantity {
			return Order{}, nil, ErrTooMany.At(fmt.Sprintf("/lines/%d/quantity", i), "adds up to too many units")
		}
		cost, err := price.Times(wished.Quantity)
		if err != nil {
			return Order{}, nil, err
		}
		if o.Total, err = o.Total.Plus(cost); err != nil {
			return Order{}, nil, err
		}
	}
	if len(o.Lines) > MaxSKUs {
		return Order{}, nil, ErrTooManySKUs.At("/lines", "names too many different products")
	}
	if w.ExpectedTotal != nil && *w.ExpectedTotal != o.Total {
		return Order{}, nil, ErrPriceChanged
	}
	return o, []saga.Fact{saga.OrderPlaced}, nil
}
