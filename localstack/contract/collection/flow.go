package collection

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"backroom/shared/api"
)

// A step is a request of the collection. A run sends the steps of all folders one after the other: it puts a product on
// sale, sells it, refunds one order, cancels another, and takes the product off sale. Each step checks its status.
type step struct {
	operation string
	title     string            // of a second request to the operation; empty: its name
	status    int               // that the run expects; 0: that of the first accepted example
	body      string            // empty: that of the example
	header    map[string]string // instead of the example's
	plain     bool              // without the example's query
	after     []string          // lines of a script, after the answer
	last      bool              // after all other folders

	route api.Route
}

// remember is a line of a script that keeps a value for later requests.
func remember(variable, value string) string {
	return fmt.Sprintf("pm.collectionVariables.set(%q, %s);", variable, value)
}

// settled are the lines of a script that sends get-order again until its order is settled, at most 30 times.
var settled = []string{
	`const order = pm.response.code === 200 ? pm.response.json() : {settled: true};`,
	`const tries = Number(pm.collectionVariables.get("tries") || 0);`,
	`if (!order.settled && tries < 30) {`,
	`  pm.collectionVariables.set("tries", tries + 1);`,
	`  pm.execution.setNextRequest(pm.info.requestName);`,
	`  setTimeout(() => {}, 1000 * Number(pm.response.headers.get("Retry-After") || 1)); // the run waits for it`,
	`} else {`,
	`  pm.collectionVariables.unset("tries");`,
	`  pm.test("is paid", () => pm.expect(order.status).to.equal("paid"));`,
	`}`,
}

// flow is the run, in its order within each folder. An operation that it does not name comes after it, by name.
var flow = []step{
	{operation: "issue-token", body: "grant_type=client_credentials", after: []string{
		remember("token", "pm.response.json().access_token"), remember("sku", `"COLLECTION-" + Date.now()`),
	}},
	{operation: "put-product", status: http.StatusCreated,
		header: map[string]string{"If-None-Match": "*", "If-Match": ""},
		body:   `{"title": "A mug of the collection", "prices": [{"amount": 1250, "currency": "EUR"}]}`,
		after:  []string{remember("etag", `pm.response.headers.get("ETag")`)}},
	{operation: "get-product", header: map[string]string{"If-None-Match": ""}, plain: true},
	{operation: "list-products", plain: true},
	{operation: "delete-product", last: true, header: map[string]string{"If-Match": "{{etag}}"}},
	{operation: "adjust-stock", status: http.StatusCreated, body: `{"delta": 4, "reason": "a run of the collection"}`},
	{operation: "get-stock"},
	{operation: "place-order", after: []string{remember("orderId", "pm.response.json().id")},
		body: `{"lines": [{"sku": "{{sku}}", "quantity": 2}], "payment_method": "{{card}}"}`},
	{operation: "get-order", header: map[string]string{"If-None-Match": ""}, after: settled},
	{operation: "refund-order", status: http.StatusAccepted,
		body: `{"amount": {"amount": 500, "currency": "EUR"}, "reason": "a run of the collection"}`},
	{operation: "list-orders", plain: true},
	{operation: "place-order", title: "place-order, to cancel it",
		after: []string{remember("orderId", "pm.response.json().id")},
		body:  `{"lines": [{"sku": "{{sku}}", "quantity": 1}], "payment_method": "{{slowCard}}"}`},
	{operation: "cancel-order", body: `{"reason": "a run of the collection"}`},
	{operation: "resolve-order", status: http.StatusConflict, // no order of a run needs attention
		body: `{"action": "retry", "reason": "a run of the collection"}`},
	{operation: "receive-payment-event", status: http.StatusBadRequest}, // only the provider can sign an event
}

// inOrder returns the steps of a tag's operations.
func inOrder(ops []api.Operation, tag string) (steps []step) {
	for _, s := range flow {
		for _, o := range ops {
			if o.Route().Name == s.operation && slices.Contains(o.Route().Tags, tag) {
				s.route = o.Route()
				steps = append(steps, s)
			}
		}
	}
	for _, o := range ops {
		known := slices.ContainsFunc(flow, func(s step) bool { return s.operation == o.Route().Name })
		if !known && slices.Contains(o.Route().Tags, tag) {
			steps = append(steps, step{operation: o.Route().Name, route: o.Route()})
		}
	}
	return steps
}

// variables are the variables for the parameters of paths.
var variables = strings.NewReplacer("{sku}", "{{sku}}", "{id}", "{{orderId}}")

// item returns the request of the step, with the answers of all examples of its operation.
func (s step) item(about api.About, examples []api.Example) Item {
	i := item(s.route, about, examples)
	i.Name = cmp.Or(s.title, i.Name)
	if s.title != "" {
		i.Response = []Response{}
	}
	var query []Variable
	if !s.plain {
		query = i.Request.URL.Query
	}
	i.Request.URL = address(variables.Replace(s.route.Path), nil).with(query)
	if s.body != "" {
		i.Request.Body = &Body{Mode: "raw", Raw: s.body}
	}
	for name, value := range s.header {
		i.Request.Header = slices.DeleteFunc(i.Request.Header, func(h Variable) bool { return h.Key == name })
		if value != "" {
			i.Request.Header = append(i.Request.Header, Variable{Key: name, Value: value})
		}
	}
	slices.SortFunc(i.Request.Header, func(a, b Variable) int { return cmp.Compare(a.Key, b.Key) })
	check := fmt.Sprintf(`pm.test("answers %d", () => pm.response.to.have.status(%[1]d));`, s.expected(examples))
	i.Event = []Event{{"test", Script{"text/javascript", append([]string{check}, s.after...)}}}
	return i
}

// expected returns the status that the step expects.
func (s step) expected(examples []api.Example) int {
	if s.status != 0 {
		return s.status
	}
	for _, e := range examples {
		if e.Operation == s.operation && e.Status < http.StatusMultipleChoices {
			return e.Status
		}
	}
	return cmp.Or(s.route.DefaultStatus, http.StatusOK)
}
