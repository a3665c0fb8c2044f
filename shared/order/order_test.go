package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/identity"
	"backroom/shared/money"
	"backroom/shared/order"
	"backroom/shared/saga"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

const patience = 2 * time.Minute

// given returns an order in a state, as it came to it: one with a verdict is owed nothing.
func given(s order.Status) order.Order {
	o := order.Order{ID: "ord_1", Shop: "main", Status: s, PlacedAt: noon}
	switch s {
	case order.Placed:
		o.Due = noon.Add(patience)
	case order.Rejected:
		o.Reason = "the first reason"
	case order.NeedsAttention:
		o.Due, o.Reason, o.Asks = noon.Add(24*time.Hour), order.NoAnswer, order.MaxAsks
	}
	return o
}

func TestVerdicts(t *testing.T) {
	confirm := order.Confirm
	short := func(o order.Order) (order.Order, []saga.Fact) { return order.Reject(o, order.OutOfStock) }
	declined := func(o order.Order) (order.Order, []saga.Fact) { return order.Reject(o, "card-declined") }
	for sentence, c := range map[string]struct {
		given  order.Status
		decide func(order.Order) (order.Order, []saga.Fact)
		status order.Status
		reason string
		facts  []saga.Fact
	}{
		"a placed order whose payment is authorized is confirmed":            {order.Placed, confirm, order.Confirmed, "", []saga.Fact{saga.OrderConfirmed}},
		"a placed order without stock is rejected":                           {order.Placed, short, order.Rejected, order.OutOfStock, []saga.Fact{saga.OrderRejected}},
		"a placed order whose payment is declined is rejected":               {order.Placed, declined, order.Rejected, "card-declined", []saga.Fact{saga.OrderRejected}},
		"a confirmed order stays confirmed":                                  {order.Confirmed, confirm, order.Confirmed, "", nil},
		"a confirmed order is not rejected any more":                         {order.Confirmed, declined, order.Confirmed, "", nil},
		"a rejected order is not confirmed any more":                         {order.Rejected, confirm, order.Rejected, "the first reason", nil},
		"a rejected order keeps its first reason":                            {order.Rejected, short, order.Rejected, "the first reason", nil},
		"an order that needs attention takes an answer that comes after all": {order.NeedsAttention, confirm, order.Confirmed, "", []saga.Fact{saga.OrderConfirmed}},
		"an order that needs attention takes a late refusal":                 {order.NeedsAttention, short, order.Rejected, order.OutOfStock, []saga.Fact{saga.OrderRejected}},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			o, facts := c.decide(given(c.given))
			assert.Equal(t, c.facts, facts)
			assert.Equal(t, [2]string{string(c.status), c.reason}, [2]string{string(o.Status), o.Reason})
			assert.Equal(t, o.Owed(), !o.Due.IsZero(), "an order is due exactly while it is owed something")
			again, more := c.decide(o)
			assert.Empty(t, more, "a verdict is given once")
			assert.Equal(t, o, again)
		})
	}
}

func TestAnOverdueOrder(t *testing.T) {
	late := noon.Add(time.Hour)
	ask := []saga.Fact{saga.ReserveDue, saga.PaymentCheckDue}
	asked := func(times int) order.Order {
		o := given(order.Placed)
		o.Asks = times
		return o
	}
	for sentence, c := range map[string]struct {
		given order.Order
		due   time.Time
		facts []saga.Fact
		next  time.Duration // from the decision until it is due again; 0: it is as it was
	}{
		"asks for what its verdict needs":              {asked(0), noon.Add(patience), ask, 4 * time.Minute},
		"waits twice as long after the second ask":     {asked(1), noon.Add(patience), ask, 8 * time.Minute},
		"waits twice as long after the third ask":      {asked(2), noon.Add(patience), ask, 16 * time.Minute},
		"never waits longer than an hour":              {asked(10), noon.Add(patience), ask, time.Hour},
		"asks for the last time":                       {asked(order.MaxAsks - 1), noon.Add(patience), ask, time.Hour},
		"that waits for something else by now is left": {asked(0), noon.Add(patience - time.Millisecond), nil, 0},
		"that is confirmed is left":                    {given(order.Confirmed), time.Time{}, nil, 0},
		"that is rejected is left":                     {given(order.Rejected), time.Time{}, nil, 0},
		"that needs attention is left":                 {given(order.NeedsAttention), noon.Add(24 * time.Hour), nil, 0},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			o, facts := order.Overdue(c.given, c.due, late, patience)
			assert.Equal(t, c.facts, facts)
			if c.next == 0 {
				assert.Equal(t, c.given, o)
				return
			}
			assert.Equal(t, late.Add(c.next), o.Due)
			assert.Equal(t, c.given.Asks+1, o.Asks)
			assert.Equal(t, order.Placed, o.Status)
			again, more := order.Overdue(o, c.due, late, patience)
			assert.Empty(t, more, "the same wake-up call is heeded once")
			assert.Equal(t, o, again)
		})
	}
}

func TestAPatientShopIsNotLate(t *testing.T) {
	for _, patience := range []time.Duration{time.Hour, 24 * time.Hour, 1000 * time.Hour} {
		o := given(order.Placed)
		for range order.MaxAsks {
			now := o.Due
			o, _ = order.Overdue(o, now, now, patience)
			assert.Equal(t, now.Add(time.Hour), o.Due, patience)
		}
	}
}

func TestAnOrderThatNobodyAnswersNeedsAttention(t *testing.T) {
	o := given(order.Placed)
	for range order.MaxAsks {
		var facts []saga.Fact
		o, facts = order.Overdue(o, o.Due, o.Due, patience)
		require.Len(t, facts, 2)
	}
	now := o.Due.Add(123456 * time.Nanosecond)
	o, facts := order.Overdue(o, o.Due, now, patience)
	assert.Equal(t, []saga.Fact{saga.OrderStranded}, facts)
	assert.Equal(t, [2]string{"needs_attention", order.NoAnswer}, [2]string{string(o.Status), o.Reason})
	assert.Equal(t, now.Truncate(time.Millisecond), o.Due, "a list shows who waits longest first")
	_, facts = order.Overdue(o, o.Due, now, patience)
	assert.Empty(t, facts, "nobody is asked any more")
}

var anna = identity.Caller{Shop: "main", Subject: "anna"}

func euro(cents int64) money.Money { return money.Money{Amount: cents, Currency: "EUR"} }

func TestPlacing(t *testing.T) {
	prices := map[string]money.Money{"MUG": euro(1250), "RUG": euro(12900), "FREE": euro(0), "DEAR": euro(money.Max), "SUSHI": {Amount: 900, Currency: "JPY"}}
	line := func(sku string, n int64) order.WishedLine { return order.WishedLine{SKU: sku, Quantity: n} }
	expect := func(m money.Money) *money.Money { return &m }
	var many []order.WishedLine
	for i := range order.MaxSKUs + 1 {
		sku := "SKU-" + string(rune('A'+i))
		prices[sku] = euro(1)
		many = append(many, line(sku, 1))
	}
	for sentence, c := range map[string]struct {
		lines    []order.WishedLine
		expected *money.Money
		placed   []saga.Line
		total    money.Money
		err      error
		pointer  string
	}{
		"an order costs what its lines cost": {
			lines: []order.WishedLine{line("MUG", 2), line("RUG", 1)}, total: euro(15400),
			placed: []saga.Line{{SKU: "MUG", Quantity: 2, Price: 1250}, {SKU: "RUG", Quantity: 1, Price: 12900}},
		},
		"lines of one product become one, where the first stood": {
			lines: []order.WishedLine{line("MUG", 2), line("RUG", 1), line("MUG", 3)}, total: euro(19150),
			placed: []saga.Line{{SKU: "MUG", Quantity: 5, Price: 1250}, {SKU: "RUG", Quantity: 1, Price: 12900}},
		},
		"an order may be free":                         {lines: []order.WishedLine{line("FREE", 3)}, total: euro(0), placed: []saga.Line{{SKU: "FREE", Quantity: 3}}},
		"the expected total is the total":              {lines: []order.WishedLine{line("MUG", 1)}, expected: expect(euro(1250)), total: euro(1250), placed: []saga.Line{{SKU: "MUG", Quantity: 1, Price: 1250}}},
		"another total than the expected one":          {lines: []order.WishedLine{line("MUG", 1)}, expected: expect(euro(1249)), err: order.ErrPriceChanged},
		"the expected total in another currency":       {lines: []order.WishedLine{line("MUG", 1)}, expected: expect(money.Money{Amount: 1250, Currency: "USD"}), err: order.ErrPriceChanged},
		"a product that the shop does not sell":        {lines: []order.WishedLine{line("MUG", 1), line("UNICORN", 1)}, err: order.ErrUnknownProduct, pointer: "/lines/1/sku"},
		"as many products as one order holds":          {lines: many[:order.MaxSKUs], total: euro(order.MaxSKUs)},
		"one product more":                             {lines: many, err: order.ErrTooManySKUs, pointer: "/lines"},
		"as many units as one order holds":             {lines: []order.WishedLine{line("FREE", order.MaxQuantity)}, total: euro(0), placed: []saga.Line{{SKU: "FREE", Quantity: order.MaxQuantity}}},
		"one unit more, spread over two lines":         {lines: []order.WishedLine{line("MUG", order.MaxQuantity), line("MUG", 1)}, err: order.ErrTooMany, pointer: "/lines/1/quantity"},
		"products of two currencies":                   {lines: []order.WishedLine{line("MUG", 1), line("SUSHI", 1)}, err: money.ErrMixed},
		"a line that costs more than can be asked for": {lines: []order.WishedLine{line("DEAR", 2)}, err: money.ErrOutOfRange},
		"a sum that is more than can be asked for":     {lines: []order.WishedLine{line("DEAR", 1), line("MUG", 1)}, err: money.ErrOutOfRange},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			wish := order.Wish{Lines: c.lines, PaymentMethod: "pm_card_visa", ExpectedTotal: c.expected}
			o, facts, err := order.Place("ord_1", anna, wish, prices, "fingerprint", noon.Add(999), patience)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
				assert.Empty(t, facts)
				var f *fault.Fault
				if require.ErrorAs(t, err, &f); c.pointer != "" {
					assert.Equal(t, c.pointer, f.Problems[0].Pointer)
				}
				return
			}
			require.NoError(t, err)
			assert.Equal(t, []saga.Fact{saga.OrderPlaced}, facts)
			if c.placed != nil {
				assert.Equal(t, c.placed, o.Lines)
			}
			assert.Equal(t, c.total, o.Total)
			assert.Equal(t, []any{"ord_1", "main", "anna", order.Placed, "pm_card_visa", "fingerprint"}, []any{o.ID, o.Shop, o.Owner, o.Status, o.PaymentMethod, o.Fingerprint})
			assert.Equal(t, []time.Time{noon, noon.Add(patience)}, []time.Time{o.PlacedAt, o.Due}, "to the millisecond, as it is stored")
		})
	}
}

func TestEverySKUIsAskedForOnce(t *testing.T) {
	w := order.Wish{Lines: []order.WishedLine{{SKU: "B"}, {SKU: "A"}, {SKU: "B"}}}
	assert.Equal(t, []string{"B", "A"}, w.SKUs())
}
