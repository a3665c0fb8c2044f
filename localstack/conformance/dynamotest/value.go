package dynamotest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// item is a row or a map of Go values: string, int, number, []byte, bool, nil, list, item, and the
// sets.
type item = map[string]any

// list is a DynamoDB list.
type list = []any

// number is a number as text.
type number string

// The sets.
type (
	words   []string
	numbers []string
	blobs   [][]byte
)

// names are ExpressionAttributeNames.
type names = map[string]string

// attribute returns v as an attribute value of the SDK.
func attribute(v any) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case int:
		return &types.AttributeValueMemberN{Value: strconv.Itoa(v)}
	case number:
		return &types.AttributeValueMemberN{Value: string(v)}
	case []byte:
		return &types.AttributeValueMemberB{Value: v}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case nil:
		return &types.AttributeValueMemberNULL{Value: true}
	case list:
		elements := []types.AttributeValue{}
		for _, element := range v {
			elements = append(elements, attribute(element))
		}
		return &types.AttributeValueMemberL{Value: elements}
	case item:
		return &types.AttributeValueMemberM{Value: attributes(v)}
	case words:
		return &types.AttributeValueMemberSS{Value: v}
	case numbers:
		return &types.AttributeValueMemberNS{Value: v}
	case blobs:
		return &types.AttributeValueMemberBS{Value: v}
	}
	panic(fmt.Sprintf("DynamoDB has no %T", v))
}

// attributes returns an item as attribute values of the SDK; nil for nil.
func attributes(i item) map[string]types.AttributeValue {
	if i == nil {
		return nil
	}
	all := map[string]types.AttributeValue{}
	for name, v := range i {
		all[name] = attribute(v)
	}
	return all
}

// used returns the values that an expression uses; nil if it uses none.
func used(expression string, values item) item {
	var some item
	for name, v := range values {
		if strings.Contains(expression, name) {
			some = with(some, item{name: v})
		}
	}
	return some
}

// with returns a copy of i with more attributes.
func with(i item, more ...item) item {
	all := item{}
	maps.Copy(all, i)
	for _, m := range more {
		maps.Copy(all, m)
	}
	return all
}

// text returns attributes in a canonical form: equal attributes have equal text, whatever the order
// within sets.
func text(all map[string]types.AttributeValue) string {
	return written(documents(all))
}

// texts returns items in the form of text, in their order.
func texts(items []map[string]types.AttributeValue) []string {
	all := []string{}
	for _, i := range items {
		all = append(all, text(i))
	}
	return all
}

func written(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // holds only values that JSON has
	}
	return string(body)
}

func documents(all map[string]types.AttributeValue) map[string]any {
	if all == nil {
		return nil
	}
	plain := map[string]any{}
	for name, v := range all {
		plain[name] = document(v)
	}
	return plain
}

func document(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberB:
		return map[string]any{"B": v.Value}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}
	case *types.AttributeValueMemberM:
		return map[string]any{"M": documents(v.Value)}
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": slices.Sorted(slices.Values(v.Value))}
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": slices.Sorted(slices.Values(v.Value))}
	case *types.AttributeValueMemberBS:
		return map[string]any{"BS": slices.SortedFunc(slices.Values(v.Value), slices.Compare)}
	case *types.AttributeValueMemberL:
		elements := []any{}
		for _, element := range v.Value {
			elements = append(elements, document(element))
		}
		return map[string]any{"L": elements}
	}
	return fmt.Sprintf("an attribute of an unknown type: %T", v)
}
