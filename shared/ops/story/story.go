// Package story prints the story of one order for a person: what happened, the actor and the cause
// of each fact. Below are the order's status, what it awaits, and what to do. It prints no address.
package story

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"backroom/shared/money"
	"backroom/shared/notify"
	"backroom/shared/ops/terminal"
	"backroom/shared/order"
	"backroom/shared/payment"
	"backroom/shared/saga"
	"backroom/shared/stock"
)

// A Story is everything that is stored about an order: its own row, its reservation, its charge and
// its notices.
type Story struct {
	order.Story
	Reservation *stock.Reservation // nil: it does not exist yet
	Charge      *payment.Charge    // nil: it does not exist yet
	Notices     []Notice
}

// A Notice is a notice with its status.
type Notice struct {
	notify.Notice
	Status notify.Status
	At     time.Time // zero until the status is final
}

// Ink colours words.
type Ink interface {
	Good(string) string
	Bad(string) string
	Dim(string) string
}

// widest is the last column at which the facts' names may begin.
const widest = 110

// Write prints the story as of now, with times in the zone at.
func (s Story) Write(w io.Writer, now time.Time, at *time.Location, ink Ink) error {
	p := page{Story: s, now: now, at: at, ink: ink}
	p.head()
	p.events()
	p.state()
	_, err := io.WriteString(w, p.text.String())
	return err
}

// page is a story that is being written.
type page struct {
	Story
	now  time.Time
	at   *time.Location
	ink  Ink
	text strings.Builder
}

// linef adds a line. Its arguments may have text of customers, so they are escaped.
func (p *page) linef(format string, args ...any) {
	p.text.WriteString(terminal.Sprintf(format+"\n", args...))
}

func (p *page) head() {
	o := p.Order
	p.linef("Order %s of %s, in the shop %s", o.ID, o.Owner, o.Shop)
	var lines []string
	for _, l := range o.Lines {
		lines = append(lines,
			fmt.Sprintf("%d × %s at %s", l.Quantity, l.SKU,
				money.Money{Amount: l.Price, Currency: o.Total.Currency}.Format()))
	}
	p.linef("%s: %s", strings.Join(lines, ", "), o.Total.Format())
	p.linef("placed %s", o.PlacedAt.In(p.at).Format("Mon 2 Jan 2006 15:04:05 MST"))
}

// events prints what happened. A line that is indented further is a consequence of a line above it.
func (p *page) events() {
	entries := order.Timeline(p.Entries)
	facts, depth, lines, width := map[string]saga.Fact{}, map[string]int{}, []string{}, 0
	for _, e := range entries {
		if _, ok := facts[e.Cause.ID]; ok {
			depth[e.ID] = depth[e.Cause.ID] + 1
		}
		facts[e.ID] = e.Fact
		lines = append(lines,
			terminal.Sprintf("%11s  %s%s.", elapsed(e.At.Sub(p.Order.PlacedAt)),
				strings.Repeat("  ", min(depth[e.ID], deepest)), p.say(e.Entry)))
		width = max(width, len([]rune(lines[len(lines)-1])))
	}
	p.linef("")
	for i, e := range entries {
		p.linef("%s  %s", p.tint(e.Fact, pad(lines[i], min(width, widest))),
			p.ink.Dim(string(e.Fact)+" ← "+because(e.Entry, facts)))
	}
	p.linef("")
}

// deepest is the deepest indentation.
const deepest = 8

// say is the sentence of an entry, with details from the rows.
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

// tint colours good and bad ends.
func (p *page) tint(f saga.Fact, words string) string {
	switch f {
	case saga.OrderConfirmed, saga.OrderSettled, saga.OrderCanceled, saga.OrderRefunded:
		return p.ink.Good(words)
	case saga.OrderRejected, saga.OrderExpired, saga.OrderCanceling, saga.OrderNeedsAttention, saga.OrderReopened,
		saga.OrderWrittenOff,
		saga.StockShort, saga.PaymentDeclined, saga.CaptureFailed, saga.ReturnFailed, saga.RefundFailed,
		saga.RefundRefused, saga.OrderRefundRefused:
		return p.ink.Bad(words)
	}
	return words
}

// state prints the order's status and what it awaits, then stock, payment, refunds and mails.
func (p *page) state() {
	p.row("now", p.status())
	p.row("awaits", p.awaits())
	if o := p.Order; o.Attention != "" {
		p.row("to do", p.ink.Bad(fmt.Sprintf("a person must decide since %s: %s", p.clock(o.Due), o.Attention)))
		p.row("", fmt.Sprintf(`POST /orders/%s/resolution {"action": "retry" | "write_off", "reason": "…"}`, o.ID))
	}
	p.row("stock", p.reservation())
	p.row("payment", p.charge())
	for i, r := range p.Order.Refunds {
		line := fmt.Sprintf("%s of %s is %s", r.ID,
			money.Money{Amount: r.Amount, Currency: p.Order.Total.Currency}.Format(), r.Status)
		if r.Try > 1 {
			line += fmt.Sprintf(", in try %d", r.Try)
		}
		p.row(heading("refunds", i), line)
	}
	p.external()
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

// external prints what was refunded or disputed at the provider itself.
func (p *page) external() {
	if p.Charge == nil {
		return
	}
	var lines []string
	add := func(id string, amount int64, words string) {
		lines = append(lines, fmt.Sprintf("%s of %s %s", id,
			money.Money{Amount: amount, Currency: p.Order.Total.Currency}.Format(), words))
	}
	for _, r := range p.Charge.ExternalRefunds {
		add(r.ID, r.Amount, "was refunded there, and is "+string(r.Status))
	}
	for _, d := range p.Charge.Disputes {
		add(d.ID, d.Amount, "was disputed by the bank, and is "+string(d.Status))
	}
	for i, line := range lines {
		p.row(heading("provider", i), line)
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
		words += fmt.Sprintf("; %s by %s at %s: %s", o.Resolution.Action, o.Resolution.By, p.clock(o.Resolution.At),
			o.Resolution.Reason)
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
	var awaited []string
	for _, d := range o.Awaits {
		awaited = append(awaited, names[d])
	}
	words := strings.Join(awaited, " and ")
	switch {
	case o.Attention != "":
		return words + "; it no longer asks by itself"
	case o.Due.Before(p.now):
		words += fmt.Sprintf("; it was due at %s, %s ago: is wake-overdue running?", p.clock(o.Due),
			length(p.now.Sub(o.Due)))
	default:
		words += fmt.Sprintf("; it asks again at %s, in %s", p.clock(o.Due), length(o.Due.Sub(p.now)))
	}
	if o.Retries > 0 {
		words += fmt.Sprintf("; it asked %d of %d times", o.Retries, order.MaxRetries)
	}
	if o.Awaiting(order.AwaitsOutcome) {
		words += "; it expires at " + p.clock(o.ExpiresAt)
	}
	return words
}

// names describe what an order awaits.
var names = map[order.Awaited]string{
	order.AwaitsOutcome: "its outcome", order.AwaitsCapture: "its capture", order.AwaitsStock: "its stock back",
	order.AwaitsMoney: "its money back", order.AwaitsRefund: "its refunds",
}

// stranded reports whether the reservation of an order that was confirmed is gone. A release that finds no reservation
// writes one without lines.
func (p *page) stranded() bool {
	confirmed := slices.ContainsFunc(p.Entries, func(e order.StoryEntry) bool { return e.Fact == saga.OrderConfirmed })
	gone := p.Reservation == nil || p.Reservation.Desired == stock.DesiredRelease && len(p.Reservation.Lines) == 0
	return confirmed && gone
}

func (p *page) reservation() string {
	switch {
	case p.stranded():
		return p.ink.Bad("its reservation was lost after it was confirmed: its units do not come back by themselves")
	case p.Reservation == nil:
		return "no reservation yet"
	}
	words := fmt.Sprintf("desired %s, observed %s", p.Reservation.Desired, p.Reservation.Observed)
	if len(p.Reservation.Short) > 0 {
		words += "; short of " + strings.Join(p.Reservation.Short, ", ")
	}
	return words
}

func (p *page) charge() string {
	if p.Charge == nil {
		return "no charge yet"
	}
	words := fmt.Sprintf("desired %s, observed %s", p.Charge.Desired, p.Charge.Observed)
	for _, why := range []string{p.Charge.Reason, p.Charge.DeclineCode} {
		if why != "" {
			words += ", " + why
		}
	}
	if p.Charge.Intent != "" {
		words += "; the provider's id is " + p.Charge.Intent
	}
	return words
}

// clock returns a time of day, with the date if the order was placed on another day.
func (p *page) clock(t time.Time) string {
	day := func(t time.Time) string { return t.In(p.at).Format("2 Jan 2006 ") }
	clock := t.In(p.at).Format(time.TimeOnly)
	if day(t) != day(p.Order.PlacedAt) {
		return day(t) + clock
	}
	return clock
}

// elapsed returns a signed duration since the order was placed.
func elapsed(d time.Duration) string {
	if d < 0 {
		return "-" + length(-d)
	}
	return "+" + length(d)
}

// length returns a duration in its two largest units.
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

// pad fills words with spaces on the right, up to width characters.
func pad(words string, width int) string {
	return words + strings.Repeat(" ", max(0, width-len([]rune(words))))
}
