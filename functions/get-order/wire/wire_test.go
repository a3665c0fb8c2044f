package wire_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/get-order/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
	"backroom/shared/identity"
	"backroom/shared/order/orderapi"
	"backroom/shared/payment"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/saga"
)

const (
	name = "get-order"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
)

var build = function.Serving(wire.New)

// placed is a cloud with one order, whose stock is reserved and whose payment failed. The clock of
// reserve-stock is late.
func placed(t *testing.T) *cloudtest.Cloud {
	c := cloudtest.New(t)
	c.Put("Orders", c.Image("relay-facts.json"))
	c.Put("Reservations", `{"pk":"main#`+id+`","version":1,"observed":"reserved","nonce":"nonce002","history":[
		{"v":1,"fact":"StockReserved","at":1772366399000,"cause":"orders:main#`+id+
		`@1.0~nonce001","actor":"reserve-stock"}]}`)
	c.Put("Charges", `{"pk":"main#`+id+`#1","version":2,"order":"`+id+
		`","shop":"main","attempt":1,"desired":"capture","observed":"declined","nonce":"nonce003","history":[
		{"v":1,"fact":"PaymentIntended","at":1772366400110,"cause":"reservations:main#`+id+
		`@1.0~nonce002","actor":"authorize-payment"},
		{"v":2,"fact":"PaymentDeclined","at":1772366400120,"cause":"reservations:main#`+id+
		`@1.0~nonce002","actor":"authorize-payment"}]}`)
	return c
}

func TestGetOrder_ReturnsAnOrderWithItsStory(t *testing.T) {
	t.Parallel()
	c := placed(t)
	c.Token()
	before := c.State()

	for range 2 {
		answer := c.Request(build, name, "get-order.json")
		assert.Equal(t, 200, answer.Status, answer.Body)
		assert.Equal(t, `"v1.1.2.1"`, answer.Header.Get("ETag"))
		assert.JSONEq(t, `{
			"id": "`+id+
			`", "status": "placed", "settled": false, "placed_at": "2026-03-01T12:00:00Z", "expires_at": "2026-03-01T12:15:00Z",
			"lines": [
				{"sku": "MUG-1", "quantity": 2, "price": {"amount": 1250, "currency": "EUR"}},
				{"sku": "TEAPOT-1", "quantity": 1, "price": {"amount": 5400, "currency": "EUR"}}
			],
			"total": {"amount": 7900, "currency": "EUR"},
			"payment": {"status": "declined"}, "refundable": {"amount": 0, "currency": "EUR"}, "refunds": [], "awaits": ["outcome"],
			"timeline": [
				{"type": "OrderPlaced", "occurred_at": "2026-03-01T12:00:00Z", "actor": "client:bootstrap"},
				{"type": "StockReserved", "occurred_at": "2026-03-01T11:59:59Z", "actor": "reserve-stock"},
				{"type": "PaymentIntended", "occurred_at": "2026-03-01T12:00:00.11Z", "actor": "authorize-payment"},
				{"type": "PaymentDeclined", "occurred_at": "2026-03-01T12:00:00.12Z", "actor": "authorize-payment"}
			]
		}`, answer.Body)
		assert.Equal(t, before, c.State())
	}
}

// Payment stores the charge; the order's answer contains only the attributes that it names.
func TestGetOrder_ReturnsTheActionOfItsCustomer(t *testing.T) {
	t.Parallel()
	c := placed(t)
	charges := paymentdb.Store{Table: c.Runtime().Table(c.Table("Charges"))}
	charge, err := charges.Load(t.Context(), "main", id)
	require.NoError(t, err)
	charge.Observed, charge.ClientSecret = payment.ActionNeeded, "pi_1_secret_2"
	_, err = charges.Save(t.Context(), charge, saga.Cause{ID: "event-1", Actor: "test"}, saga.PaymentActionNeeded)
	require.NoError(t, err)

	assert.Contains(t, c.Request(build, name, "get-order.json").Body,
		`"payment":{"status":"action_needed","client_secret":"pi_1_secret_2"}`)
	c.Caller.Subject = "eve"
	assert.Contains(t, c.Request(build, name, "get-order.json").Body, `"payment":{"status":"action_needed"}`,
		"staff cannot act for them")
	c.Caller.Subject = "client:bootstrap"
	c.Clock.Pass(15 * time.Minute)
	assert.Contains(t, c.Request(build, name, "get-order.json").Body, `"payment":{"status":"action_needed"}`,
		"too late")
	assert.NotContains(t, c.Log.String(), "pi_1_secret_2")
}

func TestGetOrder_DocumentsEveryPaymentStatus(t *testing.T) {
	field, _ := reflect.TypeFor[orderapi.Payment]().FieldByName("Status")
	var words []string
	for _, has := range []payment.Observed{
		payment.Nothing, payment.Uncertain, payment.ActionNeeded, payment.Declined, payment.Authorized,
		payment.Captured, payment.Lapsed, payment.Canceled, payment.Returned,
	} {
		words = append(words, string(has))
	}
	assert.Equal(t, strings.Join(words, ","), field.Tag.Get("enum"))
}

func TestGetOrder_ChecksTheCaller(t *testing.T) {
	owner := identity.Caller{Shop: "main", Subject: "client:bootstrap", Client: "bootstrap",
		Scopes: []string{identity.OrdersRead}}
	for who, c := range map[string]struct {
		caller identity.Caller
		event  string
		status int
		slug   string
	}{
		"its owner":        {owner, "get-order.json", 200, ""},
		"another customer": {as(owner, "eve"), "get-order.json", 404, "unknown-order"},
		"another customer, of an order that does not exist": {as(owner, "eve"), "get-order.unknown.json", 404,
			"unknown-order"},
		"staff": {as(owner, "eve", identity.OrdersRead, identity.OrdersReadAll), "get-order.json",
			200, ""},
		"staff of another shop": {elsewhere(as(owner, "eve", identity.OrdersRead, identity.OrdersReadAll)),
			"get-order.json", 404, "unknown-order"},
		"its owner without the scope": {as(owner, owner.Subject, identity.OrdersWrite), "get-order.json", 403,
			"insufficient-scope"},
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			cloud := placed(t)
			cloud.Caller = c.caller
			answer := cloud.Request(build, name, c.event)
			assert.Equal(t, c.status, answer.Status, answer.Body)
			assert.Equal(t, c.slug, answer.Slug())
		})
	}
}

func as(c identity.Caller, subject string, scopes ...string) identity.Caller {
	c.Subject = subject
	if scopes != nil {
		c.Scopes = scopes
	}
	return c
}

func elsewhere(c identity.Caller) identity.Caller {
	c.Shop = "other"
	return c
}
