package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudsim"
	lambdas "backroom/shared/function"
)

// once has a fault strike the first call of the first invocation of a function.
type once struct {
	Calm
	fault Fault
}

func (o once) Call(at Site, _ *rand.Rand) Fault {
	if at.Function == "stand-in" && at.Invocation == 1 && at.Nth == 1 && o.fault != Stall && o.fault != Freeze {
		return o.fault
	}
	return None
}

func (o once) Stall(_ string, invocation, _ int, _ *rand.Rand) int { return o.first(Stall, invocation) }

func (o once) Freeze(_ string, invocation, _ int, _ *rand.Rand) int {
	return o.first(Freeze, invocation)
}

func (o once) first(f Fault, invocation int) int {
	if o.fault == f && invocation == 1 {
		return 1
	}
	return 0
}

// It checks, for each fault, whether the call takes effect, whether its caller gets an answer, and whether the
// caller continues.
func TestFault_HasItsEffect(t *testing.T) {
	const put = `{"TableName":"sim-Levels","Item":{"pk":{"S":"a"}}}`
	for fault, c := range map[Fault]struct {
		effect bool
		answer string // what the caller gets: an answer's status, or an error
		logs   bool   // whether the caller continues after the call
		fresh  bool   // whether the next invocation has a process of its own
	}{
		None:       {effect: true, answer: "200", logs: true},
		FailBefore: {effect: false, answer: errReset.Error(), logs: true},
		LoseAnswer: {effect: true, answer: errCut.Error(), logs: true},
		Throttle:   {effect: false, answer: "400", logs: true},
		KillBefore: {effect: false, logs: false, fresh: true},
		KillAfter:  {effect: true, logs: false, fresh: true},
		Stall:      {effect: true, answer: "200", logs: true, fresh: true},
		Freeze:     {effect: true, answer: "200", logs: true},
	} {
		t.Run(string(fault), func(t *testing.T) {
			bubble(t, func(t *testing.T, s harness) {
				s.Stack.Table("Levels")
				s.Disturb(once{fault: fault})
				starts, answers := 0, []string{}
				f := &deployed{sim: s.Simulation, name: "stand-in", timeout: 10 * time.Second,
					build: func(rt lambdas.Runtime, _ map[string]string) (lambda.Handler, error) {
						starts++
						return lambda.NewHandler(func(ctx context.Context, _ json.RawMessage) error {
							r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://dynamodb.us-east-1.amazonaws.com/", strings.NewReader(put))
							if err != nil {
								return err
							}
							r.Header.Set("X-Amz-Target", cloudsim.DynamoDB+".PutItem")
							got, err := rt.Web.RoundTrip(r)
							if err != nil {
								answers = append(answers, err.Error())
							} else {
								answers = append(answers, got.Status[:3])
							}
							rt.Log.Info("went on", slog.Int("start", starts))
							return nil
						}), nil
					}}
				var ended []error
				f.invoke([]byte("{}"), time.Minute, func(_ []byte, err error) { ended = append(ended, err) })
				s.Pass(11 * time.Second)
				require.Len(t, ended, 1, "Lambda ends the invocation at the function's timeout")
				assert.Equal(t, c.fresh, ended[0] != nil)
				s.Pass(10 * time.Minute)
				assert.Equal(t, c.effect, s.Stack.Row("Levels", "a") != "")
				if c.answer != "" {
					assert.Equal(t, []string{c.answer}, answers)
				} else {
					assert.Empty(t, answers, "a process that has ended gets no answer")
				}
				assert.Equal(t, c.logs, strings.Contains(s.Stack.Log.String(), "went on"))
				if fault != None {
					assert.Equal(t, map[Fault]int{fault: 1}, s.Struck())
				}

				f.invoke([]byte("{}"), time.Minute, func([]byte, error) {})
				s.Pass(time.Minute)
				assert.Equal(t, c.fresh, starts == 2, "a process that has ended is not used again")
			})
		})
	}
}

// The process ends before the call takes effect, so its code never gets the answer.
func TestCall_TakesEffectAfterItsProcessEnded(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		s.Stack.Table("Levels")
		went := false
		f := &deployed{sim: s.Simulation, name: "stand-in", timeout: 2 * time.Second,
			build: func(rt lambdas.Runtime, _ map[string]string) (lambda.Handler, error) {
				return lambda.NewHandler(func(context.Context, json.RawMessage) error {
					time.Sleep(2*time.Second - time.Microsecond)
					r, err := http.NewRequest(http.MethodPost, "https://dynamodb.us-east-1.amazonaws.com/", strings.NewReader(`{"TableName":"sim-Levels","Item":{"pk":{"S":"a"}}}`))
					if err != nil {
						return err
					}
					r.Header.Set("X-Amz-Target", cloudsim.DynamoDB+".PutItem")
					_, err = rt.Web.RoundTrip(r)
					went = true
					return err
				}), nil
			}}
		var ended error
		f.invoke([]byte("{}"), 0, func(_ []byte, err error) { ended = err })
		s.Pass(time.Minute)
		assert.ErrorIs(t, ended, errTimedOut)
		assert.NotEmpty(t, s.Stack.Row("Levels", "a"))
		assert.False(t, went)
	})
}

func TestGateway_AnswersAsAPIGateway(t *testing.T) {
	answer := func(status int, body string) any {
		return events.APIGatewayProxyResponse{StatusCode: status, Body: body, Headers: map[string]string{"X-It": "is"}}
	}
	said := map[string]gatewayResponse{"MISSING_AUTHENTICATION_TOKEN": {StatusCode: 404,
		ResponseTemplates: map[string]string{"application/json": `{"id":"$context.requestId"}`}}}
	for sentence, c := range map[string]struct {
		path   string
		handle func() (any, error)
		status int
		body   string
	}{
		"the function answers": {"/v1/things/a%20b", func() (any, error) { return answer(201, "made"), nil },
			201, "made"},
		"the function fails": {"/v1/things/1", func() (any, error) { return nil, errors.New("no") }, 502,
			`{"message":"Internal server error"}`},
		"the answer is not an object": {"/v1/things/1", func() (any, error) { return "text", nil }, 502,
			`{"message":"Internal server error"}`},
		"the function takes too long": {"/v1/things/1",
			func() (any, error) { time.Sleep(time.Minute); return answer(200, ""), nil }, 504,
			`{"message":"Endpoint request timed out"}`},
		"the path is unknown":           {"/v1/other", nil, 404, `{"id":"00000000-0000-4000-9000-000001000001"}`},
		"the stage is unknown":          {"/v2/things/1", nil, 404, `{"id":"00000000-0000-4000-9000-000001000001"}`},
		"the path has one segment more": {"/v1/things/1/2", nil, 404, `{"id":"00000000-0000-4000-9000-000001000001"}`},
		"the path parameter is empty":   {"/v1/things/", nil, 404, `{"id":"00000000-0000-4000-9000-000001000001"}`},
	} {
		t.Run(sentence, func(t *testing.T) {
			bubble(t, func(t *testing.T, s harness) {
				var seen events.APIGatewayProxyRequest
				f := s.function(func(_ context.Context, e events.APIGatewayProxyRequest) (any, error) {
					seen = e
					return c.handle()
				})
				f.timeout = 2 * time.Minute
				s.apis["api"] = &api{id: "api", stage: "v1", says: said, routes: []route{{"GET", "/things/{id}", f}}}
				s.Meanwhile(time.Hour, func(client *http.Client) {
					got, err := client.Get("https://api.execute-api.us-east-1.amazonaws.com" + c.path + "?q=1&q=2")
					if !assert.NoError(t, err) {
						return
					}
					body, err := io.ReadAll(got.Body)
					assert.NoError(t, err)
					assert.Equal(t, []any{c.status, c.body}, []any{got.StatusCode, string(body)})
				})
				if c.status == 201 {
					assert.Equal(t, map[string]string{"id": "a b"}, seen.PathParameters)
					assert.Equal(t, []any{"/things/a%20b", "/things/{id}", "v1", []string{"1", "2"}},
						[]any{seen.Path, seen.Resource, seen.RequestContext.Stage,
							seen.MultiValueQueryStringParameters["q"]})
				}
			})
		})
	}
}

func TestAPI_GreedyRouteMatchesWhatNoOtherRouteDoes(t *testing.T) {
	a := api{routes: []route{{"GET", "/v1/{proxy+}", nil}, {"POST", "/v1/{proxy+}", nil},
		{"GET", "/v1/things/{id}", nil}}}
	for sentence, c := range map[string]struct {
		method, path, route string
		parameters          map[string]string
	}{
		"a path of a route": {"GET", "/v1/things/1", "/v1/things/{id}", map[string]string{"id": "1"}},
		"another method than the route's": {"POST", "/v1/things/1", "/v1/{proxy+}",
			map[string]string{"proxy": "things/1"}},
		"a path that is longer": {"GET", "/v1/a%20b/c/d", "/v1/{proxy+}",
			map[string]string{"proxy": "a b/c/d"}},
		"a method of no route":              {"DELETE", "/v1/things/1", "", nil},
		"nothing behind the route's prefix": {"GET", "/v1/", "", nil},
		"the prefix alone":                  {"GET", "/v1", "", nil},
		"another prefix":                    {"GET", "/v2/things/1", "", nil},
		"an invalid escape":                 {"GET", "/v1/%zz", "", nil},
	} {
		t.Run(sentence, func(t *testing.T) {
			found, parameters := a.find(c.method, c.path)
			if c.route == "" {
				assert.Nil(t, found)
				return
			}
			require.NotNil(t, found)
			assert.Equal(t, []any{c.route, c.parameters}, []any{found.path, parameters})
		})
	}
}

func TestSchedule_RetriesAFailedEventTwice(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		var at []time.Duration
		began := time.Now()
		f := s.function(func(context.Context, json.RawMessage) error {
			at = append(at, time.Since(began).Round(time.Second))
			return errors.New("no")
		})
		require.NoError(t, s.schedule(f, "rate(60 minutes)"))
		s.Pass(90 * time.Minute)
		assert.Equal(t, []time.Duration{time.Hour, time.Hour + time.Minute, time.Hour + 3*time.Minute}, at)
		assert.Error(t, s.schedule(f, "cron(0 12 * * ? *)"), "an unsupported schedule is refused")
	})
}

func TestSource_RefusesUnsupportedProperties(t *testing.T) {
	bubble(t, func(t *testing.T, s harness) {
		f := s.function(func() error { return nil })
		for what, declared := range map[string]any{
			"another source": map[string]any{"Type": "SNS", "Properties": map[string]any{}},
			"a window": map[string]any{"Type": "SQS",
				"Properties": map[string]any{"Queue": "arn:aws:sqs:us-east-1:000000000000:q",
					"MaximumBatchingWindowInSeconds": 5}},
			"no such API": map[string]any{"Type": "Api", "Properties": map[string]any{"RestApiId": "none"}},
			"a starting place": map[string]any{"Type": "DynamoDB",
				"Properties": map[string]any{"Stream": "arn", "StartingPosition": "LATEST"}},
		} {
			assert.Error(t, s.source(f, declared), what)
		}
		assert.Error(t, s.addAPI("Api", map[string]any{"StageName": "v1", "Auth": map[string]any{}}))
	})
}
