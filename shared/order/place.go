package order

import (
	"fmt"
	"slices"
	"time"

	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
	"backroom/shared/money/payable"
	"backroom/shared/saga"
)

// Limits of one order. A DynamoDB transaction takes at most 100 actions, and reserving stock takes
// one action per SKU and one more.
const (
	MaxSKUs     = 50
	MaxQuantity = 10_000 // of one SKU
)

// Why an order is refused.
var (
	ErrUnknownProduct = fault.New(fault.Invalid, "product-not-sold",
		"The shop does not sell a product of this order; errors says which. Leave it out, or correct its SKU.")
	ErrTooManySKUs = fault.New(fault.Invalid, "too-many-products",
		fmt.Sprintf("An order has at most %d different products. Split the order.", MaxSKUs))
	ErrTooMany = fault.New(fault.Invalid, "quantity-too-large",
		fmt.Sprintf("An order has at most %d units of a product. Split the order.", MaxQuantity))
	ErrPriceChanged = fault.New(fault.Conflict, "price-changed",
		"The total differs from expected_total; errors says what it is. Confirm the new total with the buyer.")
	ErrNoCurrency = fault.New(fault.Invalid, "currency-not-offered",
		"The order needs one currency in which all of its products are sold. Send it as currency.")
)

// Request is what a caller wants to order.
type Request struct {
	Lines         []RequestedLine
	Currency      string // empty: the only currency in which all products are sold
	Email         string
	PaymentMethod string
	ExpectedTotal *money.Money // nil: any total is accepted
}

// RequestedLine is one line of a request. Two lines may name the same SKU.
type RequestedLine struct {
	SKU      string
	Quantity int64
}

// SKUs returns every SKU of the request once, in the order of first mention.
func (r Request) SKUs() []string {
	var skus []string
	seen := map[string]bool{}
	for _, l := range r.Lines {
		if !seen[l.SKU] {
			seen[l.SKU] = true
			skus = append(skus, l.SKU)
		}
	}
	return skus
}

// Terms say how long an order waits.
type Terms struct {
	RetryDelay time.Duration // until it first asks again for what it awaits
	Window     time.Duration // the payment window: until it expires without an outcome
}

// Place returns the order that a request leads to at these prices, keyed by SKU. Lines of the same
// SKU become one. It returns ErrUnknownProduct for a SKU without a price, ErrNoCurrency,
// ErrTooManySKUs, ErrTooMany, money.ErrOutOfRange, ErrPriceChanged if the total differs from
// ExpectedTotal, or payable.ErrUnpayable for a total that the payment provider can never charge.
func Place(
	id string, by identity.Caller, r Request, prices map[string][]money.Money, fingerprint string, now time.Time,
	t Terms,
) (Order, []saga.Fact, error) {
	o := Order{
		ID: id, Shop: by.Shop, Owner: by.Subject, Email: r.Email, PaymentMethod: r.PaymentMethod,
		Fingerprint: fingerprint,
		PlacedAt:    now.Truncate(time.Millisecond), ExpiresAt: due(now, t.Window),
		Awaits: []Awaited{AwaitsOutcome}, Due: due(now, min(t.RetryDelay, t.Window)),
	}
	currency, err := currencyOf(r, prices)
	if err != nil {
		return Order{}, nil, err
	}
	index := map[string]int{} // of a SKU's line in o.Lines
	for i, line := range r.Lines {
		price := priceIn(currency, prices[line.SKU])
		n, again := index[line.SKU]
		if !again {
			n = len(o.Lines)
			index[line.SKU] = n
			o.Lines = append(o.Lines, saga.Line{SKU: line.SKU, Price: price.Amount})
		}
		o.Lines[n].Quantity += line.Quantity
		if o.Lines[n].Quantity > MaxQuantity {
			return Order{}, nil,
				ErrTooMany.At(fmt.Sprintf("/lines/%d/quantity", i),
					fmt.Sprintf("must be ≤ %d, together with other lines of this SKU", MaxQuantity))
		}
		cost, err := price.Times(line.Quantity)
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
	if r.ExpectedTotal != nil && *r.ExpectedTotal != o.Total {
		return Order{}, nil,
			ErrPriceChanged.At("/expected_total", "the order costs "+o.Total.Format()).Now("total", o.Total)
	}
	if broken := payable.Charge(o.Total); broken != nil {
		return Order{}, nil, payable.ErrUnpayable.At("/lines", "the total "+o.Total.Format()+" "+broken.Error())
	}
	return o, []saga.Fact{saga.OrderPlaced}, nil
}

// currencyOf returns the requested currency, or the only currency in which all products are sold.
// It returns ErrUnknownProduct or ErrNoCurrency.
func currencyOf(r Request, prices map[string][]money.Money) (string, error) {
	var common []string
	for i, l := range r.Lines {
		sold, ok := prices[l.SKU]
		if !ok {
			return "", ErrUnknownProduct.At(fmt.Sprintf("/lines/%d/sku", i), "is not sold by this shop")
		}
		var offered []string
		for _, p := range sold {
			if r.Currency == "" || p.Currency == r.Currency {
				offered = append(offered, p.Currency)
			}
		}
		if i == 0 {
			common = offered
		}
		common = slices.DeleteFunc(common, func(c string) bool { return !slices.Contains(offered, c) })
	}
	if len(common) != 1 {
		return "", ErrNoCurrency.At("/currency", "must be the currency of a price of every product")
	}
	return common[0], nil
}

// priceIn returns the price in a currency. The prices must have it.
func priceIn(currency string, prices []money.Money) money.Money {
	return prices[slices.IndexFunc(prices, func(p money.Money) bool { return p.Currency == currency })]
}
