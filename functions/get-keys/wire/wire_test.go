package wire_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions/get-keys/wire"
	"backroom/localstack/cloudtest"
	"backroom/shared/function"
)

var build = function.Serving(wire.New)

func TestGetKeys_ReturnsTheKeysWithoutAToken(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(c.Token(), ".")[0])
	require.NoError(t, err)
	var token struct{ Kid string }
	require.NoError(t, json.Unmarshal(header, &token))
	before := c.State()

	for range 2 {
		answer := c.Request(build, "get-keys", "get-keys.json")
		require.Equal(t, 200, answer.Status, answer.Body)
		assert.Equal(t, "public, max-age=300", answer.Header.Get("Cache-Control"))
		var set struct{ Keys []map[string]string }
		require.NoError(t, json.Unmarshal([]byte(answer.Body), &set))
		require.Len(t, set.Keys, 1)
		assert.Equal(t, token.Kid, set.Keys[0]["kid"])
		assert.NotContains(t, set.Keys[0], "d", "the private half")
		assert.Equal(t, before, c.State())
	}

	wrong := c.Request(build, "get-keys", "get-keys.wrong-method.json")
	assert.Equal(t, 405, wrong.Status)
	assert.Contains(t, wrong.Header.Get("Allow"), "GET")
}
