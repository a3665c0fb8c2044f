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

var contents = saga.OrderContents{
	Order: "ord_1", Shop: "main", Total: 15400, Currency: "EUR", PaymentMethod: "pm_card_visa",
	Lines: []saga.Line{{SKU: "MUG", Quantity: 2, Price: 1250}, {SKU: "RUG", Quantity: 1, Price: 12900}},
}

func TestReserve_AllOrRefuse(t *testing.T) {
	reserved, fact := stock.Reserve(contents)
	assert.Equal(t, saga.StockReserved, fact)
	assert.Equal(t, stock.Reservation{
		Order: "ord_1", Shop: "main", Desired: stock.DesiredReserve, Observed: stock.Reserved,
		PaymentMethod: "pm_card_visa", Total: money.Money{Amount: 15400, Currency: "EUR"},
		Lines: []stock.Line{{SKU: "MUG", Quantity: 2}, {SKU: "RUG", Quantity: 1}},
	}, reserved, "it carries all that the payment needs")
	assert.Equal(t, saga.StockReserved, stock.Reply(reserved), "a retry gets the same reply")

	refused, fact := stock.Refuse(reserved, []string{"RUG"})
	assert.Equal(t, saga.StockShort, fact)
	assert.Equal(
		t, []any{stock.Nothing, []string{"RUG"}, ""}, []any{refused.Observed, refused.Short, refused.PaymentMethod},
		"a refused reservation keeps no payment method",
	)
	assert.Equal(t, saga.StockShort, stock.Reply(refused), "a retry gets the same reply")
}

func TestReservation_IsSoldOrReleased(t *testing.T) {
	reserved, _ := stock.Reserve(contents)
	sold, fact, err := stock.Sell(reserved)
	require.NoError(t, err)
	assert.Equal(t, saga.StockSold, fact)
	assert.Equal(
		t, []any{stock.DesiredSell, stock.Sold, ""}, []any{sold.Desired, sold.Observed, sold.PaymentMethod},
		"a sold reservation keeps no payment method",
	)
	assert.Equal(t, reserved.Lines, sold.Lines)
	assert.Equal(t, saga.StockSold, stock.Reply(sold), "a retry gets the same reply")

	refused, _ := stock.Refuse(reserved, []string{"RUG"})
	for sentence, given := range map[string]stock.Reservation{
		"reserved": reserved, "sold": sold, "refused": refused,
		"never created": {Order: "ord_1", Shop: "main", Observed: stock.Nothing},
	} {
		released, fact := stock.Release(given)
		assert.Equal(t, saga.StockReleased, fact, sentence)
		assert.Equal(
			t, []any{stock.DesiredRelease, stock.Nothing, ""},
			[]any{released.Desired, released.Observed, released.PaymentMethod}, sentence,
		)
		assert.Equal(t, saga.StockReleased, stock.Reply(released), sentence)
		again, _ := stock.Release(released)
		assert.Equal(t, released, again, "releasing twice changes nothing")

		still, fact, err := stock.Sell(released)
		assert.Equal(t, []any{released, saga.Fact(""), nil}, []any{still, fact, err}, "released units are not sold")
	}

	again, fact, err := stock.Sell(sold)
	assert.Equal(t, []any{sold, saga.Fact(""), nil}, []any{again, fact, err}, "selling twice changes nothing")
	_, _, err = stock.Sell(refused)
	assert.ErrorIs(t, err, stock.ErrNothingReserved)
}

// store keeps reservations, and counts the units of every SKU by the states of the reservations.
type store struct {
	levels       map[string]*stock.Level
	reservations map[string]stock.Reservation
	facts        []saga.Fact
	fails        error  // of every write
	others       func() // what other writers do just before a write
}

// stocked returns a store with so many mugs and rugs.
func stocked(mugs, rugs int64) *store {
	return &store{
		levels:       map[string]*stock.Level{"MUG": {Sellable: mugs}, "RUG": {Sellable: rugs}},
		reservations: map[string]stock.Reservation{},
	}
}

// counter returns the count that has the units of a reservation in a state.
func (s *store) counter(sku string, o stock.Observed) *int64 {
	if o.Promised() {
		return &s.levels[sku].Promised
	}
	return &s.levels[sku].Sellable
}

func (s *store) Create(_ context.Context, r stock.Reservation, cause saga.Cause, f saga.Fact) error {
	return s.write(r, stock.Nothing, cause, f)
}

func (s *store) Load(_ context.Context, _ saga.Shop, order string) (stock.Reservation, error) {
	r, ok := s.reservations[order]
	if !ok {
		return r, fault.NotFound
	}
	return r, nil
}

func (s *store) Save(_ context.Context, r stock.Reservation, prev stock.Observed, cause saga.Cause, f saga.Fact) error {
	err := s.write(r, prev, cause, f)
	if _, short := errors.AsType[*stock.ErrShort](err); short {
		return stock.ErrInconsistent
	}
	if errors.Is(err, fault.Duplicate) {
		return fault.Conflict
	}
	return err
}

func (s *store) write(r stock.Reservation, prev stock.Observed, cause saga.Cause, f saga.Fact) error {
	if s.others != nil {
		s.others()
	}
	stored, exists := s.reservations[r.Order]
	switch {
	case s.fails != nil:
		return s.fails
	case exists && r.History.Version == 0:
		return fault.Duplicate
	case stored.History.Version != r.History.Version:
		return fault.Conflict
	}
	short := &stock.ErrShort{}
	for _, l := range r.Lines {
		if r.Observed.Promised() != prev.Promised() && *s.counter(l.SKU, prev) < l.Quantity {
			short.SKUs = append(short.SKUs, l.SKU)
		}
	}
	if short.SKUs != nil {
		return short
	}
	for _, l := range r.Lines {
		*s.counter(l.SKU, prev) -= l.Quantity
		*s.counter(l.SKU, r.Observed) += l.Quantity
	}
	r.History.Version++
	r.History.Entries = append(
		slices.Clone(r.History.Entries), saga.Entry{Version: r.History.Version, Fact: f, Cause: cause},
	)
	s.reservations[r.Order], s.facts = r, append(s.facts, f)
	return nil
}

// message is a fact of the order on its way to a step.
type message struct {
	id   string
	fact saga.Fact
}

func TestReserveStep_RepliesToEveryMessageOnce(t *testing.T) {
	for sentence, c := range map[string]struct {
		rugs     int64
		fails    error
		sent     []message
		facts    []saga.Fact
		observed stock.Observed
	}{
		"an order's stock is reserved": {
			1, nil, []message{{"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockReserved}, stock.Reserved,
		},
		"an order that is short gets nothing": {
			0, nil, []message{{"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockShort}, stock.Nothing,
		},
		"the same message again is answered once": {
			1, nil, []message{{"e1", saga.OrderPlaced}, {"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockReserved},
			stock.Reserved,
		},
		"each retry is answered once": {
			1, nil,
			[]message{
				{"e1", saga.OrderPlaced}, {"e2", saga.ReserveDue}, {"e2", saga.ReserveDue}, {"e3", saga.ReserveDue},
			},
			[]saga.Fact{saga.StockReserved, saga.StockReserved, saga.StockReserved}, stock.Reserved,
		},
		"a refusal stays a refusal when the order retries": {
			0, nil, []message{{"e1", saga.OrderPlaced}, {"e2", saga.ReserveDue}},
			[]saga.Fact{saga.StockShort, saga.StockShort}, stock.Nothing,
		},
		"an order whose first message was lost is served by the retry": {
			1, nil, []message{{"e2", saga.ReserveDue}}, []saga.Fact{saga.StockReserved}, stock.Reserved,
		},
		"a late first message finds the reservation of the retry": {
			1, nil, []message{{"e2", saga.ReserveDue}, {"e1", saga.OrderPlaced}},
			[]saga.Fact{saga.StockReserved, saga.StockReserved}, stock.Reserved,
		},
		"an unavailable store is an error": {
			1, fault.Unavailable, []message{{"e1", saga.OrderPlaced}}, nil, "",
		},
		"an order that was rejected before gets nothing, and a reply": {
			1, nil, []message{{"e2", saga.OrderRejected}, {"e1", saga.OrderPlaced}, {"e1", saga.OrderPlaced}},
			[]saga.Fact{saga.StockReleased, saga.StockReleased}, stock.Nothing,
		},
		"a rejected order gets nothing again": {
			1, nil, []message{{"e1", saga.OrderPlaced}, {"e2", saga.OrderRejected}, {"e3", saga.ReserveDue}},
			[]saga.Fact{saga.StockReserved, saga.StockReleased, saga.StockReleased}, stock.Nothing,
		},
		"sold units are not reserved again": {
			1, nil, []message{{"e1", saga.OrderPlaced}, {"e2", saga.OrderConfirmed}, {"e3", saga.ReserveDue}},
			[]saga.Fact{saga.StockReserved, saga.StockSold, saga.StockSold}, stock.Sold,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := stocked(2, c.rugs)
			s.fails = c.fails
			for _, m := range c.sent {
				assert.ErrorIs(t, stocktest.Deliver(t.Context(), s, m.id, m.fact, contents), c.fails)
			}
			assert.Equal(t, c.facts, s.facts)
			assert.Equal(t, c.observed, s.reservations["ord_1"].Observed)
		})
	}
}

func TestCommitStep_SellsReservedUnitsOnce(t *testing.T) {
	for sentence, c := range map[string]struct {
		rugs     int64
		given    []saga.Fact
		err      error
		facts    []saga.Fact
		desired  stock.Desired
		observed stock.Observed
	}{
		"reserved units are sold": {
			1, []saga.Fact{saga.OrderPlaced}, nil, []saga.Fact{saga.StockReserved, saga.StockSold},
			stock.DesiredSell, stock.Sold,
		},
		"a released reservation stays released": {
			1, []saga.Fact{saga.OrderPlaced, saga.OrderCanceling}, nil,
			[]saga.Fact{saga.StockReserved, saga.StockReleased}, stock.DesiredRelease, stock.Nothing,
		},
		"a reservation released before it existed stays released": {
			1, []saga.Fact{saga.OrderCanceling}, nil, []saga.Fact{saga.StockReleased}, stock.DesiredRelease,
			stock.Nothing,
		},
		"an absent reservation cannot be sold": {1, nil, fault.NotFound, nil, "", ""},
		"a refused reservation cannot be sold": {
			0, []saga.Fact{saga.OrderPlaced}, stock.ErrNothingReserved, []saga.Fact{saga.StockShort},
			stock.DesiredReserve, stock.Nothing,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := stocked(2, c.rugs)
			for _, fact := range c.given {
				require.NoError(t, stocktest.Deliver(t.Context(), s, string(fact), fact, contents))
			}
			for _, id := range []string{"c1", "c1", "c2"} { // a redelivered message and another one change nothing
				err := stocktest.Deliver(t.Context(), s, id, saga.OrderConfirmed, contents)
				require.ErrorIs(t, err, c.err)
				if c.err != nil {
					assert.True(
						t, fault.KindOf(err).Permanent(),
						"it is permanent: the message goes to the dead-letter queue",
					)
				}
			}
			assert.Equal(t, c.facts, s.facts)
			assert.Equal(
				t, []any{c.desired, c.observed},
				[]any{s.reservations["ord_1"].Desired, s.reservations["ord_1"].Observed},
			)
		})
	}
}

func TestReleaseStep_GivesUnitsBackOnce(t *testing.T) {
	causes := []saga.Fact{saga.OrderRejected, saga.OrderExpired, saga.OrderCanceling, saga.ReleaseDue}
	for sentence, given := range map[string][]saga.Fact{
		"reserved units come back":                      {saga.OrderPlaced},
		"sold units come back":                          {saga.OrderPlaced, saga.OrderConfirmed},
		"an order without a reservation never gets one": {},
		"released units do not come back twice":         {saga.OrderPlaced, saga.OrderRejected},
	} {
		for _, cause := range causes {
			t.Run(sentence+" after "+string(cause), func(t *testing.T) {
				t.Parallel()
				s := stocked(2, 1)
				for _, fact := range given {
					require.NoError(t, stocktest.Deliver(t.Context(), s, "given "+string(fact), fact, contents))
				}
				before := len(s.facts)
				for _, id := range []string{"r1", "r1", "r2", "r1"} { // a redelivered message is not answered again
					require.NoError(t, stocktest.Deliver(t.Context(), s, id, cause, contents))
				}
				assert.Equal(
					t, []saga.Fact{saga.StockReleased, saga.StockReleased}, s.facts[before:],
					"each message is answered once",
				)
				assert.Equal(t, map[string]*stock.Level{"MUG": {Sellable: 2}, "RUG": {Sellable: 1}}, s.levels)
			})
		}
	}
}

func TestSteps_DecideAgainAfterALostRace(t *testing.T) {
	for sentence, c := range map[string]struct {
		given, fact, other saga.Fact
		desired            stock.Desired
		observed           stock.Observed
	}{
		"released while it is reserved": {
			"", saga.OrderPlaced, saga.OrderRejected, stock.DesiredRelease, stock.Nothing,
		},
		"reserved while it is released": {
			"", saga.OrderRejected, saga.OrderPlaced, stock.DesiredRelease, stock.Nothing,
		},
		"released while it is sold": {
			saga.OrderPlaced, saga.OrderConfirmed, saga.OrderCanceling, stock.DesiredRelease, stock.Nothing,
		},
		"sold while it is released": {
			saga.OrderPlaced, saga.OrderCanceling, saga.OrderConfirmed, stock.DesiredRelease, stock.Nothing,
		},
		"sold while the order retries": {
			saga.OrderPlaced, saga.ReserveDue, saga.OrderConfirmed, stock.DesiredSell, stock.Sold,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := stocked(2, 1)
			if c.given != "" {
				require.NoError(t, stocktest.Deliver(t.Context(), s, "given", c.given, contents))
			}
			s.others = func() {
				s.others = nil
				require.NoError(t, stocktest.Deliver(t.Context(), s, "other", c.other, contents))
			}
			require.NoError(t, stocktest.Deliver(t.Context(), s, "first", c.fact, contents))
			r := s.reservations["ord_1"]
			assert.Equal(t, []any{c.desired, c.observed}, []any{r.Desired, r.Observed})
			assert.EqualValues(t, 2, *s.counter("MUG", c.observed))
		})
	}
}

func TestSteps_ReturnTheFaultOfARefusedWrite(t *testing.T) {
	for _, failure := range []fault.Kind{fault.Conflict, fault.Throttled, fault.Unavailable} {
		for _, fact := range []saga.Fact{saga.ReserveDue, saga.ReleaseDue, saga.OrderConfirmed} {
			t.Run(string(fact)+" "+string(failure), func(t *testing.T) {
				t.Parallel()
				s := stocked(2, 1)
				require.NoError(t, stocktest.Deliver(t.Context(), s, "given", saga.OrderPlaced, contents))
				s.fails = failure
				err := stocktest.Deliver(t.Context(), s, "e1", fact, contents)
				require.ErrorIs(t, err, failure)
				assert.Equal(t, failure, fault.KindOf(err))
				assert.Len(t, s.facts, 1)
			})
		}
	}
}

func TestSteps_ReturnErrInconsistentForLevelsThatCountTooFew(t *testing.T) {
	s := stocked(2, 1)
	require.NoError(t, stocktest.Deliver(t.Context(), s, "e1", saga.OrderPlaced, contents))
	s.levels["RUG"].Promised = 0
	require.ErrorIs(t, stocktest.Deliver(t.Context(), s, "e2", saga.OrderRejected, contents), stock.ErrInconsistent)
	assert.Equal(t, stock.Reserved, s.reservations["ord_1"].Observed)

	require.NoError(
		t, stocktest.Deliver(t.Context(), s, "e3", saga.OrderConfirmed, contents), "a sale does not use the levels",
	)
	require.ErrorIs(t, stocktest.Deliver(t.Context(), s, "e4", saga.OrderCanceling, contents), stock.ErrInconsistent)
	assert.Equal(t, stock.Sold, s.reservations["ord_1"].Observed)
}

func TestSteps_ChangeNothingForUnreadableData(t *testing.T) {
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
			saga.ReserveStock: stock.ReserveStep{Store: s}.Handle, saga.CommitStock: stock.CommitStep{Store: s}.Handle,
			saga.ReleaseStock: stock.ReleaseStep{Store: s}.Handle,
		}[step]
		e, err := saga.Decode(step, `{"specversion":"1.0","id":"e1","type":"`+string(c.fact)+`","subject":"ord_1","shop":"main","data":`+c.data+`}`)
		require.NoError(t, err)
		assert.ErrorIs(t, handle(t.Context(), e), fault.Malformed)
		assert.Empty(t, s.reservations)
	}
}
