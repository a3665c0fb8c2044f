package sandbox

import (
	"maps"
	"time"
)

// document is an intent as clients see it: Stripe's members, and how often it was authorized and
// captured in fact, and how much of it was refunded or disputed.
type document struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"`
	Amount             int64             `json:"amount"`
	AmountCapturable   int64             `json:"amount_capturable"`
	AmountReceived     int64             `json:"amount_received"`
	CanceledAt         *int64            `json:"canceled_at"`
	CancellationReason *string           `json:"cancellation_reason"`
	CaptureMethod      string            `json:"capture_method"`
	ClientSecret       string            `json:"client_secret"`
	ConfirmationMethod string            `json:"confirmation_method"`
	Created            int64             `json:"created"`
	Currency           string            `json:"currency"`
	LastPaymentError   *problemDocument  `json:"last_payment_error"`
	LatestCharge       *string           `json:"latest_charge"`
	Livemode           bool              `json:"livemode"`
	Metadata           map[string]string `json:"metadata"`
	NextAction         *action           `json:"next_action"`
	PaymentMethod      *string           `json:"payment_method"`
	PaymentMethodTypes []string          `json:"payment_method_types"`
	Status             Status            `json:"status"`
	Authorizations     int               `json:"sandbox_authorizations"`
	Captures           int               `json:"sandbox_captures"`
	Refunded           int64             `json:"sandbox_refunded"`
	Disputed           int64             `json:"sandbox_disputed"`
}

// action is what the customer must do. In the sandbox that is POST
// /v1/payment_intents/{id}/sandbox_action.
type action struct {
	Type string            `json:"type"`
	SDK  map[string]string `json:"use_stripe_sdk"`
}

func (i Intent) document() document {
	d := document{
		ID: i.ID, Object: "payment_intent", Amount: i.Amount, AmountReceived: i.Captured,
		CaptureMethod: i.CaptureMethod,
		ClientSecret:  i.Secret, ConfirmationMethod: i.ConfirmationMethod, Created: i.Created.Unix(),
		Currency:   i.Currency,
		CanceledAt: seconds(i.CanceledAt), CancellationReason: optional(i.CancellationReason),
		PaymentMethod: optional(i.PaymentMethod),
		Metadata:      metadata(i.Metadata), PaymentMethodTypes: []string{"card"}, Status: i.Status,
		Authorizations: i.Authorizations, Captures: i.Captures, Refunded: i.Refunded(), Disputed: i.Disputed(),
	}
	if i.LastError != nil {
		p := i.LastError.document()
		d.LastPaymentError = &p
	}
	if i.Authorizations > 0 {
		d.LatestCharge = optional(i.charge())
	}
	switch i.Status {
	case RequiresCapture:
		d.AmountCapturable = i.Amount
	case RequiresAction:
		d.NextAction = &action{"use_stripe_sdk", map[string]string{"type": "three_d_secure_redirect"}}
	}
	return d
}

// refundDocument is a refund as clients see it.
type refundDocument struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Charge        string            `json:"charge"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	FailureReason string            `json:"failure_reason,omitempty"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Reason        *string           `json:"reason"`
	Status        RefundStatus      `json:"status"`
}

func (i Intent) refundDocument(r Refund) refundDocument {
	d := refundDocument{
		ID: r.ID, Object: "refund", Amount: r.Amount, Charge: i.charge(), Created: r.Created.Unix(),
		Currency: i.Currency,
		Metadata: metadata(r.Metadata), PaymentIntent: i.ID, Reason: optional(r.Reason), Status: r.Status,
	}
	if r.Status == RefundFailed {
		d.FailureReason = "expired_or_canceled_card"
	}
	return d
}

// endpointDocument is a webhook endpoint as clients see it. It has the secret only in the answer
// that creates it.
type endpointDocument struct {
	ID            string   `json:"id"`
	Object        string   `json:"object"`
	Created       int64    `json:"created"`
	EnabledEvents []string `json:"enabled_events"`
	Livemode      bool     `json:"livemode"`
	Secret        string   `json:"secret,omitempty"`
	Status        string   `json:"status"`
	URL           string   `json:"url"`
}

func (e Endpoint) document() endpointDocument {
	return endpointDocument{
		ID: e.ID, Object: "webhook_endpoint", Created: e.Created.Unix(), EnabledEvents: e.Events, Status: "enabled",
		URL: e.URL,
	}
}

// listDocument is a page of documents.
type listDocument struct {
	Object  string `json:"object"`
	Data    []any  `json:"data"`
	HasMore bool   `json:"has_more"`
	URL     string `json:"url"`
}

// eventDocument is the body of a callback.
type eventDocument struct {
	ID         string         `json:"id"`
	Object     string         `json:"object"`
	APIVersion string         `json:"api_version"`
	Created    int64          `json:"created"`
	Data       map[string]any `json:"data"` // the object as of the event
	Livemode   bool           `json:"livemode"`
	Pending    int            `json:"pending_webhooks"`
	Type       string         `json:"type"`
}

// apiVersion is the version of Stripe's API that the sandbox imitates: that of stripe-go v84.
const apiVersion = "2026-02-25.clover"

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func seconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	s := t.Unix()
	return &s
}

func metadata(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return maps.Clone(m)
}
