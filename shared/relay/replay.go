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

// Replay sends facts again from the tables, where the streams have forgotten them: a stream keeps its records for 24
// hours. What it sends has the ids that the facts had at first, so a fact that was heard after all is recognised.
type Replay struct {
	Queues queue.Sender
	Rate   int  // how many rows it reads in a second, at most
	DryRun bool // it says what it would send, and sends nothing
}

// Tally says what a table told in a replay.
type Summary struct {
	Rows          int                 // that were read
	Facts         map[saga.Fact]int   // that were sent, each to every step that hears it
	Unrecoverable map[string][]string // the keys of the rows that can not tell a fact any more, by fact and reason
}

// page is how many rows are read, and their facts sent, before it waits for its rate.
const page = 100

// Send reads all rows of a table and sends the facts that they told since. It stops where a page cannot be read or sent; the
// tally counts what was done until then, and doing it all again changes nothing.
func (r Replay) Send(ctx context.Context, table record.Table, since time.Time) (Summary, error) {
	t := Summary{Facts: map[saga.Fact]int{}, Unrecoverable: map[string][]string{}}
	pages := dynamodb.NewScanPaginator(table.DB, &dynamodb.ScanInput{TableName: &table.Name, ConsistentRead: aws.Bool(true), Limit: aws.Int32(page)})
	for pages.HasMorePages() {
		next := time.After(time.Second * page / time.Duration(r.Rate))
		rows, err := pages.NextPage(ctx)
		if err != nil {
			return t, record.Failure(err)
		}
		var told []saga.Event
		for _, row := range rows.Items {
			events, untold := record.EventsSince(row, since)
			told = append(told, events...)
			for _, u := range untold {
				what := strings.TrimPrefix(fmt.Sprintf("%s: %v", u.Fact, u.Why), ": ")
				t.Unrecoverable[what] = append(t.Unrecoverable[what], u.Row)
			}
		}
		if !r.DryRun {
			if err := r.Queues.Send(ctx, Messages(told...)...); err != nil {
				return t, err
			}
		}
		t.Rows += len(rows.Items)
		for _, e := range told {
			t.Facts[e.Type]++
		}
		if !pages.HasMorePages() {
			break
		}
		select {
		case <-ctx.Done():
			return t, ctx.Err()
		case <-next:
		}
	}
	return t, nil
}
