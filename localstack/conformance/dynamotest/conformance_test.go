package dynamotest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"backroom/localstack/cloudsim"
	"backroom/localstack/conformance"
	"backroom/localstack/conformance/dynamotest"
)

// simulated returns a new simulated DynamoDB. Its clock moves by a millisecond with each reading.
func simulated() dynamotest.Cloud {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	cloud := cloudsim.New(cloudsim.Settings{Now: func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}})
	return dynamotest.Cloud{Name: "cloudsim", Config: aws.Config{
		Region: cloudsim.Region, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: cloud.Client(),
	}}
}

// everywhere runs a test on the simulator, and on the cloud at BACKROOM_ENDPOINT if that is set.
func everywhere(t *testing.T, test func(*testing.T, dynamotest.Cloud)) {
	t.Run("cloudsim", func(t *testing.T) {
		t.Parallel()
		test(t, simulated())
	})
	if name, config := conformance.Elsewhere(t); name != "" {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, dynamotest.Cloud{Name: name, Config: config})
		})
	}
}

func TestExercise_EveryCloudPassesTheDynamoDBSuite(t *testing.T) {
	t.Parallel()
	everywhere(t, dynamotest.Exercise)
}

// Random operations get equal answers from the simulator and the other cloud, or from two
// simulators if BACKROOM_ENDPOINT is not set.
func TestCompare_TheSimulatorAnswersLikeTheOtherCloud(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, cloud dynamotest.Cloud) { dynamotest.Compare(t, simulated(), cloud) })
}

func TestAgree_AWriteAloneEqualsOneInATransaction(t *testing.T) {
	t.Parallel()
	dynamotest.Agree(t, simulated(), simulated())
}
