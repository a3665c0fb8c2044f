package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"go/ast"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	document "backroom/localstack/contract"
	"backroom/localstack/contract/published"
	"backroom/localstack/template"
	"backroom/shared/api"
)

var update = flag.Bool("update", false, "write the contract's files instead of comparing them")

// TestContract_IsWhatTheFunctionsServe compares docs/openapi.yaml with the functions' own
// descriptions, and with their answers in tests.
func TestContract_IsWhatTheFunctionsServe(t *testing.T) {
	made, err := published.Make()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("../docs/openapi.yaml", made.OpenAPI, 0o644))
	}
	kept, err := os.ReadFile("../docs/openapi.yaml")
	if err != nil || !bytes.Equal(kept, made.OpenAPI) {
		t.Errorf(
			"docs/openapi.yaml is not what the functions serve (%v). If the change is meant: make contract UPDATE=1",
			err)
	}
}

// TestProblemsPage_IsMadeOfItsSource compares docs/problems.html with docs/problems.md. Each
// problem has an anchor there.
func TestProblemsPage_IsMadeOfItsSource(t *testing.T) {
	made, err := published.ProblemsPage()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("../docs/problems.html", made, 0o644))
	}
	kept, err := os.ReadFile("../docs/problems.html")
	require.NoError(t, err)
	assert.True(t, bytes.Equal(kept, made), "docs/problems.html is not docs/problems.md: make contract UPDATE=1")
	for slug := range promised(t) {
		assert.Contains(t, string(made), `<a id="`+slug+`"></a>`)
	}
}

// TestContract_IsValidAndDescribed validates the document, with its examples, against its
// specification. Every operation must have a summary and a description.
func TestContract_IsValidAndDescribed(t *testing.T) {
	document := contract(t)
	assert.Equal(t, "3.1.0", document.OpenAPI)
	require.NoError(t, document.Validate(context.Background()))
	for path, item := range document.Paths.Map() {
		for method, o := range item.Operations() {
			assert.NotEmpty(t, o.OperationID, "%s %s needs a name", method, path)
			assert.NotEmpty(t, o.Summary, "%s needs a summary", o.OperationID)
			assert.NotEmpty(t, o.Description, "%s needs a description", o.OperationID)
		}
	}
}

// TestContract_LeavesAnswersOpen is the rule of docs/versioning.md: a later release adds members
// and values to answers, so no schema of an answer is closed. Every member is described, and so is
// every value of an enumeration.
func TestContract_LeavesAnswersOpen(t *testing.T) {
	read := contract(t)
	seen := map[*openapi3.Schema]bool{}
	var open func(where string, schema *openapi3.SchemaRef)
	open = func(where string, schema *openapi3.SchemaRef) {
		if schema == nil || seen[schema.Value] {
			return
		}
		seen[schema.Value] = true
		s := schema.Value
		if len(s.Properties) > 0 {
			assert.True(t, s.AdditionalProperties.Has != nil && *s.AdditionalProperties.Has, "%s is closed", where)
		}
		assert.Empty(t, s.Enum, "%s has a closed enumeration", where)
		for name, member := range s.Properties {
			open(where+"."+name, member)
		}
		open(where+"[]", s.Items)
		for _, part := range s.AllOf {
			open(where, part)
		}
	}
	for _, item := range read.Paths.Map() {
		for _, o := range item.Operations() {
			for status, answer := range o.Responses.Map() {
				for media, content := range answer.Value.Content {
					open(o.OperationID+" "+status+" "+media, content.Schema)
				}
			}
		}
	}
	require.Greater(t, len(seen), 50)
	text, err := os.ReadFile("../docs/openapi.yaml")
	require.NoError(t, err)
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Description string
				Extensible  []string `yaml:"x-extensible-enum"`
				Properties  map[string]struct {
					Ref         string `yaml:"$ref"` // an enumeration that several members have is described once
					Description string
					Enum        []string
					Extensible  []string `yaml:"x-extensible-enum"`
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &document))
	for name, schema := range document.Components.Schemas {
		for _, value := range schema.Extensible {
			assert.Contains(t, schema.Description, value, "%s describes its values", name)
		}
		for member, s := range schema.Properties {
			assert.NotEmpty(t, s.Description+s.Ref, "%s.%s needs a description", name, member)
			for _, value := range append(s.Extensible, s.Enum...) {
				assert.Contains(t, s.Description, value, "%s.%s describes its values", name, member)
			}
		}
	}
}

// TestContract_ScopesAreInTheArchitecture compares the table of routes in docs/architecture.md with
// the document.
func TestContract_ScopesAreInTheArchitecture(t *testing.T) {
	const (
		file  = "../docs/architecture.md"
		begin = "<!-- from docs/openapi.yaml: make contract UPDATE=1 -->\n"
		end   = "<!-- end -->\n"
	)
	routes := map[string][]string{}
	for path, item := range contract(t).Paths.Map() {
		for method, o := range item.Operations() {
			scope := "no token"
			if document.NeedsToken(o) {
				scope = "`" + strings.Join(document.Scopes(o), "`, `") + "`"
			}
			routes[scope] = append(routes[scope], method+" "+path)
		}
	}
	table := "| Scope | Routes |\n|---|---|\n"
	for _, scope := range slices.Sorted(maps.Keys(routes)) {
		slices.Sort(routes[scope])
		table += "| " + scope + " | " + "`" + strings.Join(routes[scope], "`, `") + "` |\n"
	}
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(page), begin)
	_, after, closed := strings.Cut(rest, end)
	require.True(t, found && closed, "%s has no place for the table: %s%s", file, begin, end)
	want := before + begin + table + end + after
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(page), "next: make contract UPDATE=1")
}

// TestGatewayResponses_AreProblems compares the gateway's own responses with problems.md, because
// no local cloud applies them.
func TestGatewayResponses_AreProblems(t *testing.T) {
	read, err := template.Read()
	require.NoError(t, err)
	says := object(read.Resources["Api"].Properties["GatewayResponses"])
	for _, kind := range []string{
		"MISSING_AUTHENTICATION_TOKEN", "REQUEST_TOO_LARGE", "THROTTLED", "QUOTA_EXCEEDED", "INVALID_API_KEY",
		"INTEGRATION_TIMEOUT", "DEFAULT_4XX", "DEFAULT_5XX",
	} {
		response := object(says[kind])
		headers := object(object(response["ResponseParameters"])["Headers"])
		var problem api.Problem
		rendered, err := read.Resolve(object(response["ResponseTemplates"])["application/json"], nil)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal([]byte(rendered.(string)), &problem), kind)
		assert.Equal(t, response["StatusCode"], problem.Status, kind)
		assert.Equal(t, "https://$context.domainName/$context.stage"+api.ProblemsPath+"#"+problem.Code, problem.Type,
			kind)
		assert.Equal(t, api.Title(problem.Code), problem.Title, kind)
		assert.NotEmpty(t, problem.Title+problem.Detail, kind)
		assert.Equal(t, []any{"'application/problem+json'", "'no-store'"},
			[]any{headers["Content-Type"], headers["Cache-Control"]}, kind)
		soon := kind != "QUOTA_EXCEEDED" &&
			(problem.Status == http.StatusTooManyRequests || problem.Status == http.StatusServiceUnavailable)
		assert.Equal(t, soon, headers["Retry-After"] != nil, kind)
	}
	assert.Len(t, says, 8, "every response is checked")
}

func contract(t *testing.T) *openapi3.T {
	t.Helper()
	text, err := os.ReadFile("../docs/openapi.yaml")
	require.NoError(t, err)
	read, err := openapi3.NewLoader().LoadFromData(text)
	require.NoError(t, err)
	return read
}

// TestProblems_HaveTheirEntries compares docs/problems.md with the declared faults, both ways. A
// problem of the API has its status there, a fault that only logs contain has none, and nothing
// else is listed.
func TestProblems_HaveTheirEntries(t *testing.T) {
	page, err := os.ReadFile("../docs/problems.md")
	require.NoError(t, err)
	_, rows, _ := strings.Cut(string(page), "\n## All codes\n")
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
			assert.Contains(t, []string{"–", general[kind]}, entries[slug],
				"docs/problems.md: the status of %s, which no operation names", slug)
		}
	}
	for slug := range entries {
		assert.True(t, promised[slug] != "" || known[slug] != "",
			"docs/problems.md has an entry for %s, which nothing declares", slug)
	}
}

// general are the kinds of faults that an operation may pass on without naming each, and their
// status.
var general = map[string]string{"Conflict": "409", "Throttled": "429", "Unavailable": "503"}

// circuits is the entry for the slugs of shared/circuit, which contain a service's name.
const circuits = "<service>-circuit-open"

// promised returns the statuses of the problems that the document and the gateway of template.yaml
// name.
func promised(t *testing.T) map[string]string {
	t.Helper()
	// of no operation: it answers a method that no operation has
	all := map[string]string{api.ErrWrongMethod.Slug: "405"}
	stack, err := os.ReadFile("../template.yaml")
	require.NoError(t, err)
	for _, said := range regexp.MustCompile(`"code":"([a-z-]+)".*?"status":(\d+)`).FindAllStringSubmatch(string(stack), -1) {
		all[said[1]] = said[2]
	}
	link := regexp.MustCompile("`([a-z-]+)`\\]\\(problems\\.md#([a-z-]+)\\)")
	for _, item := range contract(t).Paths.Map() {
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

func TestChangelog_BeginsWithTheContractsVersion(t *testing.T) {
	text, err := os.ReadFile("../docs/changelog.md")
	require.NoError(t, err)
	_, latest, _ := strings.Cut(string(text), "\n## ")
	assert.True(t, strings.HasPrefix(latest, published.Version+" "),
		"the first entry of docs/changelog.md is the version that the document has: %s", published.Version)
}
