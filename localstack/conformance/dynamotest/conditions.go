package dynamotest

import (
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

// condition is an expression that holds of an item, does not hold, or is refused. It is checked as
// the condition of a write and as the filter of a query.
type condition struct {
	given   item
	where   string
	names   names
	values  item
	holds   bool
	refused bool // as invalid
}

func (c condition) check(t conformance.T, s *stage) {
	row := with(thing(t), c.given)
	s.put(t, s.things, row)
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &s.things, Item: attributes(row),
		ConditionExpression: &c.where, ExpressionAttributeNames: c.names,
		ExpressionAttributeValues: attributes(c.values),
	})
	found, asked := s.db.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &s.things, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("id = :id"), FilterExpression: &c.where,
		ExpressionAttributeNames: c.names, ExpressionAttributeValues: attributes(with(item{":id": t.Name()}, c.values)),
	})
	switch {
	case c.refused:
		refuses(t, err, invalid, "")
		refuses(t, asked, invalid, "")
		return
	case c.holds:
		require.NoError(t, err)
	default:
		refuses(t, err, failed, "The conditional request failed")
	}
	require.NoError(t, asked)
	require.Equal(t, c.holds, found.Count == 1, "as a filter")
}

// onKey is a condition that names the key, which a filter may not do. :id is the key.
type onKey struct {
	where string
	holds bool
}

func (c onKey) check(t conformance.T, s *stage) {
	s.put(t, s.things, thing(t))
	_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &s.things, Key: attributes(thing(t)),
		ConditionExpression: &c.where, ExpressionAttributeValues: attributes(item{":id": t.Name()}),
	})
	if c.holds {
		require.NoError(t, err)
		return
	}
	refuses(t, err, failed, "")
}

// absent is a condition on an absent item.
type absent struct {
	where  string
	values item
	holds  bool
}

func (c absent) check(t conformance.T, s *stage) {
	_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.things, Key: attributes(thing(t)), UpdateExpression: aws.String("SET made = :made"),
		ConditionExpression: &c.where, ExpressionAttributeValues: attributes(with(item{":made": true}, c.values)),
	})
	if c.holds {
		require.NoError(t, err)
		return
	}
	refuses(t, err, failed, "")
	s.holds(t, s.things, thing(t), nil)
}

func conditions() map[string]example {
	all := map[string]example{}
	maps.Copy(all, comparisons())
	maps.Copy(all, functions())
	maps.Copy(all, sizes())
	maps.Copy(all, logic())
	maps.Copy(all, paths())
	maps.Copy(all, mistakes())
	return all
}

// comparisons are the cases of the six comparators on every type, of BETWEEN and of IN.
func comparisons() map[string]example {
	all := map[string]example{}
	ordered := map[string][3]any{
		"strings":          {"apple", "banana", "cherry"},
		"strings by bytes": {"Z", "a", "é"},
		"numbers":          {number("-3.5"), 9, 10},
		"binary":           {[]byte{0}, []byte{1}, []byte{1, 0}},
	}
	signs := map[string]func(order int) bool{
		"=": func(o int) bool { return o == 0 }, "<>": func(o int) bool { return o != 0 },
		"<": func(o int) bool { return o < 0 }, "<=": func(o int) bool { return o <= 0 },
		">": func(o int) bool { return o > 0 }, ">=": func(o int) bool { return o >= 0 },
	}
	for kind, values := range ordered {
		for sign, want := range signs {
			for i, other := range []string{"a lesser", "an equal", "a greater"} {
				all[fmt.Sprintf("%s compare: x %s %s one", kind, sign, other)] = condition{
					given: item{"x": values[1]}, where: "x " + sign + " :v", values: item{":v": values[i]},
					holds: want(1 - i),
				}
			}
		}
	}
	unordered := map[string][2]any{
		"booleans":      {true, false},
		"lists":         {list{1, "a"}, list{"a", 1}},
		"maps":          {item{"a": 1, "b": item{"c": nil}}, item{"a": 1, "b": item{}}},
		"string sets":   {words{"a", "b"}, words{"a"}},
		"number sets":   {numbers{"1", "2"}, numbers{"1", "3"}},
		"binary sets":   {blobs{{1}, {2}}, blobs{{1}}},
		"types":         {"1", 1},
		"nothing":       {nil, false},
		"empty strings": {"", " "},
	}
	for kind, values := range unordered {
		for sign, equal := range map[string]bool{"=": true, "<>": false} {
			all[fmt.Sprintf("%s compare: x %s an equal", kind, sign)] = condition{given: item{"x": values[0]},
				where: "x " + sign + " :v", values: item{":v": values[0]}, holds: equal}
			all[fmt.Sprintf("%s compare: x %s a different", kind, sign)] = condition{given: item{"x": values[0]},
				where: "x " + sign + " :v", values: item{":v": values[1]}, holds: !equal}
		}
	}
	for kind, value := range map[string]any{
		"booleans": true, "lists": list{1}, "maps": item{}, "string sets": words{"a"}, "number sets": numbers{"1"},
		"binary sets": blobs{{1}}, "null": nil,
	} {
		for _, sign := range []string{"<", "<=", ">", ">="} {
			all[fmt.Sprintf("%s have no order: x %s :v is refused", kind, sign)] = condition{given: item{"x": value},
				where: "x " + sign + " :v", values: item{":v": value}, refused: true}
		}
	}
	maps.Copy(all, map[string]example{
		"equal numbers are equal, in any form": condition{given: item{"n": number("1.50")},
			where: "n = :v", values: item{":v": number("15e-1")}, holds: true},
		"a set equals itself in another order": condition{given: item{"ss": words{"a", "b"}},
			where: "ss = :v", values: item{":v": words{"b", "a"}}, holds: true},
		"equal numbers in a set are equal, in any form": condition{given: item{"ns": numbers{"1.0", "2"}},
			where: "ns = :v", values: item{":v": numbers{"2.00", "1"}}, holds: true},
		"equal numbers in a map are equal, in any form": condition{given: item{"m": item{"n": number("1.0")}},
			where: "m = :v", values: item{":v": item{"n": 1}}, holds: true},
		"all 38 digits are compared": condition{given: item{"n": number(
			"12345678901234567890123456789012345678")}, where: "n < :v",
			values: item{":v": number("12345678901234567890123456789012345679")}, holds: true},
		"values of another type are not less": condition{given: item{"x": "1"}, where: "x < :v",
			values: item{":v": 2}},
		"values of another type are not greater": condition{given: item{"x": "3"}, where: "x >= :v",
			values: item{":v": 2}},
		"an absent attribute equals nothing": condition{where: "x = :v", values: item{":v": 1}},
		"an absent attribute differs from everything": condition{where: "x <> :v", values: item{":v": 1},
			holds: true},
		"an absent attribute is not less":     condition{where: "x < :v", values: item{":v": 1}},
		"an absent attribute is not greater":  condition{where: "x >= :v", values: item{":v": 1}},
		"two absent attributes are not equal": condition{where: "x = y"},
		"two attributes are compared": condition{given: item{"a": 2, "b": 1},
			where: "a > b", holds: true},
		"two attributes of different types are not ordered": condition{given: item{"a": 2, "b": "1"},
			where: "a > b"},
		"two attributes of an unordered type are not ordered": condition{given: item{"a": true, "b": true},
			where: "a >= b"},
		"a value may be on the left": condition{given: item{"n": 2}, where: ":v < n",
			values: item{":v": 1}, holds: true},
		"two values may be compared": condition{where: ":a < :b",
			values: item{":a": 1, ":b": 2}, holds: true},
		"an attribute compared with itself is refused": condition{given: item{"n": 2}, where: "n = n",
			refused: true},
		"BETWEEN includes its lower end": condition{given: item{"n": 1},
			where: "n BETWEEN :a AND :b", values: item{":a": 1, ":b": 3}, holds: true},
		"BETWEEN includes its upper end": condition{given: item{"n": 3},
			where: "n BETWEEN :a AND :b", values: item{":a": 1, ":b": 3}, holds: true},
		"BETWEEN excludes values below": condition{given: item{"n": 0},
			where: "n BETWEEN :a AND :b", values: item{":a": 1, ":b": 3}},
		"BETWEEN excludes values above": condition{given: item{"n": 4},
			where: "n BETWEEN :a AND :b", values: item{":a": 1, ":b": 3}},
		"BETWEEN compares strings": condition{given: item{"s": "b"},
			where: "s BETWEEN :a AND :b", values: item{":a": "a", ":b": "c"}, holds: true},
		"BETWEEN compares binary": condition{given: item{"b": []byte{2}},
			where: "b BETWEEN :a AND :b", values: item{":a": []byte{1}, ":b": []byte{3}}, holds: true},
		"BETWEEN of another type does not hold": condition{given: item{"s": "2"},
			where: "s BETWEEN :a AND :b", values: item{":a": 1, ":b": 3}},
		"BETWEEN with its ends reversed is refused": condition{given: item{"n": 2},
			where: "n BETWEEN :a AND :b", values: item{":a": 3, ":b": 1}, refused: true},
		"BETWEEN with ends of different types is refused": condition{given: item{"n": 2},
			where: "n BETWEEN :a AND :b", values: item{":a": 1, ":b": "3"}, refused: true},
		"BETWEEN booleans is refused": condition{given: item{"n": 2},
			where: "n BETWEEN :a AND :b", values: item{":a": false, ":b": true}, refused: true},
		"BETWEEN accepts attributes as its ends": condition{given: item{"n": 2, "from": 1, "upto": 3},
			where: "n BETWEEN #from AND upto", names: names{"#from": "from"}, holds: true},
		"BETWEEN accepts a value between attributes": condition{given: item{"lo": 1, "hi": 3},
			where: ":v BETWEEN lo AND hi", values: item{":v": 2}, holds: true},
		"BETWEEN without its second end is refused": condition{given: item{"n": 2},
			where: "n BETWEEN :a", values: item{":a": 1}, refused: true},
		"IN holds for one of its values": condition{given: item{"s": "b"},
			where: "s IN (:a, :b)", values: item{":a": "a", ":b": "b"}, holds: true},
		"IN of one value holds": condition{given: item{"s": "a"}, where: "s IN (:a)",
			values: item{":a": "a"}, holds: true},
		"IN does not hold for another value": condition{given: item{"s": "c"},
			where: "s IN (:a, :b)", values: item{":a": "a", ":b": "b"}},
		"IN accepts values of several types": condition{given: item{"x": 1},
			where: "x IN (:a, :b)", values: item{":a": "1", ":b": 1}, holds: true},
		"IN compares documents": condition{given: item{"l": list{1,
			item{"a": true}}}, where: "l IN (:a)", values: item{":a": list{1, item{"a": true}}}, holds: true},
		"IN of an absent attribute does not hold": condition{where: "x IN (:a)",
			values: item{":a": 1}},
		"IN accepts attributes": condition{given: item{"a": 1, "b": 1},
			where: "a IN (b)", holds: true},
		"IN of 100 values is accepted": many(100, false),
		"IN of 101 values is refused":  many(101, true),
		"IN without values is refused": condition{given: item{"s": "a"}, where: "s IN ()",
			refused: true},
		"IN without parentheses is refused": condition{given: item{"s": "a"}, where: "s IN :a",
			values: item{":a": "a"}, refused: true},
		"a condition of a key compares the key": onKey{where: "id = :id", holds: true},
		"a condition of a key can fail":         onKey{where: "id <> :id"},
		"a key begins with itself":              onKey{where: "begins_with(id, :id)", holds: true},
		"no attribute of an absent item exists": absent{where: "attribute_exists(id)"},
		"every attribute of an absent item does not exist": absent{where: "attribute_not_exists(id)",
			holds: true},
		"an attribute of an absent item equals nothing": absent{where: "n = :v", values: item{":v": 1}},
		"an attribute of an absent item differs from everything": absent{where: "n <> :v", values: item{":v": 1},
			holds: true},
		"NOT of a false condition on an absent item holds": absent{where: "NOT n = :v", values: item{":v": 1},
			holds: true},
		"a condition may accept an absent item or a certain state": absent{where: "attribute_not_exists(id) OR n < :v",
			values: item{":v": 1}, holds: true},
	})
	return all
}

// many returns a condition with IN and count values.
func many(count int, refused bool) condition {
	c := condition{given: item{"x": count}, where: "x IN (", values: item{}, holds: true, refused: refused}
	for i := 1; i <= count; i++ {
		if i > 1 {
			c.where += ", "
		}
		value := fmt.Sprintf(":v%d", i)
		c.where, c.values[value] = c.where+value, i
	}
	c.where += ")"
	return c
}

// kinds has a value of each type, by the type's name in attribute_type.
var kinds = map[string]any{
	"S": "text", "N": 12, "B": []byte("bytes"), "BOOL": false, "NULL": nil, "L": list{1}, "M": item{"a": 1},
	"SS": words{"a"}, "NS": numbers{"1"}, "BS": blobs{{1}},
}

// functions are the cases of attribute_exists, attribute_not_exists, attribute_type, begins_with
// and contains.
func functions() map[string]example {
	all := map[string]example{}
	for kind, value := range kinds {
		all["attribute_exists holds of "+kind] = condition{given: item{"x": value}, where: "attribute_exists(x)",
			holds: true}
		all["attribute_not_exists does not hold of "+kind] = condition{given: item{"x": value},
			where: "attribute_not_exists(x)"}
		all["attribute_type knows "+kind] = condition{given: item{"x": value}, where: "attribute_type(x, :type)",
			values: item{":type": kind}, holds: true}
		if kind != "S" {
			all["attribute_type S does not hold of "+kind] = condition{given: item{"x": value},
				where: "attribute_type(x, :type)", values: item{":type": "S"}}
			all["begins_with does not hold of "+kind+" and a string"] = condition{given: item{"x": value},
				where: "begins_with(x, :v)", values: item{":v": "t"}}
		}
		if kind != "S" && kind != "B" {
			all["begins_with refuses "+kind+" as the prefix"] = condition{given: item{"x": "text"},
				where: "begins_with(x, :v)", values: item{":v": value}, refused: true}
		}
	}
	for kind, values := range map[string][3]any{
		"a string":      {"banana", "nan", "nab"},
		"binary":        {[]byte{1, 2, 3}, []byte{2, 3}, []byte{1, 3}},
		"a string set":  {words{"a", "b"}, "b", "c"},
		"a number set":  {numbers{"1", "2.50"}, number("2.5"), 3},
		"a binary set":  {blobs{{1}, {2}}, []byte{2}, []byte{3}},
		"a list":        {list{1, "b"}, "b", "1"},
		"a list of any": {list{item{"a": 1}, nil, true}, item{"a": 1}, false},
	} {
		all["contains finds what is in "+kind] = condition{given: item{"x": values[0]}, where: "contains(x, :v)",
			values: item{":v": values[1]}, holds: true}
		all["contains does not find what is missing from "+kind] = condition{given: item{"x": values[0]},
			where: "contains(x, :v)", values: item{":v": values[2]}}
	}
	maps.Copy(all, map[string]example{
		"attribute_exists does not hold of an absent attribute": condition{where: "attribute_exists(x)"},
		"attribute_not_exists holds of an absent attribute": condition{where: "attribute_not_exists(x)",
			holds: true},
		"attribute_exists finds members of maps": condition{given: item{"m": item{"a": item{"b": 1}}},
			where: "attribute_exists(m.a.b)", holds: true},
		"attribute_exists finds elements of lists": condition{given: item{"l": list{1, 2}},
			where: "attribute_exists(l[1]) AND attribute_not_exists(l[2])", holds: true},
		"attribute_exists of a value is refused": condition{where: "attribute_exists(:v)",
			values: item{":v": 1}, refused: true},
		"attribute_exists of two paths is refused": condition{where: "attribute_exists(a, b)",
			refused: true},
		"attribute_exists of nothing is refused": condition{where: "attribute_exists()", refused: true},
		"attribute_type of an absent attribute does not hold": condition{where: "attribute_type(x, :type)",
			values: item{":type": "S"}},
		"attribute_type refuses an unknown type": condition{where: "attribute_type(x, :type)",
			values: item{":type": "STRING"}, refused: true},
		"attribute_type needs a string as the type": condition{where: "attribute_type(x, :type)",
			values: item{":type": 1}, refused: true},
		"attribute_type refuses a path as the type": condition{given: item{"x": 1, "y": "N"},
			where: "attribute_type(x, y)", refused: true},
		"begins_with holds of a prefix": condition{given: item{"s": "banana"},
			where: "begins_with(s, :v)", values: item{":v": "ban"}, holds: true},
		"begins_with holds of the whole string": condition{given: item{"s": "ban"},
			where: "begins_with(s, :v)", values: item{":v": "ban"}, holds: true},
		"begins_with does not hold of a longer string": condition{given: item{"s": "ba"},
			where: "begins_with(s, :v)", values: item{":v": "ban"}},
		"begins_with does not hold of an inner part": condition{given: item{"s": "banana"},
			where: "begins_with(s, :v)", values: item{":v": "nan"}},
		"begins_with holds of an empty prefix": condition{given: item{"s": "banana"},
			where: "begins_with(s, :v)", values: item{":v": ""}, holds: true},
		"begins_with compares binary": condition{given: item{"b": []byte{1, 2, 3}},
			where: "begins_with(b, :v)", values: item{":v": []byte{1, 2}}, holds: true},
		"begins_with accepts an attribute as the prefix": condition{given: item{"s": "banana", "t": "ba"},
			where: "begins_with(s, t)", holds: true},
		"begins_with of two numbers does not hold": condition{given: item{"n": 12, "m": 1},
			where: "begins_with(n, m)"},
		"begins_with of an absent attribute does not hold": condition{where: "begins_with(s, :v)",
			values: item{":v": "b"}},
		"begins_with of one operand is refused": condition{given: item{"s": "banana"},
			where: "begins_with(s)", refused: true},
		"begins_with of three operands is refused": condition{given: item{"s": "banana"},
			where: "begins_with(s, :a, :b)", values: item{":a": "a", ":b": "b"}, refused: true},
		"contains of an absent attribute does not hold": condition{where: "contains(x, :v)",
			values: item{":v": 1}},
		"contains of a number does not hold": condition{given: item{"n": 12},
			where: "contains(n, :v)", values: item{":v": 1}},
		"contains does not find the keys of a map": condition{given: item{"m": item{"a": 1}},
			where: "contains(m, :v)", values: item{":v": "a"}},
		"contains accepts an attribute as the second operand": condition{given: item{"l": list{"a", "b"}, "s": "b"},
			where: "contains(l, s)", holds: true},
		"contains finds a set within a list": condition{given: item{"l": list{words{"a", "b"}}},
			where: "contains(l, :v)", values: item{":v": words{"b", "a"}}, holds: true},
		"contains does not find a sublist": condition{given: item{"l": list{list{1, 2}}},
			where: "contains(l, :v)", values: item{":v": list{1}}},
		"contains of a string and a number does not hold": condition{given: item{"s": "12"},
			where: "contains(s, :v)", values: item{":v": 1}},
		"contains of a string set and a number does not hold": condition{given: item{"ss": words{"1"}},
			where: "contains(ss, :v)", values: item{":v": 1}},
		"contains of one operand is refused": condition{given: item{"s": "banana"},
			where: "contains(s)", refused: true},
		"contains of an attribute in itself is refused": condition{given: item{"s": "banana"},
			where: "contains(s, s)", refused: true},
		"an unknown function is refused": condition{given: item{"s": "banana"},
			where: "ends_with(s, :v)", values: item{":v": "a"}, refused: true},
		"the names of functions are case-sensitive": condition{given: item{"s": "banana"},
			where: "BEGINS_WITH(s, :v)", values: item{":v": "a"}, refused: true},
		"a function that is not a condition is refused": condition{given: item{"n": 1},
			where: "if_not_exists(n, :v)", values: item{":v": 1}, refused: true},
		"a condition as an operand is refused": condition{given: item{"n": 1},
			where: "attribute_exists(n) = :v", values: item{":v": true}, refused: true},
		"a function needs a path, not another function": condition{given: item{"n": 1},
			where: "attribute_exists(size(n))", refused: true},
	})
	return all
}

// sizes are the cases of size().
func sizes() map[string]example {
	all := map[string]example{}
	for kind, sized := range map[string]struct {
		value any
		size  int
	}{
		"a string in characters":   {"héllo", 5},
		"an empty string":          {"", 0},
		"binary in bytes":          {[]byte{1, 2, 3}, 3},
		"empty binary":             {[]byte{}, 0},
		"a string set in elements": {words{"abc", "b"}, 2},
		"a number set in elements": {numbers{"1", "22", "3"}, 3},
		"a binary set in elements": {blobs{{1}, {2, 2}}, 2},
		"a list in elements":       {list{1, list{2, 3}, nil}, 3},
		"an empty list":            {list{}, 0},
		"a map in elements":        {item{"a": 1, "b": item{"c": 1, "d": 2}}, 2},
		"an empty map":             {item{}, 0},
	} {
		all["size returns that of "+kind] = condition{given: item{"x": sized.value}, where: "size(x) = :v",
			values: item{":v": sized.size}, holds: true}
	}
	for _, kind := range []string{"N", "BOOL", "NULL"} {
		all["size of "+kind+" matches nothing"] = condition{given: item{"x": kinds[kind]}, where: "size(x) >= :v",
			values: item{":v": 0}}
	}
	maps.Copy(all, map[string]example{
		"size of an absent attribute matches nothing": condition{where: "size(x) >= :v", values: item{":v": 0}},
		"size may be on the right": condition{given: item{"s": "abc"}, where: ":v < size(s)",
			values: item{":v": 2}, holds: true},
		"size compares to size": condition{given: item{"s": "abc", "l": list{1, 2}},
			where: "size(s) > size(l)", holds: true},
		"size compares to an attribute": condition{given: item{"s": "abc", "n": 3}, where: "size(s) = n",
			holds: true},
		"size finds parts of documents": condition{given: item{"m": item{"l": list{"abcd"}}},
			where: "size(m.l[0]) = :v", values: item{":v": 4}, holds: true},
		"size may be in BETWEEN": condition{given: item{"s": "abc"},
			where: "size(s) BETWEEN :a AND :b", values: item{":a": 1, ":b": 3}, holds: true},
		"size may be in IN": condition{given: item{"s": "abc"}, where: "size(s) IN (:a, :b)",
			values: item{":a": 1, ":b": 3}, holds: true},
		"size compared to a string does not hold": condition{given: item{"s": "abc"}, where: "size(s) = :v",
			values: item{":v": "3"}},
		"size alone is not a condition": condition{given: item{"s": "abc"}, where: "size(s)",
			refused: true},
		"size of two paths is refused": condition{given: item{"s": "abc"}, where: "size(s, t) = :v",
			values: item{":v": 1}, refused: true},
		"size of a number value is refused": condition{where: "size(:n) = :v", values: item{":n": 1, ":v": 1},
			refused: true},
		"size of a string value is its size": condition{where: "size(:s) = :v",
			values: item{":s": "abc", ":v": 3}, holds: true},
		"an attribute may be called size": condition{given: item{"size": 3}, where: "#size = :v",
			names: names{"#size": "size"}, values: item{":v": 3}, holds: true},
	})
	return all
}

// logic is the cases of AND, OR, NOT, precedence and parentheses, on a row with y = 1 and n = 0.
func logic() map[string]example {
	row := item{"y": 1, "n": 0}
	all := map[string]example{}
	for where, holds := range map[string]bool{
		"y = :1 AND y = :1":                              true,
		"y = :1 AND n = :1":                              false,
		"n = :1 OR y = :1":                               true,
		"n = :1 OR n = :1":                               false,
		"NOT n = :1":                                     true,
		"NOT y = :1":                                     false,
		"NOT NOT y = :1":                                 true,
		"y = :1 OR y = :1 AND n = :1":                    true,
		"(y = :1 OR y = :1) AND n = :1":                  false,
		"n = :1 AND n = :1 OR y = :1":                    true,
		"n = :1 AND (n = :1 OR y = :1)":                  false,
		"NOT n = :1 AND n = :1":                          false,
		"NOT (n = :1 AND n = :1)":                        true,
		"NOT y = :1 OR y = :1":                           true,
		"NOT (y = :1 OR y = :1)":                         false,
		"NOT absent = :1":                                true,
		"(y = :1)":                                       true,
		"(y) = (:1)":                                     true,
		"not n = :1 and y = :1 or n = :1":                true,
		"Not n = :1 aNd y = :1":                          true,
		"y = :1 AND NOT n = :1 AND y = :1":               true,
		"y BETWEEN :1 AND :1 AND y = :1":                 true,
		"NOT y BETWEEN :1 AND :1":                        false,
		"NOT n IN (:1)":                                  true,
		"y=:1 AND n<>:1":                                 true,
		"y = :1 AND(n = :1 OR y = :1)AND NOT(n=:1)":      true,
		"\ty\n=\r\n:1 ":                                  true,
		"n = :1 OR (n = :1 OR (n = :1 OR NOT (n = :1)))": true,
	} {
		all[fmt.Sprintf("logic: %q is %t", where, holds)] = condition{given: row, where: where,
			values: used(where, item{":1": 1}), holds: holds}
	}
	for _, where := range []string{
		"y = :1 AND", "AND y = :1", "y = :1 OR OR y = :1", "NOT", "(y = :1", "y = :1)", "y = :1 y = :1", "()",
		"y = (y = :1)",
		"y NOT IN (:1)", "y NOT BETWEEN :1 AND :1", "y != :1", "y == :1", "y = :1 && y = :1", "y = :1 XOR y = :1",
		"((y = :1))",
	} {
		all[fmt.Sprintf("logic: %q is refused", where)] = condition{given: row, where: where,
			values: used(where, item{":1": 1}), refused: true}
	}
	return all
}

// paths are the cases of document paths.
func paths() map[string]example {
	row := item{"m": item{"a": item{"b": list{1, item{"c": "x"}}}, "a.b": 7, "key": 8}, "l": list{list{5}}, "a-b": 9,
		"ß": 10, "_u": 11, "n1": 12}
	all := map[string]example{}
	for where, reached := range map[string]struct {
		names names
		value any
	}{
		"m.a.b[0] = :v":           {nil, 1},
		"m.a.b[1].c = :v":         {nil, "x"},
		"l[0][0] = :v":            {nil, 5},
		"m . a . b [ 0 ] = :v":    {nil, 1},
		"#m.#a.b[0] = :v":         {names{"#m": "m", "#a": "a"}, 1},
		"m.#dotted = :v":          {names{"#dotted": "a.b"}, 7},
		"m.#k = :v":               {names{"#k": "key"}, 8},
		"#dash = :v":              {names{"#dash": "a-b"}, 9},
		"#sharp = :v":             {names{"#sharp": "ß"}, 10},
		"#u = :v":                 {names{"#u": "_u"}, 11},
		"n1 = :v":                 {nil, 12},
		"#1 = :v":                 {names{"#1": "n1"}, 12},
		"#n1.#n1 = :v OR n1 = :v": {names{"#n1": "n1"}, 12},
	} {
		all[fmt.Sprintf("a path reaches %q", where)] = condition{given: row, where: where, names: reached.names,
			values: item{":v": reached.value}, holds: true}
	}
	for _, where := range []string{
		"m.b = :v", "m.a.b[2] = :v", "l.a = :v", "m[0] = :v", "n1.a = :v", "n1[0] = :v", "l[0][0][0] = :v",
		"m.a.b[1].d = :v",
	} {
		all[fmt.Sprintf("a path finds nothing at %q", where)] = condition{given: row, where: where,
			values: item{":v": 1}}
	}
	for _, where := range []string{
		"m..a = :v", ".m = :v", "m. = :v", "l[ = :v", "l[] = :v", "l[-1] = :v", "l[a] = :v", "l[:v] = :v",
		"l[1.5] = :v", "a-b = :v", "ß = :v", "_u = :v", "1n = :v", "\"m\" = :v", "'m' = :v", "m = 1", "[0] = :v",
	} {
		all[fmt.Sprintf("invalid path %q is refused", where)] = condition{given: row, where: where,
			values: used(where, item{":v": 1}), refused: true}
	}
	return all
}

// mistakes are the cases of invalid names and values.
func mistakes() map[string]example {
	all := map[string]example{
		"an undefined value is refused": condition{where: "n = :v", refused: true},
		"an undefined name is refused": condition{where: "#n = :v", values: item{":v": 1},
			refused: true},
		"an unused value is refused": condition{where: "n = :v",
			values: item{":v": 1, ":w": 2}, refused: true},
		"an unused name is refused": condition{where: "n = :v", names: names{"#n": "n"},
			values: item{":v": 1}, refused: true},
		"a value without its colon is refused": condition{where: "n = :v", values: item{":v": 1, "w": 2},
			refused: true},
		"a name without its hash is refused": condition{where: "n = :v", names: names{"n": "n"},
			values: item{":v": 1}, refused: true},
		"an empty name is refused": condition{where: "#n = :v", names: names{"#n": ""},
			values: item{":v": 1}, refused: true},
		"an empty expression is refused":     condition{where: "", refused: true},
		"an expression of blanks is refused": condition{where: "  ", refused: true},
		"an invalid number is refused": condition{where: "n = :v",
			values: item{":v": number("x")}, refused: true},
		"an empty set as a value is refused": condition{where: "n = :v", values: item{":v": words{}},
			refused: true},
		"a set with a duplicate as a value is refused": condition{where: "n = :v",
			values: item{":v": words{"a", "a"}}, refused: true},
		"a name that is only a hash is refused": condition{where: "# = :v", names: names{"#": "n"},
			values: item{":v": 1}, refused: true},
		"a value that is only a colon is refused": condition{where: "n = :", values: item{":": 1},
			refused: true},
		"a value may be used twice": condition{given: item{"a": 1, "b": 1},
			where: "a = :v AND b = :v", values: item{":v": 1}, holds: true},
		"a name may be used twice": condition{given: item{"a": 1},
			where: "#a = :v AND attribute_exists(#a)", names: names{"#a": "a"}, values: item{":v": 1}, holds: true},
		"names and values are case-sensitive": condition{given: item{"a": 1, "A": 2},
			where: "a = :v AND A = :V", values: item{":v": 1, ":V": 2}, holds: true},
		"values without an expression are refused": scenario(valuesAlone),
		"names without an expression are refused":  scenario(namesAlone),
		"a reserved word may be used as a placeholder's name": condition{given: item{"status": 1}, where: "#s = :v",
			names: names{"#s": "status"}, values: item{":v": 1}, holds: true},
		"a reserved word within a longer word is allowed": condition{given: item{"statusOf": 1},
			where: "statusOf = :v", values: item{":v": 1}, holds: true},
	}
	for _, word := range []string{
		"status", "Status", "STATUS", "name", "size", "count", "data", "date", "item", "key", "order", "owner",
		"range", "state", "timestamp", "ttl", "type", "url", "user", "value", "year", "zone", "abort", "counter",
		"hash", "level", "list", "map", "method", "number", "path", "position", "role", "segment", "time", "total",
		"uuid", "view", "wait",
	} {
		all["the reserved word "+word+" is refused"] = condition{given: item{word: 1}, where: word + " = :v",
			values: item{":v": 1}, refused: true}
	}
	all["a reserved word within a path is refused"] = condition{given: item{"m": item{"status": 1}},
		where: "m.status = :v", values: item{":v": 1}, refused: true}
	return all
}

func valuesAlone(t conformance.T, s *stage) {
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &s.things, Item: attributes(thing(t)), ExpressionAttributeValues: attributes(item{":v": 1}),
	})
	refuses(t, err, invalid, "")
}

func namesAlone(t conformance.T, s *stage) {
	_, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &s.things, Key: attributes(thing(t)), ExpressionAttributeNames: names{"#n": "n"},
	})
	refuses(t, err, invalid, "")
}
