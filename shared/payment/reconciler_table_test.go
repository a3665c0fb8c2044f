package payment_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/fault"
	"backroom/shared/payment"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/saga"
)

// state is a row of the reconciler's table.
type state struct {
	desired  payment.Desired
	observed payment.Observed
}

func (s state) String() string { return string(s.desired) + "/" + string(s.observed) }

var (
	allObserved = []payment.Observed{
		payment.Nothing, payment.Uncertain, payment.ActionNeeded, payment.Declined, payment.Authorized,
		payment.Captured, payment.Lapsed, payment.Canceled, payment.Returned,
	}
	unreachable = []state{
		{payment.DesiredCapture, payment.Canceled}, {payment.DesiredCapture, payment.Returned},
		{payment.DesiredAbandon, payment.Canceled},
	}
	// intentStates are what a provider can report of an intent.
	intentStates = []payment.Observed{
		payment.Nothing, payment.Uncertain, payment.ActionNeeded, payment.Declined, payment.Authorized,
		payment.Captured, payment.Canceled,
	}
	requests = []string{"authorize", "capture", "return", "abandon", "callback"}
)

func states() []state {
	var all []state
	for _, desired := range []payment.Desired{payment.DesiredCapture, payment.DesiredReturn, payment.DesiredAbandon} {
		for _, observed := range allObserved {
			if s := (state{desired, observed}); !slices.Contains(unreachable, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// cell is one charge, its intent and what one request does with both.
type cell struct {
	row    payment.Charge
	intent payment.Observed
	facts  []saga.Fact
	calls  []string // to the provider
	saved  []state
}

func newCell(s state, intent payment.Observed) *cell {
	c := payment.New(
		saga.Payable{Order: "ord_1", Shop: paymenttest.Shop, Total: price.Amount, Currency: price.Currency})
	c.Desired, c.Observed, c.Intent = s.desired, s.observed, "pi_1"
	c.Refunds = []saga.Refund{{ID: "r1", Amount: 1, Try: 1, Status: saga.RefundStatusRequested}}
	c.History.Version = 1
	return &cell{row: c, intent: intent}
}

// ask sends the request to the step, or the callback's handler, that it belongs to.
func (c *cell) ask(t *testing.T, request string) {
	t.Helper()
	r := payment.Reconciler{Charges: c, Provider: tableProvider{c}}
	about := func(step saga.Step, fact saga.Fact) saga.Event {
		return paymenttest.About(t, step, fact, "evt_1", c.row.Order)
	}
	var err error
	switch request {
	case "authorize":
		err = payment.AuthorizeStep{Reconciler: r}.Handle(t.Context(),
			about(saga.AuthorizePayment, saga.PaymentCheckDue))
	case "capture":
		err = payment.CaptureStep{Reconciler: r}.Handle(t.Context(), about(saga.CapturePayment, saga.CaptureDue))
	case "return":
		err = payment.ReturnStep{Reconciler: r}.Handle(t.Context(), about(saga.ReturnPayment, saga.ReturnDue))
	case "abandon":
		err = payment.ReturnStep{Reconciler: r}.Handle(t.Context(), about(saga.ReturnPayment, saga.PaymentWrittenOff))
	case "callback":
		err = r.HandleCallback(t.Context(), payment.Callback{ID: "evt_1", Intent: c.row.Intent},
			saga.Cause{ID: "evt_1"})
	}
	if err != nil {
		require.ErrorIs(t, err, payment.ErrUndecided)
	}
}

// report is the intent's state that the provider reports in the cell of a state and a request: the
// same state, so that the cell shows what is left to do; to a callback a newer one, if there is one.
func report(s state, request string) payment.Observed {
	switch {
	case s.observed == payment.Returned:
		return payment.Captured
	case s.observed == payment.Lapsed || s.observed == payment.Authorized && request == "callback":
		return payment.Canceled
	case request == "callback" && s.observed != payment.Captured && s.observed != payment.Canceled:
		return payment.Authorized
	}
	return s.observed
}

// action names what a request does with a charge in a state, in the words of the table.
func action(t *testing.T, s state, request string) string {
	t.Helper()
	c := newCell(s, report(s, request))
	c.ask(t, request)
	if request == "callback" && len(c.saved) == 0 { // a callback always reads the intent
		c.calls = slices.DeleteFunc(c.calls, func(call string) bool { return call == "look" })
	}
	does := "-"
	for _, call := range []string{"look", "track", "confirm", "capture", "cancel", "refund"} {
		if slices.Contains(c.calls, call) {
			does = call
		}
	}
	switch {
	case len(c.saved) == 0:
		return does
	case c.saved[0].desired != s.desired:
		return strings.TrimSuffix("save, "+does, ", -")
	case does == "-":
		return string(c.facts[0])
	}
	return does
}

// The package's documentation opens with the table that the code gives.
func TestReconciler_DoesWhatItsTableSays(t *testing.T) {
	t.Parallel()
	row := func(cells ...string) string {
		return strings.TrimRight(fmt.Sprintf("//\t%-21s %-17s %-15s %-15s %-15s %s", toAny(cells)...), " ") + "\n"
	}
	table := row(append([]string{"desired/observed"}, requests...)...)
	for _, s := range states() {
		cells := []string{s.String()}
		for _, request := range requests {
			cells = append(cells, action(t, s, request))
		}
		table += row(cells...)
	}
	source, err := os.ReadFile("reconciler.go")
	require.NoError(t, err)
	_, documented, found := strings.Cut(string(source), "\n//\tdesired/observed")
	require.True(t, found)
	documented, _, _ = strings.Cut("//\tdesired/observed"+documented, "//\n")
	assert.Equal(t, table, documented)
}

func TestReconciler_LeavesNoStateOutsideItsTable(t *testing.T) {
	t.Parallel()
	for _, s := range states() {
		for _, request := range requests {
			for _, intent := range intentStates {
				c := newCell(s, intent)
				c.ask(t, request)
				for _, saved := range c.saved {
					assert.Contains(t, states(), saved, "%s when asked to %s, and the intent is %s", s, request, intent)
				}
			}
		}
	}
}

func toAny(cells []string) []any {
	all := make([]any, len(cells))
	for i, c := range cells {
		all[i] = c
	}
	return all
}

// Create is not called: the charge exists.
func (c *cell) Create(context.Context, payment.Charge, saga.Cause, saga.Fact) (payment.Charge, error) {
	return c.row, fault.Duplicate
}

func (c *cell) Load(context.Context, saga.Shop, string) (payment.Charge, error) { return c.row, nil }

func (c *cell) Save(
	_ context.Context, changed payment.Charge, cause saga.Cause, facts ...saga.Fact,
) (payment.Charge, error) {
	c.row = written(changed, cause, facts...)
	c.facts = append(c.facts, facts...)
	c.saved = append(c.saved, state{changed.Desired, changed.Observed})
	return c.row, nil
}

// tableProvider reports the cell's intent and carries out what it is asked.
type tableProvider struct{ *cell }

func (p tableProvider) reply(call string, state payment.Observed) (payment.Intent, error) {
	p.calls = append(p.calls, call)
	p.intent = state
	i := payment.Intent{
		ID: p.row.Intent, Observed: state, Shop: p.row.Shop, Order: p.row.Order, Attempt: p.row.Attempt,
	}
	if state == payment.Captured {
		i.Received = p.row.Amount.Amount
	}
	return i, nil
}

func (p tableProvider) Create(context.Context, payment.Charge, string) (payment.Intent, error) {
	return p.reply("create", payment.Nothing)
}

func (p tableProvider) Find(context.Context, string) (payment.Intent, error) {
	return p.reply("look", p.intent)
}

func (p tableProvider) Confirm(context.Context, string, string) (payment.Intent, error) {
	return p.reply("confirm", payment.Authorized)
}

func (p tableProvider) Capture(context.Context, string, string) (payment.Intent, error) {
	if p.intent == payment.Authorized {
		return p.reply("capture", payment.Captured)
	}
	return p.reply("capture", p.intent)
}

func (p tableProvider) Cancel(context.Context, string) (payment.Intent, error) {
	if p.intent == payment.Captured || p.intent == payment.Uncertain {
		return p.reply("cancel", p.intent)
	}
	return p.reply("cancel", payment.Canceled)
}

func (p tableProvider) Refund(
	_ context.Context, _ payment.Charge, r saga.Refund, _ string,
) (payment.ProviderRefund, error) {
	p.calls = append(p.calls, "refund")
	return refunded(r.ID, r.Try, r.Amount), nil
}

func (p tableProvider) Refunds(context.Context, payment.Charge) ([]payment.ProviderRefund, error) {
	p.calls = append(p.calls, "track")
	if p.row.Observed == payment.Returned {
		return []payment.ProviderRefund{refunded(payment.FullRefundID, 1, p.row.Amount.Amount)}, nil
	}
	return nil, nil
}

func (p tableProvider) Disputes(context.Context, payment.Charge) ([]payment.Dispute, error) {
	return nil, nil
}

func refunded(id string, try int, amount int64) payment.ProviderRefund {
	return payment.ProviderRefund{
		ID: "re_1", Refund: id, Try: try, Amount: amount, Status: saga.RefundStatusSucceeded,
	}
}
