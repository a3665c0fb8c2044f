package functions_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"go/ast"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/functions"
	"backroom/localstack/contract/collection"
	"backroom/localstack/recorded"
	"backroom/localstack/template"
	"backroom/shared/api"
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
		if f := functions.All[name]; f.Operation != nil && !f.Beside {
			operations = append(operations, f.Operation(function.Environment(map[string]string{"AWS_REGION": "us-east-1"})))
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
		if f := functions.All[x.Function]; f.Operation == nil || f.Beside || x.Status == http.StatusMethodNotAllowed {
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

// TestTheContractIsWhole holds both versions of the document to the specification that they follow, examples included, and
// every operation to words for whoever reads it.
func TestTheContractIsWhole(t *testing.T) {
	for file, version := range map[string]string{"openapi.yaml": "3.1.0", "openapi-3.0.yaml": "3.0.3"} {
		document := contract(t, file)
		assert.Equal(t, version, document.OpenAPI)
		require.NoError(t, document.Validate(context.Background()), file)
		for path, item := range document.Paths.Map() {
			for method, o := range item.Operations() {
				assert.NotEmpty(t, o.OperationID, "%s %s needs a name", method, path)
				assert.NotEmpty(t, o.Summary, "%s needs a summary", o.OperationID)
				assert.NotEmpty(t, o.Description, "%s needs a description", o.OperationID)
			}
		}
	}
}

// TestWhatTheGatewayRefusesIsAProblem: no local cloud applies the gateway's own responses, so they are held to what problems.md says.
func TestWhatTheGatewayRefusesIsAProblem(t *testing.T) {
	read, err := template.Read()
	require.NoError(t, err)
	says := object(read.Resources["Api"].Properties["GatewayResponses"])
	for _, kind := range []string{
		"MISSING_AUTHENTICATION_TOKEN", "REQUEST_TOO_LARGE", "THROTTLED", "QUOTA_EXCEEDED", "INVALID_API_KEY", "INTEGRATION_TIMEOUT", "DEFAULT_4XX", "DEFAULT_5XX",
	} {
		response := object(says[kind])
		headers := object(object(response["ResponseParameters"])["Headers"])
		var problem api.Problem
		require.NoError(t, json.Unmarshal([]byte(object(response["ResponseTemplates"])["application/json"].(string)), &problem), kind)
		assert.Equal(t, response["StatusCode"], problem.Status, kind)
		assert.True(t, strings.HasPrefix(problem.Type, api.TypePrefix), kind)
		assert.NotEmpty(t, problem.Title+problem.Detail, kind)
		assert.Equal(t, []any{"'application/problem+json'", "'no-store'"}, []any{headers["Content-Type"], headers["Cache-Control"]}, kind)
		soon := kind != "QUOTA_EXCEEDED" && (problem.Status == http.StatusTooManyRequests || problem.Status == http.StatusServiceUnavailable)
		assert.Equal(t, soon, headers["Retry-After"] != nil, kind)
	}
	assert.Len(t, says, 8, "each is looked at")
}

func contract(t *testing.T, file string) *openapi3.T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", file))
	require.NoError(t, err)
	document, err := openapi3.NewLoader().LoadFromData(text)
	require.NoError(t, err, file)
	return document
}

// TestEveryProblemHasItsEntry holds docs/problems.md to what can go wrong, both ways: what a client is promised stands there under
// its status, what only logs say without one, and nothing else.
func TestEveryProblemHasItsEntry(t *testing.T) {
	page, err := os.ReadFile("../docs/problems.md")
	require.NoError(t, err)
	_, rows, _ := strings.Cut(string(page), "\n## All slugs\n")
	rows, _, _ = strings.Cut(rows, "\n## ")
	entries := map[string]string{}
	for _, entry := range regexp.MustCompile("(?m)^\\| (<a id=\"(.+)\"></a>)?`(.+?)` \\| (\\d+|–) \\|").FindAllStringSubmatch(rows, -1) {
		anchor, slug, status := entry[2], entry[3], entry[4]
		if slug != circuits {
			assert.Equal(t, slug, anchor, "an entry is found by its slug")
		}
		assert.NotContains(t, entries, slug, "two entries")
		entries[slug] = status
	}
	promised, known := promised(t), declared(t)
	for slug, status := range promised {
		assert.Equal(t, status, entries[slug], "docs/problems.md: the status of %s", slug)
	}
	for slug, kind := range known {
		if promised[slug] == "" {
			assert.Contains(t, []string{"–", general[kind]}, entries[slug], "docs/problems.md: the status of %s, which no operation names", slug)
		}
	}
	for slug := range entries {
		assert.True(t, promised[slug] != "" || known[slug] != "", "docs/problems.md has an entry for %s, which nothing gives", slug)
	}
}

// general are the kinds of faults that an operation may pass on without naming each, and their status.
var general = map[string]string{"Conflict": "409", "Throttled": "429", "Unavailable": "503"}

// circuits stands for the slugs of shared/circuit, which are made of a service's name.
const circuits = "<service>-circuit-open"

// promised returns the statuses of the problems that the document and the gateway of template.yaml name.
func promised(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{api.ErrWrongMethod.Slug: "405"} // no operation's: it is the answer to a method that none has
	stack, err := os.ReadFile("../template.yaml")
	require.NoError(t, err)
	for _, said := range regexp.MustCompile(`urn:problem-type:backroom:([a-z-]+)".*?"status":(\d+)`).FindAllStringSubmatch(string(stack), -1) {
		all[said[1]] = said[2]
	}
	link := regexp.MustCompile("`([a-z-]+)`\\]\\(problems\\.md#([a-z-]+)\\)")
	for _, item := range contract(t, "openapi.yaml").Paths.Map() {
		for _, o := range item.Operations() {
			for status, answer := range o.Responses.Map() {
				for _, said := range link.FindAllStringSubmatch(*answer.Value.Description, -1) {
					assert.Equal(t, said[1], said[2], "%s links a slug to another's entry", o.OperationID)
					all[said[1]] = status
				}
			}
		}
	}
	require.Greater(t, len(all), 40)
	return all
}

// declared returns the kinds of the faults that the code declares, by slug.
func declared(t *testing.T) map[string]string {
	t.Helper()
	kinds := map[string]string{circuits: "Unavailable"}
	require.NoError(t, filepath.WalkDir("../shared", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		ast.Inspect(parse(t, name), func(n ast.Node) bool {
			made, ok := n.(*ast.CallExpr)
			if !ok || len(made.Args) != 3 {
				return true
			}
			maker, ok := made.Fun.(*ast.SelectorExpr)
			if !ok || maker.Sel.Name != "New" {
				return true
			}
			if of, ok := maker.X.(*ast.Ident); !ok || of.Name != "fault" {
				return true
			}
			kind, named := made.Args[0].(*ast.SelectorExpr)
			slug, written := made.Args[1].(*ast.BasicLit)
			if named && written {
				text, err := strconv.Unquote(slug.Value)
				require.NoError(t, err)
				kinds[text] = kind.Sel.Name
			}
			return true
		})
		return nil
	}))
	require.Greater(t, len(kinds), 60)
	return kinds
}

func TestTheChangelogKnowsTheContractsVersion(t *testing.T) {
	text, err := os.ReadFile("../docs/changelog.md")
	require.NoError(t, err)
	_, latest, _ := strings.Cut(string(text), "\n## ")
	assert.True(t, strings.HasPrefix(latest, version+" "), "the first entry of docs/changelog.md is the version that the document has: %s", version)
}
