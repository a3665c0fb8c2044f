package sandbox

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/payment/apikey"
)

// Memory is how long an idempotency key is remembered, by the sandbox's clock.
const Memory = 24 * time.Hour

const (
	largestBody = 64 << 10
	tries       = 5 // for an intent that others keep changing
)

// Ledger keeps intents, and what was answered under which idempotency key.
type Ledger interface {
	// Intent returns an intent, read consistently. It returns fault.NotFound for none.
	Intent(ctx context.Context, id string) (Intent, error)
	// Answer returns what was answered under a key, read consistently. It returns fault.NotFound for a key that is not known.
	Answer(ctx context.Context, key string) (Answer, error)
	// UsedUp reports whether a payment method that pays only once has paid, read consistently.
	UsedUp(ctx context.Context, paymentMethod string) (bool, error)
	// Keep stores a change, all of it or nothing. It returns fault.Conflict if the intent moved on since it was read, the key
	// was used since and not forgotten, or the payment method was used up since.
	Keep(ctx context.Context, c Change, now time.Time) error
}

// Change is what a request changes. Each part may be missing.
type Change struct {
	Intent *Intent // as its next version
	Answer *Answer // under its key
	UsesUp string  // a payment method that can pay no more
}

// Answer is what was answered to the first request with an idempotency key.
type Answer struct {
	Key     string
	Request string // digest of what was asked
	Status  int
	Body    string
	Ready   time.Time // when the first request was answered
	Expires time.Time
}

// Handler answers the sandbox's requests.
type Handler struct {
	Ledger Ledger
	Key    *apikey.Key
	Now    func() time.Time
	Nonce  func() string // random; three of them tell an intent from all others
	Log    *slog.Logger
}

// Routes returns the handler of all requests:
//
//	POST /v1/payment_intents                form-encoded, as all of them
//	POST /v1/payment_intents/{id}/confirm
//	POST /v1/payment_intents/{id}/cancel
//	GET  /v1/payment_intents/{id}
func (h Handler) Routes() http.Handler {
	routes := http.NewServeMux()
	routes.Handle("POST /v1/payment_intents", h.answering(h.create))
	routes.Handle("POST /v1/payment_intents/{id}/confirm", h.answering(h.confirm))
	routes.Handle("POST /v1/payment_intents/{id}/cancel", h.answering(h.cancel))
	routes.Handle("GET /v1/payment_intents/{id}", h.answering(h.retrieve))
	routes.Handle("/", h.answering(func(context.Context, *http.Request) (outcome, error) { return outcome{}, errNoRoute }))
	return routes
}

// outcome is what a request led to.
type outcome struct {
	intent   Intent
	changed  bool // the intent is to be stored
	instead  *Problem
	lateness time.Duration
	usesUp   string // the payment method that the request used up
}

// charge confirms an intent with a payment method, or else with its own.
func (h Handler) charge(ctx context.Context, i Intent, paymentMethod string) (outcome, error) {
	if paymentMethod == "" {
		paymentMethod = i.PaymentMethod
	}
	i, err := Confirm(i, paymentMethod, h.Now())
	if err != nil {
		return outcome{}, err
	}
	o := outcome{intent: i, changed: true}
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
			err = errUsedUp
		}
		o.usesUp = paymentMethod
		return o, err
	}
	return o, nil
}

func (h Handler) create(ctx context.Context, r *http.Request) (outcome, error) {
	i, err := Create(r.PostForm, h.Now())
	if err != nil {
		return outcome{}, err
	}
	i.ID = "pi_" + h.Nonce() + h.Nonce() + h.Nonce()
	if r.PostForm.Get("confirm") != "true" {
		return outcome{intent: i, changed: true}, nil
	}
	return h.charge(ctx, i, "")
}

func (h Handler) confirm(ctx context.Context, r *http.Request) (outcome, error) {
	if err := only(r.PostForm, []string{"payment_method"}); err != nil {
		return outcome{}, err
	}
	i, err := h.find(ctx, r)
	if err != nil {
		return outcome{}, err
	}
	return result(h.charge(ctx, i, r.PostForm.Get("payment_method")))
}

func (h Handler) cancel(ctx context.Context, r *http.Request) (outcome, error) {
	if err := only(r.PostForm, []string{"cancellation_reason"}); err != nil {
		return outcome{}, err
	}
	i, err := h.find(ctx, r)
	if err != nil {
		return outcome{}, err
	}
	canceled, err := Cancel(i)
	return result(outcome{intent: canceled, changed: true}, err)
}

func (h Handler) retrieve(ctx context.Context, r *http.Request) (outcome, error) {
	i, err := h.find(ctx, r)
	return outcome{intent: i}, err
}

func (h Handler) find(ctx context.Context, r *http.Request) (Intent, error) {
	i, err := h.Ledger.Intent(ctx, r.PathValue("id"))
	if errors.Is(err, fault.NotFound) {
		return Intent{}, notFound(r.PathValue("id"))
	}
	return i.At(h.Now()), err
}

// result makes an answer of a refusal because of the intent's state: Stripe remembers it under the key, as it does whatever
// comes of a request that it began to carry out.
func result(o outcome, err error) (outcome, error) {
	if p, ok := errors.AsType[*Problem](err); ok && p.Intent != nil {
		return outcome{intent: *p.Intent, instead: p}, nil
	}
	return o, err
}

// answering lets requests in that carry the key, answers those again that were answered before, and stores what a request
// changes together with its answer: a crash leaves both or neither.
func (h Handler) answering(do func(context.Context, *http.Request) (outcome, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, line := observe.Begin(r.Context(), h.Log, slog.String("method", r.Method), slog.String("path", r.URL.Path))
		a, replayed, err := h.answer(ctx, w, r, do)
		if p, ok := errors.AsType[*Problem](err); ok {
			a, err = answerWith(p.Status, map[string]any{"error": p.document()}), nil
		}
		if err != nil {
			a = answerWith(errFailed.Status, map[string]any{"error": errFailed.document()})
		}
		pause(ctx, a.Ready.Sub(h.Now()))
		if replayed {
			w.Header().Set("Idempotent-Replayed", "true")
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Request-Id", "req_"+h.Nonce())
		w.WriteHeader(a.Status)
		_, _ = w.Write([]byte(a.Body)) // the client may be gone
		line.Done(ctx, strconv.Itoa(a.Status), err, true)
	})
}

func (h Handler) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, do func(context.Context, *http.Request) (outcome, error)) (Answer, bool, error) {
	if err := h.admit(ctx, r); err != nil {
		return Answer{}, false, err
	}
	r.Body = http.MaxBytesReader(w, r.Body, largestBody)
	if err := r.ParseForm(); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return Answer{}, false, errTooLarge
		}
		return Answer{}, false, invalid("", "", "The body is not form-encoded.")
	}
	key, request := "", digest(r)
	if r.Method == http.MethodPost {
		key = r.Header.Get("Idempotency-Key")
	}
	for range tries {
		if key != "" {
			a, err := h.Ledger.Answer(ctx, key)
			switch known := err == nil && h.Now().Before(a.Expires); {
			case err != nil && !errors.Is(err, fault.NotFound):
				return Answer{}, false, err
			case known && a.Request != request:
				return Answer{}, false, errOtherUse
			case known && h.Now().Before(a.Ready):
				return Answer{}, false, errInUse
			case known:
				return a, true, nil
			}
		}
		o, err := do(ctx, r)
		if err != nil {
			return Answer{}, false, err
		}
		a := o.answer()
		now := h.Now()
		a.Key, a.Request, a.Ready, a.Expires = key, request, now.Add(o.lateness), now.Add(Memory)
		change := Change{UsesUp: o.usesUp}
		if o.changed {
			change.Intent = &o.intent
		}
		if key != "" {
			change.Answer = &a
		}
		if change.Intent != nil || change.Answer != nil {
			err = h.Ledger.Keep(ctx, change, now)
		}
		if !errors.Is(err, fault.Conflict) {
			return a, false, err
		}
	}
	return Answer{}, false, errLocked
}

// admit returns a *Problem unless the request carries the key, as a bearer token or as the user of basic authentication.
func (h Handler) admit(ctx context.Context, r *http.Request) error {
	given, _, _ := r.BasicAuth()
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = token
	}
	if given == "" {
		return errNoKey
	}
	key, err := h.Key.Get(ctx)
	if err == nil && !equal(given, key) {
		key, err = h.Key.Doubt(ctx) // it may have been replaced since we read it
	}
	if err == nil && !equal(given, key) {
		err = errWrongKey
	}
	return err
}

func equal(given, key string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(key)) == 1
}

func (o outcome) answer() Answer {
	if o.instead != nil {
		return answerWith(o.instead.Status, map[string]any{"error": o.instead.document()})
	}
	return answerWith(http.StatusOK, o.intent.document())
}

func answerWith(status int, document any) Answer {
	body, err := json.Marshal(document)
	if err != nil {
		return Answer{Status: http.StatusInternalServerError, Body: "{}"}
	}
	return Answer{Status: status, Body: string(body)}
}

// digest tells requests apart that must not share an idempotency key.
func digest(r *http.Request) string {
	sum := sha256.Sum256([]byte(r.URL.Path + "?" + url.Values(r.PostForm).Encode()))
	return hex.EncodeToString(sum[:])
}

// pause waits, unless the client is gone.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
