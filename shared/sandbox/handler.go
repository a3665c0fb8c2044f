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
	"reflect"
	"strconv"
	"strings"
	"time"

	"backroom/shared/fault"
	"backroom/shared/observe"
	"backroom/shared/secret/apikey"
)

// Memory is how long an idempotency key is valid, by the sandbox's clock.
const Memory = 24 * time.Hour

const (
	largestBody = 64 << 10
	tries       = 5 // for an intent that other requests change at the same time
)

// Ledger stores intents, the answers of idempotency keys, and the setup.
type Ledger interface {
	// Intent returns an intent, read consistently. It returns fault.NotFound for an unknown one.
	Intent(ctx context.Context, id string) (Intent, error)
	// Answer returns the answer of a key, read consistently. It returns fault.NotFound for an
	// unknown key.
	Answer(ctx context.Context, key string) (Answer, error)
	// UsedUp reports whether a payment method that pays only once has paid, read consistently.
	UsedUp(ctx context.Context, paymentMethod string) (bool, error)
	// Setup returns the setup, read consistently; the zero Setup if nothing was configured.
	Setup(ctx context.Context) (Setup, error)
	// Keep stores a change, all of it or nothing. It returns fault.Conflict if the intent or the
	// setup changed since it was read, if the key was used since and is still valid, or if the
	// payment method was used up since.
	Keep(ctx context.Context, c Change, now time.Time) error
}

// Change is what a request changes. Each part is optional.
type Change struct {
	Intent *Intent // as its next version
	Setup  *Setup  // as its next version
	Answer *Answer // stored under its key
	UsesUp string  // a payment method that can no longer pay
}

// Answer is the answer to the first request with an idempotency key.
type Answer struct {
	Key     string
	Request string // digest of the request
	Status  int
	Body    string
	Ready   time.Time // when the first request was answered
	Expires time.Time
}

// Handler answers the sandbox's requests.
type Handler struct {
	Ledger Ledger
	Key    *apikey.Key
	Herald Herald
	Now    func() time.Time
	Nonce  func() string // random; three of them make the id of an intent unique
	Log    *slog.Logger
}

// Routes returns the handler of all requests. They are form-encoded, and the same as Stripe's,
// except the last three:
//
//	POST   /v1/payment_intents
//	GET    /v1/payment_intents/{id}
//	POST   /v1/payment_intents/{id}/confirm
//	POST   /v1/payment_intents/{id}/capture
//	POST   /v1/payment_intents/{id}/cancel
//	POST   /v1/refunds
//	GET    /v1/refunds?payment_intent=
//	GET    /v1/refunds/{id}
//	GET    /v1/disputes?payment_intent=
//	GET    /v1/disputes/{id}
//	POST   /v1/disputes/{id}                        evidence[uncategorized_text]=winning_evidence|losing_evidence
//	POST   /v1/disputes/{id}/close                  the dispute is lost
//	POST   /v1/webhook_endpoints                    url may be execute-api:ID/STAGE/path
//	GET    /v1/webhook_endpoints
//	DELETE /v1/webhook_endpoints/{id}
//	POST   /v1/payment_intents/{id}/sandbox_action  the customer acts; no key: client_secret, outcome=succeed|fail
//	POST   /v1/payment_intents/{id}/sandbox_dispute the customer's bank disputes amount, or all that was captured
//	POST   /v1/sandbox/outage                       seconds: for this time all other routes answer 503; 0 ends it
func (h Handler) Routes() http.Handler {
	routes := http.NewServeMux()
	for pattern, r := range map[string]route{
		"POST /v1/payment_intents":                      {do: h.create},
		"GET /v1/payment_intents/{id}":                  {do: h.retrieve},
		"POST /v1/payment_intents/{id}/confirm":         {do: h.confirm},
		"POST /v1/payment_intents/{id}/capture":         {do: h.capture},
		"POST /v1/payment_intents/{id}/cancel":          {do: h.cancel},
		"POST /v1/refunds":                              {do: h.refund},
		"GET /v1/refunds":                               {do: h.listRefunds},
		"GET /v1/refunds/{id}":                          {do: h.retrieveRefund},
		"GET /v1/disputes":                              {do: h.listDisputes},
		"GET /v1/disputes/{id}":                         {do: h.retrieveDispute},
		"POST /v1/disputes/{id}":                        {do: h.answerDispute},
		"POST /v1/disputes/{id}/close":                  {do: h.closeDispute},
		"POST /v1/webhook_endpoints":                    {do: h.register},
		"GET /v1/webhook_endpoints":                     {do: h.listEndpoints},
		"DELETE /v1/webhook_endpoints/{id}":             {do: h.unregister},
		"POST /v1/payment_intents/{id}/sandbox_action":  {do: h.act, open: true},
		"POST /v1/payment_intents/{id}/sandbox_dispute": {do: h.dispute},
		"POST /v1/sandbox/outage":                       {do: h.breakDown, always: true},
		"/": {do: func(context.Context, call) (outcome,
			error) {
			return outcome{}, errNoRoute
		}},
	} {
		routes.Handle(pattern, h.answering(r))
	}
	return routes
}

// route handles a request.
type route struct {
	do     func(context.Context, call) (outcome, error)
	open   bool // needs no key
	always bool // even while the sandbox is out of order
}

// call is a request, with its time and the setup at that time.
type call struct {
	*http.Request
	now   time.Time
	setup Setup
}

// outcome is the result of a request.
type outcome struct {
	stored   Intent   // as it was read; version 0: it is new
	intent   Intent   // as it is now
	setup    *Setup   // as it will be stored
	document any      // the answer; nil: the intent
	instead  *Problem // the answer, although the request was carried out
	lateness time.Duration
	usesUp   string // the payment method that the request used up
}

// changed reports whether the intent must be stored, because the request or time changed it.
func (o outcome) changed() bool { return !reflect.DeepEqual(o.stored, o.intent) }

// result turns a refusal into an answer if Stripe stores it under the key. Stripe does so for every
// request that it began to carry out.
func result(o outcome, err error) (outcome, error) {
	if p, ok := errors.AsType[*Problem](err); ok && p.Begun {
		return outcome{stored: o.stored, intent: o.intent, instead: p}, nil
	}
	return o, err
}

// answering admits requests that carry the key, and repeats the answer of a repeated request. It
// stores a request's change together with its answer, so that a crash leaves both or neither.
func (h Handler) answering(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, line := observe.Begin(r.Context(), h.Log, slog.String("method", r.Method), slog.String("path", r.URL.Path))
		a, replayed, err := h.answer(ctx, w, r, to)
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
		_, _ = w.Write([]byte(a.Body)) // the client may have disconnected
		line.Done(ctx, strconv.Itoa(a.Status), err, true)
	})
}

func (h Handler) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, to route) (Answer, bool, error) {
	if !to.open {
		if err := h.admit(ctx, r); err != nil {
			return Answer{}, false, err
		}
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
		c := call{Request: r, now: h.Now()}
		var err error
		if c.setup, err = h.Ledger.Setup(ctx); err != nil {
			return Answer{}, false, err
		}
		if c.now.Before(c.setup.Outage) && !to.always {
			return Answer{}, false, errDown
		}
		if a, known, err := h.remembered(ctx, key, request); known || err != nil {
			return a, known, err
		}
		o, err := result(to.do(ctx, c))
		if err != nil {
			return Answer{}, false, err
		}
		a := o.answer()
		a.Key, a.Request, a.Ready, a.Expires = key, request, c.now.Add(o.lateness), c.now.Add(Memory)
		err = h.keep(ctx, o, a, c.now)
		if err == nil {
			h.announce(ctx, c.setup.Endpoints, o)
		}
		if !errors.Is(err, fault.Conflict) {
			return a, false, err
		}
	}
	return Answer{}, false, errLocked
}

// remembered returns the answer to the first request with the key, and whether one is stored. The
// clock is read after the answer, so that a finished request is never taken for one in progress.
func (h Handler) remembered(ctx context.Context, key, request string) (Answer, bool, error) {
	if key == "" {
		return Answer{}, false, nil
	}
	a, err := h.Ledger.Answer(ctx, key)
	now := h.Now()
	switch known := err == nil && now.Before(a.Expires); {
	case err != nil && !errors.Is(err, fault.NotFound):
		return Answer{}, false, err
	case known && a.Request != request:
		return Answer{}, false, errOtherUse
	case known && now.Before(a.Ready):
		return Answer{}, false, errInUse
	case known:
		return a, true, nil
	}
	return Answer{}, false, nil
}

func (h Handler) keep(ctx context.Context, o outcome, a Answer, now time.Time) error {
	change := Change{Setup: o.setup, UsesUp: o.usesUp}
	if o.changed() {
		change.Intent = &o.intent
	}
	if a.Key != "" {
		change.Answer = &a
	}
	if change == (Change{}) {
		return nil
	}
	return h.Ledger.Keep(ctx, change, now)
}

// announce sends the events of a request. A failure to send them does not undo the request.
func (h Handler) announce(ctx context.Context, to []Endpoint, o outcome) {
	if !o.changed() {
		return
	}
	err := h.Herald.Announce(ctx, to, o.stored, o.intent)
	if !o.intent.Waits().Equal(o.stored.Waits()) {
		err = errors.Join(err, h.Herald.Watch(ctx, o.intent))
	}
	if err != nil {
		observe.Note(ctx, slog.String("callbackError", err.Error()))
	}
}

// admit returns a *Problem unless the request carries the key, as a bearer token or as the user of
// basic authentication.
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
		key, err = h.Key.Doubt(ctx) // the key may have been replaced since it was read
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
	switch {
	case o.instead != nil:
		return answerWith(o.instead.Status, map[string]any{"error": o.instead.document()})
	case o.document != nil:
		return answerWith(http.StatusOK, o.document)
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

// digest returns a digest of a request: requests with one idempotency key must have the same.
func digest(r *http.Request) string {
	sum := sha256.Sum256([]byte(r.URL.Path + "?" + r.PostForm.Encode()))
	return hex.EncodeToString(sum[:])
}

// pause waits for d, or until the client disconnects.
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
