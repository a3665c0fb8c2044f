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

// callbacksPath is where the API takes the payment provider's events.
const callbacksPath = "/payments/events"

// told are the events that the API is told of.
var told = []string{
	"payment_intent.amount_capturable_updated", "payment_intent.canceled", "payment_intent.payment_failed", "payment_intent.processing",
	"payment_intent.requires_action", "payment_intent.succeeded", "refund.created", "refund.failed", "refund.updated",
}

// RegisterCallbacks has the stack's payment sandbox call the stack's API, and stores the secret that it signs with beside the
// API key. What is registered already is left alone. A stack without a sandbox has nothing to register: its provider is told by
// hand. It returns a note of what was done.
func RegisterCallbacks(ctx context.Context, s stack.Stack) (string, error) {
	sandbox, err := s.Sandbox()
	if err != nil {
		return "no sandbox here", nil
	}
	cfg, err := stack.Config(ctx, s.Endpoint)
	if err != nil {
		return "", err
	}
	document := map[string]string{}
	if err := s.Secret(ctx, "PaymentsSecretArn", &document); err != nil {
		return "", err
	}
	desk := sandboxDesk{url: sandbox, key: document["api_key"]}
	wanted := "execute-api:" + s.Outputs["ApiId"] + stack.StagePath + callbacksPath

	var registered struct{ Data []endpoint }
	if err := desk.ask(ctx, http.MethodGet, "/v1/webhook_endpoints?limit=100", nil, &registered); err != nil {
		return "", err
	}
	known := false
	for _, e := range registered.Data {
		switch sound := slices.Equal(e.Events, told) && document["webhook_secret"] != ""; {
		case e.URL != wanted:
		case sound && !known:
			known = true
		default: // an older deployment's, or one whose secret was lost
			if err := desk.ask(ctx, http.MethodDelete, "/v1/webhook_endpoints/"+url.PathEscape(e.ID), nil, &struct{}{}); err != nil {
				return "", err
			}
		}
	}
	if known {
		return "registered before", nil
	}
	var made endpoint
	if err := desk.ask(ctx, http.MethodPost, "/v1/webhook_endpoints", url.Values{"url": {wanted}, "enabled_events[]": told}, &made); err != nil {
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

// endpoint is what the sandbox says of one.
type endpoint struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"enabled_events"`
	Secret string   `json:"secret"`
}

// sandboxDesk is where the sandbox takes orders of its operator.
type sandboxDesk struct{ url, key string }

func (d sandboxDesk) ask(ctx context.Context, method, path string, form url.Values, answer any) error {
	r, err := http.NewRequestWithContext(ctx, method, d.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+d.key)
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
		return fmt.Errorf("the payment sandbox: %s %s: %s: %s", method, path, got.Status, body)
	}
	return json.Unmarshal(body, answer)
}
