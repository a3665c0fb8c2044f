package dynamo_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"backroom/shared/cloudsim"
	"backroom/shared/cloudsim/dynamo/dynamotest"
	"backroom/shared/function"
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

// beside returns the cloud at BACKROOM_ENDPOINT, which BACKROOM_CLOUD names, and false if there is none.
func beside() (dynamotest.Cloud, bool) {
	endpoint := os.Getenv("BACKROOM_ENDPOINT")
	rt := function.Environment(map[string]string{
		"AWS_ENDPOINT_URL": strings.TrimSuffix(endpoint, "/"), "AWS_REGION": cloudsim.Region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	})
	return dynamotest.Cloud{Name: os.Getenv("BACKROOM_CLOUD"), Config: rt.AWS}, endpoint != ""
}

func TestTheSimulatorKeepsDynamoDBsPromises(t *testing.T) {
	t.Parallel()
	dynamotest.Exercise(t, simulated())
}

func TestTheSimulatorWritesAloneAsInATransaction(t *testing.T) {
	t.Parallel()
	dynamotest.Agree(t, simulated(), simulated())
}

func TestTheSimulatorRunsTwiceAlike(t *testing.T) {
	t.Parallel()
	dynamotest.Compare(t, simulated(), simulated())
}

// Without another cloud there is nothing to compare with, and the tests above stand alone.
func TestTheCloudBesideKeepsDynamoDBsPromises(t *testing.T) {
	t.Parallel()
	if cloud, ok := beside(); ok {
		dynamotest.Exercise(t, cloud)
	}
}

func TestTheSimulatorAnswersAsTheCloudBeside(t *testing.T) {
	t.Parallel()
	if cloud, ok := beside(); ok {
		dynamotest.Compare(t, simulated(), cloud)
	}
}
