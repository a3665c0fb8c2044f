package dynamotest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"backroom/localstack/conformance"
)

// row returns the key of one of the case's rows.
func row(t conformance.T, name string) item { return item{"pk": t.Name(), "sk": name} }

// action returns an action on rows of a case.
type action func(t conformance.T, s *stage) types.TransactWriteItem

// puts stores a row if the condition where holds. An empty where always holds.
func puts(name string, more item, where string) action {
	return func(t conformance.T, s *stage) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: &s.rows, Item: attributes(with(row(t, name), more)),
			ConditionExpression: optional(where)}}
	}
}

// sets sets the attribute n of a row.
func sets(name string, n int, where string) action {
	return func(t conformance.T, s *stage) types.TransactWriteItem {
		return types.TransactWriteItem{Update: &types.Update{
			TableName: &s.rows, Key: attributes(row(t, name)), UpdateExpression: aws.String("SET n = :n"),
			ConditionExpression:       optional(where),
			ExpressionAttributeValues: attributes(item{":n": n}),
		}}
	}
}

func deletes(name, where string) action {
	return func(t conformance.T, s *stage) types.TransactWriteItem {
		return types.TransactWriteItem{Delete: &types.Delete{TableName: &s.rows, Key: attributes(row(t, name)),
			ConditionExpression: optional(where)}}
	}
}

func checks(name, where string) action {
	return func(t conformance.T, s *stage) types.TransactWriteItem {
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: &s.rows,
			Key: attributes(row(t, name)), ConditionExpression: &where}}
	}
}

// showing makes an action return the item if its condition fails.
func showing(do action) action {
	return func(t conformance.T, s *stage) types.TransactWriteItem {
		made, all := do(t, s), types.ReturnValuesOnConditionCheckFailureAllOld
		switch {
		case made.Put != nil:
			made.Put.ReturnValuesOnConditionCheckFailure = all
		case made.Update != nil:
			made.Update.ReturnValuesOnConditionCheckFailure = all
		case made.Delete != nil:
			made.Delete.ReturnValuesOnConditionCheckFailure = all
		case made.ConditionCheck != nil:
			made.ConditionCheck.ReturnValuesOnConditionCheckFailure = all
		}
		return made
	}
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// transaction is a list of actions on the rows a {n: 1} and b {n: 2}, with its effect.
type transaction struct {
	actions []action
	becomes map[string]item // nil: the row is deleted. Rows that are not named are unchanged.
	// the codes of a cancellation; with the name of a returned row, as in "ConditionalCheckFailed a"
	reasons []string
	refused bool // the whole transaction is refused as invalid
}

func (x transaction) check(t conformance.T, s *stage) {
	before := map[string]item{"a": {"n": 1}, "b": {"n": 2}, "c": nil, "d": nil}
	for _, name := range []string{"a", "b"} {
		s.put(t, s.rows, with(row(t, name), before[name]))
	}
	_, err := s.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: x.all(t, s)})
	switch {
	case x.refused:
		refuses(t, err, invalid, "")
	case x.reasons != nil:
		refuses(t, err, cancelled, "Transaction cancelled, please refer cancellation reasons for specific reasons ["+
			strings.Join(codes(x.reasons), ", ")+"]")
		require.Equal(t, x.shown(t, before), reasons(err))
	default:
		require.NoError(t, err)
		maps.Copy(before, x.becomes)
	}
	for name, want := range before {
		if want != nil {
			want = with(row(t, name), want)
		}
		s.holds(t, s.rows, row(t, name), want)
	}
}

func (x transaction) all(t conformance.T, s *stage) []types.TransactWriteItem {
	var all []types.TransactWriteItem
	for _, do := range x.actions {
		all = append(all, do(t, s))
	}
	return all
}

// codes returns the codes of reasons, without the names of rows.
func codes(reasons []string) []string {
	var all []string
	for _, reason := range reasons {
		code, _, _ := strings.Cut(reason, " ")
		all = append(all, code)
	}
	return all
}

// shown returns the reasons in the form of reasons: with the item instead of its name.
func (x transaction) shown(t conformance.T, rows map[string]item) []string {
	var all []string
	for _, reason := range x.reasons {
		code, name, named := strings.Cut(reason, " ")
		if named {
			code += " " + text(attributes(with(row(t, name), rows[name])))
		}
		all = append(all, code)
	}
	return all
}

// reasons returns the cancellation reasons of a transaction: each code, with the item if there is
// one.
func reasons(err error) []string {
	refused, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return nil
	}
	var all []string
	for _, reason := range refused.CancellationReasons {
		why := aws.ToString(reason.Code)
		if len(reason.Item) > 0 {
			why += " " + text(reason.Item)
		}
		all = append(all, why)
	}
	return all
}

func transactions() map[string]example {
	const none, fails, wrong = "None", "ConditionalCheckFailed", "ValidationError"
	return map[string]example{
		"the four kinds of action at once": transaction{actions: []action{puts("c", item{"n": 3}, ""),
			sets("a", 9, ""), deletes("b", ""), checks("d", "attribute_not_exists(pk)")},
			becomes: map[string]item{"a": {"n": 9}, "b": nil, "c": {"n": 3}}},
		"an action alone": transaction{actions: []action{sets("a", 9, "")},
			becomes: map[string]item{"a": {"n": 9}}},
		"an update creates an absent row": transaction{actions: []action{sets("c", 9, "")},
			becomes: map[string]item{"c": {"n": 9}}},
		"a delete of an absent row succeeds": transaction{actions: []action{deletes("c", "")}},
		"conditions that hold": transaction{actions: []action{puts("c", nil,
			"attribute_not_exists(pk)"), sets("a", 9, "n < :n"), deletes("b", "attribute_exists(n)"),
			checks("d", "attribute_not_exists(n)")}, becomes: map[string]item{"a": {"n": 9}, "b": nil, "c": {}}},
		"a failed put cancels": transaction{actions: []action{sets("b", 9, ""),
			puts("a", nil, "attribute_not_exists(pk)")}, reasons: []string{none, fails}},
		"a failed update cancels": transaction{actions: []action{sets("a", 0, "n < :n"),
			sets("b", 9, "")}, reasons: []string{fails, none}},
		"a failed delete cancels": transaction{actions: []action{puts("c", nil, ""),
			deletes("a", "attribute_not_exists(n)")}, reasons: []string{none, fails}},
		"a failed check cancels": transaction{actions: []action{puts("c", nil, ""),
			checks("a", "attribute_not_exists(n)"), sets("b", 9, "")}, reasons: []string{none, fails, none}},
		"several failures are all reported, in order": transaction{actions: []action{checks("a",
			"attribute_not_exists(n)"), puts("c", nil, ""), deletes("b", "attribute_not_exists(n)"),
			puts("d", nil, "attribute_exists(n)")}, reasons: []string{fails, none, fails, fails}},
		"a failed put returns the row": transaction{actions: []action{puts("c", nil, ""),
			showing(puts("a", nil, "attribute_not_exists(pk)"))}, reasons: []string{none, fails + " a"}},
		"a failed update returns the row": transaction{actions: []action{showing(
			sets("a", 0, "n < :n"))}, reasons: []string{fails + " a"}},
		"a failed delete returns the row": transaction{actions: []action{showing(
			deletes("b", "attribute_not_exists(pk)"))}, reasons: []string{fails + " b"}},
		"a failed check returns the row": transaction{actions: []action{showing(
			checks("b", "attribute_not_exists(pk)")), checks("a", "attribute_not_exists(n)")},
			reasons: []string{fails + " b", fails}},
		"an absent row is not returned": transaction{actions: []action{showing(
			checks("c", "attribute_exists(pk)"))}, reasons: []string{fails}},
		"a row whose condition holds is not returned": transaction{actions: []action{showing(
			sets("a", 9, "n < :n")), checks("c", "attribute_exists(pk)")}, reasons: []string{none, fails}},
		"two actions on one row are refused": transaction{actions: []action{sets("a", 9, ""),
			deletes("a", "")}, refused: true},
		"a check and a write of one row are refused": transaction{actions: []action{checks("a",
			"attribute_exists(pk)"), sets("a", 9, "")}, refused: true},
		"an action of two kinds is refused": transaction{actions: []action{twoKinds}, refused: true},
		"an action of no kind is refused":   transaction{actions: []action{noKind}, refused: true},
		"an invalid condition is refused": transaction{actions: []action{puts("c", nil, ""),
			checks("a", "attribute_exists(")}, refused: true},
		"an update that does not fit its row cancels": transaction{actions: []action{puts("c", nil, ""),
			unfitting}, reasons: []string{none, wrong}},
		"a row without its sort key is refused": transaction{actions: []action{puts("c", nil, ""),
			keyless}, refused: true},
		"100 actions are accepted":                           scenario(hundredActions),
		"101 actions are refused":                            scenario(hundredAndOneActions),
		"a transaction without actions is refused":           scenario(noActions),
		"more than 4 MB are refused":                         scenario(largeTransaction),
		"a transaction over two tables":                      scenario(twoTables),
		"a failure in one table leaves the other unchanged":  scenario(twoTablesFailed),
		"an unknown table is refused":                        scenario(transactNowhere),
		"a repeated token with the same actions writes once": scenario(tokenRepeated),
		"a repeated token with other actions is refused":     scenario(tokenMismatched),
		"another token writes again":                         scenario(tokenAnother),
		"a token is free again after its transaction failed": scenario(tokenAfterFailure),
		"a transaction reads rows of two tables in order":    scenario(transactRead),
		"a transaction returns nothing for absent rows":      scenario(transactReadAbsent),
		"a transaction reads by a projection":                scenario(transactReadProjected),
		"a transaction that reads one row twice is refused":  scenario(transactReadTwice),
		"a transaction reads 100 rows, and not 101":          scenario(transactReadLimit),
	}
}

func twoKinds(t conformance.T, s *stage) types.TransactWriteItem {
	both := puts("c", nil, "")(t, s)
	both.Delete = deletes("d", "")(t, s).Delete
	return both
}

func noKind(conformance.T, *stage) types.TransactWriteItem { return types.TransactWriteItem{} }

// unfitting sets a part of a number.
func unfitting(t conformance.T, s *stage) types.TransactWriteItem {
	broken := sets("a", 9, "")(t, s)
	broken.Update.UpdateExpression = aws.String("SET n.part = :n")
	return broken
}

func keyless(t conformance.T, s *stage) types.TransactWriteItem {
	broken := puts("d", nil, "")(t, s)
	delete(broken.Put.Item, "sk")
	return broken
}

func (s *stage) transact(t conformance.T, token string, actions ...action) error {
	t.Helper()
	_, err := s.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
		TransactItems: transaction{actions: actions}.all(t, s), ClientRequestToken: optional(token),
	})
	return err
}

func manyActions(count int) []action {
	var all []action
	for i := range count {
		all = append(all, puts(fmt.Sprint(i), nil, ""))
	}
	return all
}

func hundredActions(t conformance.T, s *stage) {
	require.NoError(t, s.transact(t, "", manyActions(100)...))
	require.EqualValues(t, 100, s.query(t, s.partition(t)).Count)
}

func hundredAndOneActions(t conformance.T, s *stage) {
	refuses(t, s.transact(t, "", manyActions(101)...), invalid, "")
	require.Zero(t, s.query(t, s.partition(t)).Count)
}

func noActions(t conformance.T, s *stage) {
	_, err := s.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{},
	})
	refuses(t, err, invalid, "")
}

func largeTransaction(t conformance.T, s *stage) {
	var all []action
	for i := range 11 {
		all = append(all, puts(fmt.Sprint(i), item{"s": strings.Repeat("x", 390<<10)}, ""))
	}
	refuses(t, s.transact(t, "", all...), invalid, "")
	require.Zero(t, s.query(t, s.partition(t)).Count)
}

// putsThing stores the case's item in the table things.
func putsThing(where string) action {
	return func(t conformance.T, s *stage) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: &s.things, Item: attributes(thing(t)),
			ConditionExpression: optional(where)}}
	}
}

func twoTables(t conformance.T, s *stage) {
	require.NoError(t, s.transact(t, "", puts("a", nil, ""), putsThing("")))
	s.holds(t, s.things, thing(t), thing(t))
	s.holds(t, s.rows, row(t, "a"), row(t, "a"))
}

func twoTablesFailed(t conformance.T, s *stage) {
	err := s.transact(t, "", puts("a", nil, ""), putsThing("attribute_exists(id)"))
	require.Equal(t, []string{"None", "ConditionalCheckFailed"}, reasons(err))
	s.holds(t, s.rows, row(t, "a"), nil)
}

func transactNowhere(t conformance.T, s *stage) {
	err := s.transact(t, "", puts("a", nil, ""), func(conformance.T, *stage) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: aws.String("conformance-nowhere"),
			Item: attributes(thing(t))}}
	})
	refuses(t, err, missing, "")
	s.holds(t, s.rows, row(t, "a"), nil)
}

// adds adds to n of the row a.
func adds(n int) action {
	return func(t conformance.T, s *stage) types.TransactWriteItem {
		add := sets("a", n, "")(t, s)
		add.Update.UpdateExpression = aws.String("ADD n :n")
		return add
	}
}

// token returns a client request token of the case. It has at most 36 characters, so it is not the
// case's name.
func token(t conformance.T, s *stage) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(s.rows+t.Name())))[:32]
}

func tokenRepeated(t conformance.T, s *stage) {
	for range 3 {
		require.NoError(t, s.transact(t, token(t, s), adds(1), puts("b", nil, "")))
	}
	s.holds(t, s.rows, row(t, "a"), with(row(t, "a"), item{"n": 1}))
}

func tokenMismatched(t conformance.T, s *stage) {
	require.NoError(t, s.transact(t, token(t, s), adds(1)))
	refuses(t, s.transact(t, token(t, s), adds(2)), mismatched, "")
	s.holds(t, s.rows, row(t, "a"), with(row(t, "a"), item{"n": 1}))
}

func tokenAnother(t conformance.T, s *stage) {
	require.NoError(t, s.transact(t, token(t, s), adds(1)))
	require.NoError(t, s.transact(t, token(t, s)+"2", adds(1)))
	s.holds(t, s.rows, row(t, "a"), with(row(t, "a"), item{"n": 2}))
}

func tokenAfterFailure(t conformance.T, s *stage) {
	demand := puts("b", nil, "attribute_not_exists(pk)")
	s.put(t, s.rows, row(t, "b"))
	refuses(t, s.transact(t, token(t, s), demand), cancelled, "")
	_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.rows, Key: attributes(row(t, "b"))})
	require.NoError(t, err)
	require.NoError(t, s.transact(t, token(t, s), demand))
	s.holds(t, s.rows, row(t, "b"), row(t, "b"))
}

// read reads the case's item in the table things, and then rows of the case by name.
func (s *stage) read(t conformance.T, show string, names ...string) (*dynamodb.TransactGetItemsOutput, error) {
	t.Helper()
	gets := []types.TransactGetItem{{Get: &types.Get{TableName: &s.things, Key: attributes(thing(t)),
		ProjectionExpression: optional(show)}}}
	for _, name := range names {
		gets = append(gets,
			types.TransactGetItem{Get: &types.Get{TableName: &s.rows, Key: attributes(row(t, name)),
				ProjectionExpression: optional(show)}})
	}
	return s.db.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: gets})
}

func responses(answer *dynamodb.TransactGetItemsOutput) []string {
	all := []string{}
	for _, one := range answer.Responses {
		all = append(all, text(one.Item))
	}
	return all
}

func transactRead(t conformance.T, s *stage) {
	require.NoError(t, s.transact(t, "", puts("a", item{"n": 1}, ""), puts("b", item{"n": 2}, ""), putsThing("")))
	answer, err := s.read(t, "", "b", "a")
	require.NoError(t, err)
	require.Equal(t,
		[]string{text(attributes(thing(t))), text(attributes(with(row(t, "b"), item{"n": 2}))),
			text(attributes(with(row(t, "a"), item{"n": 1})))}, responses(answer))
}

func transactReadAbsent(t conformance.T, s *stage) {
	require.NoError(t, s.transact(t, "", puts("a", nil, "")))
	answer, err := s.read(t, "", "b", "a")
	require.NoError(t, err)
	require.Equal(t, []string{"null", "null", text(attributes(row(t, "a")))}, responses(answer))
}

func transactReadProjected(t conformance.T, s *stage) {
	require.NoError(t, s.transact(t, "", puts("a", item{"n": 1, "m": item{"x": 1, "y": 2}}, ""), putsThing("")))
	answer, err := s.read(t, "n, m.x", "a")
	require.NoError(t, err)
	require.Equal(t, text(attributes(item{"n": 1, "m": item{"x": 1}})), responses(answer)[1])
}

func transactReadTwice(t conformance.T, s *stage) {
	_, err := s.read(t, "", "a", "a")
	refuses(t, err, invalid, "")
}

func transactReadLimit(t conformance.T, s *stage) {
	var names []string
	for i := range 99 {
		names = append(names, fmt.Sprint(i))
	}
	_, err := s.read(t, "", names...)
	require.NoError(t, err)
	_, err = s.read(t, "", append(names, "one more")...)
	refuses(t, err, invalid, "")
}
