// Package stack finds a deployed Backroom by the name of its CloudFormation stack: its addresses,
// its secrets and its tables. It also deletes one.
package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// A Stack is a deployed template.
type Stack struct {
	Name     string
	ARN      string // names the account and the region
	Endpoint string // of a local cloud; "" on AWS
	Outputs  map[string]string
}

// ErrNoStack means that no stack has the name.
var ErrNoStack = errors.New("there is no such stack")

// Describe returns a deployed stack, or ErrNoStack.
func Describe(ctx context.Context, endpoint, name string) (Stack, error) {
	cfg, err := Config(ctx, endpoint)
	if err != nil {
		return Stack{}, err
	}
	in := &cloudformation.DescribeStacksInput{StackName: &name}
	answer, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, in)
	if absent(err) {
		err = errors.Join(ErrNoStack, err)
	}
	if err != nil {
		return Stack{}, fmt.Errorf("stack %s: %w", name, err)
	}
	found := answer.Stacks[0]
	s := Stack{Name: name, ARN: aws.ToString(found.StackId), Endpoint: endpoint, Outputs: map[string]string{}}
	for _, output := range found.Outputs {
		s.Outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return s, nil
}

// absent reports whether CloudFormation refused to describe a stack because it does not exist.
func absent(err error) bool {
	refusal, ok := errors.AsType[smithy.APIError](err)
	return ok && refusal.ErrorCode() == "ValidationError" && strings.Contains(refusal.ErrorMessage(), "does not exist")
}

// StagePath is the prefix that the gateway's stage gives to every path.
const StagePath = "/v1"

// API returns the URL of the API, before its paths.
func (s Stack) API() (string, error) {
	if s.Endpoint == "" {
		if s.Outputs["ApiUrl"] == "" {
			return "", fmt.Errorf("stack %s has no output ApiUrl", s.Name)
		}
		return strings.TrimRight(s.Outputs["ApiUrl"], "/"), nil
	}
	if s.Outputs["ApiId"] == "" {
		return "", fmt.Errorf("stack %s has no output ApiId", s.Name)
	}
	return s.Endpoint + "/_aws/execute-api/" + s.Outputs["ApiId"] + StagePath, nil
}

// Sandbox returns the URL of the payment sandbox, before its paths. A stack without a sandbox, as
// in prod, is an error.
func (s Stack) Sandbox() (string, error) {
	id := s.Outputs["SandboxApiId"]
	if id == "" {
		return "", fmt.Errorf("stack %s has no payment sandbox (output SandboxApiId)", s.Name)
	}
	if s.Endpoint != "" {
		return s.Endpoint + "/_aws/execute-api/" + id + "/sandbox", nil
	}
	host := strings.TrimPrefix(strings.TrimSuffix(strings.TrimRight(s.Outputs["ApiUrl"], "/"), StagePath), "https://")
	_, domain, _ := strings.Cut(host, ".")
	return "https://" + id + "." + domain + "/sandbox", nil
}

// Client returns the id and secret of the bootstrap client.
func (s Stack) Client(ctx context.Context) (id, secret string, err error) {
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := s.Secret(ctx, "ClientSecretArn", &client); err != nil {
		return "", "", err
	}
	if client.ID == "" || client.Secret == "" {
		return "", "", errors.New("the client's secret lacks client_id or client_secret")
	}
	return client.ID, client.Secret, nil
}

// PaymentsKey returns the key of the payment provider.
func (s Stack) PaymentsKey(ctx context.Context) (string, error) {
	var payments struct {
		Key string `json:"api_key"`
	}
	err := s.Secret(ctx, "PaymentsSecretArn", &payments)
	return payments.Key, err
}

// CallbackSecret returns the secret with which the payment provider signs its callbacks; empty
// until one is stored.
func (s Stack) CallbackSecret(ctx context.Context) (string, error) {
	var payments struct {
		WebhookSecret string `json:"webhook_secret"`
	}
	err := s.Secret(ctx, "PaymentsSecretArn", &payments)
	return payments.WebhookSecret, err
}

// Secret decodes a secret, whose ARN is an output of the stack, into document.
func (s Stack) Secret(ctx context.Context, output string, document any) error {
	cfg, err := Config(ctx, s.Endpoint)
	if err != nil {
		return err
	}
	arn := s.Outputs[output]
	if arn == "" {
		return fmt.Errorf("stack %s has no output %s", s.Name, output)
	}
	in := &secretsmanager.GetSecretValueInput{SecretId: &arn}
	answer, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, in)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(aws.ToString(answer.SecretString)), document); err != nil {
		return fmt.Errorf("decode the secret of %s: %w", output, err)
	}
	return nil
}

// FunctionName returns the name of a function of this stack on the cloud.
func (s Stack) FunctionName(function string) string { return s.Name + "-" + function }

// QueueName returns the name of a step's queue; its dead-letter queue adds -dlq.
func (s Stack) QueueName(step string) string { return s.Name + "-" + step }
