package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/refund-order/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const (
	name = "refund-order"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
)

var build = function.Serving(wire.New)

// paid is a cloud with the order of relay-facts' sample, after it was paid.
func paid(t *testing.T) *cloudtest.Cloud {
	t.Helper()
	cloud := cloudtest.New(t)
	var row map[string]any
	require.NoError(t, json.Unmarshal([]byte(cloud.Image("relay-facts.json")), &row))
	row["version"], row["status"], row["outcome"], row["paid"] = 3, "paid", "confirmed", true
	for _, gone := range []string{"awaits", "due", "watch", "publishes"} {
		delete(row, gone)
	}
	document, err := json.Marshal(row)
	require.NoError(t, err)
	cloud.Put("Orders", string(document))
	return cloud
}

func TestRefundOrder_RequestsARefund(t *testing.T) {
	for event, c := range map[string]struct {
		request, id string // the id is derived from the caller, the order and the sample's Idempotency-Key
		amount      string
		left        string // how much can be refunded besides
		reason      string
		fingerprint string
	}{
		"refund-order.json": {"7c9e6679-7425-40de-944b-000000000104", "rfn_76ejllyfow6zqo2dxf5lawf62fdj2u3d",
			"1250", "6650", "one mug arrived broken",
			"4a98ca92e1781bb078697544ec311e4468f961b9526e16ee15a1204e2014d20f"},
		"refund-order.all.json": {"7c9e6679-7425-40de-944b-000000000105", "rfn_zuur7z7rpm7shqosl2zli7htsp5njtdz",
			"7900", "0", "never arrived", "f30159038ac9ce4910690eb01c94d6eb40d8e7741705df2152c0a7ba26802c3a"},
	} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			cloud := paid(t)

			first := cloud.Request(build, name, event)

			assert.Equal(t, 202, first.Status, first.Body)
			assert.Equal(t, "/v1/orders/"+id, first.Header.Get("Location"))
			assert.JSONEq(t, `{
				"id": "`+c.id+`", "order_id": "`+id+`", "amount": {"amount": `+c.amount+
				`, "currency": "EUR"}, "status": "requested", "refundable": {"amount": `+c.left+
				`, "currency": "EUR"}, "reason": "`+c.reason+`", "requested_at": "2026-03-01T12:00:00Z"
			}`, first.Body)
			assert.JSONEq(t, `{
				"pk": "main#`+id+`", "order": "`+id+
				`", "shop": "main", "version": 4, "nonce": "nonce001", "publishes": 1, "status": "paid", "outcome": "confirmed", "paid": true, "awaits": ["refund"],
				"refunds": [{"id": "`+c.id+`", "amount": `+c.amount+`, "try": 1, "status": "requested"}],
				"refund_notes": [{"id": "`+c.id+`", "reason": "`+c.reason+
				`", "by": "client:bootstrap", "at": 1772366400000, "fingerprint": "`+c.fingerprint+`", "left": `+c.left+
				`}],
				"history": [
					{"v": 1, "fact": "OrderPlaced", "at": 1772366400000, "cause": "7c9e6679-7425-40de-944b-000000000009", "actor": "client:bootstrap"},
					{"v": 4, "fact": "OrderRefunding", "at": 1772366400000, "cause": "`+c.request+
				`", "actor": "client:bootstrap"}
				],
				"owner": "client:bootstrap", "email": "ada@example.com", "customer": "main#client:bootstrap", "day": "main#2026-03-01#2",
				"lines": [{"sku": "MUG-1", "quantity": 2, "price": 1250}, {"sku": "TEAPOT-1", "quantity": 1, "price": 5400}],
				"total": 7900, "currency": "EUR", "payment_method": "pm_card_visa", "fingerprint": "7930e04756a4e91d6781502c4a49a82f6c3a75961b5597d5515b1860a39c41e6",
				"placed_at": 1772366400000, "expires_at": 1772367300000, "due": 1772366520000, "watch": "due#6"
			}`, cloud.Row("Orders", "main#"+id))

			before := cloud.State()
			again := cloud.Request(build, name, event)
			assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"), "the same request again")
			assert.Equal(t, [2]any{first.Status, first.Body}, [2]any{again.Status, again.Body})
			assert.Equal(t, before, cloud.State(), "the same request again")
		})
	}
}

func TestRefundOrder_RefusalChangesNothing(t *testing.T) {
	for sentence, c := range map[string]struct {
		open   bool
		event  string
		status int
		slug   string
	}{
		"money of another currency":          {false, "refund-order.other-currency.json", 422, "mixed-currencies"},
		"money of an order that is not paid": {true, "refund-order.json", 409, "not-refundable"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			cloud := paid(t)
			if c.open {
				cloud.Put("Orders", cloud.Image("relay-facts.json"))
			}
			cloud.Token()
			before := cloud.State()
			for range 2 {
				answer := cloud.Request(build, name, c.event)
				assert.Equal(t, [2]any{c.status, c.slug}, [2]any{answer.Status, answer.Slug()}, answer.Body)
				assert.Equal(t, before, cloud.State())
			}
		})
	}
}
