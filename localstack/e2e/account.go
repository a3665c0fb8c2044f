package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
	"backroom/shared/client"
	"backroom/shared/saga"
)

// An Account has the products and orders of a case. Close checks that money, stock and mails agree with how the
// orders ended.
type Account struct {
	system    *System
	delivered map[string]int
	orders    []*Entry // in the order in which they were placed
}

// An Entry is an order of an account.
type Entry struct {
	ID, Buyer string
	Total     int64
	Basket    client.OrderRequest
}

// An End is the expected end of an order.
type End struct {
	Is    string   // as Standing returns it
	Kept  int64    // the money that the shop keeps
	Sold  bool     // its units are sold, and so promised; otherwise they can be sold again
	Mails []string // the mails that must be sent to its customer: templates, and "refunded" once per refund
	May   []string // further mails that may have been sent
}

// Confirmed is the end of a paid order, with the money that the shop keeps. Each refund has a mail.
func Confirmed(kept int64, refunds int) End {
	mails := append([]string{"confirmed"}, slices.Repeat([]string{"refunded"}, refunds)...)
	return End{Is: "paid confirmed", Kept: kept, Sold: true, Mails: mails}
}

// Unpaid is the end of a confirmed order whose capture was written off: its units are sold, and its money never came.
func Unpaid() End { return End{Is: "confirmed, settled", Sold: true, Mails: []string{"confirmed"}} }

// Rejected is the end of an order that was rejected.
func Rejected(reason string) End {
	return End{Is: "rejected " + reason, Mails: []string{"rejected"}}
}

// Expired is the end of an order that expired.
func Expired() End { return End{Is: "expired", Mails: []string{"expired"}} }

// Canceled is the end of a canceled order. Its customer may have got the mails may before.
func Canceled(may ...string) End {
	return End{Is: "canceled", Mails: []string{"canceled"}, May: may}
}

// Ending returns the end that follows from an order's outcome and refunds. A canceled order may have been
// confirmed before.
func Ending(o client.Order, total int64) End {
	end := End{Is: Standing(o), Mails: []string{string(o.Outcome)}}
	switch o.Outcome {
	case client.OrderOutcomeConfirmed:
		end.Sold = true
		if o.Status == client.OrderStatusPaid {
			end.Kept = total
		}
	case client.OrderOutcomeCanceled:
		end.May = []string{"confirmed"}
	}
	for _, r := range o.Refunds {
		end.Kept -= r.Amount.Amount
		end.Mails = append(end.Mails, "refunded")
	}
	return end
}

// Standing describes the state of an order: its status, its outcome unless that is the same word, the outcome's
// reason, why it needs attention, and "not settled" if stock or money of a rejected or expired order is not back.
func Standing(o client.Order) string {
	words := string(o.Status)
	if outcome := string(o.Outcome); outcome != words {
		words += " " + outcome
	}
	words = strings.TrimSpace(words + " " + o.Reason)
	if o.Attention != "" {
		words += ": " + o.Attention
	}
	switch {
	case !o.Settled && (o.Status == client.OrderStatusRejected || o.Status == client.OrderStatusExpired):
		words += ", not settled"
	case o.Settled && o.Status == client.OrderStatusConfirmed:
		words += ", settled"
	}
	return words
}

// Account returns an empty account.
func (s *System) Account() *Account { return &Account{system: s, delivered: map[string]int{}} }

// Product adds a new product with units in stock, and returns its SKU.
func (a *Account) Product(t conformance.T, cents int64, units int) string {
	t.Helper()
	sku := a.system.Product(t, cents, units)
	a.Stock(sku, units)
	return sku
}

// Stock adds a product that exists already.
func (a *Account) Stock(sku string, units int) { a.delivered[sku] = units }

// Place places an order for a new customer, with a mail address.
func (a *Account) Place(t conformance.T, b client.OrderRequest) *Entry {
	t.Helper()
	return a.PlaceFor(t, a.system.New("ada"), b)
}

// PlaceFor places an order for a customer, with a mail address.
func (a *Account) PlaceFor(t conformance.T, buyer string, b client.OrderRequest) *Entry {
	t.Helper()
	b = Mailed(buyer, b)
	receipt := a.system.Place(t, buyer, b)
	return a.Note(buyer, b, receipt)
}

// Note adds an order that was placed already.
func (a *Account) Note(buyer string, b client.OrderRequest, r client.OrderReceipt) *Entry {
	e := &Entry{ID: r.ID, Buyer: buyer, Total: r.Total.Amount, Basket: b}
	a.orders = append(a.orders, e)
	return e
}

// Close waits until the orders have the given ends, in the order in which they were placed; a single end is that of
// all orders. It fails the case unless money, stock and mails agree with the ends:
//
//   - no amount is held on a card, no order was charged or captured twice, and the shop keeps the right amount
//   - every delivered unit is sellable, or promised to the order that it was sold to
//   - every customer got the mails of the end, and no others
//
// It prints a summary.
func (a *Account) Close(t conformance.T, ends ...End) {
	t.Helper()
	if len(ends) == 1 {
		ends = slices.Repeat(ends, len(a.orders))
	}
	require.Len(t, ends, len(a.orders), "an end for every order")
	for i, e := range a.orders {
		a.system.Becomes(t, e, ends[i].Is)
		if ends[i].Sold {
			a.system.AwaitFact(t, e, saga.StockSold)
		}
	}
	mails := a.mails(t, ends)
	levels := a.levels(t, ends)
	money := a.money(t, ends)
	for i, e := range a.orders {
		o := a.system.Order(t, e.Buyer, e.ID)
		require.Equal(t, ends[i].Is, Standing(o), "the end does not change: %s", Story(o))
		for _, outcome := range []saga.Fact{
			saga.OrderConfirmed, saga.OrderRejected, saga.OrderExpired, saga.OrderCanceling,
		} {
			recorded := slices.DeleteFunc(Facts(o), func(fact string) bool { return fact != string(outcome) })
			require.LessOrEqual(t, len(recorded), 1, "an outcome is recorded once: %s", Story(o))
		}
	}
	were := Holding{}
	for _, units := range a.delivered {
		were.Sellable += units
	}
	standings := make([]string, len(ends))
	for i, end := range ends {
		standings[i] = end.Is
	}
	conformance.Figure(t, "%s | money 0 -> %s | stock %s -> %s | mails %s", tally(standings), money, were, levels,
		tally(mails))
}

// Becomes waits until Standing of an order is standing, and returns the order. It runs wake-overdue meanwhile.
func (s *System) Becomes(t conformance.T, e *Entry, standing string) (o client.Order) {
	t.Helper()
	s.Until(t, "order "+e.ID+" is "+standing, func() (any, bool) {
		o = s.Order(t, e.Buyer, e.ID)
		if Standing(o) == standing {
			return Story(o), true
		}
		s.WakeAtTimes(t)
		return Story(o), false
	})
	return o
}

// AwaitFact waits until an order's timeline has a fact. It runs wake-overdue meanwhile.
func (s *System) AwaitFact(t conformance.T, e *Entry, fact saga.Fact) {
	t.Helper()
	s.Until(t, "order "+e.ID+" has the fact "+string(fact), func() (any, bool) {
		o := s.Order(t, e.Buyer, e.ID)
		if HasFact(o, string(fact)) {
			return Story(o), true
		}
		s.WakeAtTimes(t)
		return Story(o), false
	})
}

// money waits until the shop keeps the right amount of each order. It fails the case if an order was charged or
// captured twice.
func (a *Account) money(t conformance.T, ends []End) (sum Money) {
	t.Helper()
	a.system.Until(t, "the shop keeps what it should", func() (any, bool) {
		ledger := a.system.Ledger(t)
		sum = Money{}
		for i, e := range a.orders {
			m := ledger[e.ID]
			require.LessOrEqual(t, m.Authorizations, 1, "%s was charged at most once", e.ID)
			require.LessOrEqual(t, m.Captures, 1, "%s was captured at most once", e.ID)
			if m.Kept() != ends[i].Kept || m.Held != 0 {
				return fmt.Sprintf("of %s: %s, should be %d", e.ID, m, ends[i].Kept), false
			}
			sum.Received += m.Received
			sum.Refunded += m.Refunded
		}
		return sum, true
	})
	return sum
}

// levels waits until every unit that was not sold is sellable. It fails the case if a unit is missing or was added.
func (a *Account) levels(t conformance.T, ends []End) (sum Holding) {
	t.Helper()
	sold := map[string]int{}
	for i, e := range a.orders {
		if !ends[i].Sold {
			continue
		}
		for _, line := range e.Basket.Lines {
			sold[line.SKU] += int(line.Quantity)
		}
	}
	for _, sku := range slices.Sorted(maps.Keys(a.delivered)) {
		wanted := Holding{Sellable: a.delivered[sku] - sold[sku], Promised: sold[sku]}
		a.system.Until(t, fmt.Sprintf("the stock of %s is %s", sku, wanted), func() (any, bool) {
			is := a.system.StockOf(t, sku)
			require.Equal(t, a.delivered[sku], is.Sellable+is.Promised, "no unit of %s came or went: %s", sku, is)
			return is, is == wanted
		})
		sum.Sellable += wanted.Sellable
		sum.Promised += wanted.Promised
	}
	return sum
}

// mails waits until every customer got the expected mails, and returns their templates. It fails the case if there
// are others.
func (a *Account) mails(t conformance.T, ends []End) (all []string) {
	t.Helper()
	a.system.Until(t, "all mails are sent", func() (any, bool) {
		sent := a.system.Mails(t)
		all = nil
		for i, e := range a.orders {
			var missing, more []string
			missing = append(missing, ends[i].Mails...)
			for _, m := range sent[e.ID] {
				require.Equal(t, e.Basket.Email, m.To, "the mail %q about %s goes to its customer", m.Template, e.ID)
				all = append(all, m.Template)
				if n := slices.Index(missing, m.Template); n >= 0 {
					missing = slices.Delete(missing, n, n+1)
				} else if !slices.Contains(ends[i].May, m.Template) {
					more = append(more, m.Template)
				}
			}
			require.Empty(t, more, "%s has unexpected or repeated mails", e.ID)
			if len(missing) > 0 {
				return fmt.Sprintf("%s has no mails %q", e.ID, missing), false
			}
		}
		return all, true
	})
	return all
}

// tally lists each word once, with its count.
func tally(words []string) string {
	times := map[string]int{}
	for _, word := range words {
		times[word]++
	}
	var counts []string
	for _, word := range slices.Sorted(maps.Keys(times)) {
		counts = append(counts, fmt.Sprintf("%d x %s", times[word], word))
	}
	if len(counts) == 0 {
		return "none"
	}
	return strings.Join(counts, ", ")
}
