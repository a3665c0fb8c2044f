package scaffold_test

import (
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/scaffold"
)

// repo is this repository: Plan only reads it. The skeletons of these tests have names that nobody takes.
const repo = "../.."

// planned returns the texts of a skeleton's files by name, and which of them exist already.
func planned(t *testing.T, w scaffold.Wish) (s scaffold.Skeleton, texts map[string]string, changed []string) {
	t.Helper()
	s, err := scaffold.Plan(repo, w)
	require.NoError(t, err)
	texts = map[string]string{}
	for _, f := range s.Files {
		assert.NotContains(t, texts, f.Name, "a file is written once")
		texts[f.Name] = string(f.Content)
		if f.Changed {
			changed = append(changed, f.Name)
		}
		if filepath.Ext(f.Name) == ".go" {
			formatted, err := format.Source(f.Content)
			require.NoError(t, err, f.Name)
			assert.Equal(t, string(formatted), string(f.Content), "%s is formatted", f.Name)
		}
	}
	return s, texts, changed
}

// added are the files of a skeleton that did not exist.
func added(texts map[string]string, changed []string) (names []string) {
	for name := range texts {
		if !slices.Contains(changed, name) {
			names = append(names, name)
		}
	}
	return names
}

func TestPlan_ARouteHasItsFilesAndItsLines(t *testing.T) {
	t.Parallel()
	s, texts, changed := planned(t, scaffold.Wish{Route: "put-unicorn"})

	assert.ElementsMatch(t, []string{
		"functions/put-unicorn/main.go", "functions/put-unicorn/function.yaml", "functions/put-unicorn/wire/wire.go",
		"functions/put-unicorn/wire/wire_test.go", "shared/unicorn/unicornapi/put_unicorn_handler.go",
		"shared/unicorn/unicornapi/put_unicorn_handler_test.go",
	}, added(texts, changed))
	assert.ElementsMatch(t, []string{
		"functions/functions.go", "docs/changelog.md", "localstack/contract/published/published.go",
	}, changed)
	assert.Contains(t, texts["functions/functions.go"], "\tputunicorn \"backroom/functions/put-unicorn/wire\"\n")
	assert.Regexp(t, `(?m)^\t"put-unicorn": +route\(putunicorn\.New\),$`, texts["functions/functions.go"])
	assert.Contains(t, texts["functions/put-unicorn/function.yaml"], "route: PUT /unicorns/{id}\n")
	assert.Contains(t, texts["docs/changelog.md"], "\n- `PUT /unicorns/{id}` (put-unicorn).\n")
	assert.Equal(t, []string{"put-unicorn", "unicorn", "/unicorns/unicorn-1", "/unicorns/-unicorn-1"},
		[]string{s.Name, s.Domain, s.Good, s.Bad})
}

func TestPlan_ARouteIsAsItIsAskedFor(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		wish    scaffold.Wish
		handler string
		says    []string
	}{
		"a verb that reads": {
			scaffold.Wish{Route: "get-horn-card"}, "shared/horncard/horncardapi/get_horn_card_handler.go",
			[]string{"http.MethodGet", `"/horn-cards/{id}"`, "identity.OrdersRead)", "// Package horncardapi"},
		},
		"another verb": {
			scaffold.Wish{Route: "recall-oddity"}, "shared/oddity/oddityapi/recall_oddity_handler.go",
			[]string{"http.MethodPost", `"/oddities/{id}/recall"`, "identity.OrdersWrite)", "Recall an oddity"},
		},
		"a domain that exists, with its tag": {
			scaffold.Wish{Route: "weigh-unicorn", Domain: "catalog"},
			"shared/catalog/catalogapi/weigh_unicorn_handler.go",
			[]string{`Tags: []string{"products"}`},
		},
		"method, path and scope that are given": {
			scaffold.Wish{Route: "count-unicorn", At: "DELETE /unicorns/{sku}/count", Scope: "stock:write"},
			"shared/unicorn/unicornapi/count_unicorn_handler.go",
			[]string{"http.MethodDelete", `"/unicorns/{sku}/count"`,
				"`path:\"sku\"", "`json:\"sku\"", "identity.StockWrite)"},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			_, texts, changed := planned(t, c.wish)
			for _, text := range c.says {
				assert.Contains(t, texts[c.handler], text)
			}
			_, exists := os.Stat(filepath.Join(repo, filepath.Dir(c.handler)))
			assert.Equal(t, exists != nil, strings.HasPrefix(texts[c.handler], "// Package "),
				"one file describes the package")
			assert.Equal(t, exists != nil, slices.Contains(changed, "localstack/contract/published/published.go"),
				"a new tag is described")
		})
	}
}

func TestPlan_AStepHasItsFilesAndItsLines(t *testing.T) {
	t.Parallel()
	s, texts, changed := planned(t, scaffold.Wish{Step: "do-unicorn"})

	assert.ElementsMatch(t, []string{
		"functions/do-unicorn/main.go", "functions/do-unicorn/function.yaml", "functions/do-unicorn/wire/wire.go",
		"functions/do-unicorn/wire/wire_test.go", "shared/unicorn/do_unicorn_step.go",
		"shared/unicorn/do_unicorn_step_test.go",
		"events/relay-facts.do-unicorn.json",
	}, added(texts, changed))
	for name, line := range map[string]string{
		"functions/functions.go":                  `(?m)^\t"do-unicorn": +step\(saga\.DoUnicorn, dounicorn\.New\),$`,
		"shared/saga/facts.go":                    `(?m)^\tUnicornRequested +Fact = "UnicornRequested"$`,
		"shared/saga/routes.go":                   `\tUnicornRequested: +\{"requested do-unicorn", Orders, .*DoUnicorn\}`,
		"shared/saga/wire_test.go":                `saga\.UnicornRequested: +changes\(`,
		"localstack/e2e/delivery_test.go":         `saga\.DoUnicorn: +"no order records UnicornRequested yet",`,
		"functions/relay-facts/wire/wire_test.go": `"relay-facts\.do-unicorn\.json": .*"DoUnicornQueue"`,
		"localstack/audit/waivers.go":             `"SandboxCallbacks", "DoUnicorn",|(?m)^\t\t"DoUnicorn",$`,
	} {
		assert.Regexp(t, line, texts[name], name)
		assert.Contains(t, changed, name)
	}
	assert.Regexp(t, `(?m)^\tDoUnicorn +Step = "do-unicorn"$`, texts["shared/saga/routes.go"])
	assert.Regexp(t, `(?m)^\t\{DoUnicorn, "logs that a unicorn was requested", ""\},$`, texts["shared/saga/routes.go"])
	assert.Equal(t, []string{"do-unicorn", "unicorn", "UnicornRequested"}, []string{s.Name, s.Domain, s.Fact})
	assert.Len(t, changed, 7)
	assert.Contains(t, texts["events/relay-facts.do-unicorn.json"], `"S": "UnicornRequested"`)
	assert.Contains(t, s.Event, `"type":"UnicornRequested"`, "the message is the one that the relay makes of the row")
}

func TestPlan_RefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		wish scaffold.Wish
		says string
	}{
		"neither a route nor a step":     {scaffold.Wish{}, "a ROUTE or a STEP"},
		"a route and a step":             {scaffold.Wish{Route: "put-unicorn", Step: "do-horn"}, "a ROUTE or a STEP"},
		"capitals":                       {scaffold.Wish{Route: "Put-unicorn"}, "a verb and a noun"},
		"one word":                       {scaffold.Wish{Step: "unicorn"}, "a verb and a noun"},
		"a folder elsewhere":             {scaffold.Wish{Route: "../put-unicorn"}, "a verb and a noun"},
		"a word that begins with digits": {scaffold.Wish{Route: "put-2nd"}, "a verb and a noun"},
		"a name that is too long":        {scaffold.Wish{Route: "put-" + strings.Repeat("long", 10)}, "at most 40"},
		"a keyword":                      {scaffold.Wish{Route: "go-to"}, "keyword"},
		"a function that exists":         {scaffold.Wish{Route: "put-product"}, "exists already"},
		"a folder of the platform":       {scaffold.Wish{Route: "get-client"}, "not a domain"},
		"the command":                    {scaffold.Wish{Route: "put-unicorn", Domain: "ops"}, "not a domain"},
		"a domain of two words":          {scaffold.Wish{Route: "put-unicorn", Domain: "horn-card"}, "one word"},
		"no method":                      {scaffold.Wish{Route: "put-horn", At: "/horns/{id}"}, "a method and a path"},
		"a path without a parameter":     {scaffold.Wish{Route: "put-unicorn", At: "GET /unicorns"}, "one parameter"},
		"a path with two":                {scaffold.Wish{Route: "put-horn", At: "GET /a/{id}/{part}"}, "one parameter"},
		"a scope that does not exist": {scaffold.Wish{Route: "put-horn", Scope: "horns:write"},
			"identity/caller.go"},
		"a fact that exists":       {scaffold.Wish{Step: "do-horn", Fact: "OrderPlaced"}, "OrderPlaced already"},
		"a fact in small letters":  {scaffold.Wish{Step: "do-unicorn", Fact: "done"}, "cannot be a fact"},
		"a step named like a fact": {scaffold.Wish{Step: "order-placed"}, "OrderPlaced already"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			_, err := scaffold.Plan(repo, c.wish)
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestPlan_AFileWithoutAPlaceIsNamed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/shop\n", "shared/shared_test.go": "package shared_test\n",
		"shared/identity/caller.go": "package identity\n\nconst (\n" +
			"\tOrdersWrite = \"orders:write\"\n\tOrdersRead = \"orders:read\"\n)\n",
		"localstack/contract/published/published.go": "package published\n",
		"functions/functions.go":                     "package functions\n",
		"docs/changelog.md":                          "# Changes\n\n## 2.0.0\n\n- One.\n\n## 1.0.0\n\nThe first.\n",
	} {
		file := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}

	s, err := scaffold.Plan(folder, scaffold.Wish{Route: "put-unicorn"})

	require.ErrorContains(t, err, "functions/functions.go: it imports no function")
	require.ErrorContains(t, err, "published.go: it has no list")
	for _, f := range s.Files {
		if f.Name == "docs/changelog.md" {
			assert.Contains(t, string(f.Content), "\n\n- One.\n- `PUT /unicorns/{id}` (put-unicorn).\n\n## 1.0.0\n")
		}
		if f.Name == "functions/put-unicorn/wire/wire.go" {
			assert.Contains(t, string(f.Content), `"example.com/shop/shared/api"`)
		}
	}
}

func TestWrite_MakesFilesAndFolders(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s, err := scaffold.Plan(repo, scaffold.Wish{Step: "do-unicorn"})
	require.NoError(t, err)

	require.NoError(t, s.Write(folder))

	for _, f := range s.Files {
		text, err := os.ReadFile(filepath.Join(folder, f.Name))
		require.NoError(t, err)
		assert.Equal(t, string(f.Content), string(text))
	}
}
