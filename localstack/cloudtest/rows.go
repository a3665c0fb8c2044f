package cloudtest

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Row returns the row with the key as JSON. It is empty if there is no such row.
func (c *Cloud) Row(table, pk string) string {
	c.t.Helper()
	out, err := c.db.GetItem(context.Background(), &dynamodb.GetItemInput{
		TableName: aws.String(c.Table(table)), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}},
	})
	if err != nil {
		c.t.Fatalf("read %s of %s: %v", pk, table, err)
	}
	if out.Item == nil {
		return ""
	}
	return c.document(out.Item)
}

// Rows returns all rows of a table as JSON documents, sorted by key.
func (c *Cloud) Rows(table string) []string {
	c.t.Helper()
	documents := []string{}
	for _, item := range c.Items(table) {
		documents = append(documents, c.document(item))
	}
	return documents
}

// Items returns all rows of a table, sorted by key.
func (c *Cloud) Items(table string) []map[string]types.AttributeValue {
	c.t.Helper()
	var items []map[string]types.AttributeValue
	pages := dynamodb.NewScanPaginator(c.db,
		&dynamodb.ScanInput{TableName: aws.String(c.Table(table)), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			c.t.Fatalf("read %s: %v", table, err)
		}
		items = append(items, page.Items...)
	}
	slices.SortFunc(items, func(a, b map[string]types.AttributeValue) int { return cmp.Compare(keyOf(a), keyOf(b)) })
	return items
}

func keyOf(item map[string]types.AttributeValue) string {
	pk, _ := item["pk"].(*types.AttributeValueMemberS)
	if pk == nil {
		return ""
	}
	return pk.Value
}

func (c *Cloud) document(item map[string]types.AttributeValue) string {
	var row map[string]any
	if err := attributevalue.UnmarshalMap(item, &row); err != nil {
		c.t.Fatalf("read row: %v", err)
	}
	text, err := json.MarshalIndent(row, "", "  ")
	if err != nil {
		c.t.Fatalf("read row: %v", err)
	}
	return string(text)
}

// Put writes a row from JSON, without any check. Tests use it to set up a state.
func (c *Cloud) Put(table, document string) {
	c.t.Helper()
	var row map[string]any
	if err := json.Unmarshal([]byte(document), &row); err != nil {
		c.t.Fatalf("write row: %v", err)
	}
	item, err := attributevalue.MarshalMap(row)
	if err != nil {
		c.t.Fatalf("write row: %v", err)
	}
	if _,
		err := c.db.PutItem(context.Background(),
		&dynamodb.PutItemInput{TableName: aws.String(c.Table(table)), Item: item}); err != nil {
		c.t.Fatalf("write row: %v", err)
	}
}

// Delete deletes the row with the key, if there is one.
func (c *Cloud) Delete(table, pk string) {
	c.t.Helper()
	_, err := c.db.DeleteItem(context.Background(), &dynamodb.DeleteItemInput{
		TableName: aws.String(c.Table(table)),
		Key:       map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}},
	})
	if err != nil {
		c.t.Fatalf("delete %s of %s: %v", pk, table, err)
	}
}

// State returns all rows of all created tables. Two states are equal if nothing was written between
// them.
func (c *Cloud) State() map[string][]string {
	c.t.Helper()
	state := map[string][]string{}
	for id, m := range c.made {
		if m.kind == "AWS::DynamoDB::Table" {
			state[id] = c.Rows(id)
		}
	}
	return state
}

// Drain deletes all messages of a queue and returns their bodies in no particular order. An empty
// receive does not end it: it waits until the queue also reports that it has no messages.
func (c *Cloud) Drain(queue string) []string {
	c.t.Helper()
	url, bodies := c.Queue(queue), []string{}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		out,
			err := c.queues.ReceiveMessage(ctx,
			&sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 1})
		if err != nil {
			c.t.Fatalf("receive from %s: %v", queue, err)
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
			if _,
				err := c.queues.DeleteMessage(ctx,
				&sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				c.t.Fatalf("delete from %s: %v", queue, err)
			}
		}
		if len(out.Messages) == 0 && c.empty(ctx, queue, url) {
			return bodies
		}
	}
}

func (c *Cloud) empty(ctx context.Context, queue, url string) bool {
	c.t.Helper()
	about,
		err := c.queues.GetQueueAttributes(ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	if err != nil {
		c.t.Fatalf("look into %s: %v", queue, err)
	}
	for _, count := range []string{
		"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
	} {
		if n := about.Attributes[count]; n != "0" && n != "" {
			return false
		}
	}
	return true
}

// Remove deletes a resource before the test ends, to test what its loss does.
func (c *Cloud) Remove(id string) {
	c.t.Helper()
	m, ok := c.made[id]
	if !ok {
		c.t.Fatalf("%s was not created", id)
	}
	if err := m.remove(context.Background()); err != nil {
		c.t.Fatalf("remove %s: %v", id, err)
	}
	m.remove = func(context.Context) error { return nil }
	c.made[id] = m
}

// Image returns the NEW_IMAGE of the first record in a sample stream event, in the JSON form of
// Row.
func (c *Cloud) Image(file string) string {
	c.t.Helper()
	var batch struct {
		Records []struct {
			Change struct{ NewImage json.RawMessage } `json:"dynamodb"`
		}
	}
	if err := json.Unmarshal(c.Event(file), &batch); err != nil || len(batch.Records) == 0 {
		c.t.Fatalf("%s has no stream record: %v", file, err)
	}
	item, err := attributevalue.UnmarshalMapJSON(batch.Records[0].Change.NewImage)
	if err != nil {
		c.t.Fatalf("the image in %s: %v", file, err)
	}
	return c.document(item)
}

// Message returns the body of the first message in a sample batch.
func (c *Cloud) Message(file string) string {
	c.t.Helper()
	var batch events.SQSEvent
	if err := json.Unmarshal(c.Event(file), &batch); err != nil || len(batch.Records) == 0 {
		c.t.Fatalf("%s has no message: %v", file, err)
	}
	return batch.Records[0].Body
}

// Record returns the row with the key as a record of the table's stream.
func (c *Cloud) Record(table, pk string) events.DynamoDBEventRecord {
	c.t.Helper()
	out, err := c.db.GetItem(context.Background(), &dynamodb.GetItemInput{
		TableName: aws.String(c.Table(table)), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}},
	})
	if err != nil || out.Item == nil {
		c.t.Fatalf("read %s of %s: %v", pk, table, err)
	}
	document, err := attributevalue.MarshalMapJSON(out.Item)
	if err != nil {
		c.t.Fatalf("read %s of %s: %v", pk, table, err)
	}
	record := events.DynamoDBEventRecord{EventName: "MODIFY",
		Change: events.DynamoDBStreamRecord{SequenceNumber: pk, StreamViewType: "NEW_IMAGE"}}
	if err := json.Unmarshal(document, &record.Change.NewImage); err != nil {
		c.t.Fatalf("read %s of %s: %v", pk, table, err)
	}
	return record
}
