package record_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"backroom/shared/record"
	"backroom/shared/saga"
)

// FuzzEvents checks that Events returns an error, or events that every consumer can decode; and that
// Events returns the same a second time.
func FuzzEvents(f *testing.F) {
	samples, err := filepath.Glob("../../events/relay-facts*.json")
	require.NoError(f, err)
	require.NotEmpty(f, samples)
	for _, path := range samples {
		var batch struct {
			Records []struct {
				Change struct {
					NewImage json.RawMessage
				} `json:"dynamodb"`
			}
		}
		body, err := os.ReadFile(path)
		require.NoError(f, err)
		require.NoError(f, json.Unmarshal(body, &batch))
		for _, r := range batch.Records {
			f.Add([]byte(r.Change.NewImage))
		}
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		image, ok := readImage(document)
		if !ok {
			return
		}
		published, err := record.Events(image)
		if err != nil {
			require.Empty(t, published)
			return
		}
		for _, e := range published {
			body, err := json.Marshal(e)
			require.NoError(t, err)
			require.NotEmpty(t, saga.Routes[e.Type].To)
			for _, step := range saga.Routes[e.Type].To {
				decoded, err := saga.Decode(step, string(body))
				require.NoError(t, err, "%s", body)
				require.Equal(t, e.ID, decoded.ID)
			}
		}
		again, err := record.Events(image)
		require.NoError(t, err)
		require.Equal(t, published, again)
	})
}

// readImage reads an image as the Lambda runtime does. Its library panics on a value without a
// type; such an event ends the invocation before our code is called.
func readImage(document []byte) (image map[string]events.DynamoDBAttributeValue, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return image, json.Unmarshal(document, &image) == nil
}
