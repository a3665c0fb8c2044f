package queuestest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim"
	"backroom/localstack/conformance"
	"backroom/localstack/conformance/queuestest"
)

func TestExercise_EveryCloudPassesTheSQSSuite(t *testing.T) {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	simulated := cloudsim.New(cloudsim.Settings{Now: func() time.Time { return now }})
	t.Run("cloudsim", func(t *testing.T) {
		queuestest.Exercise(t, queuestest.Cloud{
			Name: "cloudsim",
			Config: aws.Config{Region: cloudsim.Region, HTTPClient: simulated.Client(),
				Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1},
			Sleep: func(d time.Duration) { now = now.Add(d) },
		})
		require.Empty(t, simulated.Queues.URLs(), "every case deletes its queues")
	})
	if name, config := conformance.Elsewhere(t); name != "" {
		t.Run(name, func(t *testing.T) {
			queuestest.Exercise(t, queuestest.Cloud{Name: name, Config: config, Sleep: time.Sleep, Parallel: true})
		})
	}
}
