// Package ops is what an operator does by hand with a deployed Backroom: read the story of an order, send again what was
// lost or given up on, forget a customer. It is made of the system's own parts, so that it keeps the system's own rules.
package ops

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"backroom/shared/ops/remedy"
	"backroom/shared/ops/stack"
	"backroom/shared/queue"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// A Site is a deployed stack as its operator reaches it.
type Site struct {
	Stack  stack.Stack
	DB     *dynamodb.Client
	Queues queue.Sender
	Names  map[string]string // of its tables, by what the template calls them
	Now    func() time.Time
}

// WhichStacks leads on where a stack is not found.
const WhichStacks = "which stacks are there? aws cloudformation list-stacks. --stack names one; " +
	"AWS_REGION and credentials say where, or --endpoint for a local cloud"

// Open finds the parts of a stack at the cloud's endpoint; "" is wherever the AWS SDK's own settings lead.
func Open(ctx context.Context, endpoint, name string) (Site, error) {
	at, err := stack.Describe(ctx, endpoint, name)
	if err != nil {
		return Site{}, remedy.For(err, WhichStacks)
	}
	names, err := at.Resources(ctx)
	if err != nil {
		return Site{}, remedy.For(err, WhichStacks)
	}
	cfg, err := stack.Config(ctx, endpoint)
	if err != nil {
		return Site{}, err
	}
	queues := sqs.NewFromConfig(cfg)
	some := string(saga.AdvanceOrder)
	url, err := queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(at.QueueName(some))})
	if err != nil {
		return Site{}, remedy.For(fmt.Errorf("stack %s: its queues: %w", name, err), WhichStacks)
	}
	return Site{
		Stack: at, DB: dynamodb.NewFromConfig(cfg), Names: names, Now: func() time.Time { return time.Now().UTC() },
		Queues: queue.Sender{SQS: queues, Prefix: strings.TrimSuffix(aws.ToString(url.QueueUrl), some)},
	}, nil
}

// table returns a table of rows by what the template calls it.
func (s Site) table(id string) (record.Table, error) {
	name, ok := s.Names[id]
	if !ok {
		return record.Table{}, remedy.For(fmt.Errorf("the stack has no table %s: it is older than this command", id), "deploy this version, or use the command of that one")
	}
	return record.Table{DB: s.DB, Name: name, Now: s.Now, Nonce: func() string { return strings.ToLower(rand.Text()[:8]) }}, nil
}
