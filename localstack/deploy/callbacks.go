package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"backroom/shared/ops/stack"
)

// callbacksPath is where the API receives the payment provider's events.
const callbacksPath = "/payments/events"

// subscribed are the events that the API receives.
var subscribed = []string{
	"charge.dispute.closed", "charge.dispute.created",
	"payment_intent.amount_capturable_updated", "payment_intent.canceled", "payment_intent.payment_failed",
	"payment_intent.processing",
	"payment_intent.requires_action", "payment_intent.succeeded", "refund.created", "refund.failed", "refund.updated",
}

// RegisterCallbacks registers the stack's API as a webhook endpoint of the stack's payment sandbox, and
// stores the signing secret beside the API key. A valid registration is not changed; others for the same URL
// are deleted. For a stack without a sandbox it does nothing: a person registers the API at the provider.
// The note says what was done.
func RegisterCallbacks(ctx context.Context, s stack.Stack) (string, error) {
	sandbox, err := s.Sandbox()
	if err != nil {
		return "no payment sandbox in this stack", nil
	}
	cfg, err := stack.Config(ctx, s.Endpoint)
	if err != nil {
		return "", err
	}
	document := map[string]string{}
	if err := s.Secret(ctx, "PaymentsSecretArn", &document); err != nil {
		return "", err
	}
	provider := sandboxClient{url: sandbox, key: document["api_key"]}
	wanted := "execute-api:" + s.Outputs["ApiId"] + stack.StagePath + callbacksPath

	var registered struct{ Data []endpoint }
	if err := provider.do(ctx, http.MethodGet, "/v1/webhook_endpoints?limit=100", nil, &registered); err != nil {
		return "", err
	}
	known := false
	for _, e := range registered.Data {
		switch valid := slices.Equal(e.Events, subscribed) && document["webhook_secret"] != ""; {
		case e.URL != wanted:
		case valid && !known:
			known = true
		default: // of an older deployment, or its secret was lost
			if err := provider.do(ctx, http.MethodDelete, "/v1/webhook_endpoints/"+url.PathEscape(e.ID), nil,
				&struct{}{}); err != nil {
				return "", err
			}
		}
	}
	if known {
		return "the sandbox calls " + callbacksPath + " already", nil
	}
	var made endpoint
	if err := provider.do(ctx, http.MethodPost, "/v1/webhook_endpoints",
		url.Values{"url": {wanted}, "enabled_events[]": subscribed}, &made); err != nil {
		return "", err
	}
	document["webhook_secret"] = made.Secret
	value, err := json.Marshal(document)
	if err != nil {
		return "", err
	}
	_, err = secretsmanager.NewFromConfig(cfg).PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(s.Outputs["PaymentsSecretArn"]), SecretString: aws.String(string(value)),
	})
	return "the sandbox calls " + callbacksPath, err
}

// endpoint is a webhook endpoint, as the sandbox describes it.
type endpoint struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"enabled_events"`
	Secret string   `json:"secret"`
}

// sandboxClient calls the API of the payment sandbox.
type sandboxClient struct{ url, key string }

// do sends a request and decodes the answer. It returns an error for any status except 200.
func (c sandboxClient) do(ctx context.Context, method, path string, form url.Values, answer any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		return err
	}
	if got.StatusCode != http.StatusOK {
		return fmt.Errorf("payment sandbox: %s %s: %s: %s", method, path, got.Status, body)
	}
	return json.Unmarshal(body, answer)
}
