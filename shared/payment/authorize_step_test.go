package payment_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/localstack/cloudtest/loopback"
	"backroom/shared/fault"
	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/payment/paymenttest"
	"backroom/shared/payment/provider"
	"backroom/shared/saga"
	"backroom/shared/sandbox"
)

var (
	price = money.Money{Amount: 1250, Currency: "EUR"}
	errIO = errors.New("the process is dead")
)

// bench is a table of charges and a payment sandbox.
type bench struct {
	t       *testing.T
	cloud   *cloudtest.Cloud
	charges string
	way     http.RoundTripper // to the sandbox
	*paymenttest.Sandbox
}

func open(t *testing.T) bench {
	t.Helper()
	cloud := cloudtest.New(t)
	sandbox := paymenttest.NewSandbox(cloud)
	sandbox.URL = loopback.URL
	return bench{t, cloud, cloud.Table("Charges"), loopback.Serve(t, sandbox), sandbox}
}

// roundTripper sends requests to the sandbox or to the cloud.
type roundTripper struct{ sandbox, cloud http.RoundTripper }

func (e roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.String(), loopback.URL+"/") {
		return e.sandbox.RoundTrip(r)
	}
	return e.cloud.RoundTrip(r)
}

// step returns the step of a process that sends every call through the round tripper.
func (s bench) step(through func(http.RoundTripper) http.RoundTripper) payment.AuthorizeStep {
	rt := s.cloud.Runtime()
	connections := through(roundTripper{s.way, rt.AWS.HTTPClient.(*http.Client).Transport})
	rt.AWS.HTTPClient = &http.Client{Transport: connections}
	rt.AWS.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return payment.AuthorizeStep{Reconciler: payment.Reconciler{
		Charges:  paymentdb.Store{Table: rt.Table(s.charges)},
		Provider: provider.New(s.URL, paymenttest.Key(), connections, nil),
	}}
}

func (s bench) handle(e saga.Event) error {
	return s.step(direct).Handle(s.t.Context(), e)
}

func direct(next http.RoundTripper) http.RoundTripper { return next }

func (s bench) charge(order string) payment.Charge {
	s.t.Helper()
	c, err := paymentdb.Store{Table: s.cloud.Runtime().Table(s.charges)}.Load(s.t.Context(), paymenttest.Shop, order)
	require.NoError(s.t, err)
	return c
}

// cancel cancels an intent at the sandbox.
func (s bench) cancel(intent string) {
	s.t.Helper()
	req,
		err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL+"/v1/payment_intents/"+intent+"/cancel",
		nil)
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+cloudtest.SampleSecret)
	resp, err := s.way.RoundTrip(req)
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	require.Equal(s.t, http.StatusOK, resp.StatusCode)
}

func facts(c payment.Charge) []saga.Fact {
	var all []saga.Fact
	for _, e := range c.History.Entries {
		all = append(all, e.Fact)
	}
	return all
}

func newOrder() string { return "ord_" + strings.ToLower(rand.Text()) }

func TestAuthorizeStep_RecordsWhatTheProviderDecides(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		total          money.Money
		method         string
		observed       payment.Observed
		reason         string
		code           string
		facts          []saga.Fact
		authorizations int
	}{
		"a card that pays is authorized": {
			total: price, method: "pm_card_visa", observed: payment.Authorized, authorizations: 1,
			facts: []saga.Fact{saga.PaymentIntended, saga.PaymentAuthorized},
		},
		"a card that is declined is a decline, not an error": {
			total: price, method: "pm_card_chargeDeclined", observed: payment.Declined, reason: payment.CardDeclined,
			code:  "generic_decline",
			facts: []saga.Fact{saga.PaymentIntended, saga.PaymentDeclined},
		},
		"an empty account is a decline with the issuer's code": {
			total: price, method: "pm_card_chargeDeclinedInsufficientFunds", observed: payment.Declined,
			reason: payment.CardDeclined, code: "insufficient_funds",
			facts: []saga.Fact{saga.PaymentIntended, saga.PaymentDeclined},
		},
		"a card that needs the customer waits for the customer": {
			total: price, method: "pm_card_authenticationRequired", observed: payment.ActionNeeded,
			facts: []saga.Fact{saga.PaymentIntended, saga.PaymentActionNeeded},
		},
		"an unknown payment method is a decline": {
			total: price, method: "pm_nonsense", observed: payment.Declined, reason: payment.PaymentMethodUnknown,
			code:  "resource_missing",
			facts: []saga.Fact{saga.PaymentDeclined},
		},
		"no payment method is a decline": {
			total: price, method: "", observed: payment.Declined, reason: payment.PaymentMethodMissing,
			facts: []saga.Fact{saga.PaymentDeclined},
		},
		"an amount that the provider cannot take is a decline": {
			total: money.Money{Amount: 5125, Currency: "KWD"}, method: "pm_card_visa", observed: payment.Declined,
			reason: payment.AmountNotPayable,
			facts:  []saga.Fact{saga.PaymentDeclined},
		},
		"a currency that was withdrawn since the order was placed is a decline": {
			total: money.Money{Amount: 1250, Currency: "ZWL"}, method: "pm_card_visa", observed: payment.Declined,
			reason: payment.AmountNotPayable, code: "",
			facts: []saga.Fact{saga.PaymentDeclined},
		},
		"an amount above the provider's limit is a decline": {
			total: money.Money{Amount: money.Max, Currency: "EUR"}, method: "pm_card_visa", observed: payment.Declined,
			reason: payment.AmountNotPayable, code: "amount_too_large",
			facts: []saga.Fact{saga.PaymentDeclined},
		},
		"an amount of 0 is authorized": {
			total: money.Money{Amount: 0, Currency: "EUR"}, method: "pm_card_chargeDeclined",
			observed: payment.Authorized,
			facts:    []saga.Fact{saga.PaymentAuthorized},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			order := newOrder()
			require.NoError(t, s.handle(paymenttest.Reserved(t, "e1", order, c.total, c.method)))
			got := s.charge(order)
			assert.Equal(t, c.observed, got.Observed)
			assert.Equal(t, c.reason, got.Reason)
			assert.Equal(t, c.code, got.DeclineCode)
			assert.Equal(t, c.facts, facts(got))
			assert.Equal(t, c.total, got.Amount)
			assert.Equal(t, c.authorizations, s.Authorizations(t, order))

			version := got.History.Version
			require.NoError(t, s.handle(paymenttest.Reserved(t, "e1", order, c.total, c.method)))
			assert.Equal(t, version, s.charge(order).History.Version, "the same message again changes nothing")
			assert.Equal(t, c.authorizations, s.Authorizations(t, order))
		})
	}
}

func TestAuthorizeStep_RefusesAnInvalidAmount(t *testing.T) {
	t.Parallel()
	s := open(t)
	order := newOrder()
	err := s.handle(paymenttest.Reserved(t, "e1", order, money.Money{Amount: -1, Currency: "EUR"}, "pm_card_visa"))
	require.ErrorIs(t, err, fault.Invalid)
	_, err = paymentdb.Store{Table: s.cloud.Runtime().Table(s.charges)}.Load(t.Context(), paymenttest.Shop, order)
	require.ErrorIs(t, err, fault.NotFound)
}

func TestAuthorizeStep_AnswersANewMessageAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method string
		answer []saga.Fact // to each new message
	}{
		"an authorized charge publishes it again": {"pm_card_visa",
			[]saga.Fact{saga.PaymentAuthorized}},
		"a declined charge publishes it again": {"pm_card_chargeDeclined",
			[]saga.Fact{saga.PaymentDeclined}},
		"a refused charge publishes it again, without the provider": {"pm_nonsense", []saga.Fact{saga.PaymentDeclined}},
		"a charge that waits for the customer publishes nothing":    {"pm_card_authenticationRequired", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			order := newOrder()
			require.NoError(t, s.handle(paymenttest.Reserved(t, "e1", order, price, c.method)))
			want, authorizations := facts(s.charge(order)), s.Authorizations(t, order)
			for i, ask := range []saga.Event{
				paymenttest.CheckDue(t, "e2", order), paymenttest.Reserved(t, "e3", order, price, c.method),
				paymenttest.CheckDue(t, "e4", order),
			} {
				if i == 2 {
					s.Later(72 * time.Hour) // the sandbox has forgotten every idempotency key
				}
				require.NoError(t, s.handle(ask))
				want = append(want, c.answer...)
				assert.Equal(t, want, facts(s.charge(order)))
				require.NoError(t, s.handle(ask))
				assert.Equal(t, want, facts(s.charge(order)), "the same message again changes nothing")
			}
			assert.Equal(t, authorizations, s.Authorizations(t, order))
		})
	}
}

func TestAuthorizeStep_IgnoresAnOrderWithoutACharge(t *testing.T) {
	t.Parallel()
	s := open(t)
	require.NoError(t, s.handle(paymenttest.CheckDue(t, "e1", newOrder())))
}

func TestAuthorizeStep_LooksUpUnknownOutcomes(t *testing.T) {
	t.Parallel()

	t.Run("a lost answer is looked up", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		require.ErrorIs(t, s.handle(paymenttest.Reserved(t, "e1", order, price, "pm_sandbox_lost")), fault.Unavailable)
		assert.Equal(t, payment.Nothing, s.charge(order).Observed)
		require.NoError(t, s.handle(paymenttest.Reserved(t, "e1", order, price, "pm_sandbox_lost")))
		assert.Equal(t, []saga.Fact{saga.PaymentIntended, saga.PaymentAuthorized}, facts(s.charge(order)))
		assert.Equal(t, 1, s.Authorizations(t, order))
	})

	t.Run("a late answer is looked up, even days later", func(t *testing.T) {
		t.Parallel()
		cloudtest.Patiently(t, func(t *testing.T) {
			s, order := open(t), newOrder()
			began := time.Now()
			require.ErrorIs(t, s.handle(paymenttest.Reserved(t, "e1", order, price, "pm_sandbox_slow_8000")),
				fault.Unavailable)
			assert.Less(t, time.Since(began), 7*time.Second, "the step does not wait for the answer")
			s.Later(72 * time.Hour)
			require.NoError(t, s.handle(paymenttest.CheckDue(t, "e2", order)))
			assert.Equal(t, []saga.Fact{saga.PaymentIntended, saga.PaymentAuthorized}, facts(s.charge(order)))
			assert.Equal(t, 1, s.Authorizations(t, order))
		})
	})

	t.Run("an answer within a bank's usual time is waited for", func(t *testing.T) {
		t.Parallel()
		cloudtest.Patiently(t, func(t *testing.T) {
			s, order := open(t), newOrder()
			require.NoError(t, s.handle(paymenttest.Reserved(t, "e1", order, price, "pm_sandbox_slow_3000")))
			assert.Equal(t, payment.Authorized, s.charge(order).Observed)
			assert.Equal(t, 1, s.Authorizations(t, order))
		})
	})

	t.Run("a payment in processing is uncertain until it is decided", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		ask := paymenttest.Reserved(t, "e1", order, price, "pm_sandbox_processing_20000")
		require.ErrorIs(t, s.handle(ask), payment.ErrUndecided)
		require.ErrorIs(t, s.handle(ask), payment.ErrUndecided)
		require.ErrorIs(t, s.handle(paymenttest.CheckDue(t, "e2", order)), payment.ErrUndecided)
		assert.Equal(t, []saga.Fact{saga.PaymentIntended, saga.PaymentUncertain}, facts(s.charge(order)),
			"the uncertainty is recorded once")
		s.Later(time.Minute)
		require.NoError(t, s.handle(paymenttest.CheckDue(t, "e3", order)))
		assert.Equal(t, payment.Authorized, s.charge(order).Observed)
		assert.Equal(t, 1, s.Authorizations(t, order))
	})

	t.Run("an intent that was canceled before it was confirmed is a decline", func(t *testing.T) {
		t.Parallel()
		s, order := open(t), newOrder()
		l := &process{last: 2, answered: true}
		require.Error(t, l.run(s, paymenttest.Reserved(t, "e1", order, price, "pm_card_visa")))
		s.cancel(s.charge(order).Intent)
		require.NoError(t, s.handle(paymenttest.CheckDue(t, "e2", order)))
		assert.Equal(t, payment.PaymentCanceled, s.charge(order).Reason)
		assert.Equal(t, 0, s.Authorizations(t, order))
	})

	t.Run("an outage of the provider loses nothing", func(t *testing.T) {
		t.Parallel()
		cloudtest.Patiently(t, func(t *testing.T) {
			s, order := open(t), newOrder()
			step := s.step(direct)
			step.Provider = provider.New("http://127.0.0.1:1", paymenttest.Key(), nil, nil)
			require.ErrorIs(t, step.Handle(t.Context(), paymenttest.Reserved(t, "e1", order, price, "pm_card_visa")),
				fault.Unavailable)
			require.NoError(t, s.handle(paymenttest.Reserved(t, "e1", order, price, "pm_card_visa")))
			require.NoError(t, step.Handle(t.Context(), paymenttest.CheckDue(t, "e2", order)),
				"a settled charge is answered without the provider")
			assert.Equal(t, 1, s.Authorizations(t, order))
		})
	})
}

// failingCreation is a provider that fails to create intents.
type failingCreation struct {
	payment.Provider
	err error
}

func (n failingCreation) Create(context.Context, payment.Charge, string) (payment.Intent, error) {
	return payment.Intent{}, n.err
}

func TestAuthorizeStep_NeedsNoNewIntentForAnExistingCharge(t *testing.T) {
	t.Parallel()
	for _, why := range []error{provider.ErrUnavailable, errIO} {
		s := open(t)
		step := s.step(direct)
		step.Provider = failingCreation{step.Provider, why}

		fresh := newOrder()
		require.ErrorIs(t, step.Handle(t.Context(), paymenttest.Reserved(t, "e1", fresh, price, "pm_card_visa")), why,
			"the order has no charge yet")

		intended := newOrder()
		l := &process{last: 2, answered: true}
		require.Error(t, l.run(s, paymenttest.Reserved(t, "e1", intended, price, "pm_card_visa")))
		require.Equal(t, payment.Nothing, s.charge(intended).Observed)
		require.NoError(t, step.Handle(t.Context(), paymenttest.Reserved(t, "e1", intended, price, "pm_card_visa")))
		assert.Equal(t, payment.Authorized, s.charge(intended).Observed)
		assert.Equal(t, 1, s.Authorizations(t, intended))

		require.NoError(t, step.Handle(t.Context(), paymenttest.Reserved(t, "e2", intended, price, "pm_card_visa")))
		assert.Equal(t, []saga.Fact{saga.PaymentIntended, saga.PaymentAuthorized, saga.PaymentAuthorized},
			facts(s.charge(intended)), "a new message is answered again")
	}
}

// Of two orders with one single-use payment method, one is authorized. The other is declined, and its
// intent is canceled.
func TestAuthorizeStep_PaysOneOrderWithASingleUseMethod(t *testing.T) {
	t.Parallel()
	declined := func(s bench, order string) {
		s.t.Helper()
		c := s.charge(order)
		assert.Equal(s.t, []string{string(payment.Declined), payment.PaymentRefused},
			[]string{string(c.Observed), c.Reason})
		assert.Equal(s.t, []saga.Fact{saga.PaymentIntended, saga.PaymentDeclined}, facts(c))
		assert.Equal(s.t, 0, s.Authorizations(s.t, order))
		i, err := s.Ledger.Intent(s.t.Context(), c.Intent)
		require.NoError(s.t, err)
		assert.Equal(s.t, sandbox.Canceled, i.Status)
	}
	method := func() string { return "pm_sandbox_once_" + newOrder() }

	t.Run("one order after the other", func(t *testing.T) {
		t.Parallel()
		s, card, first, second := open(t), method(), newOrder(), newOrder()
		require.NoError(t, s.handle(paymenttest.Reserved(t, "e1", first, price, card)))
		require.NoError(t, s.handle(paymenttest.Reserved(t, "e1", second, price, card)))
		assert.Equal(t, payment.Authorized, s.charge(first).Observed)
		assert.Equal(t, 1, s.Authorizations(t, first))
		declined(s, second)
	})

	t.Run("both at once", func(t *testing.T) {
		t.Parallel()
		s, card, orders := open(t), method(), []string{newOrder(), newOrder()}
		var both sync.WaitGroup
		for _, order := range orders {
			both.Go(func() { settle(t, s, paymenttest.Reserved(t, "e1", order, price, card)) })
		}
		both.Wait()
		if s.charge(orders[0]).Observed != payment.Authorized {
			orders[0], orders[1] = orders[1], orders[0]
		}
		assert.Equal(t, payment.Authorized, s.charge(orders[0]).Observed)
		assert.Equal(t, 1, s.Authorizations(t, orders[0]))
		declined(s, orders[1])
	})

	t.Run("the process of the second order dies at any call", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		for _, l := range deaths(6) {
			card, first, second := method(), newOrder(), newOrder()
			require.NoError(t, s.handle(paymenttest.Reserved(t, "e1", first, price, card)))
			message := paymenttest.Reserved(t, "e1", second, price, card)
			_ = l.run(s, message)
			settle(t, s, message)
			c := s.charge(second)
			require.Equal(t, payment.Declined, c.Observed, l.String())
			require.Contains(t, []string{payment.PaymentRefused, payment.PaymentCanceled}, c.Reason, l.String())
			require.Equal(t, 0, s.Authorizations(t, second), l.String())
		}
	})

	t.Run("the message of the paid order is repeated", func(t *testing.T) {
		t.Parallel()
		s, card, order := open(t), method(), newOrder()
		require.NoError(t, s.handle(paymenttest.Reserved(t, "e1", order, price, card)))
		s.Later(25 * time.Hour)
		require.NoError(t, s.handle(paymenttest.Reserved(t, "e2", order, price, card)))
		assert.Equal(t, payment.Authorized, s.charge(order).Observed)
		assert.Equal(t, 1, s.Authorizations(t, order))
	})
}

func TestAuthorizeStep_TakesTwoWritesAndTwoRequests(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, method := range []string{"pm_card_visa", "pm_card_chargeDeclined"} {
		l := &process{}
		require.NoError(t, l.run(s, paymenttest.Reserved(t, "e1", newOrder(), price, method)))
		assert.Equal(t,
			[]string{"POST /v1/payment_intents", "DynamoDB_20120810.PutItem", "POST /v1/payment_intents/{id}/confirm",
				"DynamoDB_20120810.PutItem"}, l.calls, method)
	}
}

// process is a process that dies at its last call: before it sends the call or, if answered, before
// it reads the answer. It sends nothing after that. A last of 0 means that it does not die.
type process struct {
	last     int
	answered bool

	mu    sync.Mutex
	calls []string
	dead  bool
	die   context.CancelFunc
}

// run handles the event in the process.
func (l *process) run(s bench, e saga.Event) error {
	ctx, die := context.WithCancel(s.t.Context())
	defer die()
	l.die = die
	return s.step(func(next http.RoundTripper) http.RoundTripper { return processTripper{l, next} }).Handle(ctx, e)
}

type processTripper struct {
	*process
	next http.RoundTripper
}

// RoundTrip forwards the request unless the process is dead.
func (c processTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return nil, errIO
	}
	c.calls = append(c.calls, name(r))
	if c.dead = len(c.calls) == c.last; !c.dead {
		return c.next.RoundTrip(r)
	}
	if c.answered {
		if resp, err := c.next.RoundTrip(r); err == nil {
			_ = resp.Body.Close()
		}
	}
	c.die()
	return nil, errIO
}

func name(r *http.Request) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, "/v1/payment_intents/"); ok {
		_, action, _ := strings.Cut(rest, "/")
		return r.Method + " " + strings.TrimSuffix("/v1/payment_intents/{id}/"+action, "/")
	}
	return r.Method + " " + r.URL.Path
}

// String describes how the process ends.
func (l *process) String() string {
	switch {
	case l.last == 0:
		return "does not die"
	case l.answered:
		return fmt.Sprintf("dies after call %d", l.last)
	}
	return fmt.Sprintf("dies before call %d", l.last)
}

// deaths returns a process that does not die, and one for each way to die within the first n calls.
func deaths(n int) []*process {
	all := []*process{{}}
	for last := 1; last <= n; last++ {
		all = append(all, &process{last: last}, &process{last: last, answered: true})
	}
	return all
}

// TestAuthorizeStep_AuthorizesOnceThoughProcessesDie kills a process at each of its calls, and then
// a second one. The second process receives the same message at once, or after the provider has
// forgotten every idempotency key, or then a PaymentCheckDue instead.
func TestAuthorizeStep_AuthorizesOnceThoughProcessesDie(t *testing.T) {
	t.Parallel()
	type retry struct {
		later time.Duration
		check bool
	}
	all := []retry{{0, false}, {25 * time.Hour, false}, {25 * time.Hour, true}}
	for _, c := range []struct {
		method         string
		observed       payment.Observed
		authorizations int
		retries        []retry
	}{
		{"pm_card_visa", payment.Authorized, 1, all},
		{"pm_card_chargeDeclined", payment.Declined, 0, all},
		{"pm_sandbox_lost", payment.Authorized, 1, all[:1]},
	} {
		for i, first := range deaths(4) {
			t.Run(c.method+", the first process "+first.String(), func(t *testing.T) {
				t.Parallel()
				s := open(t)
				for _, then := range c.retries {
					for _, second := range deaths(6) {
						order, first := newOrder(), deaths(4)[i]
						message := paymenttest.Reserved(t, "e1", order, price, c.method)
						next := message
						if then.check {
							next = paymenttest.CheckDue(t, "e2", order)
						}
						_ = first.run(s, message)
						s.Later(then.later)
						_ = second.run(s, next)
						s.Later(then.later)
						settle(t, s, message)

						got := s.charge(order)
						what := fmt.Sprintf("first %v, then %v (%+v), facts %v", first.calls, second.calls, then,
							facts(got))
						require.Equal(t, c.observed, got.Observed, what)
						require.Equal(t, c.authorizations, s.Authorizations(t, order), what)
						require.Contains(t, facts(got), payment.Reply(got), what)
					}
				}
			})
		}
	}
}

// settle delivers a message until it is handled, at most three times.
func settle(t *testing.T, s bench, e saga.Event) {
	t.Helper()
	var err error
	for range 3 {
		if err = s.handle(e); err == nil {
			return
		}
	}
	require.NoError(t, err)
}

func TestAuthorizeStep_AuthorizesOnceUnderConcurrency(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method         string
		observed       payment.Observed
		authorizations int
	}{{"pm_card_visa", payment.Authorized, 1}, {"pm_card_chargeDeclined", payment.Declined, 0},
		{"pm_sandbox_slow_300", payment.Authorized, 1}, {"pm_sandbox_once_", payment.Authorized, 1}} {
		t.Run(c.method, func(t *testing.T) {
			t.Parallel()
			s, order := open(t), newOrder()
			if c.method == "pm_sandbox_once_" {
				c.method += order
			}
			var all sync.WaitGroup
			for i := range 12 {
				e := paymenttest.Reserved(t, "e1", order, price, c.method)
				switch i % 3 {
				case 1:
					e = paymenttest.Reserved(t, fmt.Sprint("again-", i), order, price, c.method)
				case 2:
					e = paymenttest.CheckDue(t, fmt.Sprint("check-", i), order)
				}
				all.Go(func() {
					for range 10 {
						if s.handle(e) == nil {
							return
						}
						time.Sleep(100 * time.Millisecond)
					}
					t.Errorf("%s %s was not handled", e.Type, e.ID)
				})
			}
			all.Wait()
			assert.Equal(t, c.observed, s.charge(order).Observed)
			assert.Equal(t, c.authorizations, s.Authorizations(t, order))
		})
	}
}

// TestAuthorizeStep_SurvivesAStalledConfirmation stops a process right before it confirms, until
// another process has settled the payment.
func TestAuthorizeStep_SurvivesAStalledConfirmation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method         string
		observed       payment.Observed
		authorizations int
	}{{"pm_card_visa", payment.Authorized, 1}, {"pm_card_chargeDeclined", payment.Declined, 0}} {
		for name, second := range map[string]func(*testing.T, string) saga.Event{
			"the same message": func(t *testing.T, order string) saga.Event {
				return paymenttest.Reserved(t, "e1", order, price, c.method)
			},
			"PaymentCheckDue": func(t *testing.T,
				order string) saga.Event {
				return paymenttest.CheckDue(t, "e2", order)
			},
		} {
			t.Run(c.method+" settled by "+name, func(t *testing.T) {
				t.Parallel()
				s, order := open(t), newOrder()
				at, on := make(chan struct{}), make(chan struct{})
				stalled := s.step(func(next http.RoundTripper) http.RoundTripper { return confirmGate{next, at, on} })
				ended := make(chan error)
				go func() {
					ended <- stalled.Handle(context.WithoutCancel(t.Context()),
						paymenttest.Reserved(t, "e1", order, price, c.method))
				}()
				select {
				case <-at:
				case err := <-ended:
					t.Fatalf("the step ended before it confirmed: %v", err)
				}
				require.NoError(t, s.handle(second(t, order)))
				assert.Equal(t, c.observed, s.charge(order).Observed)
				s.Later(25 * time.Hour) // the idempotency keys are forgotten
				close(on)
				require.NoError(t, <-ended)
				assert.Equal(t, c.observed, s.charge(order).Observed)
				assert.Equal(t, c.authorizations, s.Authorizations(t, order))
			})
		}
	}
}

// confirmGate stops confirmations: it sends on at when one arrives, and forwards it after it
// receives from on.
type confirmGate struct {
	next http.RoundTripper
	at   chan<- struct{}
	on   <-chan struct{}
}

// RoundTrip forwards the request; a confirmation waits for on, and outlives its sender's context.
func (g confirmGate) RoundTrip(r *http.Request) (*http.Response, error) {
	if name(r) == "POST /v1/payment_intents/{id}/confirm" {
		g.at <- struct{}{}
		<-g.on
		return g.next.RoundTrip(r.Clone(context.WithoutCancel(r.Context())))
	}
	return g.next.RoundTrip(r)
}
