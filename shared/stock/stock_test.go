package stock_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/saga"
	"backroom/shared/stock"
)

var wanted = saga.Wanted{
	Order: "ord_1", Shop: "main", Total: 15400, Currency: "EUR", PaymentMethod: "pm_card_visa",
	Lines: []saga.Line{{SKU: "MUG", Quantity: 2, Price: 1250}, {SKU: "RUG", Quantity: 1, Price: 12900}},
}

func TestWhatAHoldIs(t *testing.T) {
	hold, fact := stock.Reserve(wanted)
	assert.Equal(t, saga.StockReserved, fact)
	assert.Equal(t, stock.Reservation{
		Order: "ord_1", Shop: "main", Want: stock.Hold, Has: stock.Held, PaymentMethod: "pm_card_visa", Total: money.Money{Amount: 15400, Currency: "EUR"},
		Lines: []stock.Line{{SKU: "MUG", Quantity: 2}, {SKU: "RUG", Quantity: 1}},
	}, hold, "all that the payment needs is carried along")
	assert.Equal(t, saga.StockReserved, stock.Answer(hold), "who asks again is told the same")

	none, fact := stock.Refuse(hold, []string{"RUG"})
	assert.Equal(t, saga.StockShort, fact)
	assert.Equal(t, []any{stock.Nothing, []string{"RUG"}, ""}, []any{none.Has, none.Short, none.PaymentMethod}, "where nothing is to be paid, nothing pays")
	assert.Equal(t, saga.StockShort, stock.Answer(none), "who asks again is told the same")
}

// shelf keeps one hold, if it has one.
type shelf struct {
	hold  *stock.Reservation
	short []string // what it lacks
	facts []saga.Fact
	fails error // of every write
}

func (s *shelf) Create(_ context.Context, r stock.Reservation, cause saga.Cause, f saga.Fact) error {
	switch {
	case s.fails != nil:
		return s.fails
	case s.hold != nil:
		return fault.Duplicate
	case r.Has == stock.Held && s.short != nil:
		return &stock.ErrShort{SKUs: s.short}
	}
	return s.put(r, cause, f)
}

func (s *shelf) Load(context.Context, string, string) (stock.Reservation, error) {
	if s.hold == nil {
		return stock.Reservation{}, fault.NotFound
	}
	return *s.hold, nil
}

func (s *shelf) Save(_ context.Context, r stock.Reservation, cause saga.Cause, f saga.Fact) error {
	if s.fails != nil {
		return s.fails
	}
	return s.put(r, cause, f)
}

func (s *shelf) put(r stock.Reservation, cause saga.Cause, f saga.Fact) error {
	r.Diary.Version++
	r.Diary.Entries = append(r.Diary.Entries, saga.Entry{Version: r.Diary.Version, Fact: f, Cause: cause})
	s.hold, s.facts = &r, append(s.facts, f)
	return nil
}

func heard(t *testing.T, id string, fact saga.Fact, carries any) saga.Event {
	t.Helper()
	data, err := json.Marshal(carries)
	require.NoError(t, err)
	body, err := json.Marshal(saga.Event{SpecVersion: saga.SpecVersion, ID: id, Type: fact, Subject: "ord_1", Shop: "main", Data: data})
	require.NoError(t, err)
	e, err := saga.Hear(saga.ReserveStock, string(body))
	require.NoError(t, err)
	return e
}

func TestReserving(t *testing.T) {
	type ask struct {
		id   string
		fact saga.Fact
	}
	for sentence, c := range map[string]struct {
		shelf shelf
		asks  []ask
		facts []saga.Fact
		has   stock.Has
		err   error
	}{
		"an order's stock is set aside":                   {shelf{}, []ask{{"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockReserved}, stock.Held, nil},
		"an order that is short gets nothing":             {shelf{short: []string{"RUG"}}, []ask{{"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockShort}, stock.Nothing, nil},
		"the same message again is answered once":         {shelf{}, []ask{{"e1", saga.OrderPlaced}, {"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockReserved}, stock.Held, nil},
		"asked again, it answers again":                   {shelf{}, []ask{{"e1", saga.OrderPlaced}, {"e2", saga.ReserveDue}, {"e2", saga.ReserveDue}, {"e3", saga.ReserveDue}}, []saga.Fact{saga.StockReserved, saga.StockReserved, saga.StockReserved}, stock.Held, nil},
		"asked again, a refusal stays one":                {shelf{short: []string{"RUG"}}, []ask{{"e1", saga.OrderPlaced}, {"e2", saga.ReserveDue}}, []saga.Fact{saga.StockShort, saga.StockShort}, stock.Nothing, nil},
		"an order whose first message was lost is served": {shelf{}, []ask{{"e2", saga.ReserveDue}}, []saga.Fact{saga.StockReserved}, stock.Held, nil},
		"a late first message finds what the ask did":     {shelf{}, []ask{{"e2", saga.ReserveDue}, {"e1", saga.OrderPlaced}}, []saga.Fact{saga.StockReserved, saga.StockReserved}, stock.Held, nil},
		"a shelf that is away is tried later":             {shelf{fails: fault.Unavailable}, []ask{{"e1", saga.OrderPlaced}}, nil, "", fault.Unavailable},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			s := c.shelf
			for _, a := range c.asks {
				err := stock.ReserveStep{Shelf: &s}.Handle(t.Context(), heard(t, a.id, a.fact, wanted))
				assert.ErrorIs(t, err, c.err)
			}
			assert.Equal(t, c.facts, s.facts)
			if c.has != "" {
				assert.Equal(t, c.has, s.hold.Has)
			}
		})
	}
}

func TestWhatCannotBeReadReservesNothing(t *testing.T) {
	s := shelf{}
	err := stock.ReserveStep{Shelf: &s}.Handle(t.Context(), heard(t, "e1", saga.OrderPlaced, saga.About{Order: "ord_1", Shop: "main"}))
	assert.ErrorIs(t, err, fault.Malformed)
	assert.Nil(t, s.hold)
}
