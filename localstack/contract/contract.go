// Package contract checks requests to the API and its answers against docs/openapi.yaml.
package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"backroom/localstack/template"
	"backroom/shared/api"
)

// A Contract is an OpenAPI document to check against.
type Contract struct {
	document *openapi3.T
	router   routers.Router
}

// Answer is an HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Promised returns the contract of docs/openapi.yaml.
func Promised() (*Contract, error) { return promised() }

var promised = sync.OnceValues(func() (*Contract, error) {
	root, err := template.Root()
	if err != nil {
		return nil, err
	}
	document, err := os.ReadFile(filepath.Join(root, "docs", "openapi.yaml"))
	if err != nil {
		return nil, err
	}
	return Read(document)
})

// Read returns the contract of an OpenAPI document. It returns an error for a document that is not
// valid.
func Read(document []byte) (*Contract, error) {
	parsed, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("contract: read the OpenAPI document: %w", err)
	}
	parsed.Servers = nil // requests are found by their path below the server
	closeAnswers(parsed)
	// The examples are recorded answers, which a changed schema makes invalid until they are recorded again; a test of
	// functions/ checks them.
	router, err := legacy.NewRouter(parsed, openapi3.DisableExamplesValidation())
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	return &Contract{parsed, router}, nil
}

// closeAnswers closes the schemas that the document leaves open for later releases: this release
// answers nothing that its own document does not name.
func closeAnswers(document *openapi3.T) {
	for _, schema := range document.Components.Schemas {
		closeEnumeration(schema.Value)
		if open := schema.Value.AdditionalProperties.Has; open != nil && *open {
			schema.Value.AdditionalProperties.Has = new(false)
		}
		for _, member := range schema.Value.Properties {
			closeEnumeration(member.Value)
		}
	}
}

func closeEnumeration(schema *openapi3.Schema) {
	if values, ok := schema.Extensions["x-extensible-enum"].([]any); ok {
		schema.Enum = values
	}
}

// gateways are the problems that the gateway answers itself, for requests that reach no operation.
var gateways = []string{"no-such-route", "method-not-allowed", "body-too-large", "quota-exceeded", "api-key-missing",
	"request-refused", "timeout"}

// transport are the headers that HTTP, the gateway or a server adds, and not an operation.
var transport = []string{
	"Content-Type", "Content-Length", "Content-Encoding", "Date", "Connection", "Keep-Alive", "Transfer-Encoding",
	"Server", "Via", "Vary", "Age", "Cache-Control",
	"Allow", // of 405, which is not an operation's answer
}

// Check returns an error if an answer breaks the contract: the document does not name the
// operation, the status, a header or the media type, or describes another body. path is the
// request's path below the server. An answer of the gateway itself needs only to be a valid problem
// document.
func (c *Contract) Check(request *http.Request, path string, a Answer) error {
	if slug, is := problem(a); is && slices.Contains(gateways, slug) {
		return c.gateway(a)
	}
	below, route, parameters, err := c.find(request, path)
	if err != nil {
		return fmt.Errorf("%w, and the answer is not a problem that reports this", err)
	}
	name := route.Operation.OperationID
	promised := route.Operation.Responses.Status(a.Status)
	if promised == nil {
		return fmt.Errorf("%s answers %d, which the document does not name: %s", name, a.Status, a.Body)
	}
	if err := headers(promised.Value, a.Header); err != nil {
		return fmt.Errorf("%s answers %d %w", name, a.Status, err)
	}
	if len(promised.Value.Content) == 0 && len(a.Body) > 0 {
		return fmt.Errorf("%s answers %d with a body, which the document does not name: %s", name, a.Status, a.Body)
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: below, PathParams: parameters,
			Route: route},
		Status: a.Status, Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		return fmt.Errorf("%s answers %d with another body than the document describes: %w: %s", name, a.Status, err,
			a.Body)
	}
	return nil
}

// CheckAccepted returns an error if an operation accepted a request that the document forbids.
func (c *Contract) CheckAccepted(request *http.Request, path string) error {
	below, route, parameters, err := c.find(request, path)
	if err != nil {
		return err
	}
	err = openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: below, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, // the request was accepted, so it was authorized
			MultiError:         true, SkipSettingDefaults: true,
		},
	})
	if err != nil {
		return fmt.Errorf("%s accepts what the document forbids: %w", route.Operation.OperationID, err)
	}
	return nil
}

// find returns the operation of a request, and the request with its path below the server.
func (c *Contract) find(request *http.Request, path string) (below *http.Request, route *routers.Route,
	parameters map[string]string, err error) {
	below = request.Clone(request.Context())
	below.URL.Path, below.URL.RawPath = path, ""
	below.URL.Host, below.URL.Scheme, below.Host = "", "", ""
	if route, parameters, err = c.router.FindRoute(below); err != nil {
		err = fmt.Errorf("%s %s: no operation of the document: %w", request.Method, path, err)
	}
	return below, route, parameters, err
}

// gateway checks a problem document of the gateway itself.
func (c *Contract) gateway(a Answer) error {
	schema := c.document.Components.Schemas["Problem"]
	if schema == nil {
		return errors.New("the document has no schema Problem")
	}
	var body any
	if err := json.Unmarshal(a.Body, &body); err != nil {
		return fmt.Errorf("the gateway's answer is not valid JSON: %w", err)
	}
	if err := schema.Value.VisitJSON(body, openapi3.EnableJSONSchema2020(), openapi3.MultiErrors()); err != nil {
		return fmt.Errorf("the gateway's answer is not a valid problem document: %w: %s", err, a.Body)
	}
	return nil
}

// headers returns an error if the answer has a header that the document does not name.
func headers(promised *openapi3.Response, came http.Header) error {
	for name := range came {
		known := slices.Contains(transport, http.CanonicalHeaderKey(name)) || strings.HasPrefix(name, "X-Amz") ||
			strings.HasPrefix(name, "X-Localstack") ||
			strings.HasPrefix(http.CanonicalHeaderKey(name), "Ratelimit-") || // named where they matter
			strings.EqualFold(name, "X-Request-Id") // refusals have it, and in their body
		for documented := range promised.Headers {
			known = known || strings.EqualFold(name, documented)
		}
		if !known {
			return fmt.Errorf("with a header %s, which the document does not name", name)
		}
	}
	return nil
}

// problem returns the slug of a problem document, and false for any other answer.
func problem(a Answer) (slug string, is bool) {
	var document api.Problem
	if json.Unmarshal(a.Body, &document) != nil || document.Type == "" {
		return "", false
	}
	return document.Code, document.Code != ""
}

// Has reports whether the document has the operation.
func (c *Contract) Has(operation string) bool {
	for _, path := range c.document.Paths.Map() {
		for _, o := range path.Operations() {
			if o.OperationID == operation {
				return true
			}
		}
	}
	return false
}
