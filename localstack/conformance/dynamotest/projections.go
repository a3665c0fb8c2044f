package dynamotest

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

// projection is what a ProjectionExpression leaves of the item {a: 1, m: {x: 1, y: {z: 2}}, l: [1,
// {p: 2, q: 3}, 4]}. It is checked with GetItem and Query.
type projection struct {
	show    string
	names   names
	left    item
	refused bool // as invalid
}

func (p projection) check(t conformance.T, s *stage) {
	s.put(t, s.things,
		with(thing(t), item{"a": 1, "m": item{"x": 1, "y": item{"z": 2}}, "l": list{1, item{"p": 2, "q": 3}, 4}}))
	got,
		err := s.db.GetItem(t.Context(),
		&dynamodb.GetItemInput{TableName: &s.things, Key: attributes(thing(t)), ConsistentRead: aws.Bool(true),
			ProjectionExpression: &p.show, ExpressionAttributeNames: p.names})
	found, asked := s.db.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &s.things, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("id = :id"),
		ProjectionExpression:     &p.show,
		ExpressionAttributeNames: p.names, ExpressionAttributeValues: attributes(item{":id": t.Name()}),
	})
	if p.refused {
		refuses(t, err, invalid, "")
		refuses(t, asked, invalid, "")
		return
	}
	require.NoError(t, err)
	require.NoError(t, asked)
	require.Equal(t, text(attributes(p.left)), text(got.Item))
	require.Equal(t, []string{text(attributes(p.left))}, texts(found.Items))
}

func projections() map[string]example {
	all := map[string]example{
		"one attribute": projection{show: "a", left: item{"a": 1}},
		"several attributes": projection{show: "a,m",
			left: item{"a": 1, "m": item{"x": 1, "y": item{"z": 2}}}},
		"a part of a map": projection{show: "m.y",
			left: item{"m": item{"y": item{"z": 2}}}},
		"a part of a part": projection{show: "m.y.z",
			left: item{"m": item{"y": item{"z": 2}}}},
		"two parts of a map": projection{show: "m.x, m.y.z",
			left: item{"m": item{"x": 1, "y": item{"z": 2}}}},
		"an element of a list": projection{show: "l[1]",
			left: item{"l": list{item{"p": 2, "q": 3}}}},
		"a part of an element of a list": projection{show: "l[1].p",
			left: item{"l": list{item{"p": 2}}}},
		"two elements of a list keep their order": projection{show: "l[2], l[0]",
			left: item{"l": list{1, 4}}},
		"two parts of an element are one element": projection{show: "l[1].q, l[1].p",
			left: item{"l": list{item{"p": 2, "q": 3}}}},
		"absent attributes are omitted": projection{show: "m.x, b, m.z, l[7], a.b",
			left: item{"m": item{"x": 1}}},
		"an item without the requested attributes is empty": projection{show: "b", left: item{}},
		"another name": projection{show: "#a, m.#y",
			names: names{"#a": "a", "#y": "y"}, left: item{"a": 1, "m": item{"y": item{"z": 2}}}},
	}
	for _, show := range []string{
		"", " ", ",", "a,", "a b", "a,,m", ":a", "m.", "m..x", "l[", "l[x]", "size(a)", "*", "status", "a = a", "(a)",
		"#a",
	} {
		all[fmt.Sprintf("invalid projection %q is refused", show)] = projection{show: show, refused: true}
	}
	for _, show := range []string{"a, a", "m, m.x", "m.y.z, m.y", "l, l[0]", "l[1], l[1].p", "m.x, m[0]"} {
		all[fmt.Sprintf("overlapping paths are refused in %q", show)] = projection{show: show, refused: true}
	}
	all["an unused name in a projection is refused"] = projection{show: "a", names: names{"#m": "m"}, refused: true}
	all["the key is returned only on request"] = scenario(func(t conformance.T, s *stage) {
		s.put(t, s.things, with(thing(t), item{"a": 1}))
		got,
			err := s.db.GetItem(t.Context(),
			&dynamodb.GetItemInput{TableName: &s.things, Key: attributes(thing(t)), ConsistentRead: aws.Bool(true),
				ProjectionExpression: aws.String("id")})
		require.NoError(t, err)
		require.Equal(t, text(attributes(thing(t))), text(got.Item))
	})
	return all
}
