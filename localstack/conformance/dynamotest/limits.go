package dynamotest

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

// largest is the largest size of an item in bytes, names and values together.
const largest = 400 << 10

// sized is an attribute x of a known size. The attribute s fills the item up to the limit, and one
// more byte is refused.
type sized struct {
	value any
	bytes int
}

func (v sized) check(t conformance.T, s *stage) {
	room := largest - len("id") - len(t.Name()) - len("x") - v.bytes - len("s")
	fits := with(thing(t), item{"x": v.value, "s": strings.Repeat("y", room)})
	s.put(t, s.things, fits)
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &s.things, Item: attributes(with(fits, item{"s": strings.Repeat("y", room+1)})),
	})
	refuses(t, err, invalid, "Item size has exceeded the maximum allowed size")
}

func limits() map[string]example {
	all := map[string]example{
		"an update may fill an item to the limit only": scenario(filledByUpdate),
		"a page of a query ends at 1 MB":               scenario(largePage),
		"a page of a count ends at 1 MB":               scenario(largeCount),
		"an expression of 4096 bytes is accepted":      scenario(longExpression),
		"an expression of 4097 bytes is refused":       scenario(longerExpression),
		"a document 32 levels deep is accepted":        stored{value: nested(31), read: nested(31)},
		"a document 33 levels deep is refused":         stored{value: nested(32), refused: true},
		"300 operators in an expression are accepted":  scenario(manyOperators),
		"an expression of 301 operators is refused":    scenario(tooManyOperators),
	}
	for kind, v := range map[string]sized{
		"a string of two-byte letters": {"éé", 4},
		"binary":                       {[]byte{1, 2, 3}, 3},
		"a boolean":                    {true, 1},
		"null":                         {nil, 1},
		"an empty list":                {list{}, 3},
		"an empty map":                 {item{}, 3},
		"a list of strings":            {list{"abc", "d"}, 3 + 2 + 4},
		"a map of strings":             {item{"ab": "c", "d": ""}, 3 + 2 + 4},
		"a string set":                 {words{"ab", "c"}, 3},
	} {
		all["an item's size counts "+kind] = v
	}
	return all
}

// nested returns lists nested to the given number of levels.
func nested(levels int) list {
	inner := list{}
	for range levels - 1 {
		inner = list{inner}
	}
	return inner
}

func filledByUpdate(t conformance.T, s *stage) {
	room := largest - len("id") - len(t.Name()) - len("s")
	set := func(bytes int) error {
		_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &s.things, Key: attributes(thing(t)), UpdateExpression: aws.String("SET s = :s"),
			ExpressionAttributeValues: attributes(item{":s": strings.Repeat("y", bytes)}),
		})
		return err
	}
	require.NoError(t, set(room))
	refuses(t, set(room+1), invalid, "")
	s.holds(t, s.things, thing(t), with(thing(t), item{"s": strings.Repeat("y", room)}))
}

// large stores ten rows of 150 KB.
func (s *stage) large(t conformance.T) {
	t.Helper()
	for n := range 10 {
		s.put(t, s.rows, with(row(t, fmt.Sprint(n)), item{"s": strings.Repeat("y", 150<<10)}))
	}
}

func largePage(t conformance.T, s *stage) {
	s.large(t)
	found, sizes := s.walk(t, s.partition(t))
	require.Equal(t, columned("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"), column(found, "sk"))
	require.Equal(t, []int32{7, 3}, sizes, "the row that exceeds 1 MB is the last of the page")
}

func largeCount(t conformance.T, s *stage) {
	s.large(t)
	q := s.partition(t)
	q.Select = "COUNT"
	_, sizes := s.walk(t, q)
	require.Equal(t, []int32{7, 3}, sizes)
}

func (s *stage) conditional(t conformance.T, where string) error {
	t.Helper()
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &s.things, Item: attributes(thing(t)), ConditionExpression: &where,
	})
	return err
}

// padded returns a condition with the given number of bytes.
func padded(bytes int) string {
	const where = "attribute_not_exists(absent)"
	return where + strings.Repeat(" ", bytes-len(where))
}

func longExpression(t conformance.T, s *stage) {
	require.NoError(t, s.conditional(t, padded(4096)))
}

func longerExpression(t conformance.T, s *stage) {
	refuses(t, s.conditional(t, padded(4097)), invalid, "")
}

// operators returns a condition that holds, with the given number of operators.
func operators(count int) string {
	terms := []string{"id<>a"}
	if count%2 == 0 {
		terms[0] = "NOT id=a"
	}
	for len(terms) < (count+1)/2 {
		terms = append(terms, "id<>a")
	}
	return strings.Join(terms, " AND ")
}

func manyOperators(t conformance.T, s *stage) {
	s.put(t, s.things, thing(t))
	require.NoError(t, s.conditional(t, operators(300)))
}

func tooManyOperators(t conformance.T, s *stage) {
	s.put(t, s.things, thing(t))
	refuses(t, s.conditional(t, operators(301)), invalid, "")
}
