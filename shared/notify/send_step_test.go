package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/fault"
	"backroom/shared/notify"
	"backroom/shared/notify/notifydb"
	"backroom/shared/notify/sender"
	"backroom/shared/observe"
	"backroom/shared/saga"
)

// office has the tables of a test cloud.
type office struct {
	*cloudtest.Cloud
	orders, notices, mailbox string
}

func open(t *testing.T) office {
	t.Helper()
	c := cloudtest.New(t)
	return office{c, c.Table("Orders"), c.Table("Notices"), c.Table("Mailbox")}
}

// step returns a step whose requests go through the round tripper.
func (o office) step(through http.RoundTripper) notify.SendStep {
	rt := o.Runtime()
	if through != nil {
		rt.AWS.HTTPClient = &http.Client{Transport: through}
	}
	rt.AWS.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return notify.SendStep{
		Orders:  notifydb.Orders{DB: rt.DynamoDB(), Name: o.orders},
		Notices: notifydb.Store{DB: rt.DynamoDB(), Name: o.notices, Nonce: rt.Nonce},
		Sender:  sender.NewMailbox(rt.DynamoDB(), o.mailbox, rt.Now),
		Now:     rt.Now,
	}
}

// order writes the row of an order with an outcome and more attributes, in JSON.
func (o office) order(email, verdict, more string) {
	o.Put("Orders",
		fmt.Sprintf(`{"pk":"main#ord_1","order":"ord_1","shop":"main","email":%q,"outcome":%q,"placed_at":1772366400000,
		"lines":[{"sku":"MUG-1","quantity":2,"price":1250}],"total":2500,"currency":"EUR"%s}`, email, verdict, more))
}

// about returns an event about the order.
func about(t *testing.T, fact saga.Fact) saga.Event {
	t.Helper()
	data, err := json.Marshal(saga.OrderRef{Order: "ord_1", Shop: "main"})
	require.NoError(t, err)
	return saga.Event{ID: "event", Type: fact, Subject: "ord_1", Shop: "main", Data: data}
}

// provider is a sender with prepared answers, which records the mails.
type provider struct {
	mu      sync.Mutex
	answers []error // of the first mails; later ones succeed
	sent    []notify.Mail
	within  func() // runs while a mail is handed over
}

func (p *provider) Send(_ context.Context, _ notify.Notice, m notify.Mail) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.within != nil {
		p.within()
	}
	if len(p.answers) > 0 {
		err := p.answers[0]
		p.answers = p.answers[1:]
		return "", err
	}
	p.sent = append(p.sent, m)
	return "m-1", nil
}

func status(t *testing.T, o office, key string) string {
	t.Helper()
	var row struct{ Status string }
	if text := o.Row("Notices", key); text != "" {
		require.NoError(t, json.Unmarshal([]byte(text), &row))
	}
	return row.Status
}

func TestSendStep_SendsAMailOnce(t *testing.T) {
	t.Parallel()
	o, p := open(t), &provider{}
	o.order("ada@example.com", "confirmed", "")
	s := o.step(nil)
	s.Sender = p
	for i := range 3 {
		e := about(t, saga.OrderConfirmed)
		e.ID = fmt.Sprint("event-", i)
		require.NoError(t, s.Handle(t.Context(), e))
		o.Clock.Pass(time.Hour)
	}
	assert.Len(t, p.sent, 1)
	assert.Equal(t, "ada@example.com", p.sent[0].To)
	assert.Equal(t, "sent", status(t, o, "main#ord_1#confirmed"))
}

func TestSendStep_SkipsMailsThatAreNotDue(t *testing.T) {
	for sentence, c := range map[string]struct {
		fact                 saga.Fact
		email, verdict, more string
		outcome              string
	}{
		"an order without an address": {saga.OrderConfirmed, "", "confirmed", "", "no-address"},
		"a confirmation of an order that was canceled": {saga.OrderConfirmed, "ada@example.com", "canceled", "",
			"outdated"},
		"a cancellation whose return is under way again": {saga.OrderCanceled, "ada@example.com", "canceled",
			`,"awaits":["money"]`, "outdated"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			o.order(c.email, c.verdict, c.more)
			var log bytes.Buffer
			ctx, line := observe.Begin(t.Context(), observe.Logger(&log, slog.LevelInfo, "test"))
			require.NoError(t, o.step(nil).Handle(ctx, about(t, c.fact)))
			line.Done(ctx, "done", nil, true)
			assert.Contains(t, log.String(), `"mail":"`+c.outcome+`"`)
			assert.Empty(t, o.Rows("Notices"))
			assert.Empty(t, o.Rows("Mailbox"))
		})
	}
}

func TestSendStep_SendsOneMailPerRefund(t *testing.T) {
	t.Parallel()
	o := open(t)
	s := o.step(nil)
	first := `{"id":"r1","amount":500,"try":1,"status":"succeeded"}`
	o.order("ada@example.com", "confirmed", `,"refunds":[`+first+
		`,{"id":"r2","amount":700,"try":1,"status":"pending"}]`)
	require.NoError(t, s.Handle(t.Context(), about(t, saga.OrderRefunded)))
	assert.Len(t, o.Rows("Mailbox"), 2, "the confirmation, whose own message is late, and the first refund")
	assert.Contains(t, o.Row("Mailbox", "main#ord_1#refunded#r1"), "5.00 EUR")

	o.order("ada@example.com", "confirmed", `,"refunds":[`+first+
		`,{"id":"r2","amount":700,"try":2,"status":"succeeded"}]`)
	require.NoError(t, s.Handle(t.Context(), about(t, saga.OrderRefunded)))
	assert.Len(t, o.Rows("Mailbox"), 3)
	assert.Contains(t, o.Row("Mailbox", "main#ord_1#refunded#r2"), "7.00 EUR")
}

// passing has do run before the n-th request of a process, which stops there for that long.
type passing struct {
	through http.RoundTripper
	n       int
	do      func()
	mu      sync.Mutex
}

func (p *passing) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.n--
	now := p.n == 0
	p.mu.Unlock()
	if now {
		p.do()
	}
	return p.through.RoundTrip(r)
}

// A sender of the confirmation stops before each of its requests, while the order changes and the
// later mail becomes due.
func TestSendStep_MailsComeInOrderHoweverLongASenderStops(t *testing.T) {
	const refund = `,"refunds":[{"id":"r1","amount":500,"try":1,"status":"succeeded"}]`
	for sentence, c := range map[string]struct {
		verdict, more string
		fact          saga.Fact
		later         string
	}{
		"it is canceled": {"canceled", "", saga.OrderCanceled, "Your order ord_1 is canceled"},
		"it is refunded": {"confirmed", refund, saga.OrderRefunded, "A refund for your order ord_1"},
	} {
		for n := 1; n <= 4; n++ {
			t.Run(fmt.Sprintf("%s before request %d", sentence, n), func(t *testing.T) {
				t.Parallel()
				o, p := open(t), &provider{}
				o.order("ada@example.com", "confirmed", "")
				later := o.step(nil)
				later.Sender = p
				var first error
				stopping := o.step(
					&passing{through: o.Runtime().AWS.HTTPClient.(*http.Client).Transport, n: n, do: func() {
						o.order("ada@example.com", c.verdict, c.more)
						first = later.Handle(t.Context(), about(t, c.fact))
					}})
				stopping.Sender = p
				require.NoError(t, stopping.Handle(t.Context(), about(t, saga.OrderConfirmed)))
				if first != nil {
					require.ErrorIs(t, first, notify.ErrBeingSent)
					require.NoError(t, later.Handle(t.Context(), about(t, c.fact)), "it is delivered again")
				}
				require.NotEmpty(t, p.sent)
				assert.Equal(t, c.later, p.sent[len(p.sent)-1].Subject, "nothing comes after it")
			})
		}
	}
}

func TestSendStep_WaitsForASenderThatMayStillSend(t *testing.T) {
	t.Parallel()
	o, p := open(t), &provider{}
	o.order("ada@example.com", "canceled", "")
	s := o.step(nil)
	s.Sender = p
	_, err := s.Notices.Claim(t.Context(), notify.Notice{Shop: "main", Order: "ord_1", Template: notify.Confirmed},
		o.Clock.Now(), o.Clock.Now().Add(notify.Timeout))
	require.NoError(t, err)
	o.Clock.Pass(notify.Timeout - time.Millisecond)
	require.ErrorIs(t, s.Handle(t.Context(), about(t, saga.OrderCanceled)), notify.ErrBeingSent)
	assert.Empty(t, p.sent)
	assert.Empty(t, status(t, o, "main#ord_1#canceled"), "its own claim is released")
	o.Clock.Pass(time.Millisecond)
	require.NoError(t, s.Handle(t.Context(), about(t, saga.OrderCanceled)))
	assert.Len(t, p.sent, 1)
}

func TestSendStep_SendsNothingAfterItsClaimLapsed(t *testing.T) {
	t.Parallel()
	o, p := open(t), &provider{}
	o.order("ada@example.com", "confirmed", "")
	s := o.step(&passing{through: o.Runtime().AWS.HTTPClient.(*http.Client).Transport, n: 3,
		do: func() { o.Clock.Pass(time.Minute) }})
	s.Sender = p
	require.ErrorIs(t, s.Handle(t.Context(), about(t, saga.OrderConfirmed)), notify.ErrBeingSent)
	assert.Empty(t, p.sent)
}

func TestSendStep_UnknownOrderIsAnError(t *testing.T) {
	t.Parallel()
	err := open(t).step(nil).Handle(t.Context(), about(t, saga.OrderConfirmed))
	assert.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestSendStep_RetriesWhileTheProviderIsDown(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.order("ada@example.com", "confirmed", "")
	p := &provider{answers: []error{sender.ErrUnavailable, sender.ErrThrottled, errors.New("a bug")}}
	s := o.step(nil)
	s.Sender = p
	for _, why := range []fault.Kind{fault.Unavailable, fault.Throttled, fault.Internal} {
		err := s.Handle(t.Context(), about(t, saga.OrderConfirmed))
		require.Error(t, err)
		assert.Equal(t, why, fault.KindOf(err))
	}
	require.NoError(t, s.Handle(t.Context(), about(t, saga.OrderConfirmed)),
		"the claim was released, so the retry succeeds before the lease ends")
	assert.Len(t, p.sent, 1)
}

func TestSendStep_ConcurrentDeliveriesSendOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.order("ada@example.com", "confirmed", "")
	p := &provider{}
	s := o.step(nil)
	s.Sender = p
	p.within = func() {
		p.within = nil
		err := s.Handle(t.Context(), about(t, saga.OrderConfirmed))
		assert.ErrorIs(t, err, notify.ErrBeingSent)
		assert.Equal(t, fault.Conflict, fault.KindOf(err), "it is delivered again, because the first may fail")
	}
	require.NoError(t, s.Handle(t.Context(), about(t, saga.OrderConfirmed)))
	assert.Len(t, p.sent, 1)
	require.NoError(t, s.Handle(t.Context(), about(t, saga.OrderConfirmed)))
	assert.Len(t, p.sent, 1)
}

func TestSendStep_SuppressesARefusedAddress(t *testing.T) {
	for sentence, email := range map[string]string{
		"it bounces":                "bounce@simulator.amazonses.com",
		"it is a list of addresses": "ada@example.com, bob@example.com",
		"it has a name":             "Ada <ada@example.com>",
		"it has a second line":      "ada@example.com\r\nBcc: eve@example.com",
		"it is not an address":      "ada",
		"it has a direction mark":   "ada\u202e@example.com",
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			o.order(email, "confirmed", "")
			s := o.step(nil)
			require.NoError(t, s.Handle(t.Context(), about(t, saga.OrderConfirmed)))
			assert.Equal(t, "suppressed", status(t, o, "main#ord_1#confirmed"))

			p := &provider{}
			s.Sender = p
			o.order(email, "canceled", "")
			require.NoError(t, s.Handle(t.Context(), about(t, saga.OrderCanceled)))
			assert.Equal(t, "suppressed", status(t, o, "main#ord_1#canceled"))
			assert.Empty(t, p.sent, "a suppressed address is not tried again")
			assert.Empty(t, o.Rows("Mailbox"))
			assert.NotContains(t, fmt.Sprint(o.Rows("Notices")), "@")
		})
	}
}

func TestSendStep_LogsNoAddress(t *testing.T) {
	t.Parallel()
	o := open(t)
	var log bytes.Buffer
	handle := func(email, verdict string, fact saga.Fact, from notify.Sender) {
		o.order(email, verdict, "")
		s := o.step(nil)
		if from != nil {
			s.Sender = from
		}
		ctx, line := observe.Begin(t.Context(), observe.Logger(&log, slog.LevelDebug, "test"))
		line.Done(ctx, "done", s.Handle(ctx, about(t, fact)), true)
	}
	handle("ada@example.com", "confirmed", saga.OrderConfirmed, &provider{answers: []error{sender.ErrUnavailable}})
	handle("ada@example.com", "confirmed", saga.OrderConfirmed, nil)
	handle("bounce@example.com", "rejected", saga.OrderRejected, nil)
	handle("no address <@", "expired", saga.OrderExpired, nil)
	assert.Contains(t, log.String(), `"MailsSent":[1]`)
	assert.Contains(t, log.String(), `"MailsSuppressed":[1]`)
	assert.Contains(t, log.String(), "mail-provider-unavailable")
	assert.NotContains(t, log.String(), "@")
	assert.NotContains(t, log.String(), "example.com")
	assert.NotContains(t, log.String(), "MUG-1")
}

// crashing forwards a process's requests until it crashes at the n-th: before the cloud gets the
// request, or before its answer returns.
type crashing struct {
	through  http.RoundTripper
	n        int
	answered bool // crashes after the cloud got the request
	mu       sync.Mutex
}

var errCrashed = errors.New("the process crashed")

func (m *crashing) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n--
	if m.n < 0 || m.n == 0 && !m.answered {
		return nil, errCrashed
	}
	answer, err := m.through.RoundTrip(r)
	if m.n == 0 && err == nil {
		answer.Body.Close()
		return nil, errCrashed
	}
	return answer, err
}

// Wherever a process crashes, the next one finishes. The mailbox recognizes a notice by its key, so
// it has each mail exactly once. SES has no such key and may send a mail twice.
func TestSendStep_SurvivesACrashAtEveryRequest(t *testing.T) {
	for email, want := range map[string]string{"ada@example.com": "sent", "bounce@example.com": "suppressed"} {
		for _, answered := range []bool{false, true} {
			for n := 1; n <= 6; n++ {
				t.Run(fmt.Sprintf("%s at request %d, answered %t", want, n, answered), func(t *testing.T) {
					t.Parallel()
					o := open(t)
					o.order(email, "confirmed", "")
					dying := &crashing{through: o.Runtime().AWS.HTTPClient.(*http.Client).Transport, n: n,
						answered: answered}
					first := o.step(dying).Handle(t.Context(), about(t, saga.OrderConfirmed))
					if n <= 5 {
						require.Error(t, first)
						assert.NotContains(t, first.Error(), "@")
					}
					o.Clock.Pass(time.Minute) // the message is visible again
					require.NoError(t, o.step(nil).Handle(t.Context(), about(t, saga.OrderConfirmed)))
					assert.Equal(t, want, status(t, o, "main#ord_1#confirmed"))
					assert.Len(t, o.Rows("Mailbox"), map[string]int{"sent": 1}[want])
				})
			}
		}
	}
}
