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

// List returns orders of the shop that the filter fits, at most limit, from behind a key that it returned before; and the key
// to go on from, nil at the end. Which orders these are an index says, which may be behind by a moment: an order that the filter
// does not fit any more is left out. What an order is like is read consistently.
func (s Store) List(ctx context.Context, shop saga.Shop, f order.Filter, limit int, from map[string]string) ([]order.Order, map[string]string, error) {
	w, err := walkOf(shop, f)
	if err != nil {
		return nil, nil, err
	}
	start, err := readMark(from)
	if err != nil {
		return nil, nil, err
	}
	steps, err := s.walk(ctx, w, start, limit+1)
	if err != nil {
		return nil, nil, err
	}
	var rest map[string]string
	if len(steps) > limit {
		steps = steps[:limit]
		rest = start.after(steps).key()
	}
	orders, err := s.read(ctx, steps)
	return slices.DeleteFunc(orders, func(o order.Order) bool { return !f.Fits(o) }), rest, err
}

// walk is a way through an index: partitions of it that are read as one list.
type walk struct {
	index      string
	part, at   string // the attributes of its key
	partitions []string
	newest     bool // first; else the oldest
}

func walkOf(shop saga.Shop, f order.Filter) (walk, error) {
	switch {
	case f.Attention:
		return walk{index: WatchIndex, part: "watch", at: "due", partitions: []string{attention(shop)}}, nil
	case f.Customer != "":
		return walk{index: CustomerIndex, part: "customer", at: "placed_at", partitions: []string{customer(shop, f.Customer)}, newest: true}, nil
	}
	w := walk{index: DayIndex, part: "day", at: "placed_at", newest: true}
	date, err := time.Parse(time.DateOnly, f.Day)
	for shard := range dayShards {
		w.partitions = append(w.partitions, day(shop, date, shard))
	}
	return w, err
}

// step is an order on a walk.
type step struct {
	key       string // of its row
	at        int64  // milliseconds since 1970
	partition int
}

// walk returns the next steps from behind a mark: most of them, if there are as many.
func (s Store) walk(ctx context.Context, w walk, from mark, most int) ([]step, error) {
	var steps []step
	for partition := range w.partitions {
		pages := dynamodb.NewQueryPaginator(s.Table.DB, s.query(w, partition, from, most))
		for n := 0; n < most && pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, record.Failure(err)
			}
			for _, image := range page.Items {
				one := step{partition: partition}
				if err := errors.Join(attributevalue.Unmarshal(image["pk"], &one.key), attributevalue.Unmarshal(image[w.at], &one.at)); err != nil {
					return nil, fmt.Errorf("orderdb: decode %s: %w", w.index, err)
				}
				steps = append(steps, one)
			}
			n += len(page.Items)
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { // one partition's orders of one moment stay as they came: so they go on
		if w.newest {
			a, b = b, a
		}
		return cmp.Compare(a.at, b.at)
	})
	return steps[:min(most, len(steps))], nil
}

// query asks one partition for what comes from the mark on.
func (s Store) query(w walk, partition int, from mark, most int) *dynamodb.QueryInput {
	part := &types.AttributeValueMemberS{Value: w.partitions[partition]}
	q := &dynamodb.QueryInput{
		TableName: &s.Table.Name, IndexName: &w.index, ScanIndexForward: aws.Bool(!w.newest), Limit: aws.Int32(int32(most)),
		KeyConditionExpression:    aws.String("#part = :part"),
		ExpressionAttributeNames:  map[string]string{"#part": w.part},
		ExpressionAttributeValues: map[string]types.AttributeValue{":part": part},
	}
	if from.at == 0 {
		return q
	}
	at, onward := &types.AttributeValueMemberN{Value: fmt.Sprint(from.at)}, " AND #at >= :at"
	if w.newest {
		onward = " AND #at <= :at"
	}
	*q.KeyConditionExpression += onward
	q.ExpressionAttributeNames["#at"], q.ExpressionAttributeValues[":at"] = w.at, at
	if key := from.behind[partition]; key != "" {
		q.ExclusiveStartKey = record.PrimaryKey(key)
		q.ExclusiveStartKey[w.part], q.ExclusiveStartKey[w.at] = part, at
	}
	return q
}

// mark is where a page ended: at which moment, and behind which row in each partition that had one of that moment. The zero mark
// is the beginning.
type mark struct {
	at     int64
	behind map[int]string
}

// after returns where a page ends that began at m and has these steps, at least one.
func (m mark) after(steps []step) mark {
	end := mark{steps[len(steps)-1].at, map[int]string{}}
	if end.at == m.at {
		maps.Copy(end.behind, m.behind)
	}
	for _, one := range steps {
		if one.at == end.at {
			end.behind[one.partition] = one.key
		}
	}
	return end
}

// key returns the mark as a cursor keeps it: the moment, and the rows by the numbers of their partitions.
func (m mark) key() map[string]string {
	key := map[string]string{"at": fmt.Sprint(m.at)}
	for partition, behind := range m.behind {
		key[fmt.Sprint(partition)] = behind
	}
	return key
}

func readMark(key map[string]string) (mark, error) {
	if key == nil {
		return mark{}, nil
	}
	at, err := strconv.ParseInt(key["at"], 10, 64)
	m := mark{at, map[int]string{}}
	for name, behind := range key {
		if partition, err := strconv.Atoi(name); err == nil {
			m.behind[partition] = behind
		}
	}
	return m, err
}

// read returns the orders of the steps, in their order.
func (s Store) read(ctx context.Context, steps []step) ([]order.Order, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	var keys []string
	for _, one := range steps {
		keys = append(keys, one.key)
	}
	found, failures := map[string]order.Order{}, []error{}
	err := record.ReadMany(ctx, s.Table.DB, s.Table.Name, keys, func(image map[string]types.AttributeValue) {
		var i item
		d, err := record.Decode(image, &i)
		failures = append(failures, err)
		found[record.Key(i.Shop, i.Order)] = fromItem(i, d)
	})
	var orders []order.Order
	for _, key := range keys {
		if o, ok := found[key]; ok {
			orders = append(orders, o)
		}
	}
	return orders, errors.Join(append(failures, err)...)
}
