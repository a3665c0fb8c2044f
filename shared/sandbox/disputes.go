package sandbox

import (
	"context"
	"errors"
	"slices"
)

// evidence decides a dispute, as in Stripe's test mode (https://docs.stripe.com/testing#disputes).
var evidence = map[string]DisputeStatus{"winning_evidence": DisputeWon, "losing_evidence": DisputeLost}

// dispute opens a dispute, as the customer's bank does.
func (h Handler) dispute(ctx context.Context, c call) (outcome, error) {
	amount, err := positive(c.PostForm, "amount", 0)
	if err = errors.Join(only(c.PostForm, []string{"amount"}), err); err != nil {
		return outcome{}, err
	}
	stored, i, err := h.find(ctx, c, c.PathValue("id"), "intent")
	if err != nil {
		return outcome{}, err
	}
	disputed, err := OpenDispute(i, amount, c.now)
	if err != nil {
		return outcome{stored: stored, intent: i}, err
	}
	latest := disputed.Disputes[len(disputed.Disputes)-1]
	return outcome{stored: stored, intent: disputed, document: disputed.disputeDocument(latest)}, nil
}

// answerDispute sends evidence for a dispute. The two words of Stripe's test mode decide it; other
// evidence does not.
func (h Handler) answerDispute(ctx context.Context, c call) (outcome, error) {
	if err := only(c.PostForm, []string{"submit"}, "evidence", "metadata"); err != nil {
		return outcome{}, err
	}
	to, decides := evidence[entries(c.PostForm, "evidence")["uncategorized_text"]]
	if !decides {
		return h.retrieveDispute(ctx, c)
	}
	return h.decideDispute(ctx, c, to)
}

// closeDispute accepts a dispute: it is lost.
func (h Handler) closeDispute(ctx context.Context, c call) (outcome, error) {
	if err := only(c.PostForm, nil); err != nil {
		return outcome{}, err
	}
	return h.decideDispute(ctx, c, DisputeLost)
}

func (h Handler) decideDispute(ctx context.Context, c call, to DisputeStatus) (outcome, error) {
	o, err := h.retrieveDispute(ctx, c)
	if err != nil {
		return outcome{}, err
	}
	id := c.PathValue("id")
	if o.intent, err = DecideDispute(o.intent, id, to); err != nil {
		return o, err
	}
	d, _ := o.intent.Dispute(id)
	o.document = o.intent.disputeDocument(d)
	return o, nil
}

func (h Handler) retrieveDispute(ctx context.Context, c call) (outcome, error) {
	id := c.PathValue("id")
	stored, i, err := h.find(ctx, c, owner(id, "dp_"), "id")
	if p, ok := errors.AsType[*Problem](err); ok && p.Code == "resource_missing" {
		return outcome{}, noSuch("dispute", id, "id")
	}
	d, ok := i.Dispute(id)
	if err == nil && !ok {
		err = noSuch("dispute", id, "id")
	}
	return outcome{stored: stored, intent: i, document: i.disputeDocument(d)}, err
}

// listDisputes returns an intent's disputes, the latest first.
func (h Handler) listDisputes(ctx context.Context, c call) (outcome, error) {
	return h.list(ctx, c, "/v1/disputes", "dispute", func(i Intent) (ids []string, documents []any) {
		for _, d := range slices.Backward(i.Disputes) {
			ids, documents = append(ids, d.ID), append(documents, i.disputeDocument(d))
		}
		return ids, documents
	})
}
