package orderdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/order"
	"backroom/shared/record"
	"backroom/shared/saga"
)

// List returns one page of the shop's orders that fit the filter, at most limit, and the key of the
// next page, nil after the last. A nil from begins with the first page. The orders are found in an
// index, which may be behind, and are then read consistently: an order that no longer fits the
// filter is left out, so a page may have fewer than limit orders. It returns an error for a day or
// a key that it cannot read.
func (s Store) List(
	ctx context.Context, shop saga.Shop, f order.Filter, limit int, from map[string]string,
) ([]order.Order, map[string]string, error) {
	q, err := queryOf(shop, f)
	if err != nil {
		return nil, nil, err
	}
	start, err := readPosition(from)
	if err != nil {
		return nil, nil, err
	}
	found, err := s.find(ctx, q, start, limit+1)
	if err != nil {
		return nil, nil, err
	}
	var next map[string]string
	if len(found) > limit {
		found = found[:limit]
		next = start.after(found).key()
	}
	orders, err := s.read(ctx, found)
	return slices.DeleteFunc(orders, func(o order.Order) bool { return !f.Fits(o) }), next, err
}

// query names the partitions of an index that are merged into one list.
type query struct {
	index       string
	hash, sort  string // the attributes of its key
	partitions  []string
	newestFirst bool
}

func queryOf(shop saga.Shop, f order.Filter) (query, error) {
	switch {
	case f.Attention:
		return query{index: WatchIndex, hash: "watch", sort: "due", partitions: []string{attention(shop)}}, nil
	case f.Customer != "":
		return query{
			index: CustomerIndex, hash: "customer", sort: "placed_at", newestFirst: true,
			partitions: []string{customer(shop, f.Customer)},
		}, nil
	}
	q := query{index: DayIndex, hash: "day", sort: "placed_at", newestFirst: true}
	date, err := time.Parse(time.DateOnly, f.Day)
	for shard := range dayShards {
		q.partitions = append(q.partitions, day(shop, date, shard))
	}
	return q, err
}

// entry is an order in an index.
type entry struct {
	key       string // of its row
	at        int64  // milliseconds since 1970
	partition int
}

// find returns the next entries after a position, in the order of the list, at most limit.
func (s Store) find(ctx context.Context, q query, from position, limit int) ([]entry, error) {
	var found []entry
	for partition := range q.partitions {
		pages := dynamodb.NewQueryPaginator(s.Table.DB, s.input(q, partition, from, limit))
		for n := 0; n < limit && pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, record.Failure(err)
			}
			for _, image := range page.Items {
				e := entry{partition: partition}
				err := errors.Join(
					attributevalue.Unmarshal(image["pk"], &e.key), attributevalue.Unmarshal(image[q.sort], &e.at),
				)
				if err != nil {
					return nil, fmt.Errorf("orderdb: decode %s: %w", q.index, err)
				}
				found = append(found, e)
			}
			n += len(page.Items)
		}
	}
	// The sort is stable: orders of one partition and one time keep the index's order, by which the
	// next page continues.
	slices.SortStableFunc(found, func(a, b entry) int {
		if q.newestFirst {
			a, b = b, a
		}
		return cmp.Compare(a.at, b.at)
	})
	return found[:min(limit, len(found))], nil
}

// input returns the request that reads one partition from a position on.
func (s Store) input(q query, partition int, from position, limit int) *dynamodb.QueryInput {
	hash := &types.AttributeValueMemberS{Value: q.partitions[partition]}
	in := &dynamodb.QueryInput{
		TableName: &s.Table.Name, IndexName: &q.index,
		ScanIndexForward: aws.Bool(!q.newestFirst), Limit: aws.Int32(int32(limit)),
		KeyConditionExpression:    aws.String("#part = :part"),
		ExpressionAttributeNames:  map[string]string{"#part": q.hash},
		ExpressionAttributeValues: map[string]types.AttributeValue{":part": hash},
	}
	if from.at == 0 {
		return in
	}
	at, condition := &types.AttributeValueMemberN{Value: fmt.Sprint(from.at)}, " AND #at >= :at"
	if q.newestFirst {
		condition = " AND #at <= :at"
	}
	*in.KeyConditionExpression += condition
	in.ExpressionAttributeNames["#at"], in.ExpressionAttributeValues[":at"] = q.sort, at
	if key := from.last[partition]; key != "" {
		in.ExclusiveStartKey = record.PrimaryKey(key)
		in.ExclusiveStartKey[q.hash], in.ExclusiveStartKey[q.sort] = hash, at
	}
	return in
}

// position is where a page ended: the time of its last entry, and the last row of that time in each
// partition that has one. The zero position is the beginning.
type position struct {
	at   int64
	last map[int]string
}

// after returns the position at the end of a page that began at p and has these entries, at least
// one.
func (p position) after(page []entry) position {
	end := position{page[len(page)-1].at, map[int]string{}}
	if end.at == p.at {
		maps.Copy(end.last, p.last)
	}
	for _, e := range page {
		if e.at == end.at {
			end.last[e.partition] = e.key
		}
	}
	return end
}

// key returns the position in the form that a cursor keeps: the time, and the rows by the numbers
// of their partitions.
func (p position) key() map[string]string {
	key := map[string]string{"at": fmt.Sprint(p.at)}
	for partition, last := range p.last {
		key[fmt.Sprint(partition)] = last
	}
	return key
}

func readPosition(key map[string]string) (position, error) {
	if key == nil {
		return position{}, nil
	}
	at, err := strconv.ParseInt(key["at"], 10, 64)
	p := position{at, map[int]string{}}
	for name, last := range key {
		if partition, err := strconv.Atoi(name); err == nil {
			p.last[partition] = last
		}
	}
	return p, err
}

// read returns the orders of the entries, in their order. An order that no longer exists is left
// out.
func (s Store) read(ctx context.Context, entries []entry) ([]order.Order, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	var keys []string
	for _, e := range entries {
		keys = append(keys, e.key)
	}
	found, failures := map[string]order.Order{}, []error{}
	err := record.ReadMany(ctx, s.Table.DB, s.Table.Name, keys, func(image map[string]types.AttributeValue) {
		var i item
		h, err := record.Decode(image, &i)
		failures = append(failures, err)
		found[record.Key(i.Shop, i.Order)] = fromItem(i, h)
	})
	var orders []order.Order
	for _, key := range keys {
		if o, ok := found[key]; ok {
			orders = append(orders, o)
		}
	}
	return orders, errors.Join(append(failures, err)...)
}
