package dynamotest

import (
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

// update is an update expression that changes an item, or that is refused and changes nothing.
type update struct {
	given   item
	do      string
	names   names
	values  item
	becomes item
	refused bool // as invalid
}

func (u update) check(t conformance.T, s *stage) {
	before := with(thing(t), u.given)
	s.put(t, s.things, before)
	done, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.things, Key: attributes(thing(t)), UpdateExpression: &u.do,
		ExpressionAttributeNames: u.names, ExpressionAttributeValues: attributes(u.values),
		ReturnValues: types.ReturnValueAllNew,
	})
	if u.refused {
		refuses(t, err, invalid, "")
		s.holds(t, s.things, thing(t), before)
		return
	}
	require.NoError(t, err)
	after := with(thing(t), u.becomes)
	require.Equal(t, text(attributes(after)), text(done.Attributes), "the attributes of ALL_NEW")
	s.holds(t, s.things, thing(t), after)
}

// creation is an update of an absent item.
type creation struct {
	do      string
	values  item
	becomes item
	refused bool // as invalid
}

func (c creation) check(t conformance.T, s *stage) {
	_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.things, Key: attributes(thing(t)), UpdateExpression: &c.do,
		ExpressionAttributeValues: attributes(c.values),
	})
	if c.refused {
		refuses(t, err, invalid, "")
		s.holds(t, s.things, thing(t), nil)
		return
	}
	require.NoError(t, err)
	s.holds(t, s.things, thing(t), with(thing(t), c.becomes))
}

func updates() map[string]example {
	all := map[string]example{}
	maps.Copy(all, settings())
	maps.Copy(all, operands())
	maps.Copy(all, removals())
	maps.Copy(all, additions())
	maps.Copy(all, deletions())
	maps.Copy(all, clauses())
	return all
}

// settings are the cases of the paths that SET changes.
func settings() map[string]example {
	all := map[string]example{}
	for kind, value := range kinds {
		all["SET stores "+kind] = update{given: item{"x": "old"}, do: "SET x = :v", values: item{":v": value},
			becomes: item{"x": value}}
	}
	maps.Copy(all, map[string]example{
		"SET creates an absent item": creation{do: "SET n = :v", values: item{":v": 1},
			becomes: item{"n": 1}},
		"SET keeps other attributes": update{given: item{"a": 1, "b": 2}, do: "SET b = :v",
			values: item{":v": 3}, becomes: item{"a": 1, "b": 3}},
		"SET of several attributes": update{do: "SET a = :a, b = :b,c=:a",
			values: item{":a": 1, ":b": 2}, becomes: item{"a": 1, "b": 2, "c": 1}},
		"SET changes a member of a map": update{given: item{"m": item{"a": 1, "b": 2}},
			do: "SET m.b = :v", values: item{":v": 3}, becomes: item{"m": item{"a": 1, "b": 3}}},
		"SET adds to a map": update{given: item{"m": item{"a": 1}}, do: "SET m.b = :v",
			values: item{":v": item{}}, becomes: item{"m": item{"a": 1, "b": item{}}}},
		"SET changes a map in a list in a map": update{given: item{"m": item{"l": list{0, item{"a": 1}}}},
			do: "SET m.l[1].a = :v", values: item{":v": 2}, becomes: item{"m": item{"l": list{0, item{"a": 2}}}}},
		"SET of two attributes of one map": update{given: item{"m": item{}},
			do: "SET m.a = :v, m.b = :v", values: item{":v": 2}, becomes: item{"m": item{"a": 2, "b": 2}}},
		"SET by another name": update{do: "SET #s = :v", names: names{"#s": "status"},
			values: item{":v": 1}, becomes: item{"status": 1}},
		"SET by other names within a path": update{given: item{"m": item{"a.b": item{}}},
			do: "SET #m.#ab.c = :v", names: names{"#m": "m", "#ab": "a.b"}, values: item{":v": 1},
			becomes: item{"m": item{"a.b": item{"c": 1}}}},
		"SET replaces an element of a list": update{given: item{"l": list{1, 2, 3}},
			do: "SET l[1] = :v", values: item{":v": "two"}, becomes: item{"l": list{1, "two", 3}}},
		"SET just beyond a list appends": update{given: item{"l": list{1}}, do: "SET l[1] = :v",
			values: item{":v": 2}, becomes: item{"l": list{1, 2}}},
		"SET far beyond a list appends": update{given: item{"l": list{1}}, do: "SET l[9] = :v",
			values: item{":v": 2}, becomes: item{"l": list{1, 2}}},
		"SET beyond an empty list appends": update{given: item{"l": list{}}, do: "SET l[3] = :v",
			values: item{":v": 2}, becomes: item{"l": list{2}}},
		"SETs beyond a list append in the order of indexes": update{given: item{"l": list{1}},
			do: "SET l[7] = :b, l[5] = :a", values: item{":a": 2, ":b": 3}, becomes: item{"l": list{1, 2, 3}}},
		"SET in a list and beyond it": update{given: item{"l": list{1, 2}},
			do: "SET l[5] = :b, l[0] = :a", values: item{":a": "a", ":b": "b"}, becomes: item{"l": list{"a", 2, "b"}}},
		"SET in a list of lists": update{given: item{"l": list{list{1}}},
			do: "SET l[0][0] = :v", values: item{":v": 2}, becomes: item{"l": list{list{2}}}},
		"SET of null keeps the attribute": update{given: item{"x": 1}, do: "SET x = :v",
			values: item{":v": nil}, becomes: item{"x": nil}},
		"SET of an empty string": update{do: "SET s = :v", values: item{":v": ""},
			becomes: item{"s": ""}},
		"SET of empty binary": update{do: "SET b = :v", values: item{":v": []byte{}},
			becomes: item{"b": []byte{}}},
		"SET into an absent map is refused": update{do: "SET m.a = :v", values: item{":v": 1},
			refused: true},
		"SET into a map of an absent item is refused": creation{do: "SET m.a = :v", values: item{":v": 1},
			refused: true},
		"SET into an absent list is refused": update{do: "SET l[0] = :v", values: item{":v": 1},
			refused: true},
		"SET into a number is refused": update{given: item{"n": 1}, do: "SET n.a = :v",
			values: item{":v": 1}, refused: true},
		"SET of an element of a map is refused": update{given: item{"m": item{}}, do: "SET m[0] = :v",
			values: item{":v": 1}, refused: true},
		"SET of a name in a list is refused": update{given: item{"l": list{1}}, do: "SET l.a = :v",
			values: item{":v": 1}, refused: true},
		"SET below an absent element is refused": update{given: item{"l": list{1}}, do: "SET l[1].a = :v",
			values: item{":v": 1}, refused: true},
		"SET of the key is refused": update{do: "SET id = :v", values: item{":v": "other"},
			refused: true},
		"SET of the key by another name is refused": update{do: "SET #k = :v", names: names{"#k": "id"},
			values: item{":v": "other"}, refused: true},
		"SET of an empty set is refused": update{do: "SET ss = :v", values: item{":v": words{}},
			refused: true},
		"SET of a reserved word is refused": update{do: "SET status = :v", values: item{":v": 1},
			refused: true},
		"SET of a value is refused": update{do: "SET :v = :v", values: item{":v": 1},
			refused: true},
		"SET of a literal number is refused": update{do: "SET n = 1", refused: true},
		"SET of a condition is refused":      update{do: "SET n = attribute_exists(a)", refused: true},
	})
	return all
}

// operands are the cases of the operands of SET: paths, sums, differences, if_not_exists and
// list_append.
func operands() map[string]example {
	return map[string]example{
		"SET copies an attribute": update{given: item{"a": item{"b": list{1}}},
			do: "SET c = a.b[0]", becomes: item{"a": item{"b": list{1}}, "c": 1}},
		"SET swaps attributes: all are read before any changes": update{given: item{"a": 1, "b": 2},
			do: "SET a = b, b = a", becomes: item{"a": 2, "b": 1}},
		"SET reads before REMOVE removes": update{given: item{"a": 1}, do: "REMOVE a SET b = a",
			becomes: item{"b": 1}},
		"SET of an absent attribute is refused": update{do: "SET a = b", refused: true},
		"SET of an attribute that another SET creates is refused": update{do: "SET a = :v, b = a",
			values: item{":v": 1}, refused: true},
		"SET adds": update{given: item{"n": 2}, do: "SET n = n + :v",
			values: item{":v": 3}, becomes: item{"n": 5}},
		"SET adds a negative number": update{given: item{"n": 2}, do: "SET n = n + :v",
			values: item{":v": -3}, becomes: item{"n": -1}},
		"SET subtracts": update{given: item{"n": 2}, do: "SET n = n - :v",
			values: item{":v": number("0.5")}, becomes: item{"n": number("1.5")}},
		"SET subtracts from a value": update{given: item{"n": 2}, do: "SET n = :v - n",
			values: item{":v": 3}, becomes: item{"n": 1}},
		"SET adds two values": update{do: "SET n = :a + :b",
			values: item{":a": 1, ":b": 2}, becomes: item{"n": 3}},
		"SET adds two attributes": update{given: item{"a": 1, "m": item{"b": 2}},
			do: "SET n = a + m.b", becomes: item{"a": 1, "m": item{"b": 2}, "n": 3}},
		"SET adds without blanks": update{given: item{"n": 2}, do: "SET n=n+:v",
			values: item{":v": 3}, becomes: item{"n": 5}},
		"SET adds exactly": update{given: item{"n": number("0.1")},
			do: "SET n = n + :v", values: item{":v": number("0.2")}, becomes: item{"n": number("0.3")}},
		"SET adds to 38 digits": update{given: item{"n": number(
			"99999999999999999999999999999999999998")}, do: "SET n = n + :v", values: item{":v": 1},
			becomes: item{"n": number("99999999999999999999999999999999999999")}},
		"SET adds in a list": update{given: item{"l": list{1, 2}},
			do: "SET l[1] = l[1] + :v", values: item{":v": 3}, becomes: item{"l": list{1, 5}}},
		"SET cannot add to an absent attribute": update{do: "SET n = n + :v", values: item{":v": 1},
			refused: true},
		"SET cannot add to a string": update{given: item{"s": "1"}, do: "SET s = s + :v",
			values: item{":v": 1}, refused: true},
		"SET cannot add a string": update{given: item{"n": 1}, do: "SET n = n + :v",
			values: item{":v": "1"}, refused: true},
		"SET cannot add a set": update{given: item{"ns": numbers{"1"}},
			do: "SET ns = ns + :v", values: item{":v": numbers{"2"}}, refused: true},
		"SET of three summands is refused": update{given: item{"n": 1}, do: "SET n = n + :v + :v",
			values: item{":v": 1}, refused: true},
		"SET cannot multiply": update{given: item{"n": 1}, do: "SET n = n * :v",
			values: item{":v": 2}, refused: true},
		"if_not_exists keeps an existing attribute": update{given: item{"n": 1},
			do: "SET n = if_not_exists(n, :v)", values: item{":v": 2}, becomes: item{"n": 1}},
		"if_not_exists keeps null": update{given: item{"n": nil},
			do: "SET n = if_not_exists(n, :v)", values: item{":v": 2}, becomes: item{"n": nil}},
		"if_not_exists sets an absent attribute": update{do: "SET n = if_not_exists(n, :v)",
			values: item{":v": 2}, becomes: item{"n": 2}},
		"if_not_exists in an absent item": creation{do: "SET n = if_not_exists(n, :v)",
			values: item{":v": 2}, becomes: item{"n": 2}},
		"if_not_exists can check another attribute": update{given: item{"a": 1},
			do: "SET n = if_not_exists(a, :v)", values: item{":v": 2}, becomes: item{"a": 1, "n": 1}},
		"if_not_exists falls back to an attribute": update{given: item{"a": 1},
			do: "SET n = if_not_exists(b, a)", becomes: item{"a": 1, "n": 1}},
		"if_not_exists finds parts of documents": update{given: item{"m": item{"l": list{7}}},
			do: "SET n = if_not_exists(m.l[0], :v), o = if_not_exists(m.l[1], :v)", values: item{":v": 2},
			becomes: item{"m": item{"l": list{7}}, "n": 7, "o": 2}},
		"if_not_exists starts a counter": update{do: "SET n = if_not_exists(n, :zero) + :one",
			values: item{":zero": 0, ":one": 1}, becomes: item{"n": 1}},
		"if_not_exists continues a counter": update{given: item{"n": 4},
			do: "SET n = if_not_exists(n, :zero) + :one", values: item{":zero": 0, ":one": 1}, becomes: item{"n": 5}},
		"if_not_exists within itself": update{given: item{"b": 1},
			do: "SET n = if_not_exists(a, if_not_exists(b, :v))", values: item{":v": 2}, becomes: item{"b": 1, "n": 1}},
		"if_not_exists cannot fall back to an absent attribute": update{do: "SET n = if_not_exists(a, b)",
			refused: true},
		"if_not_exists of a value is refused": update{do: "SET n = if_not_exists(:v, :w)",
			values: item{":v": 1, ":w": 2}, refused: true},
		"if_not_exists of one operand is refused": update{do: "SET n = if_not_exists(n)", refused: true},
		"if_not_exists of three operands is refused": update{do: "SET n = if_not_exists(n, :v, :v)",
			values: item{":v": 1}, refused: true},
		"list_append appends": update{given: item{"l": list{1}},
			do: "SET l = list_append(l, :v)", values: item{":v": list{2, 3}}, becomes: item{"l": list{1, 2, 3}}},
		"list_append prepends": update{given: item{"l": list{1}},
			do: "SET l = list_append(:v, l)", values: item{":v": list{2, 3}}, becomes: item{"l": list{2, 3, 1}}},
		"list_append repeats a list": update{given: item{"l": list{1, 2}},
			do: "SET l = list_append(l, l)", becomes: item{"l": list{1, 2, 1, 2}}},
		"list_append of two values": update{do: "SET l = list_append(:a, :b)",
			values: item{":a": list{1}, ":b": list{}}, becomes: item{"l": list{1}}},
		"list_append within a document": update{given: item{"m": item{"l": list{1}}},
			do: "SET m.l = list_append(m.l, :v)", values: item{":v": list{item{}}},
			becomes: item{"m": item{"l": list{1, item{}}}}},
		"list_append starts a list": update{do: "SET l = list_append(if_not_exists(l, " +
			":none), :v)", values: item{":none": list{}, ":v": list{1}}, becomes: item{"l": list{1}}},
		"list_append to an absent attribute is refused": update{do: "SET l = list_append(l, :v)",
			values: item{":v": list{1}}, refused: true},
		"list_append to a string is refused": update{given: item{"s": "a"},
			do: "SET s = list_append(s, :v)", values: item{":v": list{1}}, refused: true},
		"list_append of a number is refused": update{given: item{"l": list{1}},
			do: "SET l = list_append(l, :v)", values: item{":v": 2}, refused: true},
		"list_append of a set is refused": update{given: item{"l": list{1}},
			do: "SET l = list_append(l, :v)", values: item{":v": numbers{"2"}}, refused: true},
		"list_append of one operand is refused": update{given: item{"l": list{1}},
			do: "SET l = list_append(l)", refused: true},
		"list_append of three operands is refused": update{given: item{"l": list{1}},
			do: "SET l = list_append(l, l, l)", refused: true},
		"an unknown function is refused in SET": update{given: item{"l": list{1}},
			do: "SET n = length(l)", refused: true},
		"size is refused in SET": update{given: item{"l": list{1}},
			do: "SET n = size(l)", refused: true},
	}
}

func removals() map[string]example {
	return map[string]example{
		"REMOVE removes": update{given: item{"a": 1, "b": 2, "c": 3}, do: "REMOVE a, b", becomes: item{"c": 3}},
		"REMOVE of an absent attribute changes nothing": update{given: item{"a": 1}, do: "REMOVE b",
			becomes: item{"a": 1}},
		"REMOVE from a map": update{given: item{"m": item{"a": 1, "b": 2}},
			do: "REMOVE m.a", becomes: item{"m": item{"b": 2}}},
		"REMOVE of an absent member changes nothing": update{given: item{"m": item{"a": 1}}, do: "REMOVE m.b",
			becomes: item{"m": item{"a": 1}}},
		"REMOVE of the last member leaves an empty map": update{given: item{"m": item{"a": 1}}, do: "REMOVE m.a",
			becomes: item{"m": item{}}},
		"REMOVE from a list moves the rest": update{given: item{"l": list{1, 2, 3}}, do: "REMOVE l[0]",
			becomes: item{"l": list{2, 3}}},
		"REMOVE of two elements uses their old indexes": update{given: item{"l": list{1, 2, 3, 4}},
			do: "REMOVE l[1], l[2]", becomes: item{"l": list{1, 4}}},
		"REMOVE of two elements in the other order": update{given: item{"l": list{1, 2, 3, 4}},
			do: "REMOVE l[3], l[0]", becomes: item{"l": list{2, 3}}},
		"REMOVE beyond a list changes nothing": update{given: item{"l": list{1}}, do: "REMOVE l[4]",
			becomes: item{"l": list{1}}},
		"REMOVE within an element of a list": update{given: item{"l": list{item{"a": 1, "b": 2}}},
			do: "REMOVE l[0].a", becomes: item{"l": list{item{"b": 2}}}},
		"REMOVE by another name": update{given: item{"status": 1}, do: "REMOVE #s",
			names: names{"#s": "status"}},
		"REMOVE from an absent map is refused": update{do: "REMOVE m.a", refused: true},
		"REMOVE of an element of a map is refused": update{given: item{"m": item{}}, do: "REMOVE m[0]",
			refused: true},
		"REMOVE of the key is refused": update{do: "REMOVE id", refused: true},
		"REMOVE of a value is refused": update{do: "REMOVE :v", values: item{":v": 1},
			refused: true},
		"REMOVE and SET in one list": update{given: item{"l": list{1, 2, 3}},
			do: "REMOVE l[0] SET l[2] = :v", values: item{":v": "x"}, becomes: item{"l": list{2, "x"}}},
		"REMOVE with an assignment is refused": update{given: item{"a": 1}, do: "REMOVE a = :v",
			values: item{":v": 1}, refused: true},
		"REMOVE from an absent item creates it":            creation{do: "REMOVE a"},
		"an update without an expression creates the item": scenario(nothingDone),
		"an update of the item's last attribute keeps it":  update{given: item{"a": 1}, do: "REMOVE a"},
		"an update with an invalid part changes nothing": update{given: item{"a": 1, "s": "x"},
			do: "SET a = :v, s = s + :v", values: item{":v": 2}, refused: true},
	}
}

func nothingDone(t conformance.T, s *stage) {
	_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &s.things, Key: attributes(thing(t))})
	require.NoError(t, err)
	s.holds(t, s.things, thing(t), thing(t))
}

func additions() map[string]example {
	return map[string]example{
		"ADD adds to a number": update{given: item{"n": 2}, do: "ADD n :v", values: item{":v": 3},
			becomes: item{"n": 5}},
		"ADD subtracts a negative number": update{given: item{"n": 2}, do: "ADD n :v", values: item{":v": -5},
			becomes: item{"n": -3}},
		"ADD treats an absent attribute as 0": update{do: "ADD n :v", values: item{":v": 3}, becomes: item{"n": 3}},
		"ADD creates an absent item": creation{do: "ADD n :v", values: item{":v": -3},
			becomes: item{"n": -3}},
		"ADD joins string sets": update{given: item{"ss": words{"a", "b"}}, do: "ADD ss :v",
			values: item{":v": words{"b", "c"}}, becomes: item{"ss": words{"a", "b", "c"}}},
		"ADD joins number sets": update{given: item{"ns": numbers{"1"}}, do: "ADD ns :v",
			values: item{":v": numbers{"1.0", "2"}}, becomes: item{"ns": numbers{"1", "2"}}},
		"ADD joins binary sets": update{given: item{"bs": blobs{{1}}}, do: "ADD bs :v",
			values: item{":v": blobs{{2}}}, becomes: item{"bs": blobs{{1}, {2}}}},
		"ADD creates a set": update{do: "ADD ss :v", values: item{":v": words{"a"}},
			becomes: item{"ss": words{"a"}}},
		"ADD to several attributes": update{given: item{"n": 1}, do: "ADD n :n, ss :ss",
			values: item{":n": 1, ":ss": words{"a"}}, becomes: item{"n": 2, "ss": words{"a"}}},
		"ADD to a string is refused": update{given: item{"s": "1"}, do: "ADD s :v", values: item{":v": 1},
			refused: true},
		"ADD to a list is refused": update{given: item{"l": list{1}}, do: "ADD l :v",
			values: item{":v": 1}, refused: true},
		"ADD of a string is refused": update{do: "ADD s :v", values: item{":v": "1"}, refused: true},
		"ADD of a list is refused":   update{do: "ADD l :v", values: item{":v": list{1}}, refused: true},
		"ADD of a number to a set is refused": update{given: item{"ns": numbers{"1"}}, do: "ADD ns :v",
			values: item{":v": 1}, refused: true},
		"ADD of a set to a number is refused": update{given: item{"n": 1}, do: "ADD n :v",
			values: item{":v": numbers{"1"}}, refused: true},
		"ADD of another kind of set is refused": update{given: item{"ns": numbers{"1"}}, do: "ADD ns :v",
			values: item{":v": words{"1"}}, refused: true},
		"ADD of an empty set is refused":     update{do: "ADD ss :v", values: item{":v": words{}}, refused: true},
		"ADD of an attribute is refused":     update{given: item{"a": 1}, do: "ADD n a", refused: true},
		"ADD of the key is refused":          update{do: "ADD id :v", values: item{":v": 1}, refused: true},
		"ADD with an equals sign is refused": update{do: "ADD n = :v", values: item{":v": 1}, refused: true},
	}
}

func deletions() map[string]example {
	return map[string]example{
		"DELETE takes from a string set": update{given: item{"ss": words{"a", "b", "c"}},
			do: "DELETE ss :v", values: item{":v": words{"a", "c"}}, becomes: item{"ss": words{"b"}}},
		"DELETE takes from a number set": update{given: item{"ns": numbers{"1", "2"}},
			do: "DELETE ns :v", values: item{":v": numbers{"1.0"}}, becomes: item{"ns": numbers{"2"}}},
		"DELETE takes from a binary set": update{given: item{"bs": blobs{{1}, {2}}},
			do: "DELETE bs :v", values: item{":v": blobs{{2}}}, becomes: item{"bs": blobs{{1}}}},
		"DELETE of all elements removes the set": update{given: item{"ss": words{"a", "b"}},
			do: "DELETE ss :v", values: item{":v": words{"a", "b", "c"}}},
		"DELETE of an absent element changes nothing": update{given: item{"ss": words{"a"}}, do: "DELETE ss :v",
			values: item{":v": words{"b"}}, becomes: item{"ss": words{"a"}}},
		"DELETE from an absent attribute changes nothing": update{given: item{"a": 1}, do: "DELETE ss :v",
			values: item{":v": words{"b"}}, becomes: item{"a": 1}},
		"DELETE from another kind of set is refused": update{given: item{"ns": numbers{"1"}}, do: "DELETE ns :v",
			values: item{":v": words{"1"}}, refused: true},
		"DELETE from a list is refused": update{given: item{"l": list{"a"}}, do: "DELETE l :v",
			values: item{":v": words{"a"}}, refused: true},
		"DELETE of a string is refused": update{given: item{"ss": words{"a"}}, do: "DELETE ss :v",
			values: item{":v": "a"}, refused: true},
		"DELETE of a number is refused": update{given: item{"n": 2}, do: "DELETE n :v",
			values: item{":v": 1}, refused: true},
		"DELETE of an empty set is refused": update{given: item{"ss": words{"a"}}, do: "DELETE ss :v",
			values: item{":v": words{}}, refused: true},
		"DELETE of an attribute needs a set": update{given: item{"ss": words{"a"}}, do: "DELETE ss",
			refused: true},
	}
}

// clauses are the cases of the structure of an update expression.
func clauses() map[string]example {
	row := item{"a": 1, "b": 2, "n": 3, "ss": words{"x", "y"}, "m": item{"a": 1, "b": item{"c": 2}},
		"l": list{1, item{"a": 1}}}
	all := map[string]example{
		"the four clauses at once": update{given: item{"a": 1, "b": 2, "n": 3, "ss": words{"x", "y"}},
			do: "SET a = :a REMOVE b ADD n :n DELETE ss :ss", values: item{":a": 9, ":n": 1, ":ss": words{"x"}},
			becomes: item{"a": 9, "n": 4, "ss": words{"y"}}},
		"the four clauses in any order": update{given: item{"a": 1, "b": 2, "n": 3, "ss": words{"x", "y"}},
			do: "DELETE ss :ss ADD n :n REMOVE b SET a = :a", values: item{":a": 9, ":n": 1, ":ss": words{"x"}},
			becomes: item{"a": 9, "n": 4, "ss": words{"y"}}},
		"clauses in small letters": update{given: item{"a": 1, "b": 2}, do: "set a = :a remove b add n :n",
			values: item{":a": 9, ":n": 1}, becomes: item{"a": 9, "n": 1}},
		"paths may share a prefix": update{given: item{"m": item{"a": 1}}, do: "SET m.a = :v, m.ab = :v, ma = :v",
			values: item{":v": 2}, becomes: item{"m": item{"a": 2, "ab": 2}, "ma": 2}},
		"two elements of a list at once": update{given: item{"l": list{1, 2}}, do: "SET l[0] = :v, l[1] = :v",
			values: item{":v": 3}, becomes: item{"l": list{3, 3}}},
	}
	for _, do := range []string{
		"SET a = :v, a = :v", "SET a = :v REMOVE a", "SET m = :v, m.a = :v", "SET m.a = :v, m = :v",
		"SET m.b = :v REMOVE m.b.c", "SET l[0] = :v, l[0] = :v",
		"SET l[1] = :v, l[1].a = :v", "SET l = :v REMOVE l[0]", "SET n = :v ADD n :v", "SET m.a = :v, m[0] = :v",
		"REMOVE a, a ADD n :v", "REMOVE m, m.a ADD n :v",
	} {
		all[fmt.Sprintf("overlapping paths are refused: %q", do)] = update{given: row, do: do,
			values: used(do, item{":v": 1}), refused: true}
	}
	for _, do := range []string{
		"", " ", "SET", "a = :v", "SET a = :v SET b = :v", "REMOVE a REMOVE b ADD n :v", "SET a :v", "SET a == :v",
		"SET a = :v,", "SET a = :v b = :v", "SET , a = :v", "SET a = (", "SET a",
		"PUT a = :v", "SET a = :v; REMOVE b", "SET a = :v AND b = :v", "ADD n", "ADD n :v,", "REMOVE", "DELETE",
		"SET a = :v REMOVE", "SET a.b. = :v", "SET a = + :v", "SET a = -:v", "SET a = n +", "SETa = :v",
		"SET a = if_not_exists a, :v", "SET a = if_not_exists(a :v)", "SET a = :v + (b + :v)",
		"SET a = if_not_exists(a, b + :v)",
	} {
		all[fmt.Sprintf("invalid update %q is refused", do)] = update{given: row, do: do,
			values: used(do, item{":v": 1}), refused: true}
	}
	maps.Copy(all, map[string]example{
		"an update with an unused value is refused": update{do: "SET a = :v", values: item{":v": 1, ":w": 1},
			refused: true},
		"an update with an unused name is refused": update{do: "SET a = :v", names: names{"#a": "a"},
			values: item{":v": 1}, refused: true},
		"an update with an undefined value is refused": update{do: "SET a = :v", refused: true},
		"an update with an undefined name is refused":  update{do: "SET #a = :v", values: item{":v": 1}, refused: true},
		"an operand may be in parentheses": update{given: item{"n": 1}, do: "SET n = (n + :v)",
			values: item{":v": 2}, becomes: item{"n": 3}},
	})
	return all
}
