package cloudtest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"backroom/localstack/contract"
	"backroom/localstack/template"
	"backroom/shared/function"
	"backroom/shared/identity"
	"backroom/shared/identity/identitydb"
)

// Event returns events/<file> with its placeholders replaced: ${TOKEN} by a token for Caller,
// ${CLIENT} by the credentials of the bootstrap client (RFC 7617), ${PAYMENTS_KEY} by the key of
// the payment provider.
func (c *Cloud) Event(file string) []byte {
	c.t.Helper()
	root, err := template.Root()
	if err != nil {
		c.t.Fatal(err)
	}
	event, err := os.ReadFile(filepath.Join(root, "events", file))
	if err != nil {
		c.t.Fatal(err)
	}
	return []byte(os.Expand(string(event), func(name string) string {
		switch name {
		case "TOKEN":
			return c.Token()
		case "CLIENT":
			return base64.StdEncoding.EncodeToString([]byte("bootstrap:" + SampleSecret))
		case "PAYMENTS_KEY":
			return SampleSecret
		}
		c.t.Fatalf("events/%s has the unknown placeholder ${%s}", file, name)
		return ""
	}))
}

// Token returns an access token for Caller, signed with a key in the access table.
func (c *Cloud) Token() string {
	c.t.Helper()
	issuer, _ := c.template.Parameters["Issuer"].(string)
	mint := identity.Mint{
		Issuer: issuer, Audience: c.stack, Lifetime: 15 * time.Minute, Signer: c.signer,
		Board: identitydb.Store{DB: c.db, Table: c.Table("Access")},
		Now:   c.now, NewID: func() string { return "sample" },
	}
	token, err := mint.Issue(context.Background(), c.Caller)
	if err != nil {
		c.t.Fatal(err)
	}
	return token
}

// Call builds a function as production does, with the environment of the template and the INIT
// phase, and calls it with an event. It returns the answer or the error that Lambda would get.
func (c *Cloud) Call(build function.Builder, name string, event []byte) ([]byte, error) {
	c.t.Helper()
	environment := c.Environment(name)
	rt := c.RuntimeOf(name, c.http)
	handler, err := build(rt, environment)
	if err != nil {
		c.t.Fatalf("build %s: %v", name, err)
	}
	if err := rt.Warm(context.Background()); err != nil {
		rt.Log.Warn("not everything could be prepared before the first request", "error", err.Error())
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout(name))
	defer cancel()
	answer,
		err := handler.Invoke(
		lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: "sample-request"}), event)
	if err == nil {
		c.verify(name, event, answer)
	}
	return answer, err
}

// verify fails the test if the answer of an API function breaks docs/openapi.yaml, or if the
// function accepts a forbidden request.
func (c *Cloud) verify(name string, event, answer []byte) {
	c.t.Helper()
	promised := c.contract(name)
	var request events.APIGatewayProxyRequest
	if promised == nil || json.Unmarshal(event, &request) != nil {
		return
	}
	path, err := url.PathUnescape(request.Path)
	if err != nil {
		path = request.Path
	}
	a := c.answer(name, answer)
	sent := &http.Request{
		Method: request.HTTPMethod,
		URL:    &url.URL{Path: path, RawQuery: url.Values(request.MultiValueQueryStringParameters).Encode()},
		Header: http.Header(request.MultiValueHeaders), Body: http.NoBody,
	}
	if request.Body != "" {
		sent.Body = io.NopCloser(strings.NewReader(request.Body))
	}
	if err := promised.Check(sent, path,
		contract.Answer{Status: a.Status, Header: a.Header, Body: []byte(a.Body)}); err != nil {
		c.t.Errorf("docs/openapi.yaml: %v", err)
	}
	if a.Status >= http.StatusBadRequest {
		return
	}
	if err := promised.CheckAccepted(sent, path); err != nil {
		c.t.Errorf("docs/openapi.yaml: %v", err)
	}
}

// contract returns the contract of an API function, or nil for any other function.
func (c *Cloud) contract(name string) *contract.Contract {
	c.t.Helper()
	promised, err := contract.Promised()
	if err != nil {
		c.t.Fatal(err)
	}
	if !promised.Has(name) {
		return nil
	}
	return promised
}

// Timeout returns the timeout of a function in the template.
func (c *Cloud) Timeout(name string) time.Duration {
	seconds, ok := c.template.Resources[template.LogicalID(name)].Properties["Timeout"].(int)
	if !ok {
		seconds, _ = c.template.Globals["Timeout"].(int)
	}
	return time.Duration(seconds) * time.Second
}

// Invoke calls a function with a sample event. An error fails the test.
func (c *Cloud) Invoke(build function.Builder, name, file string) []byte {
	c.t.Helper()
	answer, err := c.Call(build, name, c.Event(file))
	if err != nil {
		c.t.Fatalf("%s with %s: %v", name, file, err)
	}
	return answer
}

// Answer is the answer of an HTTP function.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Slug returns a problem's code, such as "unknown-product". It is empty if the answer is not a
// problem.
func (a Answer) Slug() string {
	var problem struct {
		Code string `json:"code"`
	}
	if json.Unmarshal([]byte(a.Body), &problem) != nil {
		return ""
	}
	return problem.Code
}

// Request calls an HTTP function with a sample event. An error fails the test.
func (c *Cloud) Request(build function.Builder, name, file string) Answer {
	c.t.Helper()
	a := c.answer(name, c.Invoke(build, name, file))
	if c.contract(name) != nil {
		note(c.t, Exchanges,
			Exchange{Function: name, Event: file, Status: a.Status, Media: a.Header.Get("Content-Type"), Body: a.Body})
	}
	return a
}

func (c *Cloud) answer(name string, answer []byte) Answer {
	c.t.Helper()
	var raw events.APIGatewayProxyResponse
	if err := json.Unmarshal(answer, &raw); err != nil {
		c.t.Fatalf("the answer of %s is not a proxy response: %v", name, err)
	}
	a := Answer{Status: raw.StatusCode, Header: http.Header{}, Body: raw.Body}
	for key, values := range raw.MultiValueHeaders {
		a.Header[http.CanonicalHeaderKey(key)] = values
	}
	for key, value := range raw.Headers {
		a.Header.Set(key, value)
	}
	return a
}

// Deliver calls a step with a sample batch. It returns the ids of the messages that failed.
func (c *Cloud) Deliver(build function.Builder, name, file string) []string {
	c.t.Helper()
	answer := c.Invoke(build, name, file)
	var response events.SQSEventResponse
	if err := json.Unmarshal(answer, &response); err != nil || response.BatchItemFailures == nil {
		c.t.Fatalf("%s answered %s, which is not a partial batch response (%v)", name, answer, err)
	}
	ids := []string{}
	for _, failure := range response.BatchItemFailures {
		ids = append(ids, failure.ItemIdentifier)
	}
	return ids
}

func (c *Cloud) nonce() string {
	c.nonces++
	return fmt.Sprintf("nonce%03d", c.nonces)
}
