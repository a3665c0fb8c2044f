// Package ops has the operations that an operator runs on a deployed Backroom: show the story of an
// order, redrive and replay messages, erase a customer's data. It uses the product's own packages,
// so the product's rules apply.
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

// A Site is a deployed stack, with the clients that reach it.
type Site struct {
	Stack  stack.Stack
	DB     *dynamodb.Client
	Queues queue.Sender
	Names  map[string]string // of its tables, by logical id
	Now    func() time.Time
}

// WhichStacks is the next step when a stack is not found.
const WhichStacks = "aws cloudformation list-stacks lists the stacks; --stack names one; " +
	"AWS_REGION and credentials select the account, --endpoint a local cloud"

// Open returns the site of a stack at the cloud's endpoint; "" means AWS, with the settings of its
// SDK. An unknown stack, or one without queues, is an error.
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
	step := string(saga.AdvanceOrder)
	url, err := queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(at.QueueName(step))})
	if err != nil {
		return Site{}, remedy.For(fmt.Errorf("stack %s: its queues: %w", name, err), WhichStacks)
	}
	return Site{
		Stack: at, DB: dynamodb.NewFromConfig(cfg), Names: names, Now: func() time.Time { return time.Now().UTC() },
		Queues: queue.Sender{SQS: queues, Prefix: strings.TrimSuffix(aws.ToString(url.QueueUrl), step)},
	}, nil
}

// table returns the table with a logical id. A stack without it is an error.
func (s Site) table(id string) (record.Table, error) {
	name, ok := s.Names[id]
	if !ok {
		return record.Table{},
			remedy.For(fmt.Errorf("the stack has no table %s: it is older than this command", id),
				"deploy this version, or use the command of that one")
	}
	return record.Table{DB: s.DB, Name: name, Now: s.Now,
		Nonce: func() string { return strings.ToLower(rand.Text()[:8]) }}, nil
}
