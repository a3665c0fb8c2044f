package operator_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/operator"
	"backroom/localstack/remedy"
	"backroom/shared/cloudtest"
)

// small is a stack with one table and one queue.
const small = `{"Resources": {
	"Orders": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}},
	"AdvanceOrderQueue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-advance-order"}}}
}}`

func TestASiteIsFoundByTheNameOfItsStack(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	endpoint, name := os.Getenv("BACKROOM_ENDPOINT"), "t-"+strings.ToLower(rand.Text()[:12])
	stacks := cloudformation.NewFromConfig(c.Runtime().AWS)
	_, err := stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: aws.String(small)})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := stacks.DeleteStack(context.WithoutCancel(t.Context()), &cloudformation.DeleteStackInput{StackName: &name})
		assert.NoError(t, err)
	})
	about := &cloudformation.DescribeStacksInput{StackName: &name}
	require.NoError(t, cloudformation.NewStackCreateCompleteWaiter(stacks, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay = 100 * time.Millisecond
	}).Wait(t.Context(), about, time.Minute))

	site, err := operator.Open(t.Context(), endpoint, name)
	require.NoError(t, err)
	assert.NotEmpty(t, site.Names["Orders"])
	assert.True(t, strings.HasSuffix(site.Queues.Prefix, "/"+name+"-"), site.Queues.Prefix)

	_, err = operator.Open(t.Context(), endpoint, name+"-other")
	require.ErrorContains(t, err, name+"-other")
	assert.Contains(t, remedy.Next(err), "STACK=")
}
