package record

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cenkalti/backoff/v5"

	"backroom/shared/fault"
)

// LoadEach reads one row of each table consistently, in one call. keys and the answer are by table
// name. A missing row is absent from the answer. It returns fault.Throttled if the store does not
// return all rows in several tries.
func LoadEach(
	ctx context.Context, db *dynamodb.Client, keys map[string]string,
) (map[string]map[string]types.AttributeValue, error) {
	wanted := map[string]types.KeysAndAttributes{}
	for table, key := range keys {
		wanted[table] = types.KeysAndAttributes{
			Keys: []map[string]types.AttributeValue{PrimaryKey(key)}, ConsistentRead: aws.Bool(true),
		}
	}
	images := map[string]map[string]types.AttributeValue{}
	err := readBatches(ctx, db, wanted, func(table string, image map[string]types.AttributeValue) {
		images[table] = image
	})
	return images, err
}

// readBatches reads the wanted items. It asks again, conflictTries times in all, for items that the
// store did not process.
func readBatches(
	ctx context.Context, db *dynamodb.Client, wanted map[string]types.KeysAndAttributes,
	each func(table string, image map[string]types.AttributeValue),
) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		out, err := db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: wanted})
		if err != nil {
			return struct{}{}, backoff.Permanent(err)
		}
		for table, images := range out.Responses {
			for _, image := range images {
				each(table, image)
			}
		}
		if wanted = out.UnprocessedKeys; len(wanted) > 0 {
			return struct{}{}, errThrottled
		}
		return struct{}{}, nil
	}, backoff.WithBackOff(newJitter(ctx)), backoff.WithMaxTries(conflictTries))
	if errors.Is(err, errThrottled) {
		return err
	}
	return Failure(err) // of a call, or of the context
}

var errThrottled = fault.New(fault.Throttled, "store-throttled",
	"The store is busy; try again shortly.").After(time.Second)

// ReadMany reads items of one table by their keys consistently, up to 100. It calls each for every
// existing item, in no particular order.
func ReadMany(
	ctx context.Context, db *dynamodb.Client, table string, keys []string,
	each func(image map[string]types.AttributeValue),
) error {
	wanted := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, key := range keys {
		wanted.Keys = append(wanted.Keys, PrimaryKey(key))
	}
	request := map[string]types.KeysAndAttributes{table: wanted}
	return readBatches(ctx, db, request, func(_ string, image map[string]types.AttributeValue) { each(image) })
}
