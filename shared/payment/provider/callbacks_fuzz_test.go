package provider_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v84/webhook"

	"backroom/shared/payment"
	"backroom/shared/payment/provider"
	"backroom/shared/secret/apikey"
)

// FuzzSignature checks that Open accepts every header that the provider's own library accepts, and no
// header without a genuine signature of the same body.
func FuzzSignature(f *testing.F) {
	const secret = "whsec_fuzz"
	f.Add(
		[]byte(
			`{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"object":"payment_intent","id":"pi_1"}}}`), "", "")
	f.Add([]byte(`{"id":"evt_2","data":{"object":{"object":"charge","payment_intent":"pi_2"}}}`), "v0=00,", ",v1=beef")
	f.Add([]byte(`null`), "t=1,", ",v1=")
	f.Add([]byte("\xff"), "v1=zz,v1", ",t=-9223372036854775808")
	f.Fuzz(func(t *testing.T, body []byte, before, after string) {
		now := time.Now()
		callbacks := provider.Callbacks{
			Secret: apikey.New(func(context.Context) (string, error) { return secret, nil }, time.Now),
			Now:    func() time.Time { return now },
		}
		genuine := fmt.Sprintf("t=%d,v1=%s", now.Unix(),
			hex.EncodeToString(webhook.ComputeSignature(now, body, secret)))
		header := before + genuine + after
		callback, err := callbacks.Open(t.Context(), body, header)
		if webhook.ValidatePayload(body, header, secret) == nil {
			require.NotErrorIs(t, err, payment.ErrNotSigned, "%q", header)
		}
		if err == nil {
			require.NotEmpty(t, callback.ID)
		} else {
			require.Equal(t, payment.Callback{}, callback)
			require.True(t, errors.Is(err, payment.ErrNotSigned) || errors.Is(err, payment.ErrUnreadable), "%v", err)
		}

		_, err = callbacks.Open(t.Context(), body, before+after)
		require.ErrorIs(t, err, payment.ErrNotSigned)
		_, err = callbacks.Open(t.Context(), append(body, ' '), header)
		require.ErrorIs(t, err, payment.ErrNotSigned)
	})
}
