package relay

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"backroom/shared/queue"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// Replay sends facts again from the tables, after the streams have deleted them: a stream keeps its
// records for 24 hours. The events keep their first ids, so that a consumer recognises the ones
// that it handled.
type Replay struct {
	Queues queue.Sender
	Rate   int  // rows per second, at most
	DryRun bool // it counts what it would send, and sends nothing
}

// Summary counts what a replay of a table sent.
type Summary struct {
	Rows          int                 // read
	Facts         map[saga.Fact]int   // sent, each to all of its consumers
	Unrecoverable map[string][]string // keys of rows that no longer hold the data of a fact, by fact and reason
}

// page is how many rows Send reads, and whose facts it sends, before it waits for its rate.
const page = 100

// Send reads all rows of a table and sends their facts at or after since. It stops at a page that
// cannot be read or sent, and returns the summary of the pages before. Repeating a replay changes
// nothing.
func (r Replay) Send(ctx context.Context, table record.Table, since time.Time) (Summary, error) {
	sum := Summary{Facts: map[saga.Fact]int{}, Unrecoverable: map[string][]string{}}
	pages := dynamodb.NewScanPaginator(table.DB, &dynamodb.ScanInput{
		TableName: &table.Name, ConsistentRead: aws.Bool(true), Limit: aws.Int32(page),
	})
	for pages.HasMorePages() {
		next := time.After(time.Second * page / time.Duration(r.Rate))
		rows, err := pages.NextPage(ctx)
		if err != nil {
			return sum, record.Failure(err)
		}
		var published []saga.Event
		for _, row := range rows.Items {
			events, unrecoverable := record.EventsSince(row, since)
			published = append(published, events...)
			for _, u := range unrecoverable {
				what := strings.TrimPrefix(fmt.Sprintf("%s: %v", u.Fact, u.Why), ": ")
				sum.Unrecoverable[what] = append(sum.Unrecoverable[what], u.Row)
			}
		}
		if !r.DryRun {
			if err := r.Queues.Send(ctx, Messages(published...)...); err != nil {
				return sum, err
			}
		}
		sum.Rows += len(rows.Items)
		for _, e := range published {
			sum.Facts[e.Type]++
		}
		if !pages.HasMorePages() {
			break
		}
		select {
		case <-ctx.Done():
			return sum, ctx.Err()
		case <-next:
		}
	}
	return sum, nil
}
