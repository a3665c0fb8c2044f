package apikey_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/secret/apikey"
)

func TestKey_IsReadOnce(t *testing.T) {
	t.Parallel()
	reads := 0
	key := apikey.New(func(context.Context) (string, error) {
		if reads++; reads == 1 {
			return "", errors.New("not yet")
		}
		return "sk_1", nil
	}, time.Now)
	_, err := key.Get(t.Context())
	require.ErrorIs(t, err, apikey.ErrUnreadable)
	for range 3 {
		value, err := key.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "sk_1", value)
	}
	assert.Equal(t, 2, reads)
}

func TestDoubt_ReadsTheKeyAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		key := apikey.New(func(context.Context) (string, error) {
			reads++
			return fmt.Sprintf("sk_%d", reads), nil
		}, time.Now)
		_, err := key.Get(t.Context())
		require.NoError(t, err)
		for range 1000 {
			value, err := key.Doubt(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "sk_2", value)
		}
		time.Sleep(time.Minute)
		value, err := key.Doubt(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "sk_3", value)
		time.Sleep(time.Hour)
		value, err = key.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "sk_4", value, "what was replaced is forgotten in time, without a doubt too")
	})
}

func TestInSecret_ReadsTheDocument(t *testing.T) {
	t.Parallel()
	cloud := cloudtest.New(t)
	cfg := cloud.Runtime().AWS

	value,
		err := apikey.InSecret(cfg, cloud.Environment("sandbox-payments")["PAYMENTS_SECRET_ARN"],
		time.Now).Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, cloudtest.SampleSecret, value)

	for name, arn := range map[string]string{
		"another document": cloud.Environment("issue-token")["CLIENT_SECRET_ARN"],
		"no secret":        "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf",
	} {
		_, err := apikey.InSecret(cfg, arn, time.Now).Get(t.Context())
		require.ErrorIs(t, err, apikey.ErrUnreadable, name)
		assert.NotContains(t, err.Error(), cloudtest.SampleSecret)
	}

	cfg.BaseEndpoint = aws.String("http://127.0.0.1:1")
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	_, err = apikey.InSecret(cfg, "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf", time.Now).Get(t.Context())
	require.ErrorIs(t, err, apikey.ErrUnavailable)
}
