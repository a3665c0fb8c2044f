package stock_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/saga"
	"backroom/shared/stock"
	"backroom/shared/stock/stocktest"
)

var wanted = saga.OrderContents{
	Order: "ord_1", Shop: "main", Total: 15400, Currency: "EUR", PaymentMethod: "pm_card_visa",
	Lines: []saga.Line{{SKU: "MUG", Quantity: 2, Price: 1250}, {SKU: "RUG", Quantity: 1, Price: 12900}},
}

func TestWhatAHoldIs(t *testing.T) {
	hold, fact := stock.Reserve(wanted)
	assert.Equal(t, saga.StockReserved, fact)
	assert.Equal(t, stock.Reservation{
		Order: "ord_1", Shop: "main", Desired: stock.DesiredReserve, Observed: stock.Reserved, PaymentMethod: "pm_card_visa", Total: money.Money{Amount: 15400, Currency: "EUR"},
		Lines: []stock.Line{{SKU: "MUG", Quantity: 2}, {SKU: "RUG", Quantity: 1}},
	}, hold, "all that the payment needs is carried along")
	assert.Equal(t, saga.StockReserved, stock.Reply(hold), "who asks again is told the same")

	none, fact := stock.Refuse(hold, []string{"RUG"})
	assert.Equal(t, saga.StockShort, fact)
	assert.Equal(t, []any{stock.Nothing, []string{"RUG"}, ""}, []any{none.Observed, none.Short, none.PaymentMethod}, "where nothing is to be paid, nothing pays")
	assert.Equal(t, saga.StockShort, stock.Reply(none), "who asks again is told the same")
}

func TestHowAHoldEnds(t *testing.T) {
	hold, _ := stock.Reserve(wanted)
	sold, fact, err := stock.Sell(hold)
	require.NoError(t, err)
	assert.Equal(t, saga.StockSold, fact)
	assert.Equal(t, []any{stock.DesiredSell, stock.Sold, ""}, []any{sold.Desired, sold.Observed, sold.PaymentMethod}, "where all is sold, nothing is to be paid any more")
	assert.Equal(t, hold.Lines, sold.Lines)
	assert.Equal(t, saga.StockSold, stock.Reply(sold), "who asks again is told, if anybody wants to know")

	none, _ := stock.Refuse(hold, []string{"RUG"})
	for sentence, given := range map[string]stock.Reservation{"reserved": hold, "sold": sold, "refused": none, "never made": {Order: "ord_1", Shop: "main", Observed: stock.Nothing}} {
		released, fact := stock.Release(given)
		assert.Equal(t, saga.StockReleased, fact, sentence)
		assert.Equal(t, []any{stock.DesiredRelease, stock.Nothing, ""}, []any{released.Desired, released.Observed, released.PaymentMethod}, sentence)
		assert.Equal(t, saga.StockReleased, stock.Reply(released), sentence)
		again, _ := stock.Release(released)
		assert.Equal(t, released, again, "giving up twice changes nothing")

		still, fact, err := stock.Sell(released)
		assert.Equal(t, []any{released, saga.Fact(""), nil}, []any{still, fact, err}, "what was given up is not sold")
	}

	again, fact, err := stock.Sell(sold)
	assert.Equal(t, []any{sold, saga.Fact(""), nil}, []any{again, fact, err}, "selling twice changes nothing")
	_, _, err = stock.Sell(none)
	assert.ErrorIs(t, err, stock.ErrNothingReserved)
}

// shelf keeps holds, and counts the units of every SKU by what the holds have.
type shelf struct {
	levels map[string]*stock.Level
	holds  map[string]stock.Reservation
	facts  []saga.Fact
	fails  error  // of every write
	others func() // what others do just before a write
}

// stocked returns a shelf with so many mugs and rugs.
func stocked(mugs, rugs int64) *shelf {
	return &shelf{levels: map[string]*stock.Level{"MUG": {Sellable: mugs}, "RUG": {Sellable: rugs}}, holds: map[string]stock.Reservation{}}
}

// counter returns where a level counts the units of a hold.
func (s *shelf) counter(sku string, has stock.Observed) *int64 {
	if has.Promised() {
		return &s.levels[sku].Promised
	}
	return &s.levels[sku].Sellable
}

func (s *shelf) Create(_ context.Context, r stock.Reservation, cause saga.Cause, f saga.Fact) error {
	return s.write(r, stock.Nothing, cause, f)
}

func (s *shelf) Load(_ context.Context, _ saga.Shop, order string) (stock.Reservation, error) {
	r, ok := s.holds[order]
	if !ok {
		return r, fault.NotFound
	}
	return r, nil
}

func (s *shelf) Save(_ context.Context, r stock.Reservation, had stock.Observed, cause saga.Cause, f saga.Fact) error {
	err := s.write(r, had, cause, f)
	if _, short := errors.AsType[*stock.ErrShort](err); short {
		return stock.ErrInconsistent
	}
	if errors.Is(err, fault.Duplicate) {
		return fault.Conflict
	}
	return err
}

func (s *shelf) write(r stock.Reservation, had stock.Observed, cause saga.Cause, f saga.Fact) error {
	if s.others != nil {
		s.others()
	}
	stands, there := s.holds[r.Order]
	switch {
	case s.fails != nil:
		return s.fails
	case there && r.History.Version == 0:
		return fault.Duplicate
	case stands.History.Version != r.History.Version:
		return fault.Conflict
	}
	short := &stock.ErrShort{}
	for _, l := range r.Lines {
		if r.Observed.Promised() != had.Promised() && *s.counter(l.SKU, had) < l.Quantity {
			short.SKUs = append(short.SKUs, l.SKU)
		}
	}
	if short.SKUs != nil {
		return short
	}
	for _, l := range r.Lines {
		*s.counter(l.SKU, had) -= l.Quantity
		*s.counter(l.SKU, r.Observed) += l.Quantity
	}
	r.History.Version++
	r.History.Entries = append(slices.Clone(r.History.Entries), saga.Entry{Version: r.History.Version, Fact: f, Cause: cause})
	s.holds[r.Order], s.facts = r, append(s.facts, f)
	return nil
}

// ask is a fact of the order on its way.
type ask struct {
	id   string
	fact saga.Fact
}

func TestReserving(t *testing.T) {
	for sentence, c := range map[string]struct {
		rugs  int64
		fails error
		asks  []ask
		facts []saga.Fact
		has   stock.Observed
	}{
		"an order's stock is set aside":                   {1, nil, []ask{{"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockReserved}, stock.Reserved},
		"an order that is short gets nothing":             {0, nil, []ask{{"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockShort}, stock.Nothing},
		"the same message again is answered once":         {1, nil, []ask{{"e1", saga.OrderPlaced}, {"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockReserved}, stock.Reserved},
		"asked again, it answers again":                   {1, nil, []ask{{"e1", saga.OrderPlaced}, {"e2", saga.ReserveDue}, {"e2", saga.ReserveDue}, {"e3", saga.ReserveDue}}, []saga.Fact{saga.StockReserved, saga.StockReserved, saga.StockReserved}, stock.Reserved},
		"asked again, a refusal stays one":                {0, nil, []ask{{"e1", saga.OrderPlaced}, {"e2", saga.ReserveDue}}, []saga.Fact{saga.StockShort, saga.StockShort}, stock.Nothing},
		"an order whose first message was lost is served": {1, nil, []ask{{"e2", saga.ReserveDue}}, []saga.Fact{saga.StockReserved}, stock.Reserved},
		"a late first message finds what the ask did":     {1, nil, []ask{{"e2", saga.ReserveDue}, {"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockReserved, saga.StockReserved}, stock.Reserved},
		"a shelf that is away is tried later":             {1, fault.Unavailable, []ask{{"e1", saga.OrderPlaced}}, nil, ""},
		"who gave up before gets nothing, and is told so": {1, nil, []ask{{"e2", saga.OrderRejected}, {"e1", saga.OrderPlaced}, {"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockReleased, saga.StockReleased}, stock.Nothing},
		"who gave up gets nothing any more":               {1, nil, []ask{{"e1", saga.OrderPlaced}, {"e2", saga.OrderRejected}, {"e3", saga.ReserveDue}}, []saga.Fact{saga.StockReserved, saga.StockReleased, saga.StockReleased}, stock.Nothing},
		"what is sold is not set aside again":             {1, nil, []ask{{"e1", saga.OrderPlaced}, {"e2", saga.OrderConfirmed}, {"e3", saga.ReserveDue}}, []saga.Fact{saga.StockReserved, saga.StockSold, saga.StockSold}, stock.Sold},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := stocked(2, c.rugs)
			s.fails = c.fails
			for _, a := range c.asks {
				assert.ErrorIs(t, stocktest.Deliver(t.Context(), s, a.id, a.fact, wanted), c.fails)
			}
			assert.Equal(t, c.facts, s.facts)
			assert.Equal(t, c.has, s.holds["ord_1"].Observed)
		})
	}
}

func TestSelling(t *testing.T) {
	for sentence, c := range map[string]struct {
		rugs  int64
		given []saga.Fact
		err   error
		facts []saga.Fact
		want  stock.Desired
		has   stock.Observed
	}{
		"what is held is sold":                 {1, []saga.Fact{saga.OrderPlaced}, nil, []saga.Fact{saga.StockReserved, saga.StockSold}, stock.DesiredSell, stock.Sold},
		"what was given up stays so":           {1, []saga.Fact{saga.OrderPlaced, saga.OrderCanceling}, nil, []saga.Fact{saga.StockReserved, saga.StockReleased}, stock.DesiredRelease, stock.Nothing},
		"what was never wanted stays so":       {1, []saga.Fact{saga.OrderCanceling}, nil, []saga.Fact{saga.StockReleased}, stock.DesiredRelease, stock.Nothing},
		"what is not there cannot be sold":     {1, nil, fault.NotFound, nil, "", ""},
		"what could not be had cannot be sold": {0, []saga.Fact{saga.OrderPlaced}, stock.ErrNothingReserved, []saga.Fact{saga.StockShort}, stock.DesiredReserve, stock.Nothing},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := stocked(2, c.rugs)
			for _, fact := range c.given {
				require.NoError(t, stocktest.Deliver(t.Context(), s, string(fact), fact, wanted))
			}
			for _, id := range []string{"c1", "c1", "c2"} { // the same message again, and another: neither changes anything
				err := stocktest.Deliver(t.Context(), s, id, saga.OrderConfirmed, wanted)
				require.ErrorIs(t, err, c.err)
				if c.err != nil {
					assert.True(t, fault.KindOf(err).Permanent(), "a bug: the dead-letter queue's business")
				}
			}
			assert.Equal(t, c.facts, s.facts)
			assert.Equal(t, []any{c.want, c.has}, []any{s.holds["ord_1"].Desired, s.holds["ord_1"].Observed})
		})
	}
}

func TestGivingBack(t *testing.T) {
	verdicts := []saga.Fact{saga.OrderRejected, saga.OrderExpired, saga.OrderCanceling, saga.ReleaseDue}
	for sentence, given := range map[string][]saga.Fact{
		"what is held comes back":                   {saga.OrderPlaced},
		"what is sold comes back":                   {saga.OrderPlaced, saga.OrderConfirmed},
		"what was never set aside never will be":    {},
		"what already came back comes back no more": {saga.OrderPlaced, saga.OrderRejected},
	} {
		for _, verdict := range verdicts {
			t.Run(sentence+" after "+string(verdict), func(t *testing.T) {
				t.Parallel()
				s := stocked(2, 1)
				for _, fact := range given {
					require.NoError(t, stocktest.Deliver(t.Context(), s, "given "+string(fact), fact, wanted))
				}
				before := len(s.facts)
				for _, id := range []string{"r1", "r1", "r2", "r1"} { // the same message again is no new ask
					require.NoError(t, stocktest.Deliver(t.Context(), s, id, verdict, wanted))
				}
				assert.Equal(t, []saga.Fact{saga.StockReleased, saga.StockReleased}, s.facts[before:], "asked again, it answers again")
				assert.Equal(t, map[string]*stock.Level{"MUG": {Sellable: 2}, "RUG": {Sellable: 1}}, s.levels)
			})
		}
	}
}

func TestWhoLosesARaceDecidesAnew(t *testing.T) {
	for sentence, c := range map[string]struct {
		given, fact, other saga.Fact
		want               stock.Desired
		has                stock.Observed
	}{
		"given up while it is set aside": {"", saga.OrderPlaced, saga.OrderRejected, stock.DesiredRelease, stock.Nothing},
		"set aside while it is given up": {"", saga.OrderRejected, saga.OrderPlaced, stock.DesiredRelease, stock.Nothing},
		"given up while it is sold":      {saga.OrderPlaced, saga.OrderConfirmed, saga.OrderCanceling, stock.DesiredRelease, stock.Nothing},
		"sold while it is given up":      {saga.OrderPlaced, saga.OrderCanceling, saga.OrderConfirmed, stock.DesiredRelease, stock.Nothing},
		"sold while it is asked for":     {saga.OrderPlaced, saga.ReserveDue, saga.OrderConfirmed, stock.DesiredSell, stock.Sold},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := stocked(2, 1)
			if c.given != "" {
				require.NoError(t, stocktest.Deliver(t.Context(), s, "given", c.given, wanted))
			}
			s.others = func() {
				s.others = nil
				require.NoError(t, stocktest.Deliver(t.Context(), s, "other", c.other, wanted))
			}
			require.NoError(t, stocktest.Deliver(t.Context(), s, "first", c.fact, wanted))
			hold := s.holds["ord_1"]
			assert.Equal(t, []any{c.want, c.has}, []any{hold.Desired, hold.Observed})
			assert.EqualValues(t, 2, *s.counter("MUG", c.has))
		})
	}
}

func TestWhoNeverGetsThroughComesAgain(t *testing.T) {
	for _, failure := range []fault.Kind{fault.Conflict, fault.Throttled, fault.Unavailable} {
		for _, fact := range []saga.Fact{saga.ReserveDue, saga.ReleaseDue, saga.OrderConfirmed} {
			t.Run(string(fact)+" "+string(failure), func(t *testing.T) {
				t.Parallel()
				s := stocked(2, 1)
				require.NoError(t, stocktest.Deliver(t.Context(), s, "given", saga.OrderPlaced, wanted))
				s.fails = failure
				err := stocktest.Deliver(t.Context(), s, "e1", fact, wanted)
				require.ErrorIs(t, err, failure)
				assert.Equal(t, failure, fault.KindOf(err))
				assert.Len(t, s.facts, 1)
			})
		}
	}
}

func TestLevelsThatCountTooFewAreABug(t *testing.T) {
	s := stocked(2, 1)
	require.NoError(t, stocktest.Deliver(t.Context(), s, "e1", saga.OrderPlaced, wanted))
	s.levels["RUG"].Promised = 0
	require.ErrorIs(t, stocktest.Deliver(t.Context(), s, "e2", saga.OrderRejected, wanted), stock.ErrInconsistent)
	assert.Equal(t, stock.Reserved, s.holds["ord_1"].Observed)

	require.NoError(t, stocktest.Deliver(t.Context(), s, "e3", saga.OrderConfirmed, wanted), "a sale asks no level")
	require.ErrorIs(t, stocktest.Deliver(t.Context(), s, "e4", saga.OrderCanceling, wanted), stock.ErrInconsistent)
	assert.Equal(t, stock.Sold, s.holds["ord_1"].Observed)
}

func TestWhatCannotBeReadChangesNothing(t *testing.T) {
	for step, c := range map[saga.Step]struct {
		fact saga.Fact
		data string
	}{
		saga.ReserveStock: {saga.OrderPlaced, `{"order":"ord_1","shop":"main"}`},
		saga.CommitStock:  {saga.OrderConfirmed, `{"order":"ord_2","shop":"main"}`},
		saga.ReleaseStock: {saga.OrderRejected, `{"order":"ord_1"}`},
	} {
		s := stocked(2, 1)
		handle := map[saga.Step]func(context.Context, saga.Event) error{
			saga.ReserveStock: stock.ReserveStep{Store: s}.Handle, saga.CommitStock: stock.CommitStep{Store: s}.Handle, saga.ReleaseStock: stock.ReleaseStep{Store: s}.Handle,
		}[step]
		e, err := saga.Decode(step, `{"specversion":"1.0","id":"e1","type":"`+string(c.fact)+`","subject":"ord_1","shop":"main","data":`+c.data+`}`)
		require.NoError(t, err)
		assert.ErrorIs(t, handle(t.Context(), e), fault.Malformed)
		assert.Empty(t, s.holds)
	}
}
