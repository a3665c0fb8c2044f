package apikey_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/cloudtest"
	"backroom/shared/payment/apikey"
)

func TestAKeyIsReadOnce(t *testing.T) {
	t.Parallel()
	reads := 0
	key := &apikey.Key{Read: func(context.Context) (string, error) {
		if reads++; reads == 1 {
			return "", errors.New("not yet")
		}
		return "sk_1", nil
	}}
	_, err := key.Get(t.Context())
	require.ErrorIs(t, err, apikey.ErrRefused)
	for range 3 {
		value, err := key.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "sk_1", value)
	}
	assert.Equal(t, 2, reads)
	key.Forget()
	_, err = key.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 3, reads)
}

func TestInSecret(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	cfg := cloud.Runtime().AWS

	value, err := apikey.InSecret(cfg, cloud.Environment("sandbox-payments")["PAYMENTS_SECRET_ARN"]).Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, cloudtest.SampleSecret, value)

	for name, arn := range map[string]string{
		"another document": cloud.Environment("issue-token")["CLIENT_SECRET_ARN"],
		"no secret":        "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf",
	} {
		_, err := apikey.InSecret(cfg, arn).Get(t.Context())
		require.ErrorIs(t, err, apikey.ErrRefused, name)
		assert.NotContains(t, err.Error(), cloudtest.SampleSecret)
	}

	cfg.BaseEndpoint = aws.String("http://127.0.0.1:1")
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	_, err = apikey.InSecret(cfg, "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf").Get(t.Context())
	require.ErrorIs(t, err, apikey.ErrAway)
}
