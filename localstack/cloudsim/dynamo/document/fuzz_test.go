package document

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// UTF-8 text is accepted exactly if encoding/json accepts it. The document that Append writes has
// the same meaning.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"TableName":"t","Key":{"pk":{"S":"a"}},"ReturnValues":null}`, `[1,-0,1.5e-3,1E+9]`,
		`"\u00e9\ud83d\ude00\ud83d"`, `{"a":1,"a":2}`,
		` [ ] `, `01`, `"\x"`, "\"\t\"", `1.`, `-`, `{"a":}`, "\ufefftrue",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := Parse(body)
		if !utf8.Valid(body) {
			return
		}
		require.Equal(t, json.Valid(body), err == nil)
		if err != nil {
			return
		}
		written := n.Append(nil)
		require.True(t, json.Valid(written), "%s", written)
		again, err := Parse(written)
		require.NoError(t, err)
		require.Equal(t, string(written), string(again.Append(nil)))
	})
}
