package function_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/function"
)

// Shared are settings that other settings embed.
type Shared struct {
	Table string `env:"TABLE"`
}

type settings struct {
	Shared
	Queues string `env:"QUEUES"`
	Tries  int    `env:"TRIES" envDefault:"3"`
}

type job func(ctx context.Context) error

func (j job) Run(ctx context.Context) error { return j(ctx) }

func TestSettings_ErrorNamesEveryMissingSetting(t *testing.T) {
	type flat struct {
		Table  string `env:"TABLE"`
		Queues string `env:"QUEUES"`
		Tries  int    `env:"TRIES"`
	}
	build := function.Running(func(function.Runtime, flat) function.Job { return job(nil) })
	_, err := build(newBench().runtime(), map[string]string{"QUEUES": "", "TRIES": "many"})
	require.Error(t, err)
	for _, name := range []string{"TABLE", "QUEUES", "Tries"} {
		assert.ErrorContains(t, err, name)
	}
}

func TestSettings_ReadOnlyTheGivenEnvironment(t *testing.T) {
	t.Setenv("QUEUES", "the process's")
	var got settings
	build := function.Running(func(_ function.Runtime, s settings) function.Job {
		got = s
		return job(nil)
	})
	_, err := build(newBench().runtime(), map[string]string{"TABLE": "t", "QUEUES": "q"})
	require.NoError(t, err)
	assert.Equal(t, settings{Shared{"t"}, "q", 3}, got)
}

func TestWarm_RunsEveryFunctionGivenToOnInit(t *testing.T) {
	rt := newBench().runtime()
	var did []string
	rt.OnInit(func(context.Context) error { did = append(did, "first"); return errors.New("the keys are away") })
	rt.OnInit(func(ctx context.Context) error {
		_, limited := ctx.Deadline()
		assert.True(t, limited, "the context has a deadline")
		did = append(did, "second")
		return nil
	})
	assert.ErrorContains(t, rt.Warm(t.Context()), "the keys are away")
	assert.Equal(t, []string{"first", "second"}, did, "a failure does not stop the next function")
}

func TestWarm_OpensOneConnectionPerService(t *testing.T) {
	s := newBench()
	rt := s.runtime()
	rt.Table("orders")
	rt.Table("reservations")
	rt.DynamoDB()
	rt.Queues("https://sqs.example/")
	require.NoError(t, rt.Warm(t.Context()))
	assert.Len(t, s.queue.urls, 2, "one to DynamoDB, one to SQS")
}

func TestEnvironment_SendsARequestInOnePiece(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	first := make(chan string, 1)
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		buffer := make([]byte, 1<<16)
		n, _ := connection.Read(buffer)
		first <- string(buffer[:n])
		_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: "+
			"application/x-amz-json-1.0\r\n\r\n{}")
	}()
	rt := function.Environment(map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://" + listener.Addr().String(), "AWS_ACCESS_KEY_ID": "a",
		"AWS_SECRET_ACCESS_KEY": "s",
	})
	_, err = rt.DynamoDB().GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("orders"),
		Key:       map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "the-key"}},
	})
	require.NoError(t, err)
	assert.Contains(t, <-first, "the-key", "the first packet has header and body")
}

func TestURL_ResolvesASetting(t *testing.T) {
	for name, c := range map[string]struct{ region, endpoint, setting, url string }{
		"a URL stays unchanged": {"eu-central-1", "", "https://api.stripe.com", "https://api.stripe.com"},
		"a REST API of the account": {"eu-central-1", "", "execute-api:abc/sandbox",
			"https://abc.execute-api.eu-central-1.amazonaws.com/sandbox"},
		"a REST API in China": {"cn-north-1", "", "execute-api:abc/sandbox",
			"https://abc.execute-api.cn-north-1.amazonaws.com.cn/sandbox"},
		"a REST API of the local cloud": {"us-east-1", "http://127.0.0.1:4566", "execute-api:abc/sandbox",
			"http://127.0.0.1:4566/_aws/execute-api/abc/sandbox"},
	} {
		t.Run(name, func(t *testing.T) {
			rt := function.Environment(map[string]string{"AWS_REGION": c.region, "AWS_ENDPOINT_URL": c.endpoint})
			assert.Equal(t, c.url, rt.URL(c.setting))
		})
	}
}

func TestRunning_FailsWithItsJob(t *testing.T) {
	for name, failure := range map[string]error{"done": nil, "failed": errors.New("no queue")} {
		t.Run(name, func(t *testing.T) {
			s := newBench()
			lambda, err := function.Running(func(function.Runtime, struct{}) function.Job {
				return job(func(context.Context) error { return failure })
			})(s.runtime(), nil)
			require.NoError(t, err)
			_, err = lambda.Invoke(t.Context(), []byte(`{"source":"aws.events"}`))
			assert.Equal(t, failure, err)
			assert.Len(t, s.lines(t), 1)
		})
	}
}

type reader func([]events.DynamoDBEventRecord) error

func (r reader) Read(_ context.Context, records []events.DynamoDBEventRecord) error {
	return r(records)
}

func TestRelaying_FailsWithItsReader(t *testing.T) {
	s := newBench()
	failure := errors.New("no queue")
	lambda, err := function.Relaying(func(function.Runtime, struct{}) function.StreamReader {
		return reader(func(records []events.DynamoDBEventRecord) error {
			assert.Len(t, records, 2)
			return failure
		})
	})(s.runtime(), nil)
	require.NoError(t, err)
	_, err = lambda.Invoke(t.Context(), []byte(`{"Records":[{"dynamodb":{}},{"dynamodb":{}}]}`))
	assert.Equal(t, failure, err)
	assert.Equal(t, "ERROR", s.lines(t)[0]["level"])
}
