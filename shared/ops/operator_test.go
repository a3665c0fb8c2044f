package ops_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/ops"
	"backroom/shared/ops/remedy"
	"backroom/shared/order"
	"backroom/shared/order/orderdb"
	"backroom/shared/order/ordertest"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// open returns a site on a new test cloud.
func open(t *testing.T) (ops.Site, *cloudtest.Cloud) {
	c := cloudtest.New(t)
	rt := c.Runtime()
	names := map[string]string{}
	for _, id := range []string{"Orders", "Reservations", "Charges", "Notices", "Mailbox"} {
		names[id] = c.Table(id)
	}
	return ops.Site{DB: rt.DynamoDB(), Queues: rt.Queues(c.Environment("relay-facts")["QUEUES"]), Names: names,
		Now: rt.Now}, c
}

// place stores an order after a change of the case.
func place(t *testing.T, c *cloudtest.Cloud, change func(*order.Order)) order.Order {
	t.Helper()
	o := ordertest.New("main")
	if change != nil {
		change(&o)
	}
	o, err := orderdb.Store{Table: c.Runtime().Table(c.Table("Orders"))}.Create(t.Context(), o, saga.Cause{ID: "request", Actor: o.Owner}, saga.OrderPlaced)
	require.NoError(t, err)
	return o
}

func over(o *order.Order) { o.Outcome, o.Awaits, o.Due = order.Confirmed, nil, time.Time{} }

func load(t *testing.T, c *cloudtest.Cloud, o order.Order) order.Order {
	t.Helper()
	loaded, err := orderdb.Store{Table: c.Runtime().Table(c.Table("Orders"))}.Load(t.Context(), o.Shop, o.ID)
	require.NoError(t, err)
	return loaded
}

func TestStory_IsReadFromAllTables(t *testing.T) {
	t.Parallel()
	site, c := open(t)
	_, err := site.Story(t.Context(), "main", "ord_nobodys")
	require.ErrorContains(t, err, "no order")
	assert.NotEmpty(t, remedy.Next(err))

	o := place(t, c, func(o *order.Order) {
		o.Refunds = []saga.Refund{{ID: "ref_1", Amount: 1, Try: 1, Status: saga.RefundStatusSucceeded}}
	})
	told, err := site.Story(t.Context(), o.Shop, o.ID)
	require.NoError(t, err)
	assert.Len(t, told.Entries, 1)
	assert.Nil(t, told.Reservation)
	assert.Nil(t, told.Charge)
	assert.Empty(t, told.Notices)

	key := record.Key(o.Shop, o.ID)
	c.Put("Reservations", `{"pk":"`+key+`","order":"`+o.ID+
		`","shop":"main","version":1,"nonce":"n","desired":"reserve","observed":"reserved","history":[{"v":1,"fact":"StockReserved","at":1,"cause":"c","actor":"a"}]}`)
	c.Put("Charges", `{"pk":"`+paymentdb.Key(o.Shop, o.ID)+`","order":"`+o.ID+
		`","shop":"main","version":1,"nonce":"n","desired":"capture","observed":"uncertain","intent":"pi_1","history":[{"v":1,"fact":"PaymentUncertain","at":1,"cause":"c","actor":"a"}]}`)
	c.Put("Notices", `{"pk":"`+key+`#confirmed","status":"sending"}`)
	c.Put("Notices", `{"pk":"`+key+`#refunded#ref_1","status":"sent","at":1772366400000}`)
	told, err = site.Story(t.Context(), o.Shop, o.ID)
	require.NoError(t, err)
	assert.Len(t, told.Entries, 3)
	assert.EqualValues(t, "reserved", told.Reservation.Observed)
	assert.Equal(t, "pi_1", told.Charge.Intent)
	require.Len(t, told.Notices, 2)
	assert.Equal(t, "main#"+o.ID+"#refunded#ref_1", told.Notices[1].Key())
	assert.Equal(t, cloudtest.Epoch, told.Notices[1].At)
}

func TestStory_NamesAMissingTable(t *testing.T) {
	t.Parallel()
	site, _ := open(t)
	delete(site.Names, "Notices")
	_, err := site.Story(t.Context(), "main", "ord_1")
	require.ErrorContains(t, err, "no table Notices")
	assert.NotEmpty(t, remedy.Next(err))
}

func TestReplay_SendsFactsWithTheirOriginalIDs(t *testing.T) {
	t.Parallel()
	site, c := open(t)
	c.Clock.Pass(time.Hour)
	o := place(t, c, nil)

	told, err := site.Replay(t.Context(), cloudtest.Epoch.Add(time.Hour), 1000, true)
	require.NoError(t, err)
	require.Len(t, told, 3)
	assert.Equal(t, map[saga.Fact]int{saga.OrderPlaced: 1}, told[0].Facts)
	assert.Empty(t, c.Drain("ReserveStockQueue"), "a dry run sends nothing")

	_, err = site.Replay(t.Context(), cloudtest.Epoch.Add(time.Hour), 1000, false)
	require.NoError(t, err)
	messages := c.Drain("ReserveStockQueue")
	require.Len(t, messages, 1)
	e, err := saga.Decode(saga.ReserveStock, messages[0])
	require.NoError(t, err)
	assert.Equal(t, saga.EventID(saga.Orders, "main#"+o.ID, 1, 0, o.History.Nonce), e.ID)

	_, err = site.Replay(t.Context(), cloudtest.Epoch.Add(time.Hour+time.Millisecond), 1000, false)
	require.NoError(t, err)
	assert.Empty(t, c.Drain("ReserveStockQueue"), "older facts are not sent")
}

// bury puts a message into the dead-letter queue of a step.
func bury(t *testing.T, site ops.Site, step, body string, attributes map[string]string) {
	t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: aws.String(site.Queues.Prefix + step + "-dlq"), MessageBody: &body,
		MessageAttributes: map[string]types.MessageAttributeValue{}}
	for name, value := range attributes {
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	_, err := site.Queues.SQS.SendMessage(t.Context(), in)
	require.NoError(t, err)
}

// message is the body of a message about an order to advance-order.
func message(t *testing.T, id string) string {
	t.Helper()
	body, err := json.Marshal(saga.Event{
		SpecVersion: saga.SpecVersion, ID: "reservations:main#" + id + "@1.0~n", Source: saga.Reservations,
		Type: saga.StockReleased, Subject: id, Shop: "main",
		Time: cloudtest.Epoch, Data: json.RawMessage(`{"order":"` + id + `","shop":"main"}`),
	})
	require.NoError(t, err)
	return string(body)
}

func TestRedrive_KeepsBodyAndAttributes(t *testing.T) {
	t.Parallel()
	site, c := open(t)
	c.Queue("AdvanceOrderDeadLetters")
	var bodies []string
	for id := range strings.FieldsSeq("ord_a ord_b ord_c ord_d ord_e ord_f ord_g ord_h ord_i ord_j ord_k") {
		bodies = append(bodies, message(t, id))
		bury(t, site, "advance-order", bodies[len(bodies)-1], nil)
	}
	bury(t, site, "advance-order", "unreadable", map[string]string{"trace": "42"})

	found, held, err := site.DeadLetters(t.Context(), "advance-order", 0)
	require.NoError(t, err)
	assert.Equal(t, ops.Held{Visible: 12}, held)
	require.Len(t, found, 12)
	facts := map[saga.Fact]int{}
	for _, l := range found {
		facts[l.Fact]++
		assert.Equal(t, 1, l.Receives)
		assert.WithinDuration(t, time.Now(), l.Sent, time.Minute)
		assert.Equal(t, l.Fact == "", l.Why != "")
	}
	assert.Equal(t, map[saga.Fact]int{saga.StockReleased: 11, "": 1}, facts)

	moved, err := site.Redrive(t.Context(), "advance-order", 2)
	require.NoError(t, err)
	assert.Equal(t, ops.Moved{Sent: 2, Still: ops.Held{Visible: 10}}, moved,
		"listed messages are visible again; no more than the limit is sent")
	moved, err = site.Redrive(t.Context(), "advance-order", 0)
	require.NoError(t, err)
	assert.Equal(t, ops.Moved{Sent: 10}, moved)

	var trace string
	var sent []string
	for len(sent) < 12 {
		got, err := site.Queues.SQS.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(c.Queue("AdvanceOrderQueue")), MaxNumberOfMessages: 10,
			MessageAttributeNames: []string{"All"}, WaitTimeSeconds: 1,
		})
		require.NoError(t, err)
		require.NotEmpty(t, got.Messages)
		for _, m := range got.Messages {
			sent = append(sent, *m.Body)
			if a, ok := m.MessageAttributes["trace"]; ok {
				trace = *a.StringValue
			}
		}
	}
	assert.ElementsMatch(t, append(bodies, "unreadable"), sent, "every body is unchanged")
	assert.Equal(t, "42", trace)
	moved, err = site.Redrive(t.Context(), "advance-order", 0)
	require.NoError(t, err)
	assert.Zero(t, moved, "nothing is left")
}

func TestRedrive_KeepsWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	site, c := open(t)
	c.Queue("AdvanceOrderDeadLetters")
	bury(t, site, "advance-order", message(t, "ord_a"), nil)
	c.Remove("AdvanceOrderQueue")
	for range 2 {
		moved, err := site.Redrive(t.Context(), "advance-order", 0)
		require.NoError(t, err)
		assert.Zero(t, moved.Sent)
		assert.Len(t, moved.Kept, 1, "the message is visible again at once")
		assert.Equal(t, ops.Held{Visible: 1}, moved.Still)
	}
	assert.Equal(t, []string{message(t, "ord_a")}, c.Drain("AdvanceOrderDeadLetters"))
}

func TestRedrive_SendsTheFactsOfStreamRecords(t *testing.T) {
	t.Parallel()
	site, c := open(t)
	o := place(t, c, nil)
	good, err := json.Marshal(c.Record("Orders", "main#"+o.ID))
	require.NoError(t, err)
	bury(t, site, "relay-facts", string(good), nil)
	bury(t, site, "relay-facts", `{"dynamodb":{}}`, nil)

	found, _, err := site.DeadLetters(t.Context(), "relay-facts", 0)
	require.NoError(t, err)
	facts := []saga.Fact{}
	for _, l := range found {
		facts = append(facts, l.Fact)
	}
	assert.ElementsMatch(t, []saga.Fact{saga.OrderPlaced, ""}, facts)

	moved, err := site.Redrive(t.Context(), "relay-facts", 0)
	require.NoError(t, err)
	assert.Equal(t, 1, moved.Sent)
	require.Len(t, moved.Kept, 1)
	assert.ErrorContains(t, moved.Kept[0], "is not a row of ours")
	assert.Len(t, c.Drain("ReserveStockQueue"), 1)
	assert.Len(t, c.Drain("RelayFactsDeadLetters"), 1, "a record that cannot be read stays")
}

func TestRedrive_RefusesAnUnknownStep(t *testing.T) {
	t.Parallel()
	site, _ := open(t)
	for _, step := range []string{"", "place-order"} {
		_, err := site.Redrive(t.Context(), step, 0)
		require.ErrorContains(t, err, "unknown step")
		assert.Contains(t, remedy.Next(err), "advance-order")
		assert.Contains(t, remedy.Next(err), "relay-facts")
		_, _, err = site.DeadLetters(t.Context(), step, 0)
		require.Error(t, err)
	}
}

func TestErase_RemovesPersonalDataOfSettledOrders(t *testing.T) {
	t.Parallel()
	site, c := open(t)
	first, second := place(t, c, over), place(t, c, over)
	open := place(t, c, nil)
	other := place(t, c, func(o *order.Order) { over(o); o.Owner = "ben" })
	elsewhere := place(t, c, func(o *order.Order) { over(o); o.Shop = "other" })
	mail := func(o order.Order) string {
		return `{"pk":"` + string(o.Shop) + "#" + o.ID + `#confirmed","to":"anna@example.com"}`
	}
	for _, o := range []order.Order{first, other} {
		c.Put("Mailbox", mail(o))
	}
	c.Put("Reservations", `{"pk":"main#`+second.ID+`","order":"`+second.ID+
		`","shop":"main","version":1,"nonce":"n","payment_method":"pm_1"}`)
	c.Put("Reservations", `{"pk":"main#`+first.ID+`","order":"`+first.ID+`","shop":"main","version":1,"nonce":"n"}`)

	before := c.State()
	would, err := site.Erase(t.Context(), "main", "anna", true)
	require.NoError(t, err)
	assert.Equal(t, before, c.State(), "a dry run changes nothing")

	done, err := site.Erase(t.Context(), "main", "anna", false)

	require.NoError(t, err)
	assert.ElementsMatch(t, []string{first.ID, second.ID}, done.Orders)
	assert.Equal(t, []string{open.ID}, done.Open)
	assert.Equal(t, []string{second.ID}, done.Holding)
	assert.Equal(t, done, would, "a dry run returns what it would do")
	for _, o := range []order.Order{first, second} {
		row := c.Row("Orders", "main#"+o.ID)
		for _, known := range []string{"anna", "pm_card_visa"} {
			assert.NotContains(t, row, known)
		}
		erased := load(t, c, o)
		assert.Equal(t, o.Total, erased.Total, "the amount stays")
		assert.Equal(t, o.Lines, erased.Lines)
		assert.Equal(t, saga.OrderErased, erased.History.Entries[1].Fact)
	}
	for _, o := range []order.Order{open, other, elsewhere} {
		assert.Equal(t, o, load(t, c, o), "orders of others, and unsettled orders, do not change")
	}
	assert.Len(t, c.Rows("Mailbox"), 1)

	before = c.State()
	again, err := site.Erase(t.Context(), "main", "anna", false)
	require.NoError(t, err)
	assert.Equal(t, ops.Erased{Open: []string{open.ID}}, again)
	assert.Equal(t, before, c.State(), "a second time changes nothing")
}

func TestErase_ReadsEveryPage(t *testing.T) {
	t.Parallel()
	site, c := open(t)
	want := map[string]bool{}
	for i := range 60 {
		o := place(t, c, func(o *order.Order) {
			if i%3 > 0 {
				over(o)
			}
			o.PlacedAt = o.PlacedAt.Add(time.Duration(i/4) * time.Minute)
		})
		want[o.ID] = i%3 > 0
	}
	done, err := site.Erase(t.Context(), "main", "anna", false)
	require.NoError(t, err)
	got := map[string]bool{}
	for _, id := range done.Orders {
		got[id] = true
	}
	for _, id := range done.Open {
		got[id] = false
	}
	assert.Equal(t, want, got)
	assert.Len(t, slices.Collect(maps.Keys(got)), 60)
}

func TestErase_RefusesAnEmptyOrErasedCustomer(t *testing.T) {
	t.Parallel()
	site, _ := open(t)
	for _, customer := range []string{"", order.Erased} {
		_, err := site.Erase(t.Context(), "main", customer, false)
		require.ErrorContains(t, err, "is not a customer")
		assert.NotEmpty(t, remedy.Next(err))
	}
}

// meddling is a connection that runs a function before the first call of an action.
type meddling struct {
	*http.Client
	action string
	before func()
}

func (m *meddling) Do(r *http.Request) (*http.Response, error) {
	if m.before != nil && strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+m.action) {
		before := m.before
		m.before = nil
		before()
	}
	return m.Client.Do(r)
}

// meddle returns settings of clients that run a function before their first call of an action.
func meddle(c *cloudtest.Cloud, action string, before func()) aws.Config {
	cfg := c.Runtime().AWS
	cfg.HTTPClient = &meddling{cfg.HTTPClient.(*http.Client), action, before}
	return cfg
}

func TestRedrive_InterruptedLeavesMessagesVisible(t *testing.T) {
	t.Parallel()
	site, c := open(t)
	c.Queue("AdvanceOrderDeadLetters")
	bury(t, site, "advance-order", message(t, "ord_a"), nil)
	ctx, stop := context.WithCancel(t.Context())
	site.Queues.SQS = sqs.NewFromConfig(meddle(c, "SendMessage", stop))

	moved, err := site.Redrive(ctx, "advance-order", 9)

	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, moved.Sent)
	assert.Equal(t, []string{message(t, "ord_a")}, c.Drain("AdvanceOrderDeadLetters"))
}

func TestErase_ReloadsAnOrderThatChanges(t *testing.T) {
	t.Parallel()
	site, c := open(t)
	o := place(t, c, over)
	store := orderdb.Store{Table: c.Runtime().Table(c.Table("Orders"))}
	site.DB = dynamodb.NewFromConfig(meddle(c, "PutItem", func() {
		reopened := o
		reopened.Awaits, reopened.Due = []order.Awaited{order.AwaitsRefund}, o.PlacedAt
		assert.NoError(t, store.Save(t.Context(), reopened, saga.Cause{ID: "staff"}, saga.OrderReopened))
	}))

	done, err := site.Erase(t.Context(), "main", "anna", false)

	require.NoError(t, err)
	assert.Equal(t, ops.Erased{Open: []string{o.ID}}, done)
	assert.Equal(t, "anna@example.com", load(t, c, o).Email)
}
