// Package story tells the story of one order to a person: what happened, who did it and because of what; then where the order
// stands, what it is owed, and what to do. It shows nobody's address.
package story

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"backroom/shared/money"
	"backroom/shared/notify"
	"backroom/shared/order"
	"backroom/shared/payment"
	"backroom/shared/saga"
	"backroom/shared/stock"
)

// A Story is what is written about an order: in its own row, in those of stock and payment, and about its mails.
type Story struct {
	order.Story
	Reservation *stock.Reservation // nil: stock has not heard of it
	Charge      *payment.Charge    // nil: payment has not heard of it
	Notices     []Notice
}

// A Notice is what became of one mail.
type Notice struct {
	notify.Notice
	Status notify.Status
	At     time.Time // zero while it is not final
}

// Ink colours words.
type Ink interface {
	Good(string) string
	Bad(string) string
	Dim(string) string
}

// widest is where the column of the facts' names begins at the latest.
const widest = 110

// Write tells the story as it is at a moment, with times of day where the reader is.
func (s Story) Write(w io.Writer, now time.Time, at *time.Location, ink Ink) error {
	p := page{Story: s, now: now, at: at, ink: ink}
	p.head()
	p.events()
	p.standing()
	_, err := io.WriteString(w, p.text.String())
	return err
}

// page is a story that is being written down.
type page struct {
	Story
	now  time.Time
	at   *time.Location
	ink  Ink
	text strings.Builder
}

func (p *page) linef(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

func (p *page) head() {
	o := p.Order
	p.linef("Order %s of %s, in the shop %s", o.ID, o.Owner, o.Shop)
	var lines []string
	for _, l := range o.Lines {
		lines = append(lines, fmt.Sprintf("%d × %s at %s", l.Quantity, l.SKU, money.Money{Amount: l.Price, Currency: o.Total.Currency}.Format()))
	}
	p.linef("%s: %s", strings.Join(lines, ", "), o.Total.Format())
	p.linef("placed %s", o.PlacedAt.In(p.at).Format("Mon 2 Jan 2006 15:04:05 MST"))
}

// events tells what happened. What is further to the right happened because of something before it.
func (p *page) events() {
	entries := order.Timeline(p.Entries)
	told, depth, said, width := map[string]saga.Fact{}, map[string]int{}, []string{}, 0
	for _, e := range entries {
		if _, ok := told[e.Cause.ID]; ok {
			depth[e.ID] = depth[e.Cause.ID] + 1
		}
		told[e.ID] = e.Fact
		said = append(said, fmt.Sprintf("%11s  %s%s.", elapsed(e.At.Sub(p.Order.PlacedAt)), strings.Repeat("  ", min(depth[e.ID], deepest)), p.say(e.Entry)))
		width = max(width, len([]rune(said[len(said)-1])))
	}
	p.linef("")
	for i, e := range entries {
		p.linef("%s  %s", p.tint(e.Fact, pad(said[i], min(width, widest))), p.ink.Dim(string(e.Fact)+" ← "+because(e.Entry, told)))
	}
	p.linef("")
}

// deepest is how far to the right a story goes.
const deepest = 8

// say is the sentence of an entry, with what the rows add to it.
func (p *page) say(e saga.Entry) string {
	var more string
	switch {
	case e.Fact == saga.StockShort && p.Reservation != nil:
		more = strings.Join(p.Reservation.Short, ", ")
	case (e.Fact == saga.PaymentDeclined || e.Fact == saga.CaptureFailed) && p.Charge != nil:
		more = p.Charge.Reason
	case e.Fact == saga.OrderRejected || e.Fact == saga.OrderCanceling:
		more = p.Order.Reason
	}
	if more == "" {
		return sentence(e)
	}
	return fmt.Sprintf("%s (%s)", sentence(e), more)
}

// tint shows at a glance what ended well, and what did not.
func (p *page) tint(f saga.Fact, words string) string {
	switch f {
	case saga.OrderConfirmed, saga.OrderSettled, saga.OrderCanceled, saga.OrderRefunded:
		return p.ink.Good(words)
	case saga.OrderRejected, saga.OrderExpired, saga.OrderCanceling, saga.OrderNeedsAttention, saga.OrderReopened, saga.OrderWrittenOff,
		saga.StockShort, saga.PaymentDeclined, saga.CaptureFailed, saga.ReturnFailed, saga.RefundFailed:
		return p.ink.Bad(words)
	}
	return words
}

// standing tells how things are.
func (p *page) standing() {
	p.row("now", p.status())
	p.row("awaits", p.awaits())
	if o := p.Order; o.Attention != "" {
		p.row("to do", p.ink.Bad(fmt.Sprintf("a person must look since %s: %s", p.clock(o.Due), o.Attention)))
		p.row("", fmt.Sprintf(`POST /orders/%s/resolution {"action": "retry" | "write_off", "reason": "…"}`, o.ID))
	}
	p.row("stock", p.hold())
	p.row("payment", p.charge())
	for i, r := range p.Order.Refunds {
		line := fmt.Sprintf("%s of %s is %s", r.ID, money.Money{Amount: r.Amount, Currency: p.Order.Total.Currency}.Format(), r.Status)
		if r.Try > 1 {
			line += fmt.Sprintf(", in try %d", r.Try)
		}
		p.row(heading("refunds", i), line)
	}
	for i, n := range p.Notices {
		line := fmt.Sprintf("%s: %s", strings.TrimSuffix(string(n.Template)+" "+n.Refund, " "), n.Status)
		if !n.At.IsZero() {
			line += " at " + p.clock(n.At)
		}
		p.row(heading("mails", i), line)
	}
	if len(p.Notices) == 0 {
		p.row("mails", "none")
	}
}

// heading is the name of a list, before its first row.
func heading(name string, i int) string {
	if i > 0 {
		return ""
	}
	return name
}

func (p *page) row(name, words string) { p.linef("%11s  %s", name, words) }

func (p *page) status() string {
	o := p.Order
	words := string(o.Status())
	switch {
	case o.Status() == order.StatusNeedsAttention:
		words += ", " + cmp.Or(string(o.Outcome), "without an outcome")
	case o.Attention != "":
		words += ", needs attention"
	}
	if o.Reason != "" {
		words += ": " + o.Reason
	}
	if o.Resolution.ID != "" {
		words += fmt.Sprintf("; %s by %s at %s: %s", o.Resolution.Action, o.Resolution.By, p.clock(o.Resolution.At), o.Resolution.Reason)
	}
	switch o.Status() {
	case order.StatusPaid, order.StatusConfirmed, order.StatusCanceled:
		return p.ink.Good(words)
	case order.StatusPlaced, order.StatusCanceling:
		return words
	}
	return p.ink.Bad(words)
}

func (p *page) awaits() string {
	o := p.Order
	if o.Settled() {
		return "nothing"
	}
	var debts []string
	for _, d := range o.Awaits {
		debts = append(debts, names[d])
	}
	words := strings.Join(debts, " and ")
	switch {
	case o.Attention != "":
		return words + "; it asks for nothing by itself any more"
	case o.Due.Before(p.now):
		words += fmt.Sprintf("; it was to ask at %s, %s ago: is wake-overdue running?", p.clock(o.Due), length(p.now.Sub(o.Due)))
	default:
		words += fmt.Sprintf("; it asks at %s, in %s", p.clock(o.Due), length(o.Due.Sub(p.now)))
	}
	if o.Retries > 0 {
		words += fmt.Sprintf("; it asked %d of %d times", o.Retries, order.MaxRetries)
	}
	if o.Awaiting(order.AwaitsOutcome) {
		words += "; it expires at " + p.clock(o.ExpiresAt)
	}
	return words
}

// names say what the debts are.
var names = map[order.Awaited]string{
	order.AwaitsOutcome: "its outcome", order.AwaitsCapture: "that its money is taken", order.AwaitsStock: "its stock back",
	order.AwaitsMoney: "its money back", order.AwaitsRefund: "its refunds",
}

func (p *page) hold() string {
	if p.Reservation == nil {
		return "has not heard of it"
	}
	words := fmt.Sprintf("wants %s, has %s", p.Reservation.Desired, p.Reservation.Observed)
	if len(p.Reservation.Short) > 0 {
		words += "; short of " + strings.Join(p.Reservation.Short, ", ")
	}
	return words
}

func (p *page) charge() string {
	if p.Charge == nil {
		return "has not heard of it"
	}
	words := fmt.Sprintf("wants %s, has %s", p.Charge.Desired, p.Charge.Observed)
	for _, why := range []string{p.Charge.Reason, p.Charge.DeclineCode} {
		if why != "" {
			words += ", " + why
		}
	}
	if p.Charge.Intent != "" {
		words += "; the provider knows it as " + p.Charge.Intent
	}
	return words
}

// clock is a time of day, with its date if that is not the day of placing.
func (p *page) clock(t time.Time) string {
	day := func(t time.Time) string { return t.In(p.at).Format("2 Jan 2006 ") }
	clock := t.In(p.at).Format(time.TimeOnly)
	if day(t) != day(p.Order.PlacedAt) {
		return day(t) + clock
	}
	return clock
}

// elapsed is how long after the beginning something happened.
func elapsed(d time.Duration) string {
	if d < 0 {
		return "-" + length(-d)
	}
	return "+" + length(d)
}

// length is a duration in its two largest units.
func length(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d m %02d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %02d m", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %02d h", int(d.Hours())/24, int(d.Hours())%24)
}

// pad fills words with spaces on the right, counting letters and not bytes.
func pad(words string, width int) string {
	return words + strings.Repeat(" ", max(0, width-len([]rune(words))))
}
