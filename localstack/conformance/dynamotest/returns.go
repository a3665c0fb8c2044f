package dynamotest

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

// returned is what an update of the item {a: 1, b: 2} returns. If whole is true, the key is added
// to want.
//
// UPDATED_OLD and UPDATED_NEW of a part of a document have no case: AWS does not document whether
// they return the part or the whole attribute.
type returned struct {
	do     string
	values item
	kind   types.ReturnValue
	whole  bool
	want   item
	absent bool // the item does not exist
}

func (r returned) check(t conformance.T, s *stage) {
	if !r.absent {
		s.put(t, s.things, with(thing(t), item{"a": 1, "b": 2}))
	}
	done, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.things, Key: attributes(thing(t)), UpdateExpression: &r.do,
		ExpressionAttributeValues: attributes(r.values), ReturnValues: r.kind,
	})
	require.NoError(t, err)
	want := r.want
	if r.whole {
		want = with(thing(t), want)
	}
	if want == nil {
		require.Empty(t, done.Attributes)
		return
	}
	require.Equal(t, text(attributes(want)), text(done.Attributes))
}

func returns() map[string]example {
	nine := item{":v": 9}
	all := map[string]example{
		"an update returns nothing by default": returned{do: "SET a = :v", values: nine},
		"NONE returns nothing": returned{do: "SET a = :v", values: nine,
			kind: types.ReturnValueNone},
		"ALL_OLD returns the item before": returned{do: "SET a = :v", values: nine,
			kind: types.ReturnValueAllOld, whole: true, want: item{"a": 1, "b": 2}},
		"ALL_NEW returns the item after": returned{do: "SET a = :v", values: nine,
			kind: types.ReturnValueAllNew, whole: true, want: item{"a": 9, "b": 2}},
		"UPDATED_OLD returns changed attributes before the update": returned{do: "SET a = :v", values: nine,
			kind: types.ReturnValueUpdatedOld, want: item{"a": 1}},
		"UPDATED_NEW returns changed attributes after the update": returned{do: "SET a = :v", values: nine,
			kind: types.ReturnValueUpdatedNew, want: item{"a": 9}},
		"UPDATED_NEW returns attributes set to their old value": returned{do: "SET a = :v", values: item{":v": 1},
			kind: types.ReturnValueUpdatedNew, want: item{"a": 1}},
		"UPDATED_OLD returns removed attributes": returned{do: "REMOVE a, b",
			kind: types.ReturnValueUpdatedOld, want: item{"a": 1, "b": 2}},
		"UPDATED_NEW omits removed attributes": returned{do: "REMOVE a",
			kind: types.ReturnValueUpdatedNew},
		"UPDATED_NEW returns set attributes but not removed ones": returned{do: "SET a = :v REMOVE b", values: nine,
			kind: types.ReturnValueUpdatedNew, want: item{"a": 9}},
		"UPDATED_OLD omits new attributes": returned{do: "SET c = :v", values: nine,
			kind: types.ReturnValueUpdatedOld},
		"UPDATED_NEW returns the sum of ADD": returned{do: "ADD a :v", values: nine,
			kind: types.ReturnValueUpdatedNew, want: item{"a": 10}},
		"ALL_OLD of an absent item is empty": returned{absent: true, do: "SET a = :v",
			values: nine, kind: types.ReturnValueAllOld},
		"ALL_NEW of an absent item is the new item": returned{absent: true, do: "SET a = :v",
			values: nine, kind: types.ReturnValueAllNew, whole: true, want: item{"a": 9}},
		"UPDATED_OLD of an absent item is empty": returned{absent: true, do: "SET a = :v",
			values: nine, kind: types.ReturnValueUpdatedOld},
		"UPDATED_NEW of an absent item is the set attributes": returned{absent: true, do: "SET a = :v",
			values: nine, kind: types.ReturnValueUpdatedNew, want: item{"a": 9}},

		"a put returns the replaced item":               scenario(putReturns),
		"a delete returns the deleted item":             scenario(deleteReturns),
		"a failed put returns the item":                 scenario(failedPut),
		"a failed update returns the item":              scenario(failedUpdate),
		"a failed delete returns the item":              scenario(failedDelete),
		"a failed write of an absent item returns none": scenario(failedAbsent),
	}
	for _, kind := range []types.ReturnValue{
		types.ReturnValueAllNew, types.ReturnValueUpdatedOld, types.ReturnValueUpdatedNew,
	} {
		all["a put cannot return "+string(kind)] = scenario(func(t conformance.T, s *stage) {
			_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: &s.things, Item: attributes(thing(t)), ReturnValues: kind,
			})
			refuses(t, err, invalid, "")
		})
		all["a delete cannot return "+string(kind)] = scenario(func(t conformance.T, s *stage) {
			_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
				TableName: &s.things, Key: attributes(thing(t)), ReturnValues: kind,
			})
			refuses(t, err, invalid, "")
		})
	}
	return all
}

func putReturns(t conformance.T, s *stage) {
	put := func(n int) map[string]types.AttributeValue {
		done,
			err := s.db.PutItem(t.Context(),
			&dynamodb.PutItemInput{TableName: &s.things, Item: attributes(with(thing(t), item{"n": n})),
				ReturnValues: types.ReturnValueAllOld})
		require.NoError(t, err)
		return done.Attributes
	}
	require.Empty(t, put(1))
	require.Equal(t, text(attributes(with(thing(t), item{"n": 1}))), text(put(2)))
}

func deleteReturns(t conformance.T, s *stage) {
	s.put(t, s.things, with(thing(t), item{"n": 1}))
	remove := func() map[string]types.AttributeValue {
		done,
			err := s.db.DeleteItem(t.Context(),
			&dynamodb.DeleteItemInput{TableName: &s.things, Key: attributes(thing(t)),
				ReturnValues: types.ReturnValueAllOld})
		require.NoError(t, err)
		return done.Attributes
	}
	require.Equal(t, text(attributes(with(thing(t), item{"n": 1}))), text(remove()))
	require.Empty(t, remove(), "deleting an absent item succeeds")
}

// found asserts a failed condition that returns the case's item {n: 1} if asked is true.
func found(t conformance.T, err error, asked bool) {
	t.Helper()
	refuses(t, err, failed, "The conditional request failed")
	refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	require.True(t, ok)
	if asked {
		require.Equal(t, text(attributes(with(thing(t), item{"n": 1}))), text(refused.Item))
		return
	}
	require.Empty(t, refused.Item)
}

// asked says which values of ReturnValuesOnConditionCheckFailure ask for the item.
var asked = map[types.ReturnValuesOnConditionCheckFailure]bool{
	types.ReturnValuesOnConditionCheckFailureAllOld: true, types.ReturnValuesOnConditionCheckFailureNone: false,
}

func failedPut(t conformance.T, s *stage) {
	s.put(t, s.things, with(thing(t), item{"n": 1}))
	for kind, wants := range asked {
		_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: &s.things, Item: attributes(thing(t)),
			ConditionExpression: aws.String("attribute_not_exists(id)"), ReturnValuesOnConditionCheckFailure: kind,
		})
		found(t, err, wants)
	}
}

func failedUpdate(t conformance.T, s *stage) {
	s.put(t, s.things, with(thing(t), item{"n": 1}))
	for kind, wants := range asked {
		_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &s.things, Key: attributes(thing(t)), UpdateExpression: aws.String("SET n = :v"),
			ConditionExpression:       aws.String("n > :v"),
			ExpressionAttributeValues: attributes(item{":v": 2}), ReturnValuesOnConditionCheckFailure: kind,
		})
		found(t, err, wants)
	}
	s.holds(t, s.things, thing(t), with(thing(t), item{"n": 1}))
}

func failedDelete(t conformance.T, s *stage) {
	s.put(t, s.things, with(thing(t), item{"n": 1}))
	for kind, wants := range asked {
		_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
			TableName: &s.things, Key: attributes(thing(t)),
			ConditionExpression: aws.String("attribute_not_exists(n)"), ReturnValuesOnConditionCheckFailure: kind,
		})
		found(t, err, wants)
	}
}

func failedAbsent(t conformance.T, s *stage) {
	_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &s.things, Key: attributes(thing(t)), ConditionExpression: aws.String("attribute_exists(n)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	found(t, err, false)
}
