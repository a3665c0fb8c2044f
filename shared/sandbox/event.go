package sandbox

import (
	"encoding/json"
	"slices"
	"time"

	"backroom/shared/saga"
)

// Event is something that happened to an intent, a refund or a dispute, in Stripe's words.
type Event struct {
	Type   string
	object any
}

// held is the type of the event of an authorization.
const held = "payment_intent.amount_capturable_updated"

// reached are the types of the events of an intent that has reached a status.
var reached = map[Status]string{
	RequiresPaymentMethod: "payment_intent.payment_failed",
	RequiresAction:        "payment_intent.requires_action",
	Processing:            "payment_intent.processing",
	RequiresCapture:       held,
	Succeeded:             "payment_intent.succeeded",
	Canceled:              "payment_intent.canceled",
}

// Happened returns the events of a change from before to after, in order. A new intent's before has
// version 0.
func Happened(before, after Intent) []Event {
	var all []Event
	intent := func(kind string) { all = append(all, Event{kind, after.document()}) }
	if before.Version == 0 {
		intent("payment_intent.created")
	}
	switch changed := before.Status != after.Status; {
	case after.Status == RequiresPaymentMethod && after.LastError == nil:
		// no payment was tried
	case changed && reached[after.Status] != "", after.LastError != nil && before.LastError == nil:
		intent(reached[after.Status])
	}
	for n, r := range after.Refunds {
		refund := func(kind string) { all = append(all, Event{kind, after.refundDocument(r)}) }
		switch isNew := n >= len(before.Refunds); {
		case isNew:
			refund("refund.created")
		case before.Refunds[n].Status != r.Status:
			refund("refund.updated")
		default:
			continue
		}
		if r.Status == RefundFailed {
			refund("refund.failed")
		}
	}
	for n, d := range after.Disputes {
		switch isNew := n >= len(before.Disputes); {
		case isNew:
			all = append(all, Event{"charge.dispute.created", after.disputeDocument(d)})
		case before.Disputes[n].Status != d.Status:
			all = append(all, Event{"charge.dispute.closed", after.disputeDocument(d)})
		}
	}
	return all
}

// encode returns the event as it is sent.
func (e Event) encode(id string, now time.Time) (json.RawMessage, error) {
	return json.Marshal(eventDocument{
		ID: id, Object: "event", APIVersion: apiVersion, Created: now.Unix(), Data: map[string]any{"object": e.object},
		Pending: 1, Type: e.Type,
	})
}

// Setup is the sandbox's own configuration, which belongs to no intent.
type Setup struct {
	Version   int       // raised by every change; 0: nothing was configured yet
	Outage    time.Time // until then all requests fail
	Endpoints []Endpoint
	Rest      saga.Rest
}

// Endpoint is a webhook endpoint: where events are sent.
type Endpoint struct {
	ID      string
	URL     string   // or "execute-api:ID/STAGE/path": a REST API of the same account
	Events  []string // their types; "*" is all
	Secret  string   // signs the events
	Created time.Time
}

// Endpoint returns the endpoint with the id.
func (s Setup) Endpoint(id string) (Endpoint, bool) {
	n := slices.IndexFunc(s.Endpoints, func(e Endpoint) bool { return e.ID == id })
	if n < 0 {
		return Endpoint{}, false
	}
	return s.Endpoints[n], true
}

func (e Endpoint) wants(kind string) bool {
	return slices.Contains(e.Events, kind) || slices.Contains(e.Events, "*")
}
