package dynamotest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// site is a table for operations.
type site struct {
	ctx   context.Context
	db    *dynamodb.Client
	table string
}

// operation is one step of a sequence. It returns the answer in a canonical form.
type operation interface {
	on(s site) string
}

// write is an operation on one row. It can also be an action of a transaction, which returns the
// row if its condition fails.
type write interface {
	operation
	action(table string) types.TransactWriteItem
}

var showAll = types.ReturnValuesOnConditionCheckFailureAllOld

// storing is a PutItem.
type storing struct {
	Row    item
	Where  string
	Values item
}

func (p storing) action(table string) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &table, Item: attributes(p.Row), ConditionExpression: optional(p.Where),
		ExpressionAttributeNames:  named(p.Where),
		ExpressionAttributeValues: given(p.Values), ReturnValuesOnConditionCheckFailure: showAll,
	}}
}

func (p storing) on(s site) string {
	a := p.action(s.table).Put
	done, err := s.db.PutItem(s.ctx, &dynamodb.PutItemInput{
		TableName: a.TableName, Item: a.Item, ConditionExpression: a.ConditionExpression,
		ExpressionAttributeNames:  a.ExpressionAttributeNames,
		ExpressionAttributeValues: a.ExpressionAttributeValues, ReturnValuesOnConditionCheckFailure: showAll,
		ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return refusal(err)
	}
	return attributesOrNothing(done.Attributes)
}

// changing is an UpdateItem.
type changing struct {
	Key    item
	Do     string
	Where  string
	Values item
	Return types.ReturnValue
}

func (u changing) action(table string) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &table, Key: attributes(u.Key), UpdateExpression: &u.Do, ConditionExpression: optional(u.Where),
		ExpressionAttributeNames:  named(u.Do, u.Where),
		ExpressionAttributeValues: given(u.Values), ReturnValuesOnConditionCheckFailure: showAll,
	}}
}

func (u changing) on(s site) string {
	a := u.action(s.table).Update
	done, err := s.db.UpdateItem(s.ctx, &dynamodb.UpdateItemInput{
		TableName: a.TableName, Key: a.Key, UpdateExpression: a.UpdateExpression,
		ConditionExpression: a.ConditionExpression, ExpressionAttributeNames: a.ExpressionAttributeNames,
		ExpressionAttributeValues: a.ExpressionAttributeValues, ReturnValuesOnConditionCheckFailure: showAll,
		ReturnValues: u.Return,
	})
	if err != nil {
		return refusal(err)
	}
	return attributesOrNothing(done.Attributes)
}

// removing is a DeleteItem.
type removing struct {
	Key    item
	Where  string
	Values item
}

func (r removing) action(table string) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{
		TableName: &table, Key: attributes(r.Key), ConditionExpression: optional(r.Where),
		ExpressionAttributeNames:  named(r.Where),
		ExpressionAttributeValues: given(r.Values), ReturnValuesOnConditionCheckFailure: showAll,
	}}
}

func (r removing) on(s site) string {
	a := r.action(s.table).Delete
	done, err := s.db.DeleteItem(s.ctx, &dynamodb.DeleteItemInput{
		TableName: a.TableName, Key: a.Key, ConditionExpression: a.ConditionExpression,
		ExpressionAttributeNames:  a.ExpressionAttributeNames,
		ExpressionAttributeValues: a.ExpressionAttributeValues, ReturnValuesOnConditionCheckFailure: showAll,
		ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return refusal(err)
	}
	return attributesOrNothing(done.Attributes)
}

// checking is a ConditionCheck. It exists only in transactions.
type checking struct {
	Key    item
	Where  string
	Values item
}

func (c checking) action(table string) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &table, Key: attributes(c.Key), ConditionExpression: &c.Where,
		ExpressionAttributeNames:  named(c.Where),
		ExpressionAttributeValues: given(c.Values), ReturnValuesOnConditionCheckFailure: showAll,
	}}
}

// transacting is a TransactWriteItems.
type transacting []interface {
	action(table string) types.TransactWriteItem
}

func (x transacting) on(s site) string {
	var actions []types.TransactWriteItem
	for _, a := range x {
		actions = append(actions, a.action(s.table))
	}
	_, err := s.db.TransactWriteItems(s.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions})
	if err != nil {
		return refusal(err)
	}
	return "written"
}

// getting is a GetItem.
type getting struct {
	Key  item
	Show string
}

func (g getting) on(s site) string {
	got,
		err := s.db.GetItem(s.ctx,
		&dynamodb.GetItemInput{TableName: &s.table, Key: attributes(g.Key), ConsistentRead: aws.Bool(true),
			ProjectionExpression: optional(g.Show)})
	if err != nil {
		return refusal(err)
	}
	return text(got.Item)
}

// transactGetting is a TransactGetItems.
type transactGetting []item

func (g transactGetting) on(s site) string {
	var gets []types.TransactGetItem
	for _, key := range g {
		gets = append(gets, types.TransactGetItem{Get: &types.Get{TableName: &s.table, Key: attributes(key)}})
	}
	answer, err := s.db.TransactGetItems(s.ctx, &dynamodb.TransactGetItemsInput{TransactItems: gets})
	if err != nil {
		return refusal(err)
	}
	return strings.Join(responses(answer), " ")
}

// batchGetting is a BatchGetItem. Its answer has no order.
type batchGetting []item

func (g batchGetting) on(s site) string {
	answer,
		err := s.db.BatchGetItem(s.ctx,
		&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{s.table: wanted(g...)}})
	if err != nil {
		return refusal(err)
	}
	return unordered(answer.Responses[s.table])
}

// batchWriting is a BatchWriteItem: items with more than a key are put, the others deleted.
type batchWriting []item

func (w batchWriting) on(s site) string {
	var requests []types.WriteRequest
	for _, i := range w {
		if len(i) > len(item{"pk": "", "sk": ""}) {
			requests = append(requests, putting(i))
		} else {
			requests = append(requests, deleting(i))
		}
	}
	_, err := s.db.BatchWriteItem(s.ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{s.table: requests},
	})
	if err != nil {
		return refusal(err)
	}
	return "written"
}

// querying is a Query for all pages.
type querying struct {
	Where  string
	Filter string
	Values item
	Index  string
	Limit  int32
	Back   bool
}

func (q querying) on(s site) string {
	input := &dynamodb.QueryInput{
		TableName: &s.table, IndexName: optional(q.Index), KeyConditionExpression: &q.Where,
		FilterExpression:         optional(q.Filter),
		ExpressionAttributeNames: named(q.Where, q.Filter), ExpressionAttributeValues: given(q.Values),
		ScanIndexForward: aws.Bool(!q.Back), ConsistentRead: aws.Bool(q.Index == ""),
	}
	if q.Limit > 0 {
		input.Limit = &q.Limit
	}
	var pages []string
	for range 20 {
		page, err := s.db.Query(s.ctx, input)
		switch {
		case err != nil:
			return refusal(err)
		case q.Index != "":
			pages = append(pages, unordered(page.Items)) // rows with equal index keys have no order
		case page.ScannedCount > 0: // an empty last page is optional
			pages = append(pages, written([]int32{page.Count, page.ScannedCount})+" "+
				strings.Join(texts(page.Items), " "))
		}
		if input.ExclusiveStartKey = page.LastEvaluatedKey; len(input.ExclusiveStartKey) == 0 {
			return strings.Join(pages, "\n")
		}
	}
	return "the pages do not end"
}

// given returns the values of expressions; nil if there are none.
func given(values item) map[string]types.AttributeValue {
	if len(values) == 0 {
		return nil
	}
	return attributes(values)
}

// attributesOrNothing returns an answer's attributes as text. Missing and empty attributes are
// alike.
func attributesOrNothing(all map[string]types.AttributeValue) string {
	if len(all) == 0 {
		return "nothing"
	}
	return text(all)
}

// unordered returns items as text that does not depend on their order.
func unordered(items []map[string]types.AttributeValue) string {
	return strings.Join(slices.Sorted(slices.Values(texts(items))), " ")
}

// refusal returns a refusal as text: its code, the cancellation reasons, and the item whose
// condition failed. A canceled transaction with the reason ValidationError counts as invalid,
// because clouds answer either.
func refusal(err error) string {
	if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return failed + " " + attributesOrNothing(refused.Item)
	}
	if why := reasons(err); why != nil {
		if slices.Contains(why, "ValidationError") {
			return invalid
		}
		return cancelled + " " + strings.Join(why, ", ")
	}
	return code(err)
}
