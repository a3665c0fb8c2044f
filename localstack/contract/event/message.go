package main

import (
	"bytes"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-lambda-go/events"

	"backroom/shared/saga"
)

// message returns a batch from the queue of a step: with the given body, or with that of a fact.
func (o options) message(root string) (e events.SQSEvent, err error) {
	body := []byte(o.body)
	facts := consumed(saga.Step(o.step))
	switch {
	case len(facts) == 0:
		return e, fmt.Errorf("%q is not a step that consumes facts: set STEP to one of %s", o.step, saga.Steps)
	case o.body == "":
		body, err = o.ofFact(root, facts)
	}
	if err != nil {
		return e, err
	}
	return events.SQSEvent{Records: []events.SQSMessage{{
		MessageId:     o.id("059f36b4-87a3-44ab-83d2-", o.step),
		ReceiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a01",
		Body:          string(body), Md5OfBody: fmt.Sprintf("%x", md5.Sum(body)),
		Attributes: map[string]string{
			"SenderId": "AROAEXAMPLE:backroom-relay-facts", "ApproximateReceiveCount": "1",
			"SentTimestamp": "1772366400040", "ApproximateFirstReceiveTimestamp": "1772366400045",
		},
		MessageAttributes: map[string]events.SQSMessageAttribute{},
		EventSource:       "aws:sqs", AWSRegion: "us-east-1",
		EventSourceARN: "arn:aws:sqs:us-east-1:000000000000:backroom-" + o.step,
	}}}, nil
}

// ofFact returns the body of a fact from shared/saga/testdata, with the order id of the other
// sample events.
func (o options) ofFact(root string, facts []saga.Fact) ([]byte, error) {
	fact := saga.Fact(o.fact)
	if fact == "" && len(facts) == 1 {
		fact = facts[0]
	}
	if !slices.Contains(facts, fact) {
		return nil, fmt.Errorf("%s consumes several facts: set FACT to one of %s", o.step, facts)
	}
	text, err := os.ReadFile(filepath.Join(root, "shared", "saga", "testdata", string(fact)+".json"))
	if err != nil {
		return nil, err
	}
	known, err := samples(root)
	if err != nil {
		return nil, err
	}
	var golden saga.Event
	if err := json.Unmarshal(text, &golden); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	err = json.Compact(&body, bytes.ReplaceAll(text, []byte(golden.Subject), []byte(known[order])))
	return body.Bytes(), err
}
