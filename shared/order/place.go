package order

import (
	"fmt"
	"slices"
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
	ErrUnknownProduct = fault.New(fault.Invalid, "product-not-sold", "The shop does not sell a product of this order; errors says which. Leave it out, or correct its SKU.")
	ErrTooManySKUs    = fault.New(fault.Invalid, "too-many-products", fmt.Sprintf("An order has at most %d different products. Split the order.", MaxSKUs))
	ErrTooMany        = fault.New(fault.Invalid, "quantity-too-large", fmt.Sprintf("An order has at most %d units of a product. Split the order.", MaxQuantity))
	ErrPriceChanged   = fault.New(fault.Conflict, "price-changed", "The total differs from expected_total; errors says what it is. Confirm the new total with the buyer.")
	ErrNoCurrency     = fault.New(fault.Invalid, "currency-not-offered", "The order needs one currency in which all of its products are sold. Send it as currency.")
)

// Wish is what a caller asks for.
type Request struct {
	Lines         []RequestedLine
	Currency      string // empty: the only one in which all of it is sold
	Email         string
	PaymentMethod string
	ExpectedTotal *money.Money // nil: whatever it costs
}

// WishedLine is one line of a wish. Two lines may name the same SKU.
type RequestedLine struct {
	SKU      string
	Quantity int64
}

// SKUs returns every SKU of the wish once, in the order of first mention.
func (w Request) SKUs() []string {
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

// Terms are how long an order waits.
type Terms struct {
	RetryDelay time.Duration // until it first asks for what it is owed
	Window     time.Duration // until it expires without an outcome
}

// Place decides what order a wish makes at these prices. Lines of the same SKU become one. It returns ErrUnknownProduct for
// a SKU without a price, ErrNoCurrency, ErrTooManySKUs, ErrTooMany, money.ErrOutOfRange or ErrPriceChanged.
func Place(id string, by identity.Caller, w Request, prices map[string][]money.Money, fingerprint string, now time.Time, t Terms) (Order, []saga.Fact, error) {
	o := Order{
		ID: id, Shop: by.Shop, Owner: by.Subject, Email: w.Email, PaymentMethod: w.PaymentMethod, Fingerprint: fingerprint,
		PlacedAt: now.Truncate(time.Millisecond), ExpiresAt: due(now, t.Window),
		Awaits: []Awaited{AwaitsOutcome}, Due: due(now, min(t.RetryDelay, t.Window)),
	}
	currency, err := common(w, prices)
	if err != nil {
		return Order{}, nil, err
	}
	at := map[string]int{}
	for i, wished := range w.Lines {
		price := in(currency, prices[wished.SKU])
		n, again := at[wished.SKU]
		if !again {
			n = len(o.Lines)
			at[wished.SKU] = n
			o.Lines = append(o.Lines, saga.Line{SKU: wished.SKU, Price: price.Amount})
		}
		o.Lines[n].Quantity += wished.Quantity
		if o.Lines[n].Quantity > MaxQuantity {
			return Order{}, nil, ErrTooMany.At(fmt.Sprintf("/lines/%d/quantity", i), fmt.Sprintf("must be ≤ %d, together with other lines of this SKU", MaxQuantity))
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
		return Order{}, nil, ErrTooManySKUs.At("/lines", fmt.Sprintf("must have ≤ %d different SKUs", MaxSKUs))
	}
	if w.ExpectedTotal != nil && *w.ExpectedTotal != o.Total {
		return Order{}, nil, ErrPriceChanged.At("/expected_total", "the order costs "+o.Total.Format())
	}
	return o, []saga.Fact{saga.OrderPlaced}, nil
}

// common returns the currency of an order: the one that is wished for, or the only one in which everything is sold.
func common(w Request, prices map[string][]money.Money) (string, error) {
	var all []string
	for i, l := range w.Lines {
		sold, ok := prices[l.SKU]
		if !ok {
			return "", ErrUnknownProduct.At(fmt.Sprintf("/lines/%d/sku", i), "is not sold by this shop")
		}
		var here []string
		for _, p := range sold {
			if w.Currency == "" || p.Currency == w.Currency {
				here = append(here, p.Currency)
			}
		}
		if i == 0 {
			all = here
		}
		all = slices.DeleteFunc(all, func(c string) bool { return !slices.Contains(here, c) })
	}
	if len(all) != 1 {
		return "", ErrNoCurrency.At("/currency", "must be the currency of a price of every product")
	}
	return all[0], nil
}

// in returns the price in a currency that is known to be among them.
func in(currency string, prices []money.Money) money.Money {
	return prices[slices.IndexFunc(prices, func(p money.Money) bool { return p.Currency == currency })]
}
