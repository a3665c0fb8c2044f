package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/getkin/kin-openapi/openapi3"

	"backroom/functions"
	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/identity"
)

const host = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"

// request returns the gateway's event for the function of a route. It has the placeholder ${TOKEN}
// if the route needs a token, and an Idempotency-Key if the route accepts one.
func (o options) request(root string) (e events.APIGatewayProxyRequest, err error) {
	entry := functions.All[o.route]
	if entry.Operation == nil {
		return e, fmt.Errorf("%q is not a route: set ROUTE to one of %s", o.route, routes())
	}
	operation := entry.Operation(function.Environment(map[string]string{"AWS_REGION": "us-east-1"}))
	route := operation.Route()
	known, err := samples(root)
	if err != nil {
		return e, err
	}
	at, err := url.Parse(o.at)
	if err != nil {
		return e, err
	}
	path, values, err := place(route.Path, at.Path, known)
	if err != nil {
		return e, err
	}
	headers, err := o.headers(operation)
	if err != nil {
		return e, err
	}
	e = events.APIGatewayProxyRequest{
		Resource: route.Path, Path: path, HTTPMethod: route.Method, PathParameters: values, Body: o.body,
		Headers: headers, MultiValueHeaders: lists(headers),
		RequestContext: events.APIGatewayProxyRequestContext{
			AccountID: "123456789012", ResourceID: "x1y2z3", ResourcePath: route.Path, HTTPMethod: route.Method,
			RequestID: o.id("7c9e6679-7425-40de-944b-", o.route), ExtendedRequestID: "GHi9JkLmNoPqRsT=",
			APIID:       "a1b2c3d4e5",
			RequestTime: "01/Mar/2026:12:00:00 +0000", RequestTimeEpoch: 1772366400000,
			Path: "/v1" + path, Stage: "v1", Protocol: "HTTP/1.1", DomainPrefix: "a1b2c3d4e5", DomainName: host,
			Identity: events.APIGatewayRequestIdentity{SourceIP: "192.0.2.17", UserAgent: "curl/8.11.0"},
		},
	}
	for name, values := range at.Query() {
		if e.QueryStringParameters == nil {
			e.QueryStringParameters, e.MultiValueQueryStringParameters = map[string]string{}, at.Query()
		}
		e.QueryStringParameters[name] = values[len(values)-1]
	}
	return e, nil
}

func (o options) headers(op api.Operation) (map[string]string, error) {
	headers := map[string]string{
		"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "Host": host, "User-Agent": "curl/8.11.0",
		"X-Amzn-Trace-Id": "Root=1-67c2f0a0-3b1f2c4d5e6f708192a3b4c5",
		"X-Forwarded-For": "192.0.2.17", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https",
	}
	if o.body != "" {
		headers["Content-Type"], headers["Content-Length"] = "application/json", strconv.Itoa(len(o.body))
	}
	if !op.Route().Access.Public() {
		headers["Authorization"] = "Bearer ${TOKEN}"
	}
	text, _, err := api.Documents(api.About{Title: op.Route().Name, Version: "1", Scopes: identity.Scopes}, nil, op)
	if err != nil {
		return nil, err
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	described := document.Paths.Value(op.Route().Path).GetOperation(op.Route().Method)
	if described.Parameters.GetByInAndName(openapi3.ParameterInHeader, "Idempotency-Key") != nil {
		headers["Idempotency-Key"] = "sample-" + strings.TrimSuffix(o.name(o.route), ".json")
	}
	return headers, nil
}

// order is the parameter that names an order.
const order = "/orders/{id}"

// samples returns the values that the sample events have for path parameters, by the path up to the parameter: an id of
// one resource is not that of another. Of two values it returns the one in the first file.
func samples(root string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(root, "events", "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	values := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var sent struct {
			Resource       string
			PathParameters map[string]string
		}
		if err := json.Unmarshal(text, &sent); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for name, value := range sent.PathParameters {
			before, _, _ := strings.Cut(sent.Resource, "{"+name+"}")
			if at := before + "{" + name + "}"; values[at] == "" {
				values[at] = value
			}
		}
	}
	return values, nil
}

// place returns a route's path with a value for each parameter. The values come from the given path
// or, if that is empty, from known.
func place(route, given string, known map[string]string) (path string, values map[string]string, err error) {
	segments, sent := strings.Split(route, "/"), strings.Split(given, "/")
	if given != "" && len(sent) != len(segments) {
		return "", nil, fmt.Errorf("AT=%s does not match the path %s", given, route)
	}
	for i, segment := range segments {
		name, isParameter := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(name, "}")
		before, _, _ := strings.Cut(route, segment)
		at := before + segment
		switch {
		case !isParameter && given != "" && sent[i] != segment:
			return "", nil, fmt.Errorf("AT=%s does not match the path %s", given, route)
		case !isParameter:
			continue
		case given != "":
			segments[i] = sent[i]
		case known[at] != "":
			segments[i] = known[at]
		default:
			return "", nil, fmt.Errorf("no sample event has a value for {%s}: set the path with AT=", name)
		}
		if values == nil {
			values = map[string]string{}
		}
		values[name] = segments[i]
	}
	return strings.Join(segments, "/"), values, nil
}

func lists(headers map[string]string) map[string][]string {
	all := map[string][]string{}
	for name, value := range headers {
		all[name] = []string{value}
	}
	return all
}
