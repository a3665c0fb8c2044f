package payment_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/saga"
)

// scenario is a random sequence of messages, callbacks and repetitions about one order's payment,
// of what the customer and the banks do, of lost answers, and of what happens during a call. When
// calm is true, nothing fails.
type scenario struct {
	t     *rapid.T
	outer *testing.T
	calm  bool
	depth int // of nested interruptions

	card       string
	total      money.Money
	row        *payment.Charge
	bank       bank
	sent       []saga.Event // every message so far; each may be repeated
	requested  []saga.Refund
	ids        int
	canceled   bool
	writtenOff bool // the order was written off
}

const theOrder = "ord_1"

// Bugs are rare in random sequences: 100 of them, rapid's default, find almost nothing.
func init() { _ = flag.Set("rapid.checks", "3000") }

// bank is the provider's ledger, with Stripe's rules.
type bank struct {
	intents   map[string]*bankIntent
	keys      map[string]string // the id that was created under an idempotency key
	callbacks []payment.Callback
}

type bankIntent struct {
	payment.Intent
	card      string // how the customer's card behaves
	held      int    // how often the amount was authorized
	captured  int    // how often it was captured
	confirmed bool
	refunds   []payment.ProviderRefund
	disputes  []payment.Dispute
}

var errLost = errors.New("the answer was lost")

// interrupt may do something else before a call. It reports whether the call is carried out, and
// whether its answer arrives.
func (s *scenario) interrupt() (before, after bool) {
	if s.calm {
		return true, true
	}
	if s.depth < 2 && s.chance(6) {
		s.depth++
		s.act()
		s.depth--
	}
	return !s.chance(10), !s.chance(10)
}

func (s *scenario) chance(oneIn int) bool {
	return rapid.IntRange(1, oneIn).Draw(s.t, "chance") == oneIn
}

func (s *scenario) pick(from ...string) string { return rapid.SampledFrom(from).Draw(s.t, "pick") }

// call carries out a call that may be interrupted or lost.
func call[T any](s *scenario, do func() (T, error)) (T, error) {
	var none T
	before, after := s.interrupt()
	if !before {
		return none, fault.Unavailable
	}
	v, err := do()
	if !after {
		return none, fault.Unavailable
	}
	return v, err
}

// table is the table of charges.
type table struct{ *scenario }

func (s table) Create(_ context.Context, c payment.Charge, cause saga.Cause, f saga.Fact) (payment.Charge, error) {
	before, after := s.interrupt()
	switch {
	case !before:
		return c, errLost
	case s.row != nil:
		return *s.row, fault.Duplicate
	}
	c.History = saga.History{}
	c = written(c, cause, f)
	s.row = &c
	if !after {
		return c, errLost
	}
	return c, nil
}

func (s table) Load(context.Context, saga.Shop, string) (payment.Charge, error) {
	if before, _ := s.interrupt(); !before {
		return payment.Charge{}, errLost
	}
	if s.row == nil {
		return payment.Charge{}, fault.NotFound
	}
	return *s.row, nil
}

func (s table) Save(_ context.Context, c payment.Charge, cause saga.Cause, facts ...saga.Fact) (payment.Charge, error) {
	before, after := s.interrupt()
	switch {
	case !before:
		return c, errLost
	case s.row.History.Version != c.History.Version:
		return c, fault.Conflict
	case len(facts) == 0:
		s.t.Fatalf("a write without a fact: %+v", c)
	case c.External != nil && c.External.Uncaptured > 0:
		s.t.Fatalf("all of it was captured, and %d is said to be uncaptured", c.External.Uncaptured)
	case c.Intent != "" && s.row.Observed == payment.Captured && c.Observed != payment.Captured &&
		c.Observed != payment.Returned:
		s.t.Fatalf("captured, and then %s", c.Observed)
	}
	if s.calm && !s.row.FullyReturned() && slices.Contains(facts, saga.PaymentReturned) {
		s.verifyReturned()
	}
	c = written(c, cause, facts...)
	s.row = &c
	if !after {
		return c, errLost
	}
	return c, nil
}

func written(c payment.Charge, cause saga.Cause, facts ...saga.Fact) payment.Charge {
	d := c.History
	c.History = saga.History{Version: d.Version + 1, Nonce: "nonce", Entries: slices.Clone(d.Entries)}
	for _, f := range facts {
		c.History.Entries = append(c.History.Entries, saga.Entry{Version: c.History.Version, Fact: f, Cause: cause})
	}
	c.PaymentMethod, c.Refunds, c.RefundIDs = "", slices.Clone(c.Refunds), maps.Clone(c.RefundIDs)
	return c
}

func (s *scenario) Create(_ context.Context, c payment.Charge, key string) (payment.Intent, error) {
	return call(s, func() (payment.Intent, error) {
		if c.PaymentMethod == "is refused" {
			return payment.Intent{Observed: payment.Declined, Reason: payment.PaymentMethodUnknown}, nil
		}
		if id, known := s.bank.keys[key]; known {
			return s.bank.intents[id].Intent, nil
		}
		id := fmt.Sprint("pi_", len(s.bank.intents)+1)
		i := &bankIntent{card: c.PaymentMethod,
			Intent: payment.Intent{ID: id, Observed: payment.Nothing, Shop: c.Shop, Order: c.Order, Attempt: c.Attempt}}
		s.bank.intents[id], s.bank.keys[key] = i, id
		s.callBack(i)
		return i.Intent, nil
	})
}

func (s *scenario) Confirm(_ context.Context, intent, _ string) (payment.Intent, error) {
	if s.calm && s.row.Desired != payment.DesiredCapture {
		s.t.Fatalf("confirmed, though the order is canceled")
	}
	return call(s, func() (payment.Intent, error) {
		i := s.bank.intents[intent]
		if i.Observed != payment.Nothing {
			return i.Intent, nil
		}
		i.confirmed = true
		switch {
		case i.card == "pays" || i.card == "dawdles" && s.calm:
			i.hold()
		case i.card == "declines":
			i.Observed, i.Reason = payment.Declined, payment.CardDeclined
		case i.card == "needs action":
			i.Observed, i.ClientSecret = payment.ActionNeeded, intent+"_secret"
		default:
			i.Observed = payment.Uncertain
		}
		s.callBack(i)
		return i.Intent, nil
	})
}

func (i *bankIntent) hold() {
	i.Observed, i.Reason, i.ClientSecret = payment.Authorized, "", ""
	i.held++
}

func (s *scenario) Capture(_ context.Context, intent, _ string) (payment.Intent, error) {
	if s.row.Desired != payment.DesiredCapture {
		s.t.Fatalf("captured, though the order is canceled")
	}
	return call(s, func() (payment.Intent, error) {
		i := s.bank.intents[intent]
		if i.Observed == payment.Authorized {
			i.Observed, i.Received = payment.Captured, s.total.Amount
			i.captured++
			s.callBack(i)
		}
		return i.Intent, nil
	})
}

func (s *scenario) Cancel(_ context.Context, intent string) (payment.Intent, error) {
	return call(s, func() (payment.Intent, error) {
		i := s.bank.intents[intent]
		if i.Observed != payment.Captured && i.Observed != payment.Uncertain && i.Observed != payment.Canceled {
			i.cancel()
			s.callBack(i)
		}
		return i.Intent, nil
	})
}

func (i *bankIntent) cancel() {
	i.Observed, i.Reason, i.ClientSecret = payment.Canceled, payment.PaymentCanceled, ""
}

func (s *scenario) Find(_ context.Context, intent string) (payment.Intent, error) {
	return call(s, func() (payment.Intent, error) { return s.bank.intents[intent].Intent, nil })
}

func (s *scenario) Refund(_ context.Context, c payment.Charge, r saga.Refund, key string) (payment.ProviderRefund,
	error) {
	if s.calm && s.row.Desired == payment.DesiredAbandon && r.ID == payment.FullRefundID {
		s.t.Fatalf("returned, though the order is written off")
	}
	return call(s, func() (payment.ProviderRefund, error) {
		i := s.bank.intents[c.Intent]
		m := payment.ProviderRefund{Refund: r.ID, Try: r.Try, Amount: r.Amount, Status: saga.RefundStatusFailed}
		if id, known := s.bank.keys[key]; known {
			at := slices.IndexFunc(i.refunds, func(m payment.ProviderRefund) bool { return m.ID == id })
			return i.refunds[at], nil
		}
		if i.Observed != payment.Captured {
			return m, nil
		}
		if r.Amount > s.total.Amount-i.refunded()-i.disputed() {
			m.Status = saga.RefundStatusRefused
			return m, nil
		}
		m.ID, m.Status = fmt.Sprint("re_", len(i.refunds)+1), saga.RefundStatusSucceeded
		if !s.calm {
			m.Status = saga.RefundStatus(s.pick("succeeded", "succeeded", "pending", "failed"))
		}
		i.refunds = append(i.refunds, m)
		s.bank.keys[key] = m.ID
		s.callBack(i)
		return m, nil
	})
}

func (i *bankIntent) refunded() int64 {
	var sum int64
	for _, m := range i.refunds {
		if m.Status != saga.RefundStatusFailed {
			sum += m.Amount
		}
	}
	return sum
}

func (s *scenario) Refunds(_ context.Context, c payment.Charge) ([]payment.ProviderRefund, error) {
	return call(s,
		func() ([]payment.ProviderRefund, error) { return slices.Clone(s.bank.intents[c.Intent].refunds), nil })
}

// disputed returns how much of the captured amount disputes hold or took.
func (i *bankIntent) disputed() int64 {
	var sum int64
	for _, d := range i.disputes {
		if d.Status != payment.DisputeWon {
			sum += d.Amount
		}
	}
	return sum
}

func (s *scenario) Disputes(_ context.Context, c payment.Charge) ([]payment.Dispute, error) {
	return call(s, func() ([]payment.Dispute, error) { return slices.Clone(s.bank.intents[c.Intent].disputes), nil })
}

// actOutside has a person refund money at the provider, or the customer's bank dispute it or decide a dispute.
func (s *scenario) actOutside(i *bankIntent) {
	left := s.total.Amount - i.refunded() - i.disputed()
	switch s.pick("refund", "dispute", "decide") {
	case "refund":
		if left > 0 {
			i.refunds = append(i.refunds, payment.ProviderRefund{
				ID: fmt.Sprint("re_", len(i.refunds)+1), Amount: rapid.Int64Range(1, left).Draw(s.t, "outside"),
				Status: saga.RefundStatus(s.pick("succeeded", "succeeded", "pending")),
			})
		}
	case "dispute":
		i.disputes = append(i.disputes, payment.Dispute{
			ID: fmt.Sprint("dp_", len(i.disputes)+1), Status: payment.DisputeOpen,
			Amount: rapid.Int64Range(1, s.total.Amount).Draw(s.t, "disputed"), // also of what was refunded
		})
	case "decide":
		for at := range i.disputes {
			if i.disputes[at].Status == payment.DisputeOpen {
				i.disputes[at].Status = payment.DisputeStatus(s.pick("lost", "won"))
			}
		}
	}
}

func (s *scenario) callBack(i *bankIntent) {
	s.bank.callbacks = append(s.bank.callbacks,
		payment.Callback{
			ID: fmt.Sprint("evt_", len(s.bank.callbacks)+1), Intent: i.ID, AfterCapture: i.Observed == payment.Captured,
		})
}

func (s *scenario) reconciler() payment.Reconciler {
	return payment.Reconciler{Charges: table{s}, Provider: s}
}

// deliver passes a message to the step that consumes it.
func (s *scenario) deliver(e saga.Event) {
	var step interface {
		Handle(context.Context, saga.Event) error
	}
	switch {
	case slices.Contains(saga.Routes[e.Type].To, saga.AuthorizePayment):
		step = payment.AuthorizeStep{Reconciler: s.reconciler()}
	case e.Cause().Actor == string(saga.CapturePayment):
		step = payment.CaptureStep{Reconciler: s.reconciler()}
	default:
		step = payment.ReturnStep{Reconciler: s.reconciler()}
	}
	s.check(step.Handle(s.outer.Context(), e))
}

// check fails for an unexpected error.
func (s *scenario) check(err error) {
	switch kind := fault.KindOf(err); {
	case err == nil, errors.Is(err, errLost), kind.Later(), kind == fault.Conflict, kind == fault.NotFound &&
		s.row == nil:
	default:
		s.t.Fatalf("unexpected: %v", err)
	}
}

func (s *scenario) nextID() string {
	s.ids++
	return fmt.Sprint("message-", s.ids)
}

func (s *scenario) send(e saga.Event) {
	s.sent = append(s.sent, e)
	s.deliver(e)
}

func (s *scenario) about(step saga.Step, fact saga.Fact) saga.Event {
	return paymenttest.About(s.outer, step, fact, s.nextID(), theOrder)
}

func (s *scenario) handleCallback(b payment.Callback) {
	err := s.reconciler().HandleCallback(s.outer.Context(), b, saga.Cause{ID: b.ID, Actor: "receive-payment-event"})
	if !errors.Is(err, payment.ErrUnknownPayment) {
		s.check(err)
	} else if s.row != nil && s.row.Intent == b.Intent && s.depth == 0 {
		s.t.Fatalf("%s is ours: %v", b.Intent, err)
	}
}

func (s *scenario) act() {
	switch s.pick("reserved", "confirmed", "canceling", "check", "capture", "return", "refund", "write-off", "again",
		"again", "callback", "callback", "bank", "bank", "day") {
	case "reserved":
		s.send(paymenttest.Reserved(s.outer, s.nextID(), theOrder, s.total, s.card))
	case "confirmed":
		s.send(s.about(saga.CapturePayment, saga.OrderConfirmed))
	case "canceling":
		s.canceled = true
		s.send(s.about(saga.ReturnPayment, saga.OrderCanceling))
	case "check":
		s.send(s.about(saga.AuthorizePayment, saga.PaymentCheckDue))
	case "capture":
		s.send(s.about(saga.CapturePayment, saga.CaptureDue))
	case "return":
		if s.canceled {
			s.send(s.about(saga.ReturnPayment, saga.ReturnDue))
		}
	case "refund":
		if s.row != nil && s.row.Observed == payment.Captured && s.row.Desired == payment.DesiredCapture &&
			s.row.Intent != "" {
			s.requestRefund()
			s.send(paymenttest.Refunding(s.outer, saga.OrderRefunding, s.nextID(), theOrder, s.requested...))
		}
	case "write-off":
		if s.chance(3) {
			s.writtenOff = true
			s.send(s.about(saga.ReturnPayment, saga.PaymentWrittenOff))
		}
	case "again":
		if len(s.sent) > 0 {
			s.deliver(rapid.SampledFrom(s.sent).Draw(s.t, "message"))
		}
	case "callback":
		if len(s.bank.callbacks) > 0 {
			s.handleCallback(rapid.SampledFrom(s.bank.callbacks).Draw(s.t, "callback"))
		}
	case "bank":
		s.actAtBank()
	case "day":
		if s.depth == 0 { // no call takes a day
			clear(s.bank.keys)
		}
	}
}

// requestRefund adds a refund to the order's requests, or another try of one that failed.
func (s *scenario) requestRefund() {
	s.requested = slices.Clone(s.requested) // sent messages keep their list
	for at, w := range s.requested {
		if slices.ContainsFunc(s.row.Refunds, func(r saga.Refund) bool {
			return r.ID == w.ID && r.Try == w.Try && r.Status == saga.RefundStatusFailed
		}) {
			s.requested[at].Try++
			return
		}
	}
	s.requested = append(s.requested, saga.Refund{
		ID: fmt.Sprint("refund-", len(s.requested)+1), Amount: rapid.Int64Range(1, price.Amount).Draw(s.t, "amount"),
		Try: 1, Status: saga.RefundStatusRequested,
	})
}

// actAtBank does something that a customer or a bank does by itself.
func (s *scenario) actAtBank() {
	ids := slices.Sorted(maps.Keys(s.bank.intents))
	if len(ids) == 0 {
		return
	}
	i := s.bank.intents[rapid.SampledFrom(ids).Draw(s.t, "intent")]
	switch i.Observed {
	case payment.ActionNeeded, payment.Uncertain:
		if i.hold(); s.chance(3) {
			i.held--
			i.Observed, i.Reason = payment.Declined, payment.CardDeclined
		}
	case payment.Declined: // the customer uses another card
		i.hold()
	case payment.Authorized: // the authorization lapses after a week
		i.cancel()
	case payment.Captured:
		if s.chance(2) {
			s.actOutside(i)
			break
		}
		for at := range i.refunds {
			switch i.refunds[at].Status {
			case saga.RefundStatusPending:
				i.refunds[at].Status = saga.RefundStatus(s.pick("succeeded", "failed"))
			case saga.RefundStatusSucceeded:
				if s.chance(3) {
					i.refunds[at].Status = saga.RefundStatusFailed
				}
			}
		}
	default:
		return
	}
	s.callBack(i)
}

// settle repeats every message and callback until the payment is settled. Payments and refunds that
// are still in processing then succeed, and only callbacks report that.
func (s *scenario) settle() {
	s.calm = true
	for _, e := range s.sent { // as from a dead-letter queue
		s.deliver(e)
	}
	s.callBackAll()
	if s.canceled {
		s.deliver(s.about(saga.ReturnPayment, saga.ReturnDue))
		s.deliver(s.about(saga.ReturnPayment, saga.ReturnDue))
	}
	for _, i := range s.bank.intents {
		if i.Observed == payment.Uncertain {
			i.hold()
			s.callBack(i)
		}
		for at := range i.refunds {
			if i.refunds[at].Status == saga.RefundStatusPending {
				i.refunds[at].Status = saga.RefundStatusSucceeded
				s.callBack(i)
			}
		}
	}
	s.callBackAll()
	for range s.requested {
		s.deliver(paymenttest.Refunding(s.outer, saga.RefundDue, s.nextID(), theOrder, s.requested...))
	}
}

func (s *scenario) callBackAll() {
	for at := range len(s.bank.callbacks) {
		s.handleCallback(s.bank.callbacks[at])
	}
}

// answers sends a new message to a step, and reports whether the step publishes the fact again.
func (s *scenario) answers(step saga.Step, ask, with saga.Fact) bool {
	before := s.row.History.Version
	s.deliver(s.about(step, ask))
	last := s.row.History.Entries[len(s.row.History.Entries)-1]
	return s.row.History.Version == before+1 && last.Fact == with
}

func (s *scenario) verify() {
	confirmed := 0
	for id, i := range s.bank.intents {
		if i.confirmed {
			confirmed++
		}
		if i.captured > 1 || i.refunded() > s.total.Amount*int64(i.captured) {
			s.t.Fatalf("%s was captured %d times, and %d was refunded", id, i.captured, i.refunded())
		}
		for at, m := range i.refunds {
			if m.Refund != payment.FullRefundID && m.Refund != "" &&
				slices.ContainsFunc(i.refunds[:at],
					func(o payment.ProviderRefund) bool { return o.Refund == m.Refund && o.Try == m.Try }) {
				s.t.Fatalf("try %d of %s was made twice", m.Try, m.Refund)
			}
		}
	}
	if confirmed > 1 {
		s.t.Fatalf("%d payments were confirmed for one order", confirmed)
	}
	if s.row == nil && !s.canceled && !s.writtenOff {
		return
	}
	if s.row == nil {
		s.t.Fatalf("canceled, but nothing prevents its payment")
	}
	switch {
	case s.writtenOff && !s.row.FullyReturned():
		s.verifyAbandoned()
		return
	case !s.canceled && !s.writtenOff:
		s.verifyCaptured()
		return
	}
	if s.row.Desired != payment.DesiredReturn || !s.row.FullyReturned() ||
		!slices.Contains(facts(*s.row), saga.PaymentReturned) {
		s.t.Fatalf("canceled, but desired %s, observed %s: %v", s.row.Desired, s.row.Observed, facts(*s.row))
	}
	s.verifyReturned()
	if !s.answers(saga.ReturnPayment, saga.ReturnDue, saga.PaymentReturned) ||
		!s.answers(saga.AuthorizePayment, saga.PaymentCheckDue, saga.PaymentReturned) {
		s.t.Fatalf("a new message is not answered: %v", facts(*s.row))
	}
}

// verifyReturned fails if any of the order's money is still authorized or captured.
func (s *scenario) verifyReturned() {
	for id, i := range s.bank.intents {
		if i.Observed == payment.Authorized || i.Observed == payment.Captured &&
			i.arrived()+i.disputed() < s.total.Amount {
			s.t.Fatalf("returned, but %s is %s at the provider, and %d was refunded", id, i.Observed, i.arrived())
		}
	}
}

// arrived returns how much was refunded to the customer.
func (i *bankIntent) arrived() int64 {
	var sum int64
	for _, m := range i.refunds {
		if m.Status == saga.RefundStatusSucceeded {
			sum += m.Amount
		}
	}
	return sum
}

// verifyAbandoned fails if a written-off charge is authorized, can still be captured, or was
// captured without a PaymentCaptured.
func (s *scenario) verifyAbandoned() {
	i := s.bank.intents[s.row.Intent]
	switch {
	case s.row.Desired != payment.DesiredAbandon:
		s.t.Fatalf("written off, but desired %s", s.row.Desired)
	case i == nil: // the provider refused it, or was not needed
	case i.Observed != payment.Captured && i.Observed != payment.Canceled:
		s.t.Fatalf("written off, but %s at the provider: %v", i.Observed, facts(*s.row))
	case i.Observed == payment.Captured && s.row.Observed != s.observedOf(i):
		s.t.Fatalf("captured, but the charge observes %s, not %s: %v", s.row.Observed, s.observedOf(i), facts(*s.row))
	case i.Observed == payment.Captured && !s.canceled && !slices.Contains(facts(*s.row), saga.PaymentCaptured):
		s.t.Fatalf("captured, but not published: %v", facts(*s.row))
	}
	before := *s.row
	s.deliver(s.about(saga.CapturePayment, saga.CaptureDue))
	s.deliver(s.about(saga.ReturnPayment, saga.ReturnDue))
	if s.row.Observed != before.Observed || s.row.Desired != before.Desired {
		s.t.Fatalf("after new messages it observes %s and desires %s", s.row.Observed, s.row.Desired)
	}
}

// observedOf returns the observed state of a captured charge, which may be refunded in full.
func (s *scenario) observedOf(i *bankIntent) payment.Observed {
	whole := slices.ContainsFunc(i.refunds,
		func(m payment.ProviderRefund) bool { return m.Refund == payment.FullRefundID })
	if whole && i.arrived()+i.disputed() >= s.total.Amount {
		return payment.Returned
	}
	return payment.Captured
}

// verifyExternal fails if a captured charge does not know what moved at the provider without the order.
func (s *scenario) verifyExternal(i *bankIntent) {
	want := saga.External{Disputed: i.disputed()}
	for _, m := range i.refunds {
		if m.Refund == "" && m.Status != saga.RefundStatusFailed {
			want.Refunded += m.Amount
		}
	}
	got := saga.External{}
	if s.row.External != nil {
		got = *s.row.External
	}
	if i.Observed == payment.Captured && got != want {
		s.t.Fatalf("at the provider %+v moved without the order, and the charge has %+v", want, got)
	}
}

func (s *scenario) verifyCaptured() {
	i := s.bank.intents[s.row.Intent]
	if i != nil {
		s.verifyExternal(i)
	}
	if i == nil { // the provider refused it, or was not needed
		i = &bankIntent{Intent: payment.Intent{Observed: s.row.Observed}}
	}
	same := s.row.Observed == i.Observed || i.Observed == payment.Canceled &&
		(s.row.Observed == payment.Lapsed || s.row.Observed == payment.Declined)
	answers := true
	switch s.row.Observed {
	case payment.Captured:
		answers = s.answers(saga.CapturePayment, saga.CaptureDue, saga.PaymentCaptured) &&
			s.answers(saga.AuthorizePayment, saga.PaymentCheckDue, saga.PaymentAuthorized)
	case payment.Lapsed:
		answers = s.answers(saga.CapturePayment, saga.CaptureDue, saga.CaptureFailed) &&
			s.answers(saga.AuthorizePayment, saga.PaymentCheckDue, saga.PaymentDeclined)
	case payment.Declined:
		answers = s.answers(saga.AuthorizePayment, saga.PaymentCheckDue, saga.PaymentDeclined)
	case payment.Authorized:
		answers = s.answers(saga.AuthorizePayment, saga.PaymentCheckDue, saga.PaymentAuthorized)
	}
	if !same || !answers {
		s.t.Fatalf("observed %s, at the provider %s: %v", s.row.Observed, i.Observed, facts(*s.row))
	}
	if s.row.Observed == payment.ActionNeeded != (s.row.ClientSecret != "") {
		s.t.Fatalf("observed %s, client secret %q", s.row.Observed, s.row.ClientSecret)
	}
	factOf := map[saga.RefundStatus]saga.Fact{saga.RefundStatusSucceeded: saga.PaymentRefunded,
		saga.RefundStatusFailed: saga.RefundFailed, saga.RefundStatusRefused: saga.RefundRefused}
	for _, r := range s.row.Refunds {
		if !slices.Contains(facts(*s.row), factOf[r.Status]) {
			s.t.Fatalf("refund %+v: %v", r, facts(*s.row))
		}
	}
}

func TestReconciler_EndsInTheDesiredStateWhateverHappens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := &scenario{t: r, outer: t, total: price,
			bank: bank{intents: map[string]*bankIntent{}, keys: map[string]string{}}}
		if s.card = s.pick("pays", "pays", "declines", "needs action", "dawdles", "is refused",
			"is not needed"); s.card == "is not needed" {
			s.total.Amount = 0
		}
		for range rapid.IntRange(1, 25).Draw(r, "length") {
			s.act()
		}
		s.settle()
		s.verify()
	})
}
