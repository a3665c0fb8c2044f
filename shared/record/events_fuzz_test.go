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

// A stream record is refused, or every step that hears what it tells understands the message; told again it tells the same.
func FuzzTold(f *testing.F) {
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
		told, err := record.Events(image)
		if err != nil {
			require.Empty(t, told)
			return
		}
		for _, e := range told {
			body, err := json.Marshal(e)
			require.NoError(t, err)
			require.NotEmpty(t, saga.Routes[e.Type].To)
			for _, step := range saga.Routes[e.Type].To {
				heard, err := saga.Decode(step, string(body))
				require.NoError(t, err, "%s", body)
				require.Equal(t, e.ID, heard.ID)
			}
		}
		again, err := record.Events(image)
		require.NoError(t, err)
		require.Equal(t, told, again)
	})
}

// readImage reads an image as the Lambda runtime does. Its library panics on a value that has no type; such an event ends the
// invocation before any of our code sees it.
func readImage(document []byte) (image map[string]events.DynamoDBAttributeValue, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return image, json.Unmarshal(document, &image) == nil
}
