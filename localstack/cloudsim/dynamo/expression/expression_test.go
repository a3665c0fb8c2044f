package expression

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim/dynamo/document"
)

func scope(t *testing.T, names, values string) *Scope {
	t.Helper()
	n, err := document.Parse([]byte(names))
	require.NoError(t, err)
	v, err := document.Parse([]byte(values))
	require.NoError(t, err)
	s, err := NewScope(n, v, true)
	require.NoError(t, err)
	return s
}

const someValues = `{":n": {"N": "1"}, ":two": {"N": "2"}, ":s": {"S": "x"}, ":l": {"L": []}, ":t": {"BOOL": true}}`

func TestCondition_InvalidExpressionsAreRefused(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"":                            `The expression can not be empty;`,
		" ":                           `Syntax error; token: "<EOF>", near: " "`,
		"n":                           `Syntax error; token: "<EOF>", near: "n"`,
		"n = ":                        `Syntax error; token: "<EOF>", near: "= "`,
		"= n":                         `Syntax error; token: "=", near: "= n"`,
		"n == :n":                     `Syntax error; token: "=", near: "== :n"`,
		"n != :n":                     `Syntax error; token: "!", near: "n !="`,
		"1n = :n":                     `Syntax error; token: "1", near: "1n"`,
		"m..x = :n":                   `Syntax error; token: ".", near: "..x"`,
		"l[0 = :n":                    `Syntax error; token: "=", near: "0 = :n"`,
		"n = :n n = :n":               `Syntax error; token: "n", near: ":n n ="`,
		"n = : v":                     `Syntax error; token: ":", near: "= : v"`,
		"n IN ()":                     `Syntax error; token: ")", near: "()"`,
		"NOT (n)":                     `Syntax error; token: "<EOF>", near: ")"`,
		"and = :n":                    `Syntax error; token: "and", near: "and ="`,
		"((n = :n))":                  `The expression has redundant parentheses;`,
		"n = :n AND Status = :n":      `Attribute name is a reserved keyword; reserved keyword: Status`,
		"n = :x":                      `An expression attribute value used in expression is not defined; attribute value: :x`,
		"n = #x":                      `An expression attribute name used in the document path is not defined; attribute name: #x`,
		"foo(n)":                      `Invalid function name; function: foo`,
		"Size(n) = :n":                `Invalid function name; function: Size`,
		"size(n)":                     `The function is not allowed to be used this way in an expression; function: size`,
		"attribute_exists(n) = :n":    `The function is not allowed to be used this way in an expression; function: attribute_exists`,
		"if_not_exists(n, :n) = :n":   `The function is not allowed in a condition expression; function: if_not_exists`,
		"contains(n)":                 `Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1`,
		"attribute_exists(:n)":        `Operator or function requires a document path; operator or function: attribute_exists`,
		"n < :t":                      `Incorrect operand type for operator or function; operator or function: <, operand type: BOOL`,
		"begins_with(n, :n)":          `Incorrect operand type for operator or function; operator or function: begins_with, operand type: N`,
		"size(:n) = :n":               `Incorrect operand type for operator or function; operator or function: size, operand type: N`,
		"attribute_type(n, :s)":       `Invalid attribute type name found; type: x, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}`,
		"m.x = m.x":                   `The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [m, x]`,
		"n BETWEEN :two AND :n":       `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}`,
		"n BETWEEN :n AND :s":         `The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:x}`,
		"l[99999999999] = n":          `List index is not within the allowable range; index: [99999999999]`,
		"status = :x AND n = :n AND)": `Syntax error; token: ")", near: "AND)"`,
	} {
		_, err := scope(t, `null`, someValues).Condition(text)
		assert.EqualError(t, err, "Invalid ConditionExpression: "+why, text)
	}
}

func TestUpdate_InvalidExpressionsAreRefused(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"SET":                          `Syntax error; token: "<EOF>", near: "SET"`,
		"FOO a = :n":                   `Syntax error; token: "FOO", near: "FOO a"`,
		"SET a :n":                     `Syntax error; token: ":n", near: "a :n"`,
		"SET a = :n,":                  `Syntax error; token: "<EOF>", near: ","`,
		"SET a = 5":                    `Syntax error; token: "5", near: "= 5"`,
		"SET a = b - :n - :n":          `Syntax error; token: "-", near: ":n - :n"`,
		"SET a = (b + :n) + :n":        `Syntax error; token: "+", near: ") + :n"`,
		"SET a = ((b + :n))":           `The expression has redundant parentheses;`,
		"ADD n n":                      `Syntax error; token: "n", near: "n n"`,
		"SET a = :n SET b = :n":        `The "SET" section can only be used once in an update expression;`,
		"SET a = size(n)":              `The function is not allowed in an update expression; function: size`,
		"SET a = b + :s":               `Incorrect operand type for operator or function; operator or function: +, operand type: S`,
		"SET a = b + list_append(l,l)": `The function is not allowed to be used this way in an expression; function: list_append`,
		"SET a = list_append(l, :n)":   `Incorrect operand type for operator or function; operator or function: list_append, operand type: N`,
		"ADD a :s":                     `Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND`,
		"DELETE a :n":                  `Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND`,
		"SET m = :n REMOVE m.x":        `Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, x]`,
		"SET m.x = :n REMOVE m[0]":     `Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, x], path two: [m, [0]]`,
	} {
		_, err := scope(t, `null`, someValues).Update(text)
		assert.EqualError(t, err, "Invalid UpdateExpression: "+why, text)
	}
}

func TestKey_InvalidExpressionsAreRefused(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"pk = :s OR sk = :s":           "Invalid operator used in KeyConditionExpression: OR",
		"pk = :s AND sk <> :s":         "Invalid operator used in KeyConditionExpression: <>",
		"pk = :s AND contains(sk, :s)": "Invalid operator used in KeyConditionExpression: contains",
		"pk > :s":                      "Query key condition not supported",
		"sk = :s":                      "Query condition missed key schema element",
		"pk = :s AND x = :s":           "Query condition missed key schema element",
		"pk = :s AND pk = :s":          "KeyConditionExpressions must only contain one condition per key",
		"pk.a = :s": "Key attributes must be scalars; list random access '[]' and map lookup " +
			"'.' are not allowed: Key: pk",
		"pk = sk": "Invalid condition in KeyConditionExpression: Multiple attribute names " +
			"used in one condition",
		"pk = :s AND size(sk) = :n":        "KeyConditionExpressions cannot contain nested operations",
		"pk = :s AND (sk = :s AND x = :s)": "Conditions can be of length 1 or 2 only",
	} {
		_, err := scope(t, `null`, someValues).Key(text, "pk", "sk")
		assert.EqualError(t, err, why, text)
	}
}

func TestScope_PlaceholdersMustBeValidAndUsed(t *testing.T) {
	t.Parallel()
	read := func(text string) document.Node {
		n, err := document.Parse([]byte(text))
		require.NoError(t, err)
		return n
	}
	for _, example := range []struct{ names, values, why string }{
		{`{}`, `null`, `ExpressionAttributeNames must not be empty`},
		{`null`, `{}`, `ExpressionAttributeValues must not be empty`},
		{`{"a": "b"}`, `null`, `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{`{"#a-b": "b"}`, `null`, `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"`},
		{`null`, `{":": {"N": "1"}}`, `ExpressionAttributeValues contains invalid key: Syntax error; key: ":"`},
		{`null`, `{":v": {"N": "x"}}`,
			`ExpressionAttributeValues contains invalid value: A value provided cannot be converted into a number for key :v`},
	} {
		_, err := NewScope(read(example.names), read(example.values), true)
		assert.EqualError(t, err, example.why)
	}
	_, err := NewScope(read(`{"#a": "b"}`), document.Node{}, false)
	assert.EqualError(t, err, "ExpressionAttributeNames can only be specified when using expressions")

	s := scope(t, `{"#b": "b", "#a": "a", "#c": "c"}`, `{":v": {"N": "1"}}`)
	_, err = s.Projection("#b")
	require.NoError(t, err)
	assert.EqualError(t, s.Unused(), "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #c}")
}

func TestReserved_EveryReservedWordIsRefused(t *testing.T) {
	t.Parallel()
	assert.Len(t, reservedWords, 573)
	for word := range reservedWords {
		_, err := scope(t, `null`, `null`).Projection(word)
		assert.Error(t, err, word)
	}
}
