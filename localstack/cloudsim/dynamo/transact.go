package dynamo

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
	"backroom/localstack/cloudsim/dynamo/expression"
)

// The limits of a transaction, and how long its token is remembered.
const (
	maxActions  = 100
	maxTransact = 4 << 20
	maxToken    = 36
	tokenMemory = 10 * time.Minute
)

const (
	errOverlap  = attribute.Refusal("Transaction request cannot include multiple operations on one item")
	errTransact = attribute.Refusal("Transaction request cannot exceed 4 MB")
)

// answered is a transaction that was carried out with a token.
type answered struct {
	request [sha256.Size]byte
	at      time.Time
	actions []*write
}

// reason is the cancellation reason of one action.
type reason struct {
	Code    string
	Message string `json:",omitempty"`
	Item    shown  `json:",omitempty"`
}

var (
	noReason  = reason{Code: "None"}
	conflict  = reason{Code: "TransactionConflict", Message: "Transaction is ongoing for the item"}
	exhausted = reason{Code: "ThrottlingError", Message: errThroughput}
)

// cancelled returns TransactionCanceledException with the reasons, or nil if no action has a
// reason.
func cancelled(reasons []reason) error {
	codes := make([]string, len(reasons))
	refuses := false
	for i, r := range reasons {
		codes[i] = r.Code
		refuses = refuses || r.Code != noReason.Code
	}
	if !refuses {
		return nil
	}
	message := "Transaction cancelled, please refer cancellation reasons for specific reasons [" +
		strings.Join(codes, ", ") + "]"
	refused := refuse("TransactionCanceledException", message)
	refused.Members = map[string]any{"Message": message, "CancellationReasons": reasons}
	return refused
}

// members returns the actions of a transaction. It refuses none and too many.
func members(n document.Node) ([]document.Node, error) {
	actions := n.Get("TransactItems").Elements
	switch {
	case len(actions) == 0:
		return nil,
			attribute.Refusal(
				"Value [] at 'transactItems' failed to satisfy constraint: Member must have length greater than or " +
					"equal to 1")
	case len(actions) > maxActions:
		return nil, attribute.Refusal(fmt.Sprintf("Member must have length less than or equal to %d", maxActions))
	}
	return actions, nil
}

// transactWriteItems implements TransactWriteItems.
func (db *DB) transactWriteItems(r *request) ([]byte, error) {
	nodes, err := members(r.Node)
	if err != nil {
		return nil, err
	}
	token := r.Get("ClientRequestToken").Text
	if len(token) > maxToken {
		return nil,
			attribute.Refusal("Value " + token +
				" at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal " +
				"to 36")
	}
	actions, reasons, err := db.readActions(nodes)
	if err != nil {
		return nil, err
	}
	fingerprint := sha256.Sum256(r.Get("TransactItems").Append(nil))
	now := db.settings.Now()
	if before, ok := db.tokens[token]; ok && token != "" && now.Sub(before.at) <= tokenMemory {
		if before.request != fingerprint {
			return nil,
				refuse("IdempotentParameterMismatchException",
					"The request uses the same client token as a previous, but non-identical request")
		}
		return db.answerAgain(r, before)
	}
	if err := db.transact(r, actions, reasons); err != nil {
		return nil, err
	}
	if token != "" {
		db.remember(token, answered{fingerprint, now, actions})
	}
	var a answer
	a.consumedEach(r, true)
	return a.closed(), nil
}

// remember stores the token, and drops expired ones.
func (db *DB) remember(token string, done answered) {
	for len(db.issued) > 0 && done.at.Sub(db.tokens[db.issued[0]].at) > tokenMemory {
		delete(db.tokens, db.issued[0])
		db.issued = db.issued[1:]
	}
	if _, known := db.tokens[token]; !known {
		db.issued = append(db.issued, token)
	}
	db.tokens[token] = done
}

// answerAgain answers a repeated transaction. It only reads the items, and charges for that.
func (db *DB) answerAgain(r *request, done answered) ([]byte, error) {
	for _, w := range done.actions {
		item, _ := w.table.rows.get(w.row)
		if err := db.spend(r, w.table.reads(w.row, item, inTransaction)); err != nil {
			return nil, err
		}
	}
	var a answer
	a.consumedEach(r, true)
	return a.closed(), nil
}

// readActions reads the actions. An error that depends on one item becomes a reason. Any other
// error refuses the request.
func (db *DB) readActions(nodes []document.Node) ([]*write, []reason, error) {
	actions, reasons := make([]*write, len(nodes)), make([]reason, len(nodes))
	seen := map[string]bool{}
	for i, n := range nodes {
		kind, n, err := action(n, i)
		if err != nil {
			return nil, nil, err
		}
		w, err := db.readWrite(kind, n)
		reasons[i] = noReason
		var byItem itemError
		switch {
		case errors.As(err, &byItem):
			reasons[i] = reason{Code: "ValidationError", Message: err.Error()}
		case err != nil:
			return nil, nil, err
		}
		if actions[i] = w; w.row == "" {
			continue
		}
		if seen[w.held()] {
			return nil, nil, errOverlap
		}
		seen[w.held()] = true
	}
	return actions, reasons, nil
}

// action returns the kind and the parameters of one member of TransactItems.
func action(n document.Node, place int) (string, document.Node, error) {
	var given []document.Member
	for _, m := range n.Members {
		if m.Value.Kind == document.Object {
			given = append(given, m)
		}
	}
	switch {
	case len(given) == 0:
		return "", n,
			attribute.Refusal("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
	case len(given) > 1:
		return "", n, attribute.Refusal("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	kind, n := given[0].Name, given[0].Value
	required := map[string]string{put: "Item", remove: "Key", update: "UpdateExpression",
		check: "ConditionExpression"}[kind]
	member := map[string]string{put: "put.item", remove: "delete.key", update: "update.updateExpression",
		check: "conditionCheck.conditionExpression"}[kind]
	switch {
	case required == "":
		return "", n,
			attribute.Refusal("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
	case !n.Has(required):
		return "", n, null(fmt.Sprintf("transactItems.%d.member.%s", place+1, member))
	}
	return kind, n, nil
}

// outcome is the effect that an action would have on its row.
type outcome struct {
	old, item attribute.Item
	charges   []charge
}

// transact carries out all actions, or none if one of them has a reason to fail. A cancelled
// transaction costs as much as its writes to the tables would have, unless it was throttled.
func (db *DB) transact(r *request, actions []*write, reasons []reason) error {
	outcomes := make([]outcome, len(actions))
	size := 0
	for i, w := range actions {
		if reasons[i].Code != noReason.Code {
			continue
		}
		outcomes[i], reasons[i] = db.decide(w)
		size += max(w.item.Size(), outcomes[i].item.Size())
	}
	if size > maxTransact {
		return errTransact
	}
	if refused := cancelled(reasons); refused != nil {
		for _, o := range outcomes {
			db.take(o.charges[:min(1, len(o.charges))])
			r.use(o.charges[:min(1, len(o.charges))])
		}
		return refused
	}
	for i, o := range outcomes {
		if db.exhausted(o.charges) != nil {
			reasons[i] = exhausted
		}
	}
	if refused := cancelled(reasons); refused != nil {
		return refused
	}
	for i, o := range outcomes {
		db.take(o.charges)
		r.use(o.charges)
		if w := actions[i]; w.kind != check {
			db.set(w.table, w.row, o.old, o.item, principal{})
		}
	}
	return nil
}

// decide returns the effect of an action, or the reason why it fails.
func (db *DB) decide(w *write) (outcome, reason) {
	if db.held[w.held()] {
		return outcome{}, conflict
	}
	old, item, err := w.outcome()
	o := outcome{old, item, w.costs(old, item, err, inTransaction)}
	switch {
	case errors.Is(err, errCondition):
		failed := reason{Code: "ConditionalCheckFailed", Message: "The conditional request failed"}
		if w.returnsOld {
			failed.Item = shown(old)
		}
		return o, failed
	case err != nil:
		return o, reason{Code: "ValidationError", Message: err.Error()}
	}
	return o, noReason
}

// get is one read of a transaction.
type get struct {
	table      *table
	row        string
	projection *expression.Projection
}

// transactGetItems implements TransactGetItems.
func (db *DB) transactGetItems(r *request) ([]byte, error) {
	nodes, err := members(r.Node)
	if err != nil {
		return nil, err
	}
	gets, reasons := make([]get, len(nodes)), make([]reason, len(nodes))
	seen := map[string]bool{}
	for i, n := range nodes {
		if gets[i], err = db.readGet(n.Get("Get")); err != nil {
			return nil, err
		}
		name := gets[i].table.held(gets[i].row)
		if seen[name] {
			return nil, errOverlap
		}
		seen[name] = true
		reasons[i] = noReason
		if db.held[name] {
			reasons[i] = conflict
		}
	}
	if err := cancelled(reasons); err != nil {
		return nil, err
	}
	responses, err := db.carryOut(r, gets, reasons)
	if err != nil {
		return nil, err
	}
	var a answer
	a.consumedEach(r, true)
	a.list("Responses", responses)
	return a.closed(), nil
}

func (db *DB) readGet(n document.Node) (get, error) {
	t, err := db.table(n)
	if err != nil {
		return get{}, err
	}
	scope, projection, err := readScope(n)
	if err != nil {
		return get{}, err
	}
	if err := scope.Unused(); err != nil {
		return get{}, err
	}
	key, err := t.keys.readKey(n.Get("Key"))
	if err != nil {
		return get{}, err
	}
	row, _ := t.keys.row(key)
	return get{t, row, projection}, nil
}

// carryOut reads all items, or none if a partition is exhausted.
func (db *DB) carryOut(r *request, gets []get, reasons []reason) ([][]byte, error) {
	responses, charges := make([][]byte, len(gets)), make([]charge, len(gets))
	for i, g := range gets {
		item, _ := g.table.rows.get(g.row)
		charges[i] = g.table.reads(g.row, item, inTransaction)
		if db.exhausted(charges[i:i+1]) != nil {
			reasons[i] = exhausted
		}
		var a answer
		if item = projected(item, g.projection); len(item) > 0 {
			a.item("Item", item)
		}
		responses[i] = a.closed()
	}
	if err := cancelled(reasons); err != nil {
		return nil, err
	}
	db.take(charges)
	r.use(charges)
	return responses, nil
}
