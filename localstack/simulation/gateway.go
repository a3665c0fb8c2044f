package simulation

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"backroom/localstack/cloudsim"
)

// api is a REST API.
type api struct {
	id     string
	stage  string
	routes []route
	says   map[string]gatewayResponse // replaces API Gateway's own responses, by type
}

// gatewayResponse is an AWS::ApiGateway::GatewayResponse, in SAM's form.
type gatewayResponse struct {
	StatusCode         int
	ResponseParameters struct{ Headers map[string]string } // each a constant in single quotes
	ResponseTemplates  map[string]string                   // by media type
}

// route is a method and a path that a function answers.
type route struct {
	method, path string
	function     *deployed
}

// integration is how long the gateway waits for a function.
const integration = 29 * time.Second

// URL returns the URL of an API, by its logical id.
func (s *Simulation) URL(logicalID string) string {
	a := s.apis[strings.ToLower(logicalID)]
	return "https://" + a.host() + "/" + a.stage
}

func (a *api) host() string { return a.id + ".execute-api." + cloudsim.Region + ".amazonaws.com" }

// api returns the API of a host, or nil.
func (s *Simulation) api(host string) *api {
	return s.apis[strings.TrimSuffix(host, ".execute-api."+cloudsim.Region+".amazonaws.com")]
}

// path returns a request's path without the stage, or "" if the stage is not the API's.
func (a *api) path(r *http.Request) string {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/"+a.stage)
	if !ok {
		return ""
	}
	return path
}

// gateway passes a request to the function of its route.
func (s *Simulation) gateway(c *call) {
	a := s.api(c.http.URL.Host)
	if a == nil {
		c.answered(reply{err: errNobody})
		return
	}
	path := a.path(c.http)
	r, parameters := a.find(c.http.Method, path)
	if r == nil {
		c.answered(
			reply{answer: a.saying(c, "MISSING_AUTHENTICATION_TOKEN", http.StatusForbidden,
				"Missing Authentication Token")})
		return
	}
	payload, err := json.Marshal(s.event(a, c, r, path, parameters))
	if err != nil {
		c.answered(reply{err: err})
		return
	}
	s.Ledger.add(Entry{Function: c.name, Operation: c.http.Method, Resource: a.id}, Sum{Calls: 1})
	waiting := true
	answered := func(answer cloudsim.Answer) {
		if waiting {
			waiting = false
			s.after(s.between(time.Millisecond, 5*time.Millisecond), func() { c.answered(reply{answer: answer}) })
		}
	}
	s.after(integration, func() {
		answered(a.saying(c, "INTEGRATION_TIMEOUT", http.StatusGatewayTimeout, "Endpoint request timed out"))
	})
	r.function.invoke(payload, 0, func(said []byte, err error) {
		answer, ok := integrated(said)
		if err != nil || !ok {
			answer = a.saying(c, "DEFAULT_5XX", http.StatusBadGateway, "Internal server error")
		}
		answered(answer)
	})
}

// find returns the route of a request and the values of its path parameters, or nil. A greedy route matches only
// if no other route does.
func (a *api) find(method, path string) (*route, map[string]string) {
	var greedy *route
	var taken map[string]string
	for i, r := range a.routes {
		parameters, fits := r.parameters(path)
		switch {
		case !fits || r.method != method:
		case !r.greedy():
			return &a.routes[i], parameters
		case greedy == nil:
			greedy, taken = &a.routes[i], parameters
		}
	}
	return greedy, taken
}

// greedy reports whether the route matches every path with its prefix, as {proxy+} does.
func (r route) greedy() bool { return strings.HasSuffix(r.path, "+}") }

// parameters returns the values of the path parameters, or false if the route does not match the path.
func (r route) parameters(path string) (map[string]string, bool) {
	wanted, asked, values := strings.Split(r.path, "/"), strings.Split(path, "/"), map[string]string{}
	if last := len(wanted) - 1; r.greedy() && len(asked) > last {
		asked = append(asked[:last:last], strings.Join(asked[last:], "/"))
	}
	if len(wanted) != len(asked) {
		return nil, false
	}
	for i, segment := range wanted {
		name, parameter := strings.CutPrefix(segment, "{")
		if !parameter || asked[i] == "" {
			if segment != asked[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(asked[i])
		if err != nil {
			return nil, false
		}
		values[strings.TrimRight(name, "+}")] = value
	}
	return values, true
}

// event returns what the gateway passes to a function (payload version 1).
func (s *Simulation) event(a *api, c *call, r *route, path string,
	parameters map[string]string) events.APIGatewayProxyRequest {
	e := events.APIGatewayProxyRequest{
		Resource: r.path, Path: path, HTTPMethod: c.http.Method, PathParameters: parameters,
		Headers: map[string]string{}, MultiValueHeaders: map[string][]string{"Host": {a.host()}},
		Body: string(c.request.Body),
		RequestContext: events.APIGatewayProxyRequestContext{
			AccountID: cloudsim.Account, Stage: a.stage, DomainName: a.host(), DomainPrefix: a.id, APIID: a.id,
			Protocol:  "HTTP/1.1",
			RequestID: c.requestID(), HTTPMethod: c.http.Method, ResourcePath: r.path,
			Path:             c.http.URL.Path,
			Identity:         events.APIGatewayRequestIdentity{SourceIP: "192.0.2.1", UserAgent: c.http.UserAgent()},
			RequestTimeEpoch: s.Now().UnixMilli(),
		},
	}
	maps.Copy(e.MultiValueHeaders, c.http.Header)
	for name, values := range e.MultiValueHeaders {
		e.Headers[name] = values[len(values)-1]
	}
	if query := c.http.URL.Query(); len(query) > 0 {
		e.MultiValueQueryStringParameters, e.QueryStringParameters = query, map[string]string{}
		for name, values := range query {
			e.QueryStringParameters[name] = values[len(values)-1]
		}
	}
	return e
}

// requestID returns the gateway's id of a request.
func (c *call) requestID() string {
	return fmt.Sprintf("00000000-0000-4000-9000-%06d%06d", c.id, c.sequence)
}

// integrated returns the HTTP answer for a function's answer, or false if the gateway does not understand that.
func integrated(said []byte) (cloudsim.Answer, bool) {
	var answer events.APIGatewayProxyResponse
	if json.Unmarshal(said, &answer) != nil || answer.StatusCode == 0 {
		return cloudsim.Answer{}, false
	}
	body := []byte(answer.Body)
	if answer.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(answer.Body)
		if err != nil {
			return cloudsim.Answer{}, false
		}
		body = decoded
	}
	header := http.Header{}
	for name, value := range answer.Headers {
		header.Set(name, value)
	}
	for name, values := range answer.MultiValueHeaders {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return cloudsim.Answer{Status: answer.StatusCode, Header: header, Body: body}, true
}

// saying returns an answer of the gateway itself: the template's GatewayResponse, or else API Gateway's default.
func (a *api) saying(c *call, kind string, status int, message string) cloudsim.Answer {
	said, ok := a.says[kind]
	if !ok {
		answer := document(map[string]any{"message": message})
		answer.Status, answer.Header = status, http.Header{"Content-Type": {"application/json"}}
		return answer
	}
	answer := cloudsim.Answer{Status: cmp.Or(said.StatusCode, status),
		Header: http.Header{"Content-Type": {"application/json"}}}
	for name, value := range said.ResponseParameters.Headers {
		answer.Header.Set(name, strings.Trim(value, "'"))
	}
	answer.Body = []byte(
		strings.ReplaceAll(said.ResponseTemplates["application/json"], "$context.requestId", c.requestID()))
	return answer
}
