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

// An Account follows what the orders of a case do to money, stock and mail. Close demands that every cent, unit and mail is where
// the ends of the orders say.
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

// An End is how an order's story is to end.
type End struct {
	Is    string   // as in Standing
	Kept  int64    // what the shop keeps of its money
	Sold  bool     // whether its units are sold, and so promised; if not, they are for sale again
	Mails []string // exactly these were sent to its customer: templates, and "refunded" once per refund
	May   []string // these may have been sent, too
}

// Confirmed is the end of an order that was paid, of which the shop keeps so much. Each refund has a mail.
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

// Canceled is the end of an order that was canceled; before that its customer may have had other mails.
func Canceled(may ...string) End {
	return End{Is: "canceled", Mails: []string{"canceled"}, May: may}
}

// Ending is the end that an order tells of: where its money, stock and mails have to be follows from its outcome and its refunds. A
// canceled one may have been confirmed before.
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

// Standing returns where an order stands: its status, its outcome unless that is the same, the outcome's reason, why a person must
// look, and whether stock or money of an order that is given up is still to come back.
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

// Account opens an account.
func (s *System) Account() *Account { return &Account{system: s, delivered: map[string]int{}} }

// Product puts something new on sale, with so many units in stock, and returns its SKU.
func (a *Account) Product(t conformance.T, cents int64, units int) string {
	t.Helper()
	sku := a.system.Product(t, cents, units)
	a.Stock(sku, units)
	return sku
}

// Stock takes in a product that was put on sale otherwise.
func (a *Account) Stock(sku string, units int) { a.delivered[sku] = units }

// Place places an order for a new customer, who wants mails.
func (a *Account) Place(t conformance.T, b client.OrderRequest) *Entry {
	t.Helper()
	return a.PlaceFor(t, a.system.New("ada"), b)
}

// PlaceFor places an order for a customer, who wants mails.
func (a *Account) PlaceFor(t conformance.T, buyer string, b client.OrderRequest) *Entry {
	t.Helper()
	b = Mailed(buyer, b)
	receipt := a.system.Place(t, buyer, b)
	return a.Note(buyer, b, receipt)
}

// Note takes in an order that was placed otherwise.
func (a *Account) Note(buyer string, b client.OrderRequest, r client.OrderReceipt) *Entry {
	e := &Entry{ID: r.ID, Buyer: buyer, Total: r.Total.Amount, Basket: b}
	a.orders = append(a.orders, e)
	return e
}

// Close waits until the orders, in the order in which they were placed, came to these ends – one end is that of all –, and demands
// that money, stock and mails are as the ends say: nothing is held on a card any more, none was charged or captured twice, and the
// shop keeps what it should; every unit is for sale or promised to the order that it was sold to, and none missing; every customer
// had exactly the mails that were due. It prints all that.
func (a *Account) Close(t conformance.T, ends ...End) {
	t.Helper()
	if len(ends) == 1 {
		ends = slices.Repeat(ends, len(a.orders))
	}
	require.Len(t, ends, len(a.orders), "an end for every order")
	for i, e := range a.orders {
		a.system.Becomes(t, e, ends[i].Is)
		if ends[i].Sold {
			a.system.Tells(t, e, saga.StockSold)
		}
	}
	mails := a.mails(t, ends)
	levels := a.levels(t, ends)
	money := a.money(t, ends)
	for i, e := range a.orders {
		o := a.system.Order(t, e.Buyer, e.ID)
		require.Equal(t, ends[i].Is, Standing(o), "it stays as it is: %s", Story(o))
		for _, verdict := range []saga.Fact{saga.OrderConfirmed, saga.OrderRejected, saga.OrderExpired, saga.OrderCanceling} {
			told := slices.DeleteFunc(Facts(o), func(fact string) bool { return fact != string(verdict) })
			require.LessOrEqual(t, len(told), 1, "an outcome is given once: %s", Story(o))
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
	conformance.Figure(t, "%s | money 0 -> %s | stock %s -> %s | mails %s", tally(standings), money, were, levels, tally(mails))
}

// Becomes waits until an order stands so. It has late orders woken meanwhile, and returns the order.
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

// Tells waits until an order's timeline has a fact. It has late orders woken meanwhile.
func (s *System) Tells(t conformance.T, e *Entry, fact saga.Fact) {
	t.Helper()
	s.Until(t, "order "+e.ID+" tells "+string(fact), func() (any, bool) {
		o := s.Order(t, e.Buyer, e.ID)
		if Told(o, string(fact)) {
			return Story(o), true
		}
		s.WakeAtTimes(t)
		return Story(o), false
	})
}

// money waits until the shop keeps what it should, and demands that nothing else was done at the provider.
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

// levels waits until every unit that was not sold is for sale, and demands that none came or went meanwhile.
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
			is := a.system.Shelf(t, sku)
			require.Equal(t, a.delivered[sku], is.Sellable+is.Promised, "no unit of %s came or went: %s", sku, is)
			return is, is == wanted
		})
		sum.Sellable += wanted.Sellable
		sum.Promised += wanted.Promised
	}
	return sum
}

// mails waits until every customer had the mails that were due, demands that there were no others, and returns their templates.
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
			require.Empty(t, more, "%s has mails that were not due, or twice", e.ID)
			if len(missing) > 0 {
				return fmt.Sprintf("%s has no mails %q", e.ID, missing), false
			}
		}
		return all, true
	})
	return all
}

// tally writes each of the words once, with how often it came.
func tally(words []string) string {
	times := map[string]int{}
	for _, word := range words {
		times[word]++
	}
	var told []string
	for _, word := range slices.Sorted(maps.Keys(times)) {
		told = append(told, fmt.Sprintf("%d x %s", times[word], word))
	}
	if len(told) == 0 {
		return "none"
	}
	return strings.Join(told, ", ")
}
