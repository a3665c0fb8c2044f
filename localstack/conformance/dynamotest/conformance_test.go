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

// simulated returns a new simulated DynamoDB, whose clock moves a millisecond each time it is read.
func simulated() dynamotest.Cloud {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	cloud := cloudsim.New(cloudsim.Settings{Now: func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}})
	return dynamotest.Cloud{Name: "cloudsim", Config: aws.Config{
		Region: cloudsim.Region, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: cloud.Client(),
	}}
}

// everywhere runs a test on the simulator, and, under its own name, on the cloud of BACKROOM_ENDPOINT, if there is one.
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

func TestEveryCloudKeepsDynamoDBsPromises(t *testing.T) {
	t.Parallel()
	everywhere(t, dynamotest.Exercise)
}

// Random operations have equal answers on the simulator and on the other cloud; without one, on two simulators.
func TestTheSimulatorAnswersAsEveryCloud(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, cloud dynamotest.Cloud) { dynamotest.Compare(t, simulated(), cloud) })
}

func TestTheSimulatorWritesAloneAsInATransaction(t *testing.T) {
	t.Parallel()
	dynamotest.Agree(t, simulated(), simulated())
}
