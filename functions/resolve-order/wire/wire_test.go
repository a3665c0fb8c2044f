package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/resolve-order/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

const (
	name = "resolve-order"
	id   = "ord_msgc5j2ou3f64wju5cxjdqb5d45tpjj4"
)

var build = function.Serving(wire.New)

// failed is a cloud with the order of relay-facts' sample, after its capture failed.
func failed(t *testing.T) *cloudtest.Cloud {
	t.Helper()
	cloud := cloudtest.New(t)
	var row map[string]any
	require.NoError(t, json.Unmarshal([]byte(cloud.Image("relay-facts.json")), &row))
	row["version"], row["status"], row["outcome"], row["awaits"] = 3, "needs_attention", "confirmed",
		[]string{"capture"}
	row["attention"], row["due"], row["watch"] = "capture-failed", 1772366460000, "attention#main"
	document, err := json.Marshal(row)
	require.NoError(t, err)
	cloud.Put("Orders", string(document))
	return cloud
}

func TestResolveOrder_RecordsTheDecision(t *testing.T) {
	for event, c := range map[string]struct {
		id             string // derived from the caller, the order and the sample's Idempotency-Key
		action, reason string
		fingerprint    string
		status         string // of the order afterwards
		row            string // more attributes of its row
		log            string // what is added to its history
	}{
		"resolve-order.json": {
			id: "res_xxrmtbscekmj6a5meijiind5qd4dyjma", action: "retry", reason: "the provider is back",
			fingerprint: "edc1c8784b99336ee63a350c2b5484c40fbc4f3095b5c1ce6e27809d10bd4ac6", status: "confirmed",
			row: `"publishes": 1, "awaits": ["capture"], "due": 1772366520000, "watch": "due#6",`,
			log: `{"v": 4, "fact": "OrderRetried", "at": 1772366400000, "cause": "7c9e6679-7425-40de-944b-000000000107", "actor": "client:bootstrap"},
				{"v": 4, "fact": "CaptureDue", "at": 1772366400000, "cause": "7c9e6679-7425-40de-944b-000000000107", "actor": "client:bootstrap"}`,
		},
		"resolve-order.write-off.json": {
			id: "res_z4gbtmpan5bo5e5aqnmezkptvp5ahtoh", action: "write_off", reason: "the customer paid in cash",
			fingerprint: "d7b956a2fdf5e69ec783db504e7637135c98bde977aec052649d0e5e38cf8d42", status: "confirmed",
			row: `"publishes": 1,`,
			log: `{"v": 4, "fact": "OrderWrittenOff", "at": 1772366400000, "cause": "7c9e6679-7425-40de-944b-000000000108", "actor": "client:bootstrap"},
				{"v": 4, "fact": "PaymentWrittenOff", "at": 1772366400000, "cause": "7c9e6679-7425-40de-944b-000000000108", "actor": "client:bootstrap"}`,
		},
	} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			cloud := failed(t)

			first := cloud.Request(build, name, event)

			assert.Equal(t, 202, first.Status, first.Body)
			assert.Equal(t, "/v1/orders/"+id, first.Header.Get("Location"))
			assert.JSONEq(t, `{
				"id": "`+c.id+`", "order_id": "`+id+`", "action": "`+c.action+`", "reason": "`+c.reason+
				`", "resolved_at": "2026-03-01T12:00:00Z"
			}`, first.Body)
			assert.JSONEq(t, `{
				"pk": "main#`+id+`", "order": "`+id+`", "shop": "main", "version": 4, "nonce": "nonce001", `+c.row+
				` "status": "`+c.status+`", "outcome": "confirmed", "resolution": {"id": "`+c.id+`", "action": "`+
				c.action+`", "reason": "`+c.reason+`", "by": "client:bootstrap", "at": 1772366400000, "fingerprint": "`+
				c.fingerprint+`"},
				"history": [
					{"v": 1, "fact": "OrderPlaced", "at": 1772366400000, "cause": "7c9e6679-7425-40de-944b-000000000009", "actor": "client:bootstrap"},
					`+c.log+`
				],
				"owner": "client:bootstrap", "email": "ada@example.com", "customer": "main#client:bootstrap", "day": "main#2026-03-01#2",
				"lines": [{"sku": "MUG-1", "quantity": 2, "price": 1250}, {"sku": "TEAPOT-1", "quantity": 1, "price": 5400}],
				"total": 7900, "currency": "EUR", "payment_method": "pm_card_visa", "fingerprint": "7930e04756a4e91d6781502c4a49a82f6c3a75961b5597d5515b1860a39c41e6",
				"placed_at": 1772366400000, "expires_at": 1772367300000
			}`, cloud.Row("Orders", "main#"+id))

			before := cloud.State()
			again := cloud.Request(build, name, event)
			assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"), "the same request again")
			assert.Equal(t, [2]any{first.Status, first.Body}, [2]any{again.Status, again.Body})
			assert.Equal(t, before, cloud.State(), "the same request again")
		})
	}
}

func TestResolveOrder_RefusalChangesNothing(t *testing.T) {
	for sentence, c := range map[string]struct {
		waits  bool
		event  string
		status int
		slug   string
	}{
		"a request without an idempotency key": {false, "resolve-order.no-key.json", 400, "idempotency-key-missing"},
		"an order that needs no attention":     {true, "resolve-order.json", 409, "no-attention-needed"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			cloud := failed(t)
			if c.waits {
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
