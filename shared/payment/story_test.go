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

// story is one order's money, told by chance: what is asked, in which order, and how often; what the customer and the banks
// do; which answers are lost; and what else happens while a call is under way. Once it is calm, nothing goes wrong any more.
type story struct {
	t     *rapid.T
	outer *testing.T
	calm  bool
	depth int // of what happens meanwhile

	card    string
	total   money.Money
	row     *payment.Charge
	bank    bank
	sent    []saga.Event // every message so far: each may come again
	wanted  []saga.Refund
	asks    int
	givenUp bool
	left    bool // its order was written off
}

const tale = "ord_1"

// What goes wrong in stories is rare: a hundred of them, rapid's default, find next to nothing.
func init() { _ = flag.Set("rapid.checks", "3000") }

// bank is the provider's ledger, with the rules that Stripe has.
type bank struct {
	intents   map[string]*paid
	keys      map[string]string // what was made under an idempotency key
	callbacks []payment.Callback
}

type paid struct {
	payment.Intent
	card      string // how the customer's card behaves
	held      int    // how often the amount was held
	captured  int    // how often it was taken
	confirmed bool
	refunds   []payment.ProviderRefund
}

var errLost = errors.New("the answer was lost")

// meanwhile is what may happen before a call is carried out, and after it. It reports whether the call is carried out, and
// whether its answer arrives.
func (s *story) meanwhile() (before, after bool) {
	if s.calm {
		return true, true
	}
	if s.depth < 2 && s.chance(6) {
		s.depth++
		s.happen()
		s.depth--
	}
	return !s.chance(10), !s.chance(10)
}

func (s *story) chance(oneIn int) bool { return rapid.IntRange(1, oneIn).Draw(s.t, "chance") == oneIn }

func (s *story) pick(from ...string) string { return rapid.SampledFrom(from).Draw(s.t, "pick") }

// happens carries out a call that something may happen to.
func happens[T any](s *story, do func() (T, error)) (T, error) {
	var none T
	before, after := s.meanwhile()
	if !before {
		return none, fault.Unavailable
	}
	v, err := do()
	if !after {
		return none, fault.Unavailable
	}
	return v, err
}

// The table of charges.

type table struct{ *story }

func (s table) Create(_ context.Context, c payment.Charge, cause saga.Cause, f saga.Fact) (payment.Charge, error) {
	before, after := s.meanwhile()
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
	if before, _ := s.meanwhile(); !before {
		return payment.Charge{}, errLost
	}
	if s.row == nil {
		return payment.Charge{}, fault.NotFound
	}
	return *s.row, nil
}

func (s table) Save(_ context.Context, c payment.Charge, cause saga.Cause, facts ...saga.Fact) (payment.Charge, error) {
	before, after := s.meanwhile()
	switch {
	case !before:
		return c, errLost
	case s.row.History.Version != c.History.Version:
		return c, fault.Conflict
	case len(facts) == 0:
		s.t.Fatalf("a write without a fact: %+v", c)
	case c.Intent != "" && s.row.Observed == payment.Captured && c.Observed != payment.Captured && c.Observed != payment.Returned:
		s.t.Fatalf("captured, and then %s", c.Observed)
	}
	if s.calm && !s.row.FullyReturned() && slices.Contains(facts, saga.PaymentReturned) {
		s.judgeReturned()
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

// The provider.

func (s *story) Create(_ context.Context, c payment.Charge, key string) (payment.Intent, error) {
	return happens(s, func() (payment.Intent, error) {
		if c.PaymentMethod == "is refused" {
			return payment.Intent{Observed: payment.Declined, Reason: payment.PaymentMethodUnknown}, nil
		}
		if id, known := s.bank.keys[key]; known {
			return s.bank.intents[id].Intent, nil
		}
		id := fmt.Sprint("pi_", len(s.bank.intents)+1)
		i := &paid{card: c.PaymentMethod, Intent: payment.Intent{ID: id, Observed: payment.Nothing, Shop: c.Shop, Order: c.Order, Attempt: c.Attempt}}
		s.bank.intents[id], s.bank.keys[key] = i, id
		s.callBack(i)
		return i.Intent, nil
	})
}

func (s *story) Confirm(_ context.Context, intent, _ string) (payment.Intent, error) {
	if s.calm && s.row.Desired != payment.DesiredCapture {
		s.t.Fatalf("confirmed, though it was known to be given up")
	}
	return happens(s, func() (payment.Intent, error) {
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
		case i.card == "asks":
			i.Observed, i.ClientSecret = payment.ActionNeeded, intent+"_secret"
		default:
			i.Observed = payment.Uncertain
		}
		s.callBack(i)
		return i.Intent, nil
	})
}

func (i *paid) hold() {
	i.Observed, i.Reason, i.ClientSecret = payment.Authorized, "", ""
	i.held++
}

func (s *story) Capture(_ context.Context, intent, _ string) (payment.Intent, error) {
	if s.row.Desired != payment.DesiredCapture {
		s.t.Fatalf("captured, though it was known to be given up")
	}
	return happens(s, func() (payment.Intent, error) {
		i := s.bank.intents[intent]
		if i.Observed == payment.Authorized {
			i.Observed = payment.Captured
			i.captured++
			s.callBack(i)
		}
		return i.Intent, nil
	})
}

func (s *story) Cancel(_ context.Context, intent string) (payment.Intent, error) {
	return happens(s, func() (payment.Intent, error) {
		i := s.bank.intents[intent]
		if i.Observed != payment.Captured && i.Observed != payment.Uncertain && i.Observed != payment.Canceled {
			i.cancel()
			s.callBack(i)
		}
		return i.Intent, nil
	})
}

func (i *paid) cancel() {
	i.Observed, i.Reason, i.ClientSecret = payment.Canceled, payment.PaymentCanceled, ""
}

func (s *story) Find(_ context.Context, intent string) (payment.Intent, error) {
	return happens(s, func() (payment.Intent, error) { return s.bank.intents[intent].Intent, nil })
}

func (s *story) Refund(_ context.Context, c payment.Charge, r saga.Refund, key string) (payment.ProviderRefund, error) {
	if s.calm && s.row.Desired == payment.DesiredAbandon && r.ID == payment.FullRefundID {
		s.t.Fatalf("given back, though it was known to be written off")
	}
	return happens(s, func() (payment.ProviderRefund, error) {
		i := s.bank.intents[c.Intent]
		m := payment.ProviderRefund{Refund: r.ID, Try: r.Try, Amount: r.Amount, Status: saga.RefundStatusFailed}
		if id, known := s.bank.keys[key]; known {
			at := slices.IndexFunc(i.refunds, func(m payment.ProviderRefund) bool { return m.ID == id })
			return i.refunds[at], nil
		}
		if i.Observed != payment.Captured || r.Amount > s.total.Amount-i.given() {
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

func (i *paid) given() int64 {
	var sum int64
	for _, m := range i.refunds {
		if m.Status != saga.RefundStatusFailed {
			sum += m.Amount
		}
	}
	return sum
}

func (s *story) Refunds(_ context.Context, c payment.Charge) ([]payment.ProviderRefund, error) {
	return happens(s, func() ([]payment.ProviderRefund, error) { return slices.Clone(s.bank.intents[c.Intent].refunds), nil })
}

func (s *story) callBack(i *paid) {
	s.bank.callbacks = append(s.bank.callbacks, payment.Callback{ID: fmt.Sprint("evt_", len(s.bank.callbacks)+1), Intent: i.ID})
}

// What happens.

func (s *story) till() payment.Reconciler { return payment.Reconciler{Charges: table{s}, Provider: s} }

// deliver hands a message to the step that hears it.
func (s *story) deliver(e saga.Event) {
	var step interface {
		Handle(context.Context, saga.Event) error
	}
	switch {
	case slices.Contains(saga.Routes[e.Type].To, saga.AuthorizePayment):
		step = payment.AuthorizeStep{Reconciler: s.till()}
	case e.Cause().Actor == string(saga.CapturePayment):
		step = payment.CaptureStep{Reconciler: s.till()}
	default:
		step = payment.ReturnStep{Reconciler: s.till()}
	}
	s.check(step.Handle(s.outer.Context(), e))
}

// check fails for an error that is neither expected nor an accident.
func (s *story) check(err error) {
	switch kind := fault.KindOf(err); {
	case err == nil, errors.Is(err, errLost), kind.Later(), kind == fault.Conflict, kind == fault.NotFound && s.row == nil:
	default:
		s.t.Fatalf("unexpected: %v", err)
	}
}

func (s *story) ask() string {
	s.asks++
	return fmt.Sprint("ask-", s.asks)
}

func (s *story) send(e saga.Event) {
	s.sent = append(s.sent, e)
	s.deliver(e)
}

func (s *story) about(step saga.Step, fact saga.Fact) saga.Event {
	return paymenttest.About(s.outer, step, fact, s.ask(), tale)
}

func (s *story) hear(b payment.Callback) {
	err := s.till().HandleCallback(s.outer.Context(), b, saga.Cause{ID: b.ID, Actor: "receive-payment-event"})
	if !errors.Is(err, payment.ErrUnknownPayment) {
		s.check(err)
	} else if s.row != nil && s.row.Intent == b.Intent && s.depth == 0 {
		s.t.Fatalf("%s is ours: %v", b.Intent, err)
	}
}

func (s *story) happen() {
	switch s.pick("reserved", "confirmed", "canceling", "check", "capture", "return", "refund", "write-off", "again", "again", "callback", "callback", "bank", "bank", "day") {
	case "reserved":
		s.send(paymenttest.Reserved(s.outer, s.ask(), tale, s.total, s.card))
	case "confirmed":
		s.send(s.about(saga.CapturePayment, saga.OrderConfirmed))
	case "canceling":
		s.givenUp = true
		s.send(s.about(saga.ReturnPayment, saga.OrderCanceling))
	case "check":
		s.send(s.about(saga.AuthorizePayment, saga.PaymentCheckDue))
	case "capture":
		s.send(s.about(saga.CapturePayment, saga.CaptureDue))
	case "return":
		if s.givenUp {
			s.send(s.about(saga.ReturnPayment, saga.ReturnDue))
		}
	case "refund":
		if s.row != nil && s.row.Observed == payment.Captured && s.row.Desired == payment.DesiredCapture && s.row.Intent != "" {
			s.wantRefund()
			s.send(paymenttest.Refunding(s.outer, saga.OrderRefunding, s.ask(), tale, s.wanted...))
		}
	case "write-off":
		if s.chance(3) {
			s.left = true
			s.send(s.about(saga.ReturnPayment, saga.PaymentWrittenOff))
		}
	case "again":
		if len(s.sent) > 0 {
			s.deliver(rapid.SampledFrom(s.sent).Draw(s.t, "message"))
		}
	case "callback":
		if len(s.bank.callbacks) > 0 {
			s.hear(rapid.SampledFrom(s.bank.callbacks).Draw(s.t, "callback"))
		}
	case "bank":
		s.banking()
	case "day":
		if s.depth == 0 { // no call takes a day
			clear(s.bank.keys)
		}
	}
}

// wantRefund adds a refund to what the order wants, or has it try one that failed anew.
func (s *story) wantRefund() {
	s.wanted = slices.Clone(s.wanted) // messages under way keep what they carry
	for at, w := range s.wanted {
		if slices.ContainsFunc(s.row.Refunds, func(r saga.Refund) bool {
			return r.ID == w.ID && r.Try == w.Try && r.Status == saga.RefundStatusFailed
		}) {
			s.wanted[at].Try++
			return
		}
	}
	s.wanted = append(s.wanted, saga.Refund{
		ID: fmt.Sprint("refund-", len(s.wanted)+1), Amount: rapid.Int64Range(1, price.Amount).Draw(s.t, "amount"), Try: 1, Status: saga.RefundStatusRequested,
	})
}

// banking is what customers and banks do by themselves.
func (s *story) banking() {
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
	case payment.Declined: // the customer finds another card
		i.hold()
	case payment.Authorized: // it was held for a week
		i.cancel()
	case payment.Captured:
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

// settle has everything be asked, and called back, until it has come to its end. What the provider still works on then ends
// well, and nobody hears of that but by callbacks.
func (s *story) settle() {
	s.calm = true
	for _, e := range s.sent { // as from a dead-letter queue
		s.deliver(e)
	}
	s.callBackAll()
	if s.givenUp {
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
	for range s.wanted {
		s.deliver(paymenttest.Refunding(s.outer, saga.RefundDue, s.ask(), tale, s.wanted...))
	}
}

func (s *story) callBackAll() {
	for at := range len(s.bank.callbacks) {
		s.hear(s.bank.callbacks[at])
	}
}

// answers has a step be asked once more, and reports whether it tells the fact anew.
func (s *story) answers(step saga.Step, ask, with saga.Fact) bool {
	before := s.row.History.Version
	s.deliver(s.about(step, ask))
	last := s.row.History.Entries[len(s.row.History.Entries)-1]
	return s.row.History.Version == before+1 && last.Fact == with
}

func (s *story) judge() {
	confirmed := 0
	for id, i := range s.bank.intents {
		if i.confirmed {
			confirmed++
		}
		if i.captured > 1 || i.given() > s.total.Amount*int64(i.captured) {
			s.t.Fatalf("%s was captured %d times, and %d of it went back", id, i.captured, i.given())
		}
		for at, m := range i.refunds {
			if m.Refund != payment.FullRefundID && slices.ContainsFunc(i.refunds[:at], func(o payment.ProviderRefund) bool { return o.Refund == m.Refund && o.Try == m.Try }) {
				s.t.Fatalf("try %d of %s was made twice", m.Try, m.Refund)
			}
		}
	}
	if confirmed > 1 {
		s.t.Fatalf("%d payments were confirmed for one order", confirmed)
	}
	if s.row == nil && !s.givenUp && !s.left {
		return
	}
	if s.row == nil {
		s.t.Fatalf("given up, and nothing keeps it from being paid")
	}
	switch {
	case s.left && !s.row.FullyReturned():
		s.judgeLeft()
		return
	case !s.givenUp && !s.left:
		s.judgeTaken()
		return
	}
	if s.row.Desired != payment.DesiredReturn || !s.row.FullyReturned() || !slices.Contains(facts(*s.row), saga.PaymentReturned) {
		s.t.Fatalf("given up, but wants %s, has %s: %v", s.row.Desired, s.row.Observed, facts(*s.row))
	}
	s.judgeReturned()
	if !s.answers(saga.ReturnPayment, saga.ReturnDue, saga.PaymentReturned) || !s.answers(saga.AuthorizePayment, saga.PaymentCheckDue, saga.PaymentReturned) {
		s.t.Fatalf("asked again, it does not answer: %v", facts(*s.row))
	}
}

// judgeReturned fails if the provider holds or has any of the order's money.
func (s *story) judgeReturned() {
	for id, i := range s.bank.intents {
		if i.Observed == payment.Authorized || i.Observed == payment.Captured && i.arrived() != s.total.Amount {
			s.t.Fatalf("returned, but of %s the provider has %s, and %d went back", id, i.Observed, i.arrived())
		}
	}
}

// arrived returns how much went back to the customer.
func (i *paid) arrived() int64 {
	var sum int64
	for _, m := range i.refunds {
		if m.Status == saga.RefundStatusSucceeded {
			sum += m.Amount
		}
	}
	return sum
}

// judgeLeft fails if anything of a charge that was written off is held, can still be taken, or was taken and not told.
func (s *story) judgeLeft() {
	i := s.bank.intents[s.row.Intent]
	switch {
	case s.row.Desired != payment.DesiredAbandon:
		s.t.Fatalf("written off, but wants %s", s.row.Desired)
	case i == nil: // the provider would not have it, or was not needed
	case i.Observed != payment.Captured && i.Observed != payment.Canceled:
		s.t.Fatalf("written off, but the provider has %s: %v", i.Observed, facts(*s.row))
	case i.Observed == payment.Captured && s.row.Observed != s.hasOf(i):
		s.t.Fatalf("taken, and the charge has %s, not %s: %v", s.row.Observed, s.hasOf(i), facts(*s.row))
	case i.Observed == payment.Captured && !s.givenUp && !slices.Contains(facts(*s.row), saga.PaymentCaptured):
		s.t.Fatalf("taken, and nobody was told: %v", facts(*s.row))
	}
	before := *s.row
	s.deliver(s.about(saga.CapturePayment, saga.CaptureDue))
	s.deliver(s.about(saga.ReturnPayment, saga.ReturnDue))
	if s.row.Observed != before.Observed || s.row.Desired != before.Desired {
		s.t.Fatalf("asked once more, it has %s and wants %s", s.row.Observed, s.row.Desired)
	}
}

// hasOf returns what a charge has whose money was taken, and perhaps went back as a whole.
func (s *story) hasOf(i *paid) payment.Observed {
	whole := slices.ContainsFunc(i.refunds, func(m payment.ProviderRefund) bool { return m.Refund == payment.FullRefundID })
	if whole && i.arrived() == s.total.Amount {
		return payment.Returned
	}
	return payment.Captured
}

func (s *story) judgeTaken() {
	i := s.bank.intents[s.row.Intent]
	if i == nil { // the provider would not have it, or was not needed
		i = &paid{Intent: payment.Intent{Observed: s.row.Observed}}
	}
	same := s.row.Observed == i.Observed || i.Observed == payment.Canceled && (s.row.Observed == payment.Lapsed || s.row.Observed == payment.Declined)
	answers := true
	switch s.row.Observed {
	case payment.Captured:
		answers = s.answers(saga.CapturePayment, saga.CaptureDue, saga.PaymentCaptured) && s.answers(saga.AuthorizePayment, saga.PaymentCheckDue, saga.PaymentAuthorized)
	case payment.Lapsed:
		answers = s.answers(saga.CapturePayment, saga.CaptureDue, saga.CaptureFailed) && s.answers(saga.AuthorizePayment, saga.PaymentCheckDue, saga.PaymentDeclined)
	case payment.Declined:
		answers = s.answers(saga.AuthorizePayment, saga.PaymentCheckDue, saga.PaymentDeclined)
	case payment.Authorized:
		answers = s.answers(saga.AuthorizePayment, saga.PaymentCheckDue, saga.PaymentAuthorized)
	}
	if !same || !answers {
		s.t.Fatalf("has %s, the provider %s: %v", s.row.Observed, i.Observed, facts(*s.row))
	}
	if s.row.Observed == payment.ActionNeeded != (s.row.ClientSecret != "") {
		s.t.Fatalf("has %s, client secret %q", s.row.Observed, s.row.ClientSecret)
	}
	told := map[saga.RefundStatus]saga.Fact{saga.RefundStatusSucceeded: saga.PaymentRefunded, saga.RefundStatusFailed: saga.RefundFailed}
	for _, r := range s.row.Refunds {
		if !slices.Contains(facts(*s.row), told[r.Status]) {
			s.t.Fatalf("refund %+v: %v", r, facts(*s.row))
		}
	}
}

func TestWhateverHappensTheMoneyIsWhereItsOrderWantsIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := &story{t: r, outer: t, total: price, bank: bank{intents: map[string]*paid{}, keys: map[string]string{}}}
		if s.card = s.pick("pays", "pays", "declines", "asks", "dawdles", "is refused", "is not needed"); s.card == "is not needed" {
			s.total.Amount = 0
		}
		for range rapid.IntRange(1, 25).Draw(r, "length") {
			s.happen()
		}
		s.settle()
		s.judge()
	})
}
