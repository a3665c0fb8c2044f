package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"backroom/shared/payment"
	"backroom/shared/secret/apikey"
)

// tolerance is how far a signature's time may be from our clock, in either direction.
const tolerance = 5 * time.Minute

// Callbacks verifies and decodes the requests that the provider sends to our webhook endpoint.
// (stripe-go's package webhook does the same with a clock of its own, and links a struct for every
// kind of event.)
type Callbacks struct {
	Secret *apikey.Key // the provider signs with it
	Now    func() time.Time
}

// Open returns the callback in a request. It returns payment.ErrNotSigned unless signature, the value
// of the Stripe-Signature header, is the provider's for this body and at most five minutes old.
// Before it refuses a signature it reads the secret again, because the secret may have been replaced.
// It returns payment.ErrUnreadable for a body that is not an event, and payment.ErrNoSigningSecret if
// the secret is not set.
func (c Callbacks) Open(ctx context.Context, body []byte, signature string) (payment.Callback, error) {
	secret, err := c.Secret.Get(ctx)
	if err == nil && !c.signed(body, signature, secret) {
		secret, err = c.Secret.Doubt(ctx)
	}
	switch {
	case err != nil:
		return payment.Callback{}, err
	case secret == "":
		return payment.Callback{}, payment.ErrNoSigningSecret
	case !c.signed(body, signature, secret):
		return payment.Callback{}, payment.ErrNotSigned
	}
	var event struct {
		Object string `json:"object"`
		ID     string `json:"id"`
		Type   string `json:"type"`
		Data   struct {
			Object struct {
				Object        string `json:"object"`
				ID            string `json:"id"`
				PaymentIntent string `json:"payment_intent"`
			} `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return payment.Callback{}, payment.ErrUnreadable.Because(err)
	}
	// A thin event (object v2.core.event) has no data: an endpoint that gets those was registered wrongly, and must not
	// look healthy.
	if event.Object != "event" || event.ID == "" || event.Type == "" || event.Data.Object.Object == "" {
		return payment.Callback{}, payment.ErrUnreadable.Because(
			fmt.Errorf("object %.40q, type %.80q: not a snapshot event", event.Object, event.Type))
	}
	callback := payment.Callback{
		ID: event.ID, Intent: event.Data.Object.PaymentIntent,
	}
	for _, kind := range []string{"refund.", "charge.refund", "charge.dispute."} {
		callback.AfterCapture = callback.AfterCapture || strings.HasPrefix(event.Type, kind)
	}
	if event.Data.Object.Object == "payment_intent" {
		callback.Intent = event.Data.Object.ID
	}
	if event.Type == "payment_intent.created" {
		callback.Intent = "" // no charge may name the intent yet
	}
	return callback, nil
}

// signed reports whether one of the signatures in a header, as in "t=1492774577,v1=5257a869…,v1=…",
// is that of the body at the header's time (https://docs.stripe.com/webhooks#verify-manually).
func (c Callbacks) signed(body []byte, header, secret string) bool {
	var at string
	var signatures [][]byte
	for pair := range strings.SplitSeq(header, ",") {
		switch name, value, _ := strings.Cut(pair, "="); name {
		case "t":
			at = value
		case "v1":
			if s, err := hex.DecodeString(value); err == nil {
				signatures = append(signatures, s)
			}
		}
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if age := c.Now().Sub(time.Unix(seconds, 0)).Abs(); err != nil || age > tolerance || secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	for _, s := range signatures {
		if hmac.Equal(s, mac.Sum(nil)) {
			return true
		}
	}
	return false
}
