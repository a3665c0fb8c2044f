package document

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParse_ReadsAsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`null`, `true`, `false`, `0`, `-1.5e+3`, `""`, `"a\"\\\/\b\f\n\r\té"`, `"\u00e9\ud83d\ude00\ud83d"`, `[]`, `{}`,
		` { "a" : [ 1 , { "b" : null } ] , "c" : "" } `,
	} {
		n, err := Parse([]byte(text))
		require.NoError(t, err, text)
		assert.JSONEq(t, text, string(n.Append(nil)))
	}
}

func TestParse_InvalidJSONIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `{`, `}`, `[1,]`, `[1 2]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `"a`, `"\x"`, `"\u12"`, "\"\n\"",
		`nul`, `1 2`, `--1`, `1.2.3`, `'a'`,
		strings.Repeat("[", 10_000), "\"\\",
	} {
		_, err := Parse([]byte(text))
		assert.Error(t, err, text)
	}
}

func TestAppendString_ParseReadsTheSameString(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		var read string
		if err := json.Unmarshal(AppendString(nil, text), &read); err != nil || read != text {
			t.Fatalf("wrote %q, read %q: %v", text, read, err)
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := Parse(quoted); err != nil || n.Text != text {
			t.Fatalf("wrote %q, read %q: %v", text, n.Text, err)
		}
	})
}

func TestAppend_EqualDocumentsGiveEqualBytes(t *testing.T) {
	t.Parallel()
	first, err := Parse([]byte(`{"b": [{"y": 1, "x": 2}], "a": null}`))
	require.NoError(t, err)
	second, err := Parse([]byte(`{"a":null,"b":[{"x":2,"y":1}]}`))
	require.NoError(t, err)
	assert.Equal(t, `{"a":null,"b":[{"x":2,"y":1}]}`, string(first.Append(nil)))
	assert.Equal(t, first.Append(nil), second.Append(nil))
}
