package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v84"
	"github.com/stripe/stripe-go/v84/webhook"

	"backroom/localstack/conformance"
	"backroom/shared/ops/shop"
)

// Cards of the sandbox with a special behavior.
const (
	CardLost      = "pm_sandbox_lost"                // the payment succeeds, and its answer is lost
	CardChallenge = "pm_card_authenticationRequired" // the customer must complete a challenge first
	CardLapses    = "pm_card_captureLapsed"          // a capture finds that the authorization has lapsed
	CardTaken     = "pm_card_captureLost"            // the capture succeeds, and its answer is lost
	CardGiven     = "pm_card_returnLost"             // a cancellation or refund succeeds, and its answer is lost
	CardWaits     = "pm_card_pendingRefund"          // a refund takes its time
	CardBounces   = "pm_card_refundFailFirst"        // the first refund fails at once
	CardReturns   = "pm_card_refundFailLateFirst"    // the first refund succeeds, and fails later
)

// CardSlow returns a card whose payment is answered after d.
func CardSlow(d time.Duration) string { return fmt.Sprintf("pm_sandbox_slow_%d", d.Milliseconds()) }

// CardProcessing returns a card whose payment is processing for d, and then succeeds.
func CardProcessing(d time.Duration) string {
	return fmt.Sprintf("pm_sandbox_processing_%d", d.Milliseconds())
}

// Provider sends a request to the payment sandbox, with the shop's key, and decodes the answer into document unless
// that is nil. It fails the case unless the status is 200.
func (s *System) Provider(t conformance.T, method, path string, form url.Values, document any) {
	t.Helper()
	require.NoError(t, s.provider(t.Context(), method, path, form, document))
}

func (s *System) provider(ctx context.Context, method, path string, form url.Values, document any) error {
	key, err := s.Stack.PaymentsKey(ctx)
	if err != nil {
		return err
	}
	call := shop.Call{Method: method, Path: path, Token: key}
	if method != http.MethodGet {
		call.Body, call.Header = form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	}
	answer, err := s.sandbox.Send(ctx, call)
	if err != nil {
		return err
	}
	if err := answer.Into(document, http.StatusOK); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// BreakProvider makes the payment provider fail every request for d, or until repair is called or the case ends.
func (s *System) BreakProvider(t conformance.T, d time.Duration) (repair func()) {
	t.Helper()
	down := func(ctx context.Context, d time.Duration) error {
		return s.provider(ctx, http.MethodPost, "/v1/sandbox/outage",
			url.Values{"seconds": {strconv.Itoa(int(d.Seconds()))}}, nil)
	}
	require.NoError(t, down(t.Context(), d))
	var once sync.Once
	repair = func() {
		once.Do(func() {
			if err := down(context.WithoutCancel(t.Context()), 0); err != nil {
				t.Errorf("the provider could not be repaired: %v", err)
			}
		})
	}
	t.Cleanup(repair)
	return repair
}

// Act completes the challenge of a payment, such as 3-D Secure, as its customer with the client secret, or fails it.
func (s *System) Act(t conformance.T, clientSecret string, succeeds bool) {
	t.Helper()
	intent, _, ok := strings.Cut(clientSecret, "_secret_")
	require.True(t, ok, "%q contains the id of its intent", clientSecret)
	outcome := map[bool]string{true: "succeed", false: "fail"}[succeeds]
	s.Provider(t, http.MethodPost, "/v1/payment_intents/"+intent+"/sandbox_action",
		url.Values{"client_secret": {clientSecret}, "outcome": {outcome}}, nil)
}

// Intent creates an intent at the provider that Backroom does not know, and returns its id.
func (s *System) Intent(t conformance.T, metadata map[string]string) string {
	t.Helper()
	form := url.Values{
		"amount": {"100"}, "currency": {"eur"}, "payment_method": {shop.CardGood}, "payment_method_types[]": {"card"},
		"capture_method": {"manual"}, "confirmation_method": {"manual"},
	}
	for name, value := range metadata {
		form.Set("metadata["+name+"]", value)
	}
	var made struct {
		ID string `json:"id"`
	}
	s.Provider(t, http.MethodPost, "/v1/payment_intents", form, &made)
	require.NotEmpty(t, made.ID)
	return made.ID
}

// Event returns the body of a callback about an intent: an event of the type, with the current intent, or with only
// its id if the provider does not know it.
func (s *System) Event(t conformance.T, kind, intent string) []byte {
	t.Helper()
	var object map[string]any
	if err := s.provider(t.Context(), http.MethodGet, "/v1/payment_intents/"+intent, nil, &object); err != nil {
		object = map[string]any{"id": intent, "object": "payment_intent"}
	}
	body, err := json.Marshal(map[string]any{
		"id": s.New("evt"), "object": "event", "type": kind, "created": time.Now().Unix(),
		"api_version": stripe.APIVersion,
		"data":        map[string]any{"object": object},
	})
	require.NoError(t, err)
	return body
}

// Signature signs a callback with a secret at a time, as the provider does.
func Signature(body []byte, secret string, at time.Time) string {
	return webhook.GenerateTestSignedPayload(
		&webhook.UnsignedPayload{Payload: body, Secret: secret, Timestamp: at}).Header
}

// CallBack sends a callback with a signature, or without one if that is "".
func (s *System) CallBack(t conformance.T, body []byte, signature string) shop.Answer {
	t.Helper()
	call := shop.Call{Method: http.MethodPost, Path: "/payments/events", Body: body}
	if signature != "" {
		call.Header = map[string]string{"Stripe-Signature": signature}
	}
	return s.Send(t, call)
}

// CallBackSigned sends a callback with a valid signature.
func (s *System) CallBackSigned(t conformance.T, body []byte) shop.Answer {
	t.Helper()
	return s.CallBack(t, body, Signature(body, s.CallbackSecret(t), time.Now()))
}

// CallbackSecret returns the secret with which the provider signs callbacks.
func (s *System) CallbackSecret(t conformance.T) string {
	t.Helper()
	secret, err := s.Stack.CallbackSecret(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, secret)
	return secret
}

// Money is the state of an order's money at the provider.
type Money struct {
	Intent         string // the provider's id of an intent of the order; one that moved money if there is one
	Authorizations int    // how often an amount was authorized
	Captures       int    // how often an amount was captured
	Held           int64  // the amount that is held now
	Received       int64  // the amount that was captured
	Refunded       int64  // the amount that was refunded, or whose refund is pending
}

// Kept returns what the shop keeps.
func (m Money) Kept() int64 { return m.Received - m.Refunded }

// String returns a text such as 1500 (2500 captured, 1000 refunded).
func (m Money) String() string {
	said := strconv.FormatInt(m.Kept(), 10)
	if m.Refunded > 0 {
		said += fmt.Sprintf(" (%d captured, %d refunded)", m.Received, m.Refunded)
	}
	if m.Held > 0 {
		said += fmt.Sprintf(" and %d held", m.Held)
	}
	return said
}

// Ledger returns the state of each order's money at the provider.
func (s *System) Ledger(t conformance.T) map[string]Money {
	t.Helper()
	ledger := map[string]Money{}
	var intents []struct {
		ID             string            `dynamodbav:"id"`
		Status         string            `dynamodbav:"status"`
		Amount         int64             `dynamodbav:"amount"`
		Metadata       map[string]string `dynamodbav:"metadata"`
		Authorizations int               `dynamodbav:"sandbox_authorizations"`
		Captures       int               `dynamodbav:"sandbox_captures"`
		Received       int64             `dynamodbav:"amount_received"`
		Refunded       int64             `dynamodbav:"sandbox_refunded"`
	}
	s.scan(t, s.Setting(t, "sandbox-payments", "SANDBOX_TABLE"),
		"id, #status, amount, metadata, sandbox_authorizations, sandbox_captures, amount_received, sandbox_refunded",
		map[string]string{"#status": "status"}, &intents)
	for _, i := range intents {
		order := i.Metadata["order"]
		if order == "" {
			continue // a recorded answer, or the setup
		}
		m := ledger[order]
		if m.Intent == "" || i.Authorizations > 0 {
			m.Intent = i.ID
		}
		m.Authorizations += i.Authorizations
		m.Captures += i.Captures
		m.Received += i.Received
		m.Refunded += i.Refunded
		if i.Status == "requires_capture" {
			m.Held += i.Amount
		}
		ledger[order] = m
	}
	return ledger
}

// A Mail is a mail that was sent about an order.
type Mail struct {
	Order    string `dynamodbav:"order"`
	Template string `dynamodbav:"template"`
	To       string `dynamodbav:"to"`
	Sends    int    `dynamodbav:"sends"`
}

// Mails returns the mails about each order, from the mailbox that stands in for a mail provider. A mail that was sent
// twice is listed twice.
func (s *System) Mails(t conformance.T) map[string][]Mail {
	t.Helper()
	var mails []Mail
	s.scan(t, s.Setting(t, "send-notification", "MAILBOX_TABLE"), "#order, template, #to, sends",
		map[string]string{"#order": "order", "#to": "to"}, &mails)
	sent := map[string][]Mail{}
	for _, m := range mails {
		sent[m.Order] = append(sent[m.Order], slices.Repeat([]Mail{m}, m.Sends)...)
	}
	return sent
}

// OpenCircuits returns the services whose circuit is open because they failed too often.
func (s *System) OpenCircuits(t conformance.T) (services []string) {
	t.Helper()
	var circuits []struct {
		Service string `dynamodbav:"pk"`
		Until   int64  `dynamodbav:"until"`
	}
	s.scan(t, s.Setting(t, "authorize-payment", "CIRCUITS_TABLE"), "pk, #until", map[string]string{"#until": "until"},
		&circuits)
	for _, c := range circuits {
		if c.Until != 0 {
			services = append(services, c.Service)
		}
	}
	return services
}

// scan reads the attributes of all items of a table.
func (s *System) scan(t conformance.T, table, attributes string, names map[string]string, into any) {
	t.Helper()
	var items []map[string]dynamodbtypes.AttributeValue
	pages := dynamodb.NewScanPaginator(s.tables, &dynamodb.ScanInput{
		TableName: &table, ConsistentRead: aws.Bool(true), ProjectionExpression: &attributes,
		ExpressionAttributeNames: names,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		items = append(items, page.Items...)
	}
	require.NoError(t, attributevalue.UnmarshalListOfMaps(items, into))
}
