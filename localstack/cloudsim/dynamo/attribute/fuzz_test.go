package attribute

import (
	"testing"

	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim/dynamo/document"
)

// A value is refused with a Refusal, or Decode reads what Append wrote as an equal value of the
// same size.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"S": "é"}`, `{"N": "-12.50e3"}`, `{"N": "0.001"}`, `{"N": "1e126"}`, `{"B": "YWJj"}`, `{"BOOL": false}`,
		`{"NULL": true}`,
		`{"L": [{"N": "1"}, {"L": []}]}`, `{"M": {"k": {"SS": ["b", "a"]}}}`, `{"NS": ["1", "1.0"]}`,
		`{"BS": ["YQ=="]}`, `{"S": "a", "N": null}`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := document.Parse(text)
		if err != nil {
			return
		}
		v, err := Decode(n)
		if err != nil {
			require.ErrorAs(t, err, new(Refusal))
			return
		}
		written := v.Append(nil)
		n, err = document.Parse(written)
		require.NoError(t, err, "%s", written)
		again, err := Decode(n)
		require.NoError(t, err, "%s", written)
		require.True(t, v.Equal(again), "%s", written)
		require.Equal(t, v.Size(), again.Size())
		require.Equal(t, written, again.Append(nil))
	})
}
