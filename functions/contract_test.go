package functions_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/shared/api"
	"backroom/shared/api/collection"
	"backroom/shared/cloudsim/registry"
	"backroom/shared/cloudtest/recorded"
	"backroom/shared/function"
)

var update = flag.Bool("update", false, "write the contract's files instead of comparing them")

// Version is the contract's, by the rules of docs/versioning.md. docs/changelog.md says what each brought.
const version = "1.0.0"

var about = api.About{
	Title: "Backroom", Version: version, License: "Apache-2.0", Server: "/v1", Token: "/oauth/token",
	Description: "An order backend. An order is accepted at once (202); stock, payment and mail follow, and `GET /orders/{id}` tells how it stands.\n\n" +
		"Refusals are problem documents (RFC 9457); [problems.md](problems.md) has one entry for each type. A POST that creates something needs an " +
		"`Idempotency-Key`: the same request under the same key has one effect and one answer, however often it is sent.",
	Tags: []api.Tag{
		{Name: "access", Meaning: "Tokens."},
		{Name: "products", Meaning: "What is sold, and for how much."},
		{Name: "stock", Meaning: "How many there are."},
		{Name: "orders", Meaning: "From the first word to the last cent."},
		{Name: "payments", Meaning: "What the payment provider has to say."},
		{Name: "operation", Meaning: "Whether anybody is there, and how to check what tokens say."},
	},
}

// TestTheContractIsWhatTheFunctionsServe holds docs/openapi.yaml, its copy in version 3.0 and the collection for API tools to what
// the functions say of themselves and what they answered in their tests.
func TestTheContractIsWhatTheFunctionsServe(t *testing.T) {
	var operations []api.Operation
	for _, name := range folders(t) {
		if operation := registry.Functions[name].Operation; operation != nil {
			operations = append(operations, operation(function.Environment(map[string]string{"AWS_REGION": "us-east-1"})))
		}
	}
	examples := examples(t)
	document, copy30, err := api.Documents(about, examples, operations...)
	require.NoError(t, err)
	requests, err := collection.Of(about, examples, operations...)
	require.NoError(t, err)
	for file, served := range map[string][]byte{"openapi.yaml": document, "openapi-3.0.yaml": copy30, "backroom.postman_collection.json": requests} {
		file = filepath.Join("..", "docs", file)
		if *update {
			require.NoError(t, os.WriteFile(file, served, 0o644))
		}
		kept, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(kept, served) {
			t.Errorf("%s is not what the functions serve (%v). If the change is meant: make contract UPDATE=1", file, err)
		}
	}
}

// examples are the sample events and what the functions answered to them.
func examples(t *testing.T) []api.Example {
	t.Helper()
	exchanges, err := recorded.Exchanges()
	require.NoError(t, err)
	require.NotEmpty(t, exchanges)
	var all []api.Example
	for _, x := range exchanges {
		if registry.Functions[x.Function].Operation == nil || x.Status == http.StatusMethodNotAllowed {
			continue // the sandbox is no part of the API, and no operation answers to another's method
		}
		text, err := os.ReadFile(filepath.Join("..", "events", x.Event))
		require.NoError(t, err)
		var sent events.APIGatewayProxyRequest
		require.NoError(t, json.Unmarshal(text, &sent))
		e := api.Example{
			Operation: x.Function, Name: strings.TrimSuffix(x.Event, ".json"), Path: sent.Path, Query: url.Values{}, Header: http.Header{}, Body: sent.Body,
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
	slices.SortStableFunc(all, func(a, b api.Example) int { // the sample that bears the function's name first
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(len(a.Name), len(b.Name)))
	})
	return all
}

func TestEveryProblemHasItsEntry(t *testing.T) {
	page, err := os.ReadFile("../docs/problems.md")
	require.NoError(t, err)
	document, err := os.ReadFile("../docs/openapi.yaml")
	require.NoError(t, err)
	stack, err := os.ReadFile("../template.yaml")
	require.NoError(t, err)
	entries := map[string]bool{}
	for _, entry := range regexp.MustCompile(`<a id="([a-z0-9-]+)"></a>`+"`([a-z0-9-]+)`").FindAllStringSubmatch(string(page), -1) {
		assert.Equal(t, entry[1], entry[2], "an entry is found by its slug")
		assert.False(t, entries[entry[1]], "%s has two entries", entry[1])
		entries[entry[1]] = true
	}
	said := regexp.MustCompile(`problems\.md#([a-z0-9-]+)`).FindAllStringSubmatch(string(document), -1)
	said = append(said, regexp.MustCompile(`urn:problem-type:backroom:([a-z0-9-]+)`).FindAllStringSubmatch(string(stack), -1)...)
	require.Greater(t, len(said), 100)
	for _, slug := range said {
		assert.True(t, entries[slug[1]], "docs/problems.md has no entry for %s", slug[1])
	}
}

func TestTheChangelogKnowsTheContractsVersion(t *testing.T) {
	text, err := os.ReadFile("../docs/changelog.md")
	require.NoError(t, err)
	_, latest, _ := strings.Cut(string(text), "\n## ")
	assert.True(t, strings.HasPrefix(latest, version+" "), "the first entry of docs/changelog.md is the version that the document has: %s", version)
}
