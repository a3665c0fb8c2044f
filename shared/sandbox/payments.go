package sandbox

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"

	"backroom/shared/fault"
)

// charge confirms an intent with a payment method, or with its own if that is empty.
func (h Handler) charge(ctx context.Context, c call, stored, i Intent, paymentMethod string) (outcome, error) {
	if paymentMethod == "" {
		paymentMethod = i.PaymentMethod
	}
	i, err := Confirm(i, paymentMethod, c.now)
	o := outcome{stored: stored, intent: i}
	if err != nil {
		return o, err
	}
	card, _ := CardOf(paymentMethod)
	o.lateness = card.Delay
	switch {
	case i.LastError != nil:
		o.instead = declined(i)
	case card.Lost:
		o.instead = errFailed
	case card.Once:
		used, err := h.Ledger.UsedUp(ctx, paymentMethod)
		if err == nil && used {
			return outcome{stored: stored, intent: stored}, errUsedUp
		}
		o.usesUp = paymentMethod
		return o, err
	}
	return o, nil
}

func (h Handler) create(ctx context.Context, c call) (outcome, error) {
	i, err := Create(c.PostForm, c.now)
	if err != nil {
		return outcome{}, err
	}
	i.ID = h.id("pi_")
	i.Secret = i.ID + h.id("_secret_")
	if c.PostForm.Get("confirm") != "true" {
		return outcome{intent: i}, nil
	}
	return h.charge(ctx, c, Intent{}, i, "")
}

func (h Handler) retrieve(ctx context.Context, c call) (outcome, error) {
	stored, i, err := h.find(ctx, c, c.PathValue("id"), "intent")
	return outcome{stored: stored, intent: i}, err
}

func (h Handler) confirm(ctx context.Context, c call) (outcome, error) {
	if err := only(c.PostForm, []string{"payment_method", "return_url"}); err != nil {
		return outcome{}, err
	}
	stored, i, err := h.find(ctx, c, c.PathValue("id"), "intent")
	if err != nil {
		return outcome{}, err
	}
	return h.charge(ctx, c, stored, i, c.PostForm.Get("payment_method"))
}

func (h Handler) capture(ctx context.Context, c call) (outcome, error) {
	if err := only(c.PostForm, []string{"amount_to_capture"}, "metadata"); err != nil {
		return outcome{}, err
	}
	stored, i, err := h.find(ctx, c, c.PathValue("id"), "intent")
	if err != nil {
		return outcome{}, err
	}
	amount, err := positive(c.PostForm, "amount_to_capture", i.Amount)
	if err != nil {
		return outcome{}, err
	}
	captured, err := Capture(i, amount, c.now)
	o := outcome{stored: stored, intent: captured}
	if captured.Card().LosesTaking {
		o.instead = errFailed
	}
	return o, err
}

func (h Handler) cancel(ctx context.Context, c call) (outcome, error) {
	err := errors.Join(only(c.PostForm, []string{"cancellation_reason"}),
		oneOf(c.PostForm, "cancellation_reason", "duplicate", "fraudulent", "requested_by_customer", "abandoned"))
	if err != nil {
		return outcome{}, err
	}
	stored, i, err := h.find(ctx, c, c.PathValue("id"), "intent")
	if err != nil {
		return outcome{}, err
	}
	canceled, err := Cancel(i, c.PostForm.Get("cancellation_reason"), c.now)
	return giving(outcome{stored: stored, intent: canceled}), err
}

func (h Handler) act(ctx context.Context, c call) (outcome, error) {
	err := errors.Join(only(c.PostForm, []string{"client_secret", "outcome"}),
		oneOf(c.PostForm, "outcome", "succeed", "fail"))
	if err != nil {
		return outcome{}, err
	}
	stored, i, err := h.find(ctx, c, c.PathValue("id"), "intent")
	if err == nil && subtle.ConstantTimeCompare([]byte(c.PostForm.Get("client_secret")), []byte(i.Secret)) != 1 {
		err = noSuch("payment_intent", c.PathValue("id"), "client_secret")
	}
	if err != nil {
		return outcome{}, err
	}
	acted, err := Act(i, c.PostForm.Get("outcome") != "fail", c.now)
	return outcome{stored: stored, intent: acted}, err
}

func (h Handler) refund(ctx context.Context, c call) (outcome, error) {
	err := errors.Join(only(c.PostForm, []string{"payment_intent", "amount", "reason"}, "metadata"),
		oneOf(c.PostForm, "reason", "duplicate", "fraudulent", "requested_by_customer"))
	amount, badAmount := positive(c.PostForm, "amount", 0)
	if err = errors.Join(err, badAmount); err != nil {
		return outcome{}, err
	}
	if c.PostForm.Get("payment_intent") == "" {
		return outcome{}, missing("payment_intent")
	}
	stored, i, err := h.find(ctx, c, c.PostForm.Get("payment_intent"), "payment_intent")
	if err != nil {
		return outcome{}, err
	}
	wanted := Refund{Amount: amount, Reason: c.PostForm.Get("reason"), Metadata: entries(c.PostForm, "metadata")}
	given, err := GiveBack(i, wanted, c.now)
	o := outcome{stored: stored, intent: given}
	if err != nil {
		return o, err
	}
	o.document = given.refundDocument(given.Refunds[len(given.Refunds)-1])
	return giving(o), nil
}

// giving loses the answer of a cancellation or refund, if the card says so.
func giving(o outcome) outcome {
	if o.intent.Card().LosesGiving {
		o.instead = errFailed
	}
	return o
}

func (h Handler) retrieveRefund(ctx context.Context, c call) (outcome, error) {
	id := c.PathValue("id")
	stored, i, err := h.find(ctx, c, owner(id, "re_"), "id")
	if p, ok := errors.AsType[*Problem](err); ok && p.Code == "resource_missing" {
		return outcome{}, noSuch("refund", id, "id")
	}
	r, ok := i.Refund(id)
	if err == nil && !ok {
		err = noSuch("refund", id, "id")
	}
	return outcome{stored: stored, intent: i, document: i.refundDocument(r)}, err
}

// listRefunds returns an intent's refunds, the latest first.
func (h Handler) listRefunds(ctx context.Context, c call) (outcome, error) {
	return h.list(ctx, c, "/v1/refunds", "refund", func(i Intent) (ids []string, documents []any) {
		for _, r := range slices.Backward(i.Refunds) {
			ids, documents = append(ids, r.ID), append(documents, i.refundDocument(r))
		}
		return ids, documents
	})
}

// list returns a page of what an intent has of a kind. of returns all of it with its ids, the latest first.
func (h Handler) list(
	ctx context.Context, c call, path, kind string, of func(Intent) (ids []string, documents []any),
) (outcome, error) {
	if err := only(c.Form, []string{"payment_intent", "limit", "starting_after"}); err != nil {
		return outcome{}, err
	}
	limit, err := positive(c.Form, "limit", 10)
	switch {
	case err != nil:
		return outcome{}, err
	case limit > 100:
		return outcome{}, invalid("limit", "parameter_invalid_integer", "Invalid limit: must be at most 100")
	case c.Form.Get("payment_intent") == "":
		return outcome{}, missing("payment_intent")
	}
	stored, i, err := h.find(ctx, c, c.Form.Get("payment_intent"), "payment_intent")
	if err != nil {
		return outcome{}, err
	}
	ids, latest := of(i)
	if after := c.Form.Get("starting_after"); after != "" {
		n := slices.Index(ids, after)
		if n < 0 {
			return outcome{}, invalid("starting_after", "resource_missing", "No such "+kind+": '"+after+"'")
		}
		latest = latest[n+1:]
	}
	page := listDocument{Object: "list", Data: []any{}, HasMore: int64(len(latest)) > limit, URL: path}
	page.Data = append(page.Data, latest[:min(int64(len(latest)), limit)]...)
	return outcome{stored: stored, intent: i, document: page}, nil
}

// find returns an intent as it was stored and as it is now. param is the name of the parameter with
// its id.
func (h Handler) find(ctx context.Context, c call, id, param string) (stored, now Intent, err error) {
	stored, err = h.Ledger.Intent(ctx, id)
	if errors.Is(err, fault.NotFound) {
		return Intent{}, Intent{}, noSuch("payment_intent", id, param)
	}
	return stored, stored.At(c.now), err
}

func (h Handler) id(prefix string) string { return prefix + h.Nonce() + h.Nonce() + h.Nonce() }
