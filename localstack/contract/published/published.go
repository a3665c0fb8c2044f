// Package published generates the files that describe the API: its OpenAPI document, and the files
// of a release that are made from it.
package published

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"backroom/functions"
	"backroom/localstack/contract/collection"
	"backroom/localstack/recorded"
	"backroom/localstack/template"
	"backroom/shared/api"
	"backroom/shared/function"
	"backroom/shared/identity"
)

// Version is the version of the API, by the rules of docs/versioning.md. docs/changelog.md lists
// the changes.
const Version = "1.0.0"

var about = api.About{
	Title: "Backroom", Version: Version, License: "Apache-2.0", Server: "/v1", Token: "/oauth/token",
	Description: "An order backend. An order is accepted at once (202); stock, payment and mail follow. " +
		"`GET /orders/{id}` shows its `status`: `paid` is success; `rejected`, `expired` and `canceled` are the " +
		"other ends.\n\n" +
		"Errors are problem documents (RFC 9457); [problems.md](problems.md) has an entry for each code. " +
		"A POST that creates something needs an `Idempotency-Key`: the same request under the same key has one " +
		"effect, however often it is sent.\n\n" +
		"Dev and staging have a payment sandbox with test cards: `pm_card_visa` pays at once; with " +
		"`pm_sandbox_processing_15000` there are 15 seconds to cancel the order. [test-cards.md](test-cards.md) lists all.",
	Scopes: identity.Scopes,
	Tags: []api.Tag{
		{Name: "access", Meaning: "Access tokens."},
		{Name: "operation", Meaning: "Health, and the keys that verify tokens."},
		{Name: "orders", Meaning: "Orders, cancellations, refunds and resolutions."},
		{Name: "payments", Meaning: "Events of the payment provider."},
		{Name: "products", Meaning: "Products and their prices."},
		{Name: "stock", Meaning: "Stock levels and adjustments."},
	},
}

// Files are the generated files. The same functions and examples give the same bytes.
type Files struct {
	OpenAPI    []byte // docs/openapi.yaml, version 3.1
	OpenAPI30  []byte // the same in version 3.0, for tools without support for 3.1
	Collection []byte // for API tools such as Postman and Bruno
}

// Make returns the files for the current functions, with the examples in localstack/recorded. It
// returns an error if operations or examples contradict each other, or if a sample event cannot be
// read.
func Make() (Files, error) {
	var operations []api.Operation
	for _, name := range slices.Sorted(maps.Keys(functions.All)) {
		if f := functions.All[name]; f.Operation != nil && !f.Undocumented {
			rt := function.Environment(map[string]string{"AWS_REGION": "us-east-1"})
			operations = append(operations, f.Operation(rt))
		}
	}
	examples, err := examples()
	if err != nil {
		return Files{}, err
	}
	document, copy30, err := api.Documents(about, examples, operations...)
	if err != nil {
		return Files{}, err
	}
	requests, err := collection.Of(about, examples, operations...)
	return Files{document, copy30, requests}, err
}

// Release creates a folder and writes the files of a release into it: openapi-3.0.yaml and
// backroom.postman_collection.json. It returns the names of the files.
func Release(folder string) (names []string, err error) {
	made, err := Make()
	if err != nil {
		return nil, err
	}
	return write(folder, map[string][]byte{
		"openapi-3.0.yaml": made.OpenAPI30, "backroom.postman_collection.json": made.Collection,
	})
}

// ForClient writes openapi-client.yaml into a folder, which it creates: the document in version 3.0
// for the generator of shared/client. Its enumerations list their values as if they were closed,
// because the generator makes a constant of each, and a Go type with constants takes any other
// value too.
func ForClient(folder string) (names []string, err error) {
	made, err := Make()
	if err != nil {
		return nil, err
	}
	return write(folder, map[string][]byte{
		"openapi-client.yaml": bytes.ReplaceAll(made.OpenAPI30, []byte("x-extensible-enum:"), []byte("enum:")),
	})
}

func write(folder string, files map[string][]byte) (names []string, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	for name, text := range files {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// examples returns the sample events with the recorded answers.
func examples() (all []api.Example, err error) {
	exchanges, err := recorded.Exchanges()
	if err != nil {
		return nil, err
	}
	if len(exchanges) == 0 {
		return nil, errors.New("no answers are recorded; next: make contract UPDATE=1")
	}
	root, err := template.Root()
	if err != nil {
		return nil, err
	}
	for _, x := range exchanges {
		if f := functions.All[x.Function]; f.Operation == nil || f.Undocumented ||
			x.Status == http.StatusMethodNotAllowed {
			continue // the sandbox is not part of the API, and an operation has only its own method
		}
		text, err := os.ReadFile(filepath.Join(root, "events", x.Event))
		if err != nil {
			return nil, err
		}
		var sent events.APIGatewayProxyRequest
		if err := json.Unmarshal(text, &sent); err != nil {
			return nil, fmt.Errorf("events/%s: %w", x.Event, err)
		}
		e := api.Example{
			Operation: x.Function, Name: strings.TrimSuffix(x.Event, ".json"),
			Path: sent.Path, Query: url.Values{}, Header: http.Header{}, Body: sent.Body,
			Status: x.Status, Media: x.Media, Answer: x.Body,
		}
		for name, value := range sent.QueryStringParameters {
			e.Query.Set(name, value)
		}
		for name, value := range sent.Headers {
			e.Header.Set(name, value)
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b api.Example) int { // the sample with the function's name comes first
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(len(a.Name), len(b.Name)))
	})
	return all, nil
}
