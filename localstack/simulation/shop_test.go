//go:debug randseednop=0
package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/localstack/simulation"
	"backroom/shared/client"
	"backroom/shared/notify"
	"backroom/shared/ops/shop"
	"backroom/shared/saga"
)

// store is a simulated shop with products, and the orders of its customers.
type store struct {
	*simulation.Simulation
	t         *testing.T
	delivered map[string]int
	orders    []*sale
	mails     map[string][]notify.Template // by order, as the mailbox got them
}

// sale is an order that was accepted.
type sale struct {
	id     string
	basket client.OrderRequest
	total  int64
}

const skus = 20

// open deploys a simulated shop, adds products and delivers units of each.
func open(t *testing.T, settings simulation.Settings, units int) *store {
	t.Helper()
	s := &store{t: t, delivered: map[string]int{}, mails: map[string][]notify.Template{}}
	settings.Seen = s.see
	s.Simulation = simulation.New(t, settings)
	s.Meanwhile(time.Hour, func(connection *http.Client) {
		s.registerCallbacks(connection)
		api := s.api(connection)
		token := s.token(api, "")
		for i := range skus {
			sku := fmt.Sprintf("SKU-%d", i)
			added,
				err := api.AddProduct(context.Background(), token, sku,
				client.ProductContent{Title: "A thing", Prices: shop.Euro(int64(100 + i))})
			require.NoError(t, err)
			require.True(t, added)
			require.NoError(t, api.Deliver(context.Background(), token, "delivery-"+sku, sku, units))
			s.delivered[sku] = units
		}
	})
	require.True(t, s.Run(time.Hour, s.Quiet))
	return s
}

// registerCallbacks registers the API at the payment sandbox, as a deployment does.
func (s *store) registerCallbacks(connection *http.Client) {
	form := url.Values{"url": {"execute-api:api/v1/payments/events"}, "enabled_events[]": {
		"charge.dispute.closed", "charge.dispute.created",
		"payment_intent.amount_capturable_updated", "payment_intent.canceled", "payment_intent.payment_failed",
		"payment_intent.processing",
		"payment_intent.requires_action", "payment_intent.succeeded", "refund.created", "refund.failed",
		"refund.updated",
	}}
	r, err := http.NewRequest(http.MethodPost, s.URL("SandboxApi")+"/v1/webhook_endpoints", strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+cloudtest.SampleSecret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := connection.Do(r)
	require.NoError(s.t, err)
	var made struct{ Secret string }
	require.NoError(s.t, json.NewDecoder(answer.Body).Decode(&made))
	require.NotEmpty(s.t, made.Secret)
	arn, err := s.Stack.GetAtt("PaymentsSecret", "Id")
	require.NoError(s.t, err)
	value, err := json.Marshal(map[string]string{"api_key": cloudtest.SampleSecret, "webhook_secret": made.Secret})
	require.NoError(s.t, err)
	_, err = secretsmanager.NewFromConfig(s.Stack.Runtime().AWS).PutSecretValue(context.Background(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(fmt.Sprint(arn)), SecretString: aws.String(string(value)),
	})
	require.NoError(s.t, err)
}

// retried calls ask until it succeeds, as a client of the API does. It fails the test after 100 errors.
func retried[T any](t *testing.T, ask func() (T, error)) T {
	var last error
	for range 100 {
		answer, err := ask()
		if err == nil {
			return answer
		}
		last = err
		time.Sleep(time.Second)
	}
	t.Errorf("the API never answered: %v", last)
	runtime.Goexit()
	panic("unreachable")
}

// token returns a token for a customer, or for the staff.
func (s *store) token(api shop.API, customer string) string {
	return retried(s.t, func() (string, error) {
		return api.Token(context.Background(),
			client.Credentials{ClientID: "bootstrap", Secret: cloudtest.SampleSecret, Customer: customer})
	})
}

// api is the shop's API over a client's connection.
func (s *store) api(connection *http.Client) shop.API {
	api, err := shop.New(s.URL("Api"), connection)
	require.NoError(s.t, err)
	return api
}

// order returns a customer that places an order, and cancels it after a time (0: never).
func (s *store) order(n int, basket client.OrderRequest, canceled time.Duration) func(*http.Client) {
	return func(connection *http.Client) {
		api, customer := s.api(connection), fmt.Sprintf("ada-%d", n)
		id := s.place(api, s.token(api, customer), customer, basket)
		if canceled > 0 {
			time.Sleep(canceled)
			token := s.token(api, customer)
			retried(s.t,
				func() (bool, error) { return api.Cancel(context.Background(), token, id, "ordered by mistake") })
		}
	}
}

// place places an order and returns its id.
func (s *store) place(api shop.API, token, key string, basket client.OrderRequest) string {
	basket.Email = key + "@example.com"
	placed := retried(s.t, func() (client.OrderReceipt, error) {
		return api.Place(context.Background(), token, "order-"+key, basket)
	})
	s.orders = append(s.orders, &sale{placed.ID, basket, placed.Total.Amount})
	return placed.ID
}

// basket returns a basket with a number of lines, one unit each.
func basket(card string, lines int) client.OrderRequest {
	b := client.OrderRequest{PaymentMethod: card}
	for i := range lines {
		b.Lines = append(b.Lines, client.LineRequest{SKU: fmt.Sprintf("SKU-%d", i), Quantity: 1})
	}
	return b
}

// row has the attributes of a row that the audit and the example read.
type row struct {
	PK        string   `dynamodbav:"pk"`
	Order     string   `dynamodbav:"order"`
	Status    string   `dynamodbav:"status"`
	Outcome   string   `dynamodbav:"outcome"`
	Awaits    []string `dynamodbav:"awaits"`
	Attention string   `dynamodbav:"attention"`
	Observed  string   `dynamodbav:"observed"`
	Log       []struct {
		Actor string    `dynamodbav:"actor"`
		Fact  saga.Fact `dynamodbav:"fact"`
	} `dynamodbav:"history"`

	Sellable int
	Promised int

	Metadata       map[string]string
	Authorizations int   `dynamodbav:"sandbox_authorizations"`
	Captures       int   `dynamodbav:"sandbox_captures"`
	Received       int64 `dynamodbav:"amount_received"`
	Refunded       int64 `dynamodbav:"sandbox_refunded"`
	Disputed       int64 `dynamodbav:"sandbox_disputed"`

	Intent  string
	Refunds []struct {
		Amount int64
		Status string
	}
	External struct{ Refunded, Disputed, Uncaptured int64 }

	Template string
	Sends    int
}

// gone returns how much of a paid order's money it knows to be gone: refunded, on its way back, or disputed.
func (r row) gone() int64 {
	sum := r.External.Refunded + r.External.Disputed + r.External.Uncaptured
	for _, refund := range r.Refunds {
		if refund.Status != "failed" && refund.Status != "refused" {
			sum += refund.Amount
		}
	}
	return sum
}

func (s *store) rows(table string) map[string]row {
	s.t.Helper()
	all := map[string]row{}
	for _, item := range s.Stack.Items(table) {
		if pk, _ := item["pk"].(*types.AttributeValueMemberS); table == "Sandbox" &&
			!strings.HasPrefix(pk.Value, "intent#") {
			continue // recorded answers, and the setup
		}
		var r row
		require.NoError(s.t, attributevalue.UnmarshalMap(item, &r))
		all[r.PK] = r
	}
	return all
}

// over reports whether an order has ended, or needs a person.
func (r row) over() bool {
	ends := []string{"paid", "rejected", "expired", "canceled"}
	return slices.Contains(ends, r.Status) && len(r.Awaits) == 0 || r.Status == "needs_attention"
}

// over reports whether every order has ended or needs a person, and nothing is under way.
func (s *store) over() bool {
	if !s.Quiet() {
		return false
	}
	for _, o := range s.rows("Orders") {
		if !o.over() {
			return false
		}
	}
	return true
}

// harm is what faults may leave behind in a correct run.
type harm struct {
	mails bool // a mail was sent twice: the function was killed or cut off before it recorded the first
	kills bool // a message is in a dead-letter queue: each of its receives failed, and its order asked again
	// mails are in another order: a process outlived its timeout, or a call took effect after its process had ended
	outlives bool
}

// audit fails the test if inspect finds anything wrong, and returns how many orders have each end. Orders may
// need attention for the given reasons only.
func (s *store) audit(harm harm, attention ...string) map[string]int {
	s.t.Helper()
	ends, wrong := s.inspect(harm, attention...)
	require.Empty(s.t, wrong)
	return ends
}

// inspect checks that no order is lost, nothing is oversold and no customer is charged twice. Each order must
// agree with stock, money and mails. It returns how many orders have each end, and what is wrong.
func (s *store) inspect(harm harm, attention ...string) (ends map[string]int, wrong []string) {
	s.t.Helper()
	finds := func(right bool, format string, args ...any) {
		if !right {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	orders, reservations, mails, money := s.rows("Orders"), s.rows("Reservations"), s.rows("Mailbox"), s.money(finds)
	ends = map[string]int{}
	promised := map[string]int{} // units by SKU
	for _, sold := range s.orders {
		o, there := orders["main#"+sold.id]
		finds(there, "order %s is lost", sold.id)
		finds(o.over(), "order %s is %s and awaits %v", sold.id, o.Status, o.Awaits)
		finds(o.Attention == "" || slices.Contains(attention, o.Attention), "order %s needs attention: %s", sold.id,
			o.Attention)
		ends[strings.Join(slices.Compact(strings.Fields(o.Status+" "+o.Outcome+" "+o.Attention)), " ")]++

		has, keeps := "nothing", int64(0)
		if o.Outcome == "confirmed" {
			has = "sold"
			for _, l := range sold.basket.Lines {
				promised[l.SKU] += int(l.Quantity)
			}
			if o.Status == "paid" {
				keeps = sold.total - o.gone()
			}
		}
		reservation, exists := reservations["main#"+sold.id]
		finds(!exists && has == "nothing" || reservation.Observed == has, "order %s is %s and has %s", sold.id,
			o.Outcome, reservation.Observed)
		finds(money[sold.id] == keeps, "the shop has %d cents of order %s, which says %d", money[sold.id], sold.id,
			keeps)
		_, mailed := mails["main#"+sold.id+"#"+o.Outcome]
		finds(mailed || o.Attention != "", "order %s has no mail that it is %s", sold.id, o.Outcome)
	}
	for order, sent := range s.mails {
		finds(harm.outlives || believable(sent), "order %s has mails in the order %v", order, sent)
	}
	finds(len(orders) == len(s.orders), "%d orders were placed, and there are %d", len(s.orders), len(orders))
	for key, mail := range mails {
		finds(harm.mails || mail.Sends == 1, "mail %s was sent %d times", key, mail.Sends)
		outcome := orders["main#"+mail.Order].Outcome
		finds(mail.Template == outcome || mail.Template == "confirmed" && outcome == "canceled" ||
			mail.Template == "refunded" && outcome == "confirmed",
			"mail %s is about an order that is %s", key, outcome)
	}
	levels := s.rows("Levels")
	for sku, units := range s.delivered {
		level := levels["main#sku#"+sku]
		finds(level.Sellable >= 0, "%s is oversold by %d", sku, -level.Sellable)
		finds(level.Sellable+level.Promised == units, "of %d units of %s there are %d + %d", units, sku, level.Sellable,
			level.Promised)
		finds(level.Promised == promised[sku], "of %s %d units are promised, and orders have %d", sku, level.Promised,
			promised[sku])
	}
	for _, url := range s.Cloud.Queues.URLs() {
		if strings.HasSuffix(url, "-sandbox-callbacks-dlq") {
			continue // the provider also gives up callbacks
		}
		visible, inFlight, delayed := s.Cloud.Queues.Counts(url)
		finds(visible+inFlight+delayed == 0 || harm.kills, "%d messages are in %s", visible+inFlight+delayed, url)
	}
	return ends, wrong
}

// money returns how much the shop has received for each order, by the payment sandbox. It reports customers that
// were charged twice.
func (s *store) money(finds func(right bool, format string, args ...any)) map[string]int64 {
	kept, charges := map[string]int64{}, map[string]int{}
	for _, i := range s.rows("Sandbox") {
		order := i.Metadata["order"]
		charges[order] += i.Authorizations
		finds(charges[order] <= 1, "order %s was charged %d times", order, charges[order])
		finds(i.Captures <= 1, "order %s was captured %d times", order, i.Captures)
		finds(i.Status != "requires_capture", "money of order %s is still held", order)
		finds(i.Received >= i.Refunded, "of order %s %d cents were refunded and %d received", order, i.Refunded,
			i.Received)
		kept[order] += i.Received - i.Refunded - i.Disputed
	}
	return kept
}
