package attribute

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"backroom/localstack/cloudsim/dynamo/document"
)

func read(t *testing.T, text string) Value {
	t.Helper()
	n, err := document.Parse([]byte(text))
	require.NoError(t, err)
	v, err := Decode(n)
	require.NoError(t, err, text)
	return v
}

func TestValue_Size(t *testing.T) {
	t.Parallel()
	for text, size := range map[string]int{
		`{"S": ""}`: 0, `{"S": "é"}`: 2, `{"B": "YWJj"}`: 3, `{"BOOL": false}`: 1, `{"NULL": true}`: 1,
		`{"N": "0"}`: 1, `{"N": "12"}`: 2, `{"N": "123"}`: 3, `{"N": "1000"}`: 2, `{"N": "1.5"}`: 3,
		`{"N": "0.001"}`: 2, `{"N": "-1"}`: 3, `{"N": "-12.5"}`: 4,
		`{"N": "12345678901234567890123456789012345678"}`: 20,
		`{"L": []}`: 3, `{"L": [{"S": "a"}]}`: 5, `{"L": [{"N": "1"}, {"L": [{"N": "2"}]}]}`: 13, `{"M": {}}`: 3,
		`{"M": {"k": {"S": "a"}}}`: 6,
		`{"SS": ["a", "b"]}`:       2, `{"NS": ["1", "22"]}`: 4, `{"BS": ["YQ=="]}`: 1,
	} {
		assert.Equal(t, size, read(t, text).Size(), text)
	}
	assert.Equal(t, 7, Item{{"pk", read(t, `{"S": "a"}`)}, {"n", read(t, `{"N": "123"}`)}}.Size(), "names count")
}

func TestValue_EqualValuesAreWrittenAlike(t *testing.T) {
	t.Parallel()
	for text, written := range map[string]string{
		`{"M": {"b": {"N": "1.0"}, "a": {"S": "\u00e9\n\"\ud83d\ude00"}}}`: `{"M":{"a":{"S":"é\u000a\"😀"},"b":{"N":"1"}}}`,
		`{"NS": ["10", "9.0", "-1"]}`:                                      `{"NS":["-1","9","10"]}`,
		`{"SS": ["b", "a"]}`:                                               `{"SS":["a","b"]}`,
		`{"S": null, "BOOL": true}`:                                        `{"BOOL":true}`,
	} {
		assert.Equal(t, written, string(read(t, text).Append(nil)))
	}
}

func TestValue_KeyBytesFollowTheOrder(t *testing.T) {
	t.Parallel()
	texts := rapid.StringOfN(rapid.RuneFrom([]rune("\x00\x01ab\U0010ffff")), 0, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := Value{Kind: S, Text: texts.Draw(t, "a")}, Value{Kind: S, Text: texts.Draw(t, "b")}
		first, second := a.AppendKey(nil), b.AppendKey(nil)
		if bytes.Compare(first, second) != a.Compare(b) {
			t.Fatalf("%q and %q", a.Text, b.Text)
		}
		if begins := strings.HasPrefix(a.Text, b.Text); begins != bytes.HasPrefix(first, b.AppendKeyPrefix(nil)) {
			t.Fatalf("%q begins with %q: %t", a.Text, b.Text, begins)
		}
	})
}

func TestItem_IsNotChangedInPlace(t *testing.T) {
	t.Parallel()
	one := Value{Kind: S, Text: "one"}
	item := Item{}.With("b", one).With("a", one)
	with, changed, without := item.With("c", one), item.With("a", Value{Kind: S, Text: "two"}), item.Without("a")

	assert.Equal(t, Item{{"a", one}, {"b", one}}, item)
	assert.Equal(t, Item{{"a", one}, {"b", one}, {"c", one}}, with)
	assert.Equal(t, "two", changed[0].Value.Text)
	assert.Equal(t, Item{{"b", one}}, without)
	assert.Equal(t, item, item.Without("x"))
}
