// Package paymenttest holds what tests of payments share: a payment sandbox, events, and the suite
// that a store of charges passes.
package paymenttest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"backroom/localstack/cloudtest"
	"backroom/shared/money"
	"backroom/shared/payment"
	"backroom/shared/payment/paymentdb"
	"backroom/shared/payment/provider"
	"backroom/shared/sandbox"
	"backroom/shared/sandbox/sandboxdb"
	"backroom/shared/secret/apikey"
)

// Key returns the API key of every sandbox of the tests.
func Key() *apikey.Key {
	return apikey.New(func(context.Context) (string, error) { return cloudtest.SampleSecret, nil }, time.Now)
}

// Sandbox is a payment provider that runs in the test's process.
type Sandbox struct {
	http.Handler
	URL    string // where it answers; empty if it does not listen
	Ledger sandboxdb.Ledger
	ahead  atomic.Int64
}

// NewSandbox returns a sandbox with the cloud's table, which does not listen yet. Its clock runs.
func NewSandbox(cloud *cloudtest.Cloud) *Sandbox {
	rt := cloud.Runtime()
	s := &Sandbox{Ledger: sandboxdb.Ledger{DB: rt.DynamoDB(), Name: cloud.Table("Sandbox")}}
	s.Handler = sandbox.Handler{
		Ledger: s.Ledger, Key: Key(), Now: s.Now, Nonce: rt.Nonce, Log: slog.New(slog.DiscardHandler),
	}.Routes()
	return s
}

// StartSandbox is NewSandbox, and listens at a local URL until the test ends.
func StartSandbox(t testing.TB, cloud *cloudtest.Cloud) *Sandbox {
	t.Helper()
	s := NewSandbox(cloud)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Now returns the time by the sandbox's clock.
func (s *Sandbox) Now() time.Time { return time.Now().UTC().Add(time.Duration(s.ahead.Load())) }

// Later sets the sandbox's clock forward.
func (s *Sandbox) Later(d time.Duration) { s.ahead.Add(int64(d)) }

// Authorizations returns how often money was authorized for an order, over all its intents.
func (s *Sandbox) Authorizations(t testing.TB, order string) int {
	t.Helper()
	sum := 0
	pages := dynamodb.NewScanPaginator(s.Ledger.DB, &dynamodb.ScanInput{TableName: &s.Ledger.Name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatalf("read the sandbox's table: %v", err)
		}
		for _, image := range page.Items {
			var item struct {
				ID       string            `dynamodbav:"id"`
				Metadata map[string]string `dynamodbav:"metadata"`
			}
			if err := attributevalue.UnmarshalMap(image, &item); err != nil {
				t.Fatalf("read the sandbox's table: %v", err)
			}
			if item.ID == "" || item.Metadata["order"] != order {
				continue
			}
			i, err := s.Ledger.Intent(context.Background(), item.ID)
			if err != nil {
				t.Fatalf("read intent %s: %v", item.ID, err)
			}
			sum += i.At(s.Now()).Authorizations
		}
	}
	return sum
}

// Authorized authorizes an order's money on a card, as authorize-payment does.
func (s *Sandbox) Authorized(t testing.TB, cloud *cloudtest.Cloud, order string, total money.Money, card string) {
	t.Helper()
	step := payment.AuthorizeStep{Reconciler: payment.Reconciler{
		Charges:  paymentdb.Store{Table: cloud.Runtime().Table(cloud.Table("Charges"))},
		Provider: provider.New(s.URL, Key(), nil, nil),
	}}
	if err := step.Handle(context.Background(), Reserved(t, "reserved", order, total, card)); err != nil {
		t.Fatalf("authorize the payment of %s: %v", order, err)
	}
}

// Charge returns an order's charge as it is stored.
func Charge(t testing.TB, cloud *cloudtest.Cloud, order string) payment.Charge {
	t.Helper()
	charges := paymentdb.Store{Table: cloud.Runtime().Table(cloud.Table("Charges"))}
	c, err := charges.Load(context.Background(), Shop, order)
	if err != nil {
		t.Fatalf("read the charge of %s: %v", order, err)
	}
	return c
}
